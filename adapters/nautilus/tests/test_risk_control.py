"""The door to the risk engine, and what the engine of this version really does behind it."""

import pytest
from market import (
    MINUTE,
    PERPETUAL,
    SPOT,
    START,
    SYMBOL,
    every_bar,
    flag,
    new_engine,
    quotes,
    run,
    scripted,
)
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.data import CustomData
from nautilus_trader.model.enums import TradingState
from nautilus_trader.model.identifiers import ClientId, StrategyId

from liqwarn.errors import ConfigError
from liqwarn_nautilus import LiqwarnActor, LiqwarnActorConfig, mount_risk_control
from liqwarn_nautilus.flag import FLAG_TYPE
from liqwarn_nautilus.risk_control import CONTROL_ENDPOINT, RiskControl, SetTradingState

SHORT_RUN = 30


def in_state(state, script, *, instrument=PERPETUAL, cap=None, other=None):
    """An unguarded run in which the engine is put into a state, and given a cap, at minute 5."""
    engine_of = {}

    def set_state(trader):
        engine = engine_of["engine"].kernel.risk_engine
        if engine.trading_state != state:
            engine.set_trading_state(state)
        if cap is not None:
            engine.set_max_notional_per_order(instrument.id, cap)

    engine = new_engine(instrument)
    engine_of["engine"] = engine
    engine.add_data(quotes(instrument, SHORT_RUN))
    trader = scripted({5: set_state, **script}, guarded=False, instrument=instrument)
    trader.prepare(instrument)
    engine.add_strategy(trader)
    if other is not None:
        second = scripted(other, guarded=False, instrument=instrument)
        second.change_order_id_tag("002")
        second.change_id(StrategyId("Second-002"))
        second.prepare(instrument)
        engine.add_strategy(second)
    engine.run()
    engine.dispose()
    return trader


def test_exits_pass_in_reducing():
    trader = in_state(TradingState.REDUCING, {1: lambda t: t.buy(2), 10: lambda t: t.sell(2)})

    assert trader.denials == {}
    assert trader.closed == 1


def test_halted_blocks_exits_as_well():
    trader = in_state(TradingState.HALTED, {1: lambda t: t.buy(2), 10: lambda t: t.sell(2)})

    assert trader.denials == {"TradingState.HALTED": 1}
    assert trader.closed == 0


def test_halted_blocks_even_reduce_only():
    leave = {10: lambda t: t.sell(2, reduce_only=True)}

    assert in_state(TradingState.HALTED, {1: lambda t: t.buy(2), **leave}).closed == 0
    assert in_state(TradingState.REDUCING, {1: lambda t: t.buy(2), **leave}).closed == 1


def test_reducing_alone_lets_a_flat_account_open_and_a_position_flip():
    """Why the guard is needed: the engine only looks at the side already held."""
    opened = in_state(TradingState.REDUCING, {10: lambda t: t.buy(2)})
    flipped = in_state(TradingState.REDUCING, {1: lambda t: t.buy(2), 10: lambda t: t.sell(5)})

    assert opened.denials == flipped.denials == {}
    assert len(opened.fills) == 1
    assert sum(float(f[2]) for f in flipped.fills if f[1] == "sell") == 5


def test_reducing_looks_at_the_net_of_all_strategies():
    """One strategy's exit is denied because another holds more of the other side."""
    script = {1: lambda t: t.buy(2), 10: lambda t: t.sell(2)}
    trader = in_state(TradingState.REDUCING, script, other={2: lambda t: t.sell(5, "short")})

    assert trader.denied_exits == 1
    assert ["SELL when TradingState.REDUCING" in reason for reason in trader.denials] == [True]


def test_the_engines_cap_binds_a_cash_account_and_not_a_margin_account():
    """Why the guard has caps of its own: perpetuals are held on margin accounts."""
    cash = in_state(TradingState.ACTIVE, {10: lambda t: t.buy(2)}, instrument=SPOT, cap=60_000)
    margin = in_state(TradingState.ACTIVE, {10: lambda t: t.buy(2)}, cap=60_000)

    assert ["NOTIONAL_EXCEEDS" in reason for reason in cash.denials] == [True]
    assert margin.denials == {}
    assert len(margin.fills) == 1


