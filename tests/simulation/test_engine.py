"""One step of one symbol: the sum of what moves price, makers, voluntary trade, outages."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.simulation import layout as at
from liqwarn.simulation.config import CrossMargin, Habits, Liquidity, Venue
from liqwarn.simulation.engine import close_bar, open_bar
from liqwarn.simulation.rules import rules_of

START = float(np.log(100.0))
sides = pytest.mark.parametrize("side", [0, 1])
steps = pytest.mark.parametrize(
    "step", [timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=5)], ids=str
)
NEVER = {"entry_steps": 10**9}


def thin(bench):
    return bench.cells[0, at.THIN : at.THIN + 2].copy()


@given(
    st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=15),
    st.sampled_from(["full", "partial", "tiered"]),
)
@settings(deadline=None, max_examples=30)
def test_the_parts_of_a_move_sum_to_the_move(bench, news, engine):
    made = bench(2, venue=Venue(engine=engine), rules={"turnover": 0.05, "panic": 0.1})
    made.cells[0, at.IN_SUPPLY] = 1_000.0
    for change in news:
        made.advance(change, (1.0, 1.0))
    for i in range(2):
        total = made.cells[i, at.MOVED : at.MOVED + len(at.CHANNELS)].sum()
        assert total == pytest.approx(made.cells[i, [at.VALUE, at.PULL]].sum() - START, abs=1e-12)


def test_news_in_a_calm_book_is_the_whole_move(bench):
    made = bench()
    made.advance(0.004)
    assert made.moved["news"] == 0.004
    assert made.price == pytest.approx(START + 0.004)


def test_a_thin_book_amplifies_news(bench):
    made = bench()
    made.cells[0, at.THIN : at.THIN + 2] = 1.5, 0.5
    made.advance(-0.01)
    aftershock = made.config.liquidity.aftershock
    assert made.moved["thin_book"] == pytest.approx(-0.01 * np.expm1(aftershock * 1.0))


@sides
def test_makers_withdraw_most_on_the_side_that_is_run_over(bench, side):
    made = bench()
    made.advance((-1, 1)[side] * 0.02)
    beyond = 0.02 / 0.002 - 1.0
    assert thin(made)[side] == pytest.approx(made.rules.withdrawal * beyond)
    assert thin(made)[1 - side] == pytest.approx(0.5 * made.rules.withdrawal * beyond)


def test_makers_stay_through_a_move_of_one_deviation(bench):
    made = bench()
    made.advance(0.0019)
    assert not thin(made).any()


def test_makers_never_withdraw_below_the_floor(bench):
    made = bench()
    for _ in range(30):
        made.advance(-0.1)
    assert np.exp(-thin(made)[0]) == pytest.approx(made.config.liquidity.floor)


@steps
def test_withdrawn_depth_comes_back_with_its_half_life_at_any_step(bench, step):
    made = bench(step=step)
    made.cells[0, at.THIN : at.THIN + 2] = 1.0
    minutes = made.config.liquidity.recovery_half_life_min
    for _ in range(round(minutes * 60.0 / step.total_seconds())):
        made.rules = made.rules._replace(common_withdrawal=0.0)
        made.advance()
    np.testing.assert_allclose(thin(made), 0.5, rtol=1e-9)


@steps
def test_what_rebounds_comes_back_with_its_half_life_at_any_step(bench, step):
    made = bench(step=step)
    made.cells[0, at.PULL] = -0.05
    minutes = made.config.liquidity.rebound_half_life_min
    for _ in range(round(minutes * 60.0 / step.total_seconds())):
        made.advance()
    assert made[at.PULL] == pytest.approx(-0.025, rel=1e-9)
    assert made.moved["arbitrage"] == pytest.approx(0.025, rel=1e-9)


@steps
def test_makers_of_all_symbols_step_back_together(bench, step):
    """The share of the average withdrawal that everybody suffers does not depend on the step."""
    made = bench(2, step=step, liquidity=Liquidity(common_withdrawal=0.25))
    made.cells[0, at.THIN : at.THIN + 2] = 2.0
    for _ in range(round(900.0 / step.total_seconds())):
        made.advance()
    assert 0.5 * made.cells[1, at.THIN : at.THIN + 2].sum() == pytest.approx(0.085, abs=0.02)


def test_a_market_falls_and_recovers_alike_at_any_step(bench):
    """A fall of 8 % in five minutes and an hour after it, in steps of 1 s, 1 min and 5 min."""
    ends = []
    for seconds in (1, 60, 300):
        made = bench(step=timedelta(seconds=seconds), rules=NEVER)
        made.cells[0, at.IN_STD] = 0.002 * np.sqrt(seconds / 300.0)
        for away in np.arange(0.03, 0.12, 0.002):
            made.plant(0, away, 0.004 * made[at.HELD])
        for k in range(3_900 // seconds):
            made.advance(-0.08 * seconds / 300.0 if k < 300 // seconds else 0.0)
        made.assert_conserved()
        ends.append((made.price - START, made[at.LIQUIDATED_COINS] / made[at.HELD]))
    prices, shares = np.array(ends).T
    assert prices.max() < -0.1
    np.testing.assert_allclose(prices, prices[2], rtol=0.25)
    np.testing.assert_allclose(shares, shares[2], rtol=0.25)


@sides
def test_a_wick_liquidates_and_price_returns(bench, side):
    made = bench()
    made.plant(side, 0.03, 1.0)
    wicks = [0.0, 0.0]
    wicks[side] = 2.0 * 0.032**2 / 0.002**2 / 4.0 * 4.0
    made.advance(0.0, wicks)
    assert made[at.LIQUIDATED_COINS + side] == pytest.approx(1.0)
    assert made.price == pytest.approx(START, abs=1e-4)
    low, high = made[at.LOW], made[at.HIGH]
    assert (START - low, high - START)[side] > 0.031


@settings(deadline=None, max_examples=40)
@given(st.floats(-0.02, 0.02), st.floats(0.0, 20.0), st.floats(0.0, 20.0))
def test_inside_a_step_price_strays_as_a_bridge_does(bench, news, down, up):
    """The extreme of a Brownian bridge from a to b: (a + b -+ sqrt((a - b)^2 + 2 var E)) / 2."""
    made = bench()
    made.cells[0, [at.HIGH, at.LOW]] = START
    made.advance(news, (down, up))
    for column, sign, wick in ((at.LOW, -1.0, down), (at.HIGH, 1.0, up)):
        reach = np.sqrt(news**2 + 2.0 * 0.002**2 * wick)
        assert made[column] == pytest.approx(START + 0.5 * (news + sign * reach), abs=1e-12)


def test_new_cohorts_do_not_suffer_the_wick_before_them(bench):
    made = bench(rules={"entry_steps": 1, "turnover": 0.3})
    made.advance(0.0, (400.0, 400.0))
    assert made[at.LIQUIDATED_COINS] == 0.0
    made.advance()
    assert made[at.LIQUIDATED_COINS] == made[at.LIQUIDATED_COINS + 1] == 0.0


class TestTrade:
    """Positions opened and closed by choice."""

    def test_turnover_replaces_and_keeps_open_interest(self, bench):
        made = bench(rules={"turnover": 0.01, **NEVER})
        held = made[at.HELD]
        made.cells[0, at.IN_ACTIVITY] = 2.0
        made.advance()
        lanes = held - made[at.UNIT]
        assert made[at.HELD] == pytest.approx(held + 0.02 * (held - lanes))
        made.assert_conserved()

    @pytest.mark.parametrize("growth", [-0.05, 0.05])
    def test_appetite_opens_or_closes_both_sides_alike(self, bench, growth):
        made = bench(cross=CrossMargin(share=0.0))
        held = made[at.HELD]
        made.cells[0, at.GROWTH] = growth
        made.advance()
        assert made[at.HELD] == pytest.approx(held * (1.0 + growth))
        made.assert_conserved()

    def test_large_moves_make_some_leave(self, bench):
        made = bench(cross=CrossMargin(share=0.0), rules={"panic": 0.5})
        held = made[at.HELD]
        made.advance(-0.02)
        assert made[at.HELD] == pytest.approx(held * (1.0 - 0.5 * 0.02))
        made.assert_conserved()

    @sides
    def test_blocked_entries_push_price_and_shrink_both_sides_alike(self, bench, side):
        free, blocked = (bench(phi=0.5, rules={"turnover": 0.01, **NEVER}) for _ in range(2))
        blocked.cells[0, at.IN_ENTRY + side] = 0.0
        free.advance()
        blocked.advance()
        assert free.price == START
        assert (-1, 1)[side] * (blocked.price - START) > 0.0
        assert blocked.moved["slow_flow"] == pytest.approx(blocked.price - START)
        opened = 0.01 * free[at.OPEN_INTEREST]
        assert free[at.HELD] - blocked[at.HELD] == pytest.approx(0.5 * opened)
        assert blocked[at.MISSED + side] == pytest.approx(0.5 * opened)
        assert blocked[at.MISSED + 1 - side] == 0.0
        assert blocked[at.OPENED + side] == 0.0 < blocked[at.OPENED + 1 - side]
        blocked.assert_conserved()

    def test_where_both_sides_are_blocked_price_stays(self, bench):
        made = bench(phi=0.5, rules={"turnover": 0.01})
        made.cells[0, at.IN_ENTRY : at.IN_ENTRY + 2] = 0.0
        made.advance()
        assert made.price == START
        assert made[at.MISSED] == made[at.MISSED + 1] > 0.0
        made.assert_conserved()

    def test_where_all_obey_and_none_may_nothing_opens(self, bench):
        made = bench(phi=1.0, rules={"turnover": 0.01})
        made.cells[0, at.IN_ENTRY] = 0.0
        made.advance()
        assert made[at.OPENED] == made[at.OPENED + 1] == 0.0
        made.assert_conserved()


class TestOutage:
    """While the venue is down nobody is liquidated, and all who were crossed when it is back."""

    def down(self, bench, **parts):
        made = bench(rules={**NEVER, "turnover": 0.01}, **parts)
        self.planted = made.plant(0, 0.05, 100.0)
        made.cells[0, at.IN_OPEN] = 0.0
        return made

    def test_nobody_trades_and_the_index_moves_on(self, bench):
        made = self.down(bench, cross=CrossMargin(share=0.0))
        held = made[at.HELD]
        for _ in range(5):
            made.advance(-0.02, (3.0, 3.0))
        assert made[at.LIQUIDATED_COINS] == 0.0
        assert made[at.HELD] == held
        assert made.bin(0, self.planted) == 100.0
        assert made.moved["news"] == pytest.approx(-0.1)
        made.assert_conserved()

    def test_all_who_are_crossed_go_when_it_is_back(self, bench):
        made = self.down(bench)
        made.advance(-0.08)
        made.cells[0, at.IN_OPEN] = 1.0
        made.advance()
        assert made[at.LIQUIDATED_COINS] == pytest.approx(100.0)

    def test_who_was_crossed_only_while_it_was_down_survives(self, bench):
        made = self.down(bench)
        made.advance(-0.08)
        made.advance(0.08)
        made.cells[0, at.IN_OPEN] = 1.0
        made.advance()
        assert made[at.LIQUIDATED_COINS] == 0.0


class TestFunding:
    """Funding paid brings one side's liquidation prices nearer, and the other's further."""

    @sides
    def test_a_side_that_paid_is_reached_by_a_smaller_move(self, bench, side):
        sign = (-1, 1)[side]
        for erosion, news, reached in ((0.02, 0.035, True), (0.0, 0.035, False)):
            made = bench(rules=NEVER)
            made.plant(side, 0.05, 10.0)
            made.plant(1 - side, 0.05, 10.0)
            made.cells[0, at.IN_ERODE + side] = erosion
            made.cells[0, at.IN_ERODE + 1 - side] = -erosion
            made.advance()
            made.cells[0, at.IN_ERODE : at.IN_ERODE + 2] = 0.0
            made.advance(sign * news)
            assert (made[at.LIQUIDATED_COINS + side] > 0.0) is reached
            made.assert_conserved()

    def test_the_side_that_received_is_reached_by_a_larger_move_only(self, bench):
        for erosion, reached in ((0.02, False), (0.0, True)):
            made = bench(rules=NEVER)
            made.plant(1, 0.05, 10.0)
            made.cells[0, at.IN_ERODE + 1] = -erosion
            made.advance(0.06)
            assert (made[at.LIQUIDATED_COINS + 1] > 0.0) is reached

    def test_erosion_alone_liquidates_who_has_no_distance_left(self, bench):
        made = bench(rules=NEVER)
        made.plant(0, 0.01, 10.0)
        made.cells[0, at.IN_ERODE] = 0.012
        made.advance()
        assert made[at.LIQUIDATED_COINS] == pytest.approx(10.0)

    def test_later_cohorts_start_from_the_price_of_their_entry(self, bench):
        made = bench(rules={"entry_steps": 1, "turnover": 0.1, "stop_share": 0.0})
        made.cells[0, at.PAID] = 0.05
        made.advance()
        nearest = min(made.reachable(0))
        assert nearest == pytest.approx(made.cells[0, at.MIX + 3 * made.rules.rungs - 1], abs=1e-3)


class TestContagion:
    """Forced moves of one symbol reach the others a step later, by their share of the market."""

    def test_it_passes_to_the_others_alone(self, bench):
        made = bench(rules=NEVER)
        made.plant(0, 0.03, 0.05 * made[at.HELD])
        made.advance(-0.04)
        made.advance()
        assert made.moved["contagion"] == 0.0

    def test_the_others_follow_in_proportion_to_beta(self, bench):
        made = bench(3, rules=NEVER)
        made.cells[:-1, at.BETA] = 0.9, 0.6, 0.0
        made.plant(0, 0.03, 0.05 * made[at.HELD])
        forced = made.advance((-0.04, 0.0, 0.0))
        assert forced < 0.0
        assert not made.cells[1:3, at.MOVED + at.CONTAGION].any()
        made.advance()
        share = made.config.liquidity.contagion
        assert made.cells[1, at.MOVED + at.CONTAGION] == pytest.approx(0.6 * share * forced)
        assert made.cells[2, at.MOVED + at.CONTAGION] == 0.0


def test_the_crowded_side_takes_more_leverage(bench):
    made = bench()
    n = made.rules.rungs
    calm = made.cells[0, at.MIX : at.MIX + 2 * n].reshape(2, n).copy()
    open_bar(made.rules, made.cells, 0, (0.0, 1.0, 0.0))
    mix = made.cells[0, at.MIX : at.MIX + 2 * n].reshape(2, n)
    ladder = np.array(made.config.leverage.ladder)
    assert mix[0] @ ladder > calm[0] @ ladder > mix[1] @ ladder
    np.testing.assert_allclose(mix.sum(axis=1), 1.0)
    open_bar(made.rules, made.cells, 0, (0.3, 0.0, 0.0))
    assert (mix @ ladder > calm @ ladder).all()


def test_open_interest_pursues_what_traders_want(bench):
    made = bench()
    made.rules = rules_of(made.config)
    open_bar(made.rules, made.cells, 0, (0.5, 0.0, 0.0))
    gap = 0.5 * (1.0 - 2.0 ** (-1.0 / made.config.positioning.pursuit_half_life_h))
    assert made[at.GROWTH] == pytest.approx(gap / made.rules.steps)
    open_bar(made.rules, made.cells, 0, (0.0, 0.0, -0.12))
    assert made[at.GROWTH] == pytest.approx(-0.12 / made.rules.steps)


def test_a_trend_draws_a_crowd(bench):
    made = bench()
    bar_std = 0.002 * np.sqrt(made.rules.steps)
    for _ in range(200):
        open_bar(made.rules, made.cells, 0, (0.0, 0.0, 0.0))
        made.cells[0, at.VALUE] += bar_std
        close_bar(made.rules, made.cells, 0)
    left = made.rules.trend_left
    assert made[at.TREND] == pytest.approx(np.sqrt(1.0 - left**2) / (1.0 - left), rel=0.15)
    open_bar(made.rules, made.cells, 0, (0.0, 0.0, 0.0))
    assert made[at.CROWDING] == pytest.approx(made.rules.trend_pull * made[at.TREND])


def test_without_leverage_nobody_is_liquidated(bench):
    made = bench(leverage_off=True, rules={"turnover": 0.05, "entry_steps": 1})
    for news in (-0.3, 0.5, -0.3):
        made.advance(news, (9.0, 9.0))
    assert made[at.LIQUIDATED_COINS] == made[at.LIQUIDATED_COINS + 1] == 0.0
    assert made.moved["stop"] == made.moved["liquidation"] == 0.0
    made.assert_conserved()


def shares(most):
    return st.floats(0.0, most)


def pair(values):
    return st.tuples(values, values)


told = st.fixed_dictionaries(
    {
        at.IN_OPEN: st.lists(st.sampled_from([0.0, 1.0, 1.0]), min_size=3, max_size=3),
        at.IN_ENTRY: pair(shares(1.0)),
        at.IN_ROOM: pair(shares(0.3)),
        at.IN_CUT: pair(shares(1.0)),
        at.IN_RUSH: pair(shares(0.1)),
        at.IN_ERODE: pair(st.floats(-0.05, 0.05)),
        at.IN_SUPPLY: st.floats(-1e5, 1e5),
        at.GROWTH: st.floats(-0.1, 0.2),
    }
)
days = st.tuples(
    told,
    st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=3),
    pair(shares(50.0)),
    st.floats(0.5, 1.0),
    st.booleans(),
)


def tell(bench, what):
    for column, value in what.items():
        if isinstance(value, tuple):
            bench.cells[:-1, column : column + 2] = value
        else:
            bench.cells[:-1, column] = value


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(["full", "partial", "tiered"]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([1, 60, 300]),
    st.lists(days, min_size=1, max_size=10),
)
def test_longs_equal_shorts_equal_open_interest_whatever_happens(bench, engine, phi, step_s, done):
    made = bench(
        3,
        phi=phi,
        venue=Venue(engine=engine, insurance_frac=0.001),
        habits=Habits(stop_share=0.3),
        cross=CrossMargin(share=0.05),
        step=timedelta(seconds=step_s),
        rules={"turnover": 0.02, "panic": 0.05, "entry_steps": 2},
    )
    for what, news, wicks, collateral, drained in done:
        tell(made, what)
        made.cells[:-1, at.FUND] *= not drained
        made.advance(news, wicks, collateral=collateral)
        made.assert_conserved()


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_a_market_of_cross_margin_accounts_conserves_too(bench, share):
    made = bench(2, cross=CrossMargin(share=share), rules={"turnover": 0.01})
    made.plant(0, 0.05, 1.0, i=2)
    for news in (-0.08, -0.01, 0.0):
        made.advance(news)
        made.assert_conserved()


def test_when_everybody_leaves_at_once_there_is_a_market_left(bench):
    made = bench(rules={"entry_steps": 1})
    made.cells[0, at.IN_RUSH] = 1.0
    for _ in range(2):
        made.advance()
        made.assert_conserved()
