"""One day of a simulated perpetual and a seeded trader, run by the real backtest engine."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import CustomData, QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import ClientId, InstrumentId, TraderId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from liqwarn_nautilus import (
    LiqwarnActor,
    LiqwarnActorConfig,
    LiqwarnFlag,
    LiqwarnGuardConfig,
    LiqwarnGuardedStrategy,
    SideFlag,
    mount_risk_control,
)
from liqwarn_nautilus.default_limits import DEFAULT_LIMITS, limits_of
from liqwarn_nautilus.flag import FLAG_TYPE

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
BAR = 5 * MINUTE
START = 1_722_816_000 * SECOND  # 2024-08-05 00:00 UTC
SYMBOL = "BTCUSDT"
PERPETUAL = TestInstrumentProvider.btcusdt_perp_binance()
SPOT = TestInstrumentProvider.btcusdt_binance()
VENUE = Venue("BINANCE")
MINUTES = 24 * 60


def quotes(instrument: Any = PERPETUAL, minutes: int = MINUTES, seed: int = 7) -> list[QuoteTick]:
    """A random walk, one quote a minute."""
    draw = random.Random(seed)
    price, found = 60_000.0, []
    for minute in range(minutes):
        price *= 1 + draw.gauss(0, 0.0006)
        found.append(
            QuoteTick(
                instrument.id,
                instrument.make_price(price),
                instrument.make_price(price + 1),
                instrument.make_qty(500),
                instrument.make_qty(500),
                START + minute * MINUTE,
                START + minute * MINUTE,
            )
        )
    return found


def flag(
    at: int,
    long: int = 0,
    short: int = 0,
    *,
    halted: bool = False,
    life: int = BAR + 10 * MINUTE,
    delay: int = 0,
    sequence: int | None = None,
    quality: str = "ok",
) -> LiqwarnFlag:
    """A flag as of `at` with those tiers, by the policy that is shipped."""

    def side(own: int, opposite: int) -> SideFlag:
        state = "HALTED" if halted else "ACTIVE" if own < 3 else "REDUCING"
        return SideFlag(own, state, limits_of(own, opposite, state, DEFAULT_LIMITS))

    return LiqwarnFlag(
        symbol=SYMBOL,
        sequence=at // SECOND if sequence is None else sequence,
        quality=quality,
        valid_until_ns=at + life,
        long=side(long, short),
        short=side(short, long),
        ts_event=at,
        ts_init=at + delay,
    )


def every_bar(
    long: int = 0, short: int = 0, *, until: int = MINUTES * MINUTE, **kwargs: Any
) -> list[LiqwarnFlag]:
    """A flag a bar, from the start until so long after it."""
    return [flag(START + t, long, short, **kwargs) for t in range(0, until, BAR)]


class _Trader:
    """Every ten minutes one wish of a seeded list: in on a side, or out. Never looks at results."""

    def prepare(self, instrument: Any, seed: int = 6) -> None:
        """Set up, before the run."""
        self.instrument = instrument
        self.draw = random.Random(seed)
        self.asked: list[tuple[int, str]] = []
        self.fills: list[tuple[int, str, str, str]] = []
        self.denials: Counter[str] = Counter()
        self.wishes: dict[Any, str] = {}
        self.denied_exits = self.denied_entries = 0
        self.closed = 0

    def begin(self) -> None:
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        minute = (tick.ts_event - START) // MINUTE
        if minute % 10 == 3:
            self.wish(self.draw.choice(["long", "short", "out"]), self.draw.randint(1, 4))

    def wish(self, what: str, size: int) -> None:
        if what == "out":
            held = self.portfolio.net_position(self.instrument.id)
            if held:
                self.order(OrderSide.SELL if held > 0 else OrderSide.BUY, abs(held), "out")
        else:
            side = OrderSide.BUY if what == "long" else OrderSide.SELL
            self.order(side, Decimal(size), what)

    def order(self, side: OrderSide, quantity: Decimal, what: str, **kwargs: Any) -> None:
        self.asked.append((self.clock.timestamp_ns(), what))
        order = self.order_factory.market(
            self.instrument.id, side, self.instrument.make_qty(quantity), **kwargs
        )
        self.wishes[order.client_order_id] = what
        self.submit_order(order)

    def on_order_filled(self, event: Any) -> None:
        side = "buy" if event.order_side == OrderSide.BUY else "sell"
        self.fills.append((event.ts_event, side, str(event.last_qty), str(event.last_px)))

    def on_order_denied(self, event: Any) -> None:
        self.denials[event.reason] += 1
        if self.wishes.get(event.client_order_id) == "out":
            self.denied_exits += 1
        else:
            self.denied_entries += 1

    def on_position_closed(self, event: Any) -> None:
        self.closed += 1


class PlainTrader(_Trader, Strategy):
    """Without the adapter."""

    def on_start(self) -> None:
        self.begin()


class GuardedTrader(_Trader, LiqwarnGuardedStrategy):
    """With it."""

    def on_start(self) -> None:
        super().on_start()
        self.begin()


@dataclass
class Outcome:
    """What came of a run."""

    trader: Any
    actor: LiqwarnActor | None
    engine_state: str
    position: Decimal
    states: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def denied(self) -> int:
        return sum(self.trader.denials.values())


def new_engine(instrument: Any = PERPETUAL, oms: OmsType = OmsType.NETTING) -> BacktestEngine:
    """An engine with one venue, and no output."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("TESTER-001"), logging=LoggingConfig(bypass_logging=True)
        )
    )
    margin = instrument is PERPETUAL
    money = [Money(50_000_000, USDT)]
    engine.add_venue(
        venue=VENUE,
        oms_type=oms,
        account_type=AccountType.MARGIN if margin else AccountType.CASH,
        starting_balances=money if margin else [*money, Money(100, BTC)],
    )
    engine.add_instrument(instrument)
    return engine


