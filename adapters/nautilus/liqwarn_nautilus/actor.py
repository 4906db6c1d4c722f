"""The actor that turns flags into the risk engine's state, and watches that they stay fresh."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Literal

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.core.data import Data
from nautilus_trader.core.message import Event
from nautilus_trader.model.enums import TradingState
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price

from liqwarn.errors import ConfigError
from liqwarn_nautilus.flag import FLAG_TYPE, LiqwarnFlag
from liqwarn_nautilus.flag_book import FlagBook, Verdict
from liqwarn_nautilus.risk_control import (
    CONTROL_ENDPOINT,
    SetNotionalCap,
    SetTradingState,
)

__all__ = ["LiqwarnActor", "LiqwarnActorConfig", "wanted_state"]

_WATCHDOG = "liqwarn-watchdog"
_LEAST_CAP = Decimal("0.01")  # the engine takes no cap of 0


class LiqwarnActorConfig(ActorConfig, frozen=True, kw_only=True):
    """What the actor watches.

    Attributes
    ----------
    symbols : dict of instrument id to liqwarn symbol
    watch_interval_s : float
        Seconds of the engine's clock between two looks of the watchdog.
    scope : str
        ``book``: REDUCING when no side of any symbol may take new risk; guarded strategies see to
        the rest. ``any``: REDUCING as soon as one side may not; for nodes with strategies that are
        not guarded, and strict on sides that could go on.
    operator_halt : str
        What an operator's halt of the whole book asks of the engine. ``REDUCING`` lets exits
        pass; ``HALTED`` blocks them as well.
    order_notional : dict of instrument id to decimal text
        The house's largest order, in quote currency.
    exit_headroom : float
        The engine's cap never falls below an open position's notional times this, so that its exit
        fits.
    """

    symbols: dict[str, str]
    watch_interval_s: float = 1.0
    scope: Literal["book", "any"] = "book"
    operator_halt: Literal["REDUCING", "HALTED"] = "REDUCING"
    order_notional: dict[str, str] = {}
    exit_headroom: float = 1.5


def wanted_state(
    verdicts: Iterable[Verdict], *, scope: str, operator_halt: str
) -> tuple[TradingState, str]:
    """The engine's one state for all symbols and sides, and why.

    The engine knows neither symbols nor sides, so this is only ever the coarse part of it.
    """
    verdicts = list(verdicts)
    if operator_halt == "HALTED" and all(v.state == "HALTED" for v in verdicts):
        return TradingState.HALTED, "an operator has halted the whole book"
    denied = [verdict for verdict in verdicts if not verdict.new_risk]
    if denied and (scope == "any" or len(denied) == len(verdicts)):
        return TradingState.REDUCING, denied[0].reason
    return TradingState.ACTIVE, "new risk is allowed"


class LiqwarnActor(Actor):
    """Sets the trading state and the caps of the risk engine from the flags.

    Mount :func:`~liqwarn_nautilus.risk_control.mount_risk_control` first.
    """

    def __init__(self, config: LiqwarnActorConfig) -> None:
        super().__init__(config)
        if not config.symbols:
            raise ConfigError("no symbols to watch, expected at least one instrument")
        self.book = FlagBook(config.symbols.values())
        self.states: list[tuple[int, str, str]] = []
        """Changes of the state it asked for: UNIX nanoseconds, name, why."""
        self._asked: TradingState | None = None

    def on_start(self) -> None:
        """Start as without flags: REDUCING until they come."""
        if CONTROL_ENDPOINT not in self.msgbus.endpoints():
            raise ConfigError(f"{CONTROL_ENDPOINT} is not mounted, expected mount_risk_control")
        self.book = FlagBook(self.config.symbols.values())
        self._asked = None
        self.subscribe_data(FLAG_TYPE)
        self.msgbus.subscribe("events.position.*", self._on_position)
        self.clock.set_timer(
            _WATCHDOG,
            timedelta(seconds=self.config.watch_interval_s),
            callback=self._on_watch,
        )
        self._apply()

    def on_stop(self) -> None:
        """Nobody watches from here on: REDUCING."""
        if _WATCHDOG in self.clock.timer_names:
            self.clock.cancel_timer(_WATCHDOG)
        self._ask(TradingState.REDUCING, "the actor has stopped")

    def on_data(self, data: Data) -> None:
        """Take a flag up and act on it at once."""
        if not isinstance(data, LiqwarnFlag):
            return
        refusal = self.book.take(data, self.clock.timestamp_ns())
        if refusal:
            self.log.warning(f"Refused {data!r}: {refusal}")
        self._apply()

    def _on_watch(self, _event: Event) -> None:
        self._apply()

    def _on_position(self, _event: Event) -> None:
        self._set_caps()

    def _apply(self) -> None:
        state, reason = wanted_state(
            self.book.verdicts(self.clock.timestamp_ns()),
            scope=self.config.scope,
            operator_halt=self.config.operator_halt,
        )
        self._ask(state, reason)
        self._set_caps()

    def _ask(self, state: TradingState, reason: str) -> None:
        if state != self._asked:
            self.states.append((self.clock.timestamp_ns(), state.name, reason))
            self.log.info(f"Asking for {state.name}: {reason}")
        self._asked = state
        # Sent even when unchanged: another hand may have loosened the engine meanwhile.
        self.msgbus.send(CONTROL_ENDPOINT, SetTradingState(state, reason))

    def _set_caps(self) -> None:
        now = self.clock.timestamp_ns()
        for text, house in self.config.order_notional.items():
            instrument_id = InstrumentId.from_str(text)
            verdicts = [
                self.book.verdict(self.config.symbols[text], side, now)
                for side in ("long", "short")
            ]
            # The engine's cap knows no side: the looser of both. Guarded strategies know them.
            share = max(v.limits.order_size_frac for v in verdicts)
            cap = max(Decimal(house) * Decimal(str(share)), self._exit_notional(instrument_id))
            self.msgbus.send(CONTROL_ENDPOINT, SetNotionalCap(instrument_id, cap))

    def _exit_notional(self, instrument_id: InstrumentId) -> Decimal:
        """What the largest open position could need to leave in one order, with headroom."""
        held = [
            position.notional_value(price).as_decimal()
            for position in self.cache.positions_open(instrument_id=instrument_id)
            if (price := _last_price(self.cache, instrument_id)) is not None
        ]
        need = max(held, default=Decimal(0)) * Decimal(str(self.config.exit_headroom))
        return _round_up(need) if need else _LEAST_CAP


def _round_up(value: Decimal) -> Decimal:
    """To two digits, so that the cap does not move with every tick of the price."""
    return value.quantize(Decimal(1).scaleb(value.adjusted() - 1), rounding=ROUND_UP)


def _last_price(cache: CacheFacade, instrument_id: InstrumentId) -> Price | None:
    quote = cache.quote_tick(instrument_id)
    if quote is not None:
        return quote.ask_price
    trade = cache.trade_tick(instrument_id)
    return None if trade is None else trade.price
