"""The compiled engine on planted books: crossing, impact, identity, and its small parts."""

import numpy as np
import pytest

from liqwarn.liquidation.margin import liquidation_price
from liqwarn.simulation import engine
from liqwarn.simulation.climate import Climate
from liqwarn.simulation.config import DEFAULT_SPECS, Leverage, MarketConfig
from liqwarn.simulation.state import (
    BIN_WIDTH,
    N_BINS,
    World,
    new_record,
    new_state,
    rules_of,
)

ONE = Leverage(ladder=(10.0,), mix=(1.0,), tilt=0.0)
CONFIG = MarketConfig(specs=DEFAULT_SPECS[1:2], n_bars=2, leverage=ONE)


def quiet_world(returns):
    bars = np.ones((1, 2))
    calm = Climate(*(0.0 * bars for _ in range(5)))
    steps = np.zeros((1, 24))
    steps[0, : len(returns)] = returns
    return World(steps, np.full((2, 1, 24), 0.0), 0.002 * bars, bars, calm)


def run(returns, config=CONFIG, planted=0.0):
    """Run with `planted` coins of 10x longs and shorts, entered at the first price."""
    rules = rules_of(config)._replace(turnover=0.0, pursuit=0.0, panic=0.0)
    state, record = new_state(config, rules), new_record(1, 2)
    for side in range(2):
        engine._enter(rules, state, 0, side, planted)
        state.far[0, side] -= planted
    engine.run(rules, quiet_world(returns), state, record)
    return state, record


def distance(side):
    return abs(np.log(float(liquidation_price(side, 1.0, 10.0, 0.005))))


@pytest.mark.parametrize(("side", "sign"), [("long", -1.0), ("short", 1.0)])
def test_nothing_is_liquidated_before_price_crosses_and_all_of_it_after(side, sign):
    row = 0 if side == "long" else 1
    _, before = run([sign * (distance(side) - BIN_WIDTH)], planted=100.0)
    assert before.liquidated.sum() == 0.0
    _, after = run([sign * (distance(side) + 2 * BIN_WIDTH)], planted=100.0)
    assert after.liquidated[0, 0, row] == pytest.approx(100.0)
    assert after.liquidated[0, :, 1 - row].sum() == 0.0


def test_a_wick_liquidates_and_price_returns():
    world = quiet_world([0.0])
    world.wicks[0, 0, 0] = 2.0 * distance("long") ** 2 / 0.002**2 * 1.05
    rules = rules_of(CONFIG)._replace(turnover=0.0, pursuit=0.0, panic=0.0)
    state, record = new_state(CONFIG, rules), new_record(1, 2)
    engine._enter(rules, state, 0, 0, 100.0)
    state.far[0, 0] -= 100.0
    engine.run(rules, world, state, record)
    assert record.liquidated[0, 0, 0] == pytest.approx(100.0)
    assert record.prices[2, 0, 0] < record.prices[0, 0, 0] - distance("long")


@pytest.mark.parametrize(("side", "sign"), [("long", -1.0), ("short", 1.0)])
def test_forced_flow_pushes_price_further_the_same_way(side, sign):
    shock = sign * (distance(side) + 2 * BIN_WIDTH)
    _, empty = run([shock])
    _, full = run([shock], planted=3_000.0)
    assert sign * (full.prices[3, 0, 0] - empty.prices[3, 0, 0]) > 0.0
    assert empty.exogenous[0, 0] == full.exogenous[0, 0] == pytest.approx(shock)


def test_part_of_the_impact_rebounds():
    _, record = run([-(distance("long") + 2 * BIN_WIDTH)], planted=3_000.0)
    assert record.prices[3, 0, 1] > record.prices[2, 0, 0]


def test_liquidations_reduce_open_interest_on_both_sides_alike():
    state, record = run([-(distance("long") + 2 * BIN_WIDTH)], planted=3_000.0)
    closed = (1.0 - CONFIG.positioning.replaced) * record.liquidated.sum()
    start = rules_of(CONFIG).open_interest[0]
    assert record.held[0, -1] == pytest.approx(start - closed)
    np.testing.assert_allclose(record.cohorts[0, -1], state.held[0], rtol=1e-12)


def test_makers_withdraw_most_from_the_side_that_was_run_over_and_come_back():
    _, record = run([-0.02])
    bid, ask = record.depth[0, :, 0], record.depth[0, :, 1]
    assert bid[0] < ask[0] < rules_of(CONFIG).depth[0]
    assert bid[1] > bid[0]


def test_depth_never_falls_below_its_floor():
    _, record = run([-0.5] * 12)
    floor = CONFIG.liquidity.floor * rules_of(CONFIG).depth[0]
    assert record.depth[0, 0, 0] == pytest.approx(floor)


def test_cohorts_that_price_left_behind_are_kept_as_unreachable():
    state, record = run([0.5] * 10, planted=100.0)
    assert record.prices[3, 0, -1] - record.prices[0, 0, 0] > N_BINS * BIN_WIDTH
    np.testing.assert_allclose(record.cohorts[0, -1], state.held[0], rtol=1e-12)


def test_the_distance_bands_hold_what_was_planted():
    _, record = run([0.0], planted=100.0)
    expected = np.array([0.0, 0.0, 0.0, 0.0, 100.0])  # 10x: 9.5 % below, 9.45 % above
    np.testing.assert_allclose(record.near[0, 0], [expected, expected])


def test_a_rescaled_side_is_the_same_side():
    rules = rules_of(CONFIG)
    state = new_state(CONFIG, rules)
    engine._enter(rules, state, 0, 0, 100.0)
    state.scale[0, 0] = 1e-80
    before = state.scale[0, 0] * (state.ring[0, 0].sum() + state.far[0, 0])
    engine._rescale(state, 0, 0)
    assert state.scale[0, 0] == 1.0
    assert state.ring[0, 0].sum() + state.far[0, 0] == pytest.approx(before)


def test_new_positions_lie_at_their_liquidation_price():
    rules = rules_of(CONFIG)
    state = new_state(CONFIG, rules)
    start = float(state.value[0])
    for row, side in enumerate(("long", "short")):
        engine._enter(rules, state, 0, row, 1.0)
        sign = 1.0 if side == "long" else -1.0
        price = np.log(float(liquidation_price(side, np.exp(start), 10.0, 0.005)))
        place = int(np.floor(sign * price / BIN_WIDTH))
        assert state.ring[0, row, place % N_BINS] == 1.0


def test_the_crowded_side_takes_more_leverage():
    config = MarketConfig(specs=DEFAULT_SPECS[1:2], n_bars=2)
    rules, world = rules_of(config), quiet_world([0.0])
    state = new_state(config, rules)
    world.climate.mood[0, 0] = 1.0
    engine._open_bar(rules, world, state, 0, 0)
    leverage = state.mix[0] @ np.exp(rules.log_ladder)
    assert leverage[0] > rules.mix @ np.exp(rules.log_ladder) > leverage[1]
    np.testing.assert_allclose(state.mix[0].sum(axis=1), 1.0)