def guard_config(instrument: Any = PERPETUAL, **kwargs: Any) -> LiqwarnGuardConfig:
    return LiqwarnGuardConfig(symbols={str(instrument.id): SYMBOL}, **kwargs)


def run(
    flags: Sequence[LiqwarnFlag] | None,
    *,
    instrument: Any = PERPETUAL,
    trader: Any = None,
    minutes: int = MINUTES,
    extra: Sequence[Any] = (),
    oms: OmsType = OmsType.NETTING,
    **actor: Any,
) -> Outcome:
    """Run a day; without flags at all (None) there is no adapter either."""
    engine = new_engine(instrument, oms)
    engine.add_data(quotes(instrument, minutes))
    watcher = None
    if flags is None:
        trader = trader or PlainTrader()
    else:
        control = mount_risk_control(engine.kernel)
        assert control is not None
        config = {"symbols": {str(instrument.id): SYMBOL}, "watch_interval_s": 10.0, **actor}
        watcher = LiqwarnActor(LiqwarnActorConfig(**config))
        engine.add_actor(watcher)
        trader = trader or GuardedTrader(guard_config(instrument))
        if flags:
            engine.add_data(
                [CustomData(FLAG_TYPE, f) for f in flags], client_id=ClientId("LIQWARN")
            )
    for component in extra:
        engine.add_actor(component)
    trader.prepare(instrument)
    engine.add_strategy(trader)
    engine.run()
    outcome = Outcome(
        trader=trader,
        actor=watcher,
        engine_state=engine.kernel.risk_engine.trading_state.name,
        position=Decimal(engine.portfolio.net_position(InstrumentId.from_str(str(instrument.id)))),
        states=list(watcher.states) if watcher else [],
    )
    engine.dispose()
    return outcome


class _Scripted:
    """Does what ``script`` says: it maps a minute to a function of the trader."""

    script: dict[int, Any]

    def on_quote_tick(self, tick: QuoteTick) -> None:
        act = self.script.get((tick.ts_event - START) // MINUTE)
        if act is not None:
            act(self)

    def buy(self, quantity: Any, what: str = "long", **kwargs: Any) -> None:
        self.order(OrderSide.BUY, Decimal(quantity), what, **kwargs)

    def sell(self, quantity: Any, what: str = "out", **kwargs: Any) -> None:
        self.order(OrderSide.SELL, Decimal(quantity), what, **kwargs)

    def held(self) -> Decimal:
        return Decimal(self.portfolio.net_position(self.instrument.id))


class ScriptedGuarded(_Scripted, GuardedTrader):
    """A scripted trader with the guard."""


class ScriptedPlain(_Scripted, PlainTrader):
    """A scripted trader without."""


def scripted(
    script: dict[int, Any], *, guarded: bool = True, instrument: Any = PERPETUAL, **kwargs: Any
) -> Any:
    """A trader that follows a script; `kwargs` are the guard's."""
    trader = ScriptedGuarded(guard_config(instrument, **kwargs)) if guarded else ScriptedPlain()
    trader.script = script
    return trader