def test_the_engines_cap_would_block_a_large_exit_of_a_cash_account():
    script = {1: lambda t: t.buy(2), 10: lambda t: t.sell(2)}
    trader = in_state(TradingState.ACTIVE, script, instrument=SPOT, cap=60_000)

    assert "NOTIONAL_EXCEEDS_MAX_PER_ORDER" in next(iter(trader.denials))
    assert trader.closed == 0


def test_the_actors_cap_binds_entries_and_leaves_room_for_the_exit():
    script = {
        1: lambda t: t.buy(1),
        6: lambda t: t.buy(1),
        7: lambda t: t.buy(3),
        20: lambda t: t.sell(2),
    }
    trader = scripted(script, guarded=False, instrument=SPOT)
    found = run(
        every_bar(),
        instrument=SPOT,
        trader=trader,
        minutes=SHORT_RUN,
        order_notional={str(SPOT.id): "90000"},
    )

    assert [f[1:3] for f in found.trader.fills] == [
        ("buy", "1.000000"),
        ("buy", "1.000000"),
        ("sell", "2.000000"),  # 120,000: more than an entry may be
    ]
    assert [reason.split(":")[0] for reason in found.trader.denials] == [
        "NOTIONAL_EXCEEDS_MAX_PER_ORDER"
    ]


def test_what_another_hand_has_tightened_is_never_loosened():
    control_of = {}

    def operator(trader):
        control_of["engine"].kernel.risk_engine.set_trading_state(TradingState.HALTED)

    engine = new_engine()
    control_of["engine"] = engine
    mount_risk_control(engine.kernel)
    engine.add_data(quotes(minutes=SHORT_RUN))
    symbols = {str(PERPETUAL.id): SYMBOL}
    engine.add_actor(LiqwarnActor(LiqwarnActorConfig(symbols=symbols, watch_interval_s=10)))
    trader = scripted({5: operator, 10: lambda t: t.buy(1)}, guarded=False)
    trader.prepare(PERPETUAL)
    engine.add_strategy(trader)
    flags = [CustomData(FLAG_TYPE, flag(START + m * MINUTE)) for m in range(0, 30, 5)]
    engine.add_data(flags, client_id=ClientId("LIQWARN"))
    engine.run()

    assert trader.denials == {"TradingState.HALTED": 1}
    assert engine.kernel.risk_engine.trading_state == TradingState.HALTED
    engine.dispose()


def test_what_another_hand_has_loosened_is_tightened_again():
    engine = new_engine()
    risk = engine.kernel.risk_engine
    control = RiskControl(risk)
    control.execute(SetTradingState(TradingState.REDUCING, "test"))
    risk.set_trading_state(TradingState.ACTIVE)
    control.execute(SetTradingState(TradingState.REDUCING, "test"))

    assert risk.trading_state == TradingState.REDUCING
    engine.dispose()


def test_a_bypassed_engine_is_refused():
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True)
        )
    )

    with pytest.raises(ConfigError, match="bypassed"):
        mount_risk_control(engine.kernel)
    engine.dispose()


def test_the_engine_has_no_command_for_its_state():
    """The day it has one, the endpoint of our own can go."""
    engine = new_engine()

    assert "RiskEngine.execute" in engine.kernel.msgbus.endpoints()
    with pytest.raises(TypeError, match="Command"):
        engine.kernel.msgbus.send("RiskEngine.execute", SetTradingState(TradingState.HALTED, ""))
    assert engine.kernel.risk_engine.trading_state == TradingState.ACTIVE
    assert CONTROL_ENDPOINT not in engine.kernel.msgbus.endpoints()
    engine.dispose()


def test_an_actor_without_its_door_does_not_start():
    engine = new_engine()
    engine.add_data(quotes(minutes=5))
    engine.add_actor(LiqwarnActor(LiqwarnActorConfig(symbols={str(PERPETUAL.id): SYMBOL})))

    with pytest.raises(ConfigError, match="expected mount_risk_control"):
        engine.run()
    engine.dispose()


def test_an_actor_that_watches_nothing_is_refused():
    with pytest.raises(ConfigError, match="at least one instrument"):
        LiqwarnActor(LiqwarnActorConfig(symbols={}))
