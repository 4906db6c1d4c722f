"""The strategy mixin: each callback of freqtrade that can take risk asks the gate first.

freqtrade goes on as if nothing had happened when a callback raises: ``confirm_trade_entry`` then
counts as a yes. So nothing here raises: whatever goes wrong is a denial.
"""

import logging
import math
from collections import Counter
from datetime import datetime
from typing import Any, Final

from liqwarn.client import Decision
from liqwarn.client.decision import denied
from liqwarn.errors import LiqwarnError
from liqwarn_freqtrade.gates import Asked, NoGate, allows, gate_of
from liqwarn_freqtrade.pairs import symbol_of
from liqwarn_freqtrade.settings import Settings, parse_settings
from liqwarn_freqtrade.watch import Watch

__all__ = ["LiqwarnMixin"]

logger = logging.getLogger(__name__)

GUARDED: Final = (
    "adjust_order_price",
    "adjust_trade_position",
    "bot_loop_start",
    "bot_start",
    "check_entry_timeout",
    "confirm_trade_entry",
    "confirm_trade_exit",
    "custom_exit",
    "custom_stake_amount",
    "leverage",
)
LIVE: Final = ("live", "dry_run")


class LiqwarnMixin:
    """Put it before a strategy that works: ``class Guarded(LiqwarnMixin, MyStrategy): pass``.

    The strategy's own callbacks are asked first, and the gate has the last word on what adds risk.
    A class that would switch a guarded callback off does not load.

    Attributes
    ----------
    liqwarn_counts : Counter
        Entries ``asked``, ``denied``, ``too small`` and ``allowed``, and adds likewise.

    Raises
    ------
    TypeError
        When the class is defined so that its own callback would be called instead of a guarded one.
    """

    liqwarn_gate: Asked | None = None
    liqwarn_settings: Settings = Settings()
    liqwarn_counts: Counter[str] = Counter()  # noqa: RUF012 each bot makes its own as it starts

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        lost = [name for name in GUARDED if getattr(cls, name) is not getattr(LiqwarnMixin, name)]
        if lost:
            raise TypeError(
                f"{cls.__name__} defines {', '.join(lost)}, expected only LiqwarnMixin to: write "
                f"the strategy as a class of its own, S, and trade with class "
                f"{cls.__name__}(LiqwarnMixin, S)"
            )

    # -- what is asked ------------------------------------------------------------------------

    def bot_start(self, **kwargs: Any) -> None:
        """Open the gate; what cannot be opened denies, and the bot still looks after its trades."""
        self.liqwarn_counts = Counter()
        runmode = self._runmode()
        if self.liqwarn_gate is None:
            try:
                self.liqwarn_settings = parse_settings(self.config.get("liqwarn"))
                self.liqwarn_gate = gate_of(self.liqwarn_settings, runmode)
            except (LiqwarnError, OSError, TypeError, ValueError, KeyError) as error:
                self.liqwarn_gate = NoGate(f"{type(error).__name__}: {error}")
        if isinstance(self.liqwarn_gate, NoGate):
            logger.error("liqwarn denies every entry: %s", self.liqwarn_gate.why)
        self._liqwarn_watch = Watch(self.lock_pair, self.unlock_reason)
        super().bot_start(**kwargs)

    def _runmode(self) -> str:
        mode = self.config.get("runmode")
        return str(getattr(mode, "value", mode))

    def _ask(self, pair: str, side: str, now: datetime) -> Decision:
        """The gate's decision; a denial when there is none to be had."""
        symbol = symbol_of(pair, self.liqwarn_settings.symbols)
        try:
            if self.liqwarn_gate is None:
                return denied(symbol, side, "the gate was never opened")
            decision = self.liqwarn_gate.ask(symbol, side, now)
            if (decision.symbol, decision.side) != (symbol, side):
                return denied(symbol, side, "the answer is about something else")
        except Exception as error:  # whatever it is: an escape would count as a yes
            return denied(symbol, side, f"the gate failed: {type(error).__name__}: {error}")
        return decision

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Look at every pair: log what changed, lock what is denied, unlock what is free again."""
        live = self._runmode() in LIVE
        settings = self.liqwarn_settings
        locks = settings.lock_pairs and (live or settings.lock_in_backtest)
        if live or locks:
            try:
                self._look(current_time, locks=locks)
            except Exception:  # a look that fails must not end the loop; entries ask again
                logger.exception("liqwarn: the look at the flags failed")
        super().bot_loop_start(current_time=current_time, **kwargs)

    def _look(self, now: datetime, *, locks: bool) -> None:
        sides = ("long", "short") if self.can_short else ("long",)
        for pair in self.dp.current_whitelist():
            for side in sides:
                self._liqwarn_watch.look(pair, self._ask(pair, side, now), now, locks=locks)

    # -- what adds risk -----------------------------------------------------------------------

    def leverage(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_leverage: float,
        max_leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """The strategy's leverage times ``leverage_frac``; freqtrade's floor is 1."""
        try:
            own = super().leverage(
                pair=pair,
                current_time=current_time,
                current_rate=current_rate,
                proposed_leverage=proposed_leverage,
                max_leverage=max_leverage,
                entry_tag=entry_tag,
                side=side,
                **kwargs,
            )
            wanted = float(own) * _share(self._ask(pair, side, current_time).leverage_frac)
        except Exception:  # freqtrade would take 1 as well
            logger.exception("liqwarn: %s leverage failed", pair)
            return 1.0
        return min(max(wanted, 1.0), max(max_leverage, 1.0)) if math.isfinite(wanted) else 1.0

    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """The strategy's stake times ``order_size_frac``; 0, which is no trade, when denied.

        Also 0 when it falls below the exchange's least stake, to which freqtrade would raise it.
        """
        self.liqwarn_counts["asked"] += 1
        try:
            own = super().custom_stake_amount(
                pair=pair,
                current_time=current_time,
                current_rate=current_rate,
                proposed_stake=proposed_stake,
                min_stake=min_stake,
                max_stake=max_stake,
                leverage=leverage,
                entry_tag=entry_tag,
                side=side,
                **kwargs,
            )
            decision = self._ask(pair, side, current_time)
            if not allows(decision):
                return self._deny("", pair, decision.reason)
            return self._sized(float(own or 0), _share(decision.order_size_frac), min_stake)
        except Exception as error:  # freqtrade would take the whole proposed stake
            return self._deny("", pair, f"stake: {type(error).__name__}: {error}")

    def _sized(self, own: float, share: float, min_stake: float | None) -> float:
        stake = own * share
        if share == 1.0 and math.isfinite(own):
            return own
        if not (math.isfinite(stake) and stake > 0 and stake >= (min_stake or 0.0)):
            self.liqwarn_counts["too small"] += 1
            return 0.0
        return stake

    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """The last word: only a fresh flag that lets this side grow is a yes."""
        try:
            own = super().confirm_trade_entry(
                pair=pair,
                order_type=order_type,
                amount=amount,
                rate=rate,
                time_in_force=time_in_force,
                current_time=current_time,
                entry_tag=entry_tag,
                side=side,
                **kwargs,
            )
            decision = self._ask(pair, side, current_time)
            why = (
                decision.reason
                if not allows(decision)
                else _unmet(decision, order_type, time_in_force)
            )
        except Exception as error:  # freqtrade would count it as a yes
            own, why = False, f"{type(error).__name__}: {error}"
        if why is not None:
            self._deny("", pair, why)
            return False
        self.liqwarn_counts["allowed" if own else "refused by the strategy"] += 1
        return bool(own)

    def adjust_trade_position(self, trade: Any, current_time: datetime, **kwargs: Any) -> Any:
        """An add is scaled by the stricter of ``add_frac`` and ``order_size_frac``, or dropped.

        Reductions pass as they are.
        """
        own = super().adjust_trade_position(trade=trade, current_time=current_time, **kwargs)
        stake, tag = own if isinstance(own, tuple) else (own, None)
        if stake is None or stake <= 0:
            return own
        self.liqwarn_counts["adds asked"] += 1
        decision = self._ask(trade.pair, _side_of(trade), current_time)
        why = self._against(decision)
        if why is not None:
            return self._deny("adds ", trade.pair, why) or None
        share = min(_share(decision.add_frac), _share(decision.order_size_frac))
        scaled = stake * share
        if not scaled > 0 or (share < 1 and scaled < (kwargs.get("min_stake") or 0.0)):
            self.liqwarn_counts["adds too small"] += 1
            return None
        self.liqwarn_counts["adds allowed"] += 1
        return (scaled, tag) if isinstance(own, tuple) else scaled

    def check_entry_timeout(
        self,
        pair: str,
        trade: Any,
        order: Any,
        current_time: datetime,
        **kwargs: Any,
    ) -> bool:
        """Cancel a resting entry when the flag says so, or the strategy does."""
        if self._ask(pair, _side_of(trade), current_time).cancel_increasing:
            return True
        return bool(
            super().check_entry_timeout(
                pair=pair, trade=trade, order=order, current_time=current_time, **kwargs
            )
        )

    def adjust_order_price(
        self,
        trade: Any,
        pair: str,
        current_time: datetime,
        current_order_rate: float,
        is_entry: bool,
        **kwargs: Any,
    ) -> float | None:
        """A resting entry is not placed anew while its side is denied: freqtrade asks no one then.

        An unchanged one stays; one that the strategy would move is cancelled. Exits move freely.
        """
        rate = super().adjust_order_price(
            trade=trade,
            pair=pair,
            current_time=current_time,
            current_order_rate=current_order_rate,
            is_entry=is_entry,
            **kwargs,
        )
        if not is_entry or rate is None or rate == current_order_rate:
            return rate
        return (
            rate if self._against(self._ask(pair, _side_of(trade), current_time)) is None else None
        )

    # -- what takes risk off ------------------------------------------------------------------

    def custom_exit(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | bool | None:
        """The strategy's exit; else, if asked for, one at ``derisk_tier``, by a fresh flag only."""
        own = super().custom_exit(
            pair=pair,
            trade=trade,
            current_time=current_time,
            current_rate=current_rate,
            current_profit=current_profit,
            **kwargs,
        )
        tier = self.liqwarn_settings.derisk_tier
        if own or tier is None:
            return own
        decision = self._ask(pair, _side_of(trade), current_time)
        return f"liqwarn_T{decision.tier}" if decision.fresh and decision.tier >= tier else own

    def confirm_trade_exit(self, *args: Any, **kwargs: Any) -> bool:
        """Always yes: reducing is never blocked. See ``keep_exit_veto`` for a strategy's own no."""
        if not self.liqwarn_settings.keep_exit_veto:
            return True
        reason = str(kwargs.get("exit_reason", ""))
        return reason.startswith("liqwarn") or bool(super().confirm_trade_exit(*args, **kwargs))

    def _against(self, decision: Decision) -> str | None:
        """Why an order that freqtrade lets nobody confirm may not add risk."""
        if not allows(decision):
            return decision.reason
        kinds, times = (
            getattr(self, name, None) or {} for name in ("order_types", "order_time_in_force")
        )
        return _unmet(decision, str(kinds.get("entry")), str(times.get("entry")))

    def _deny(self, what: str, pair: str, why: str) -> float:
        self.liqwarn_counts[f"{what}denied"] += 1
        if self._runmode() in LIVE:
            logger.warning("liqwarn: entry in %s denied: %s", pair, why)
        return 0.0


def _side_of(trade: Any) -> str:
    return "short" if trade.is_short else "long"


def _share(frac: float) -> float:
    """A factor that can only tighten; what is no number is none of it."""
    return min(max(frac, 0.0), 1.0) if math.isfinite(frac) else 0.0


def _unmet(decision: Decision, order_type: str, time_in_force: str) -> str | None:
    """What the flag asks of an order and freqtrade's order does not do."""
    if decision.post_only and (order_type != "limit" or time_in_force != "PO"):
        return f"entries must rest in the book, and this is {order_type} {time_in_force}"
    if decision.collar_frac is not None:
        return "entries must be priced near the mark, which freqtrade does not show here"
    return None
