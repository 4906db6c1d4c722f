"""Planted books meet forced flow: crossing, impact, venue engines, insurance, deleveraging."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.simulation import layout as at
from liqwarn.simulation.cohorts import add
from liqwarn.simulation.config import CrossMargin, Habits, Venue
from liqwarn.simulation.forced_flow import await_entry, settle

START = float(np.log(100.0))
BIN = at.BIN_WIDTH
NEVER = {"entry_steps": 10**9}
CALM = {**NEVER, "cut": 0.0, "topped_up": 0.0}
sides = pytest.mark.parametrize(("side", "sign"), [(0, -1.0), (1, 1.0)], ids=["long", "short"])


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from([(0, -1.0), (1, 1.0)]),
    st.floats(0.005, 0.3),
    st.floats(0.0, 0.4),
)
def test_nothing_goes_before_price_crosses_and_all_of_it_after(bench, way, away, fall):
    side, sign = way
    made = bench(rules=CALM)
    place = made.plant(side, away, 1.0)
    made.advance(sign * fall)
    crossed = START - fall <= place * BIN if side == 0 else -START - fall <= place * BIN
    expected = 1.0 if crossed else 0.0
    assert made[at.LIQUIDATED_COINS + side] == pytest.approx(expected)
    assert made[at.LIQUIDATED_COINS + 1 - side] == 0.0
    assert made.bin(side, place) == pytest.approx(1.0 - expected)


def test_liquidations_are_counted_at_the_price_before_their_impact(bench):
    made = bench(rules=CALM)
    made.plant(0, 0.05, 7.0)
    made.advance(-0.06)
    assert made[at.LIQUIDATED_USD] == pytest.approx(7.0 * 100.0 * np.exp(-0.06))


@sides
def test_forced_flow_pushes_price_further_the_same_way(bench, side, sign):
    made = bench(rules=CALM)
    coins = 0.02 * made[at.HELD]
    made.plant(side, 0.05, coins)
    made.advance(sign * 0.06)
    impact = sign * 0.01 * coins / made[at.DEPTH]
    assert made.moved["liquidation"] == pytest.approx(impact)
    assert made.moved["news"] == sign * 0.06
    assert made[at.PULL] == pytest.approx((1.0 - made.rules.permanent) * impact)
    assert made[at.VALUE] == pytest.approx(START + sign * 0.06 + made.rules.permanent * impact)


def test_of_the_impact_a_part_rebounds_and_a_part_stays(bench):
    made = bench(rules=CALM)
    made.plant(0, 0.05, 0.02 * made[at.HELD])
    made.advance(-0.06)
    impact = made.moved["liquidation"]
    for _ in range(3_000):
        made.advance()
    lasting = made.rules.permanent * impact + made.moved["contagion"]
    assert made.price == pytest.approx(START - 0.06 + lasting, abs=1e-9)


@sides
def test_impact_is_larger_where_makers_withdrew_and_smaller_where_price_is_a_bargain(
    bench, side, sign
):
    moves = []
    for column, value in ((None, 0.0), (at.THIN + side, 1.0), (at.IN_DEPTH + side, -1.0)):
        made = bench(rules=CALM)
        if column is not None:
            made.cells[0, column] = value
        made.plant(side, 0.05, 1.0)
        made.advance(sign * 0.06)
        moves.append(made.moved["liquidation"])
    np.testing.assert_allclose(np.array(moves[1:]) / moves[0], np.e, rtol=1e-9)
    made = bench(rules=CALM)
    made.cells[0, at.PULL] = 2.0 * sign * made.rules.bargain / made.rules.rebound
    made.plant(side, 0.05, 1.0)
    made.advance(sign * 0.06)
    assert made.moved["liquidation"] / moves[0] == pytest.approx(1.0 / 3.0)


def test_forced_flow_makes_the_book_thinner(bench):
    made = bench(rules={**CALM, "withdrawal": 0.0})
    coins = 0.5 * made[at.DEPTH]
    made.plant(0, 0.05, coins)
    made.advance(-0.06)
    assert made[at.THIN] == pytest.approx(0.5 * made.rules.bite * made.rules.recovery)
    assert made[at.THIN + 1] == 0.0


@sides
def test_one_liquidation_brings_on_the_next(bench, side, sign):
    fuse = 0.05 * bench()[at.HELD]
    for first, total in ((0.0, 0.0), (fuse, 2.0 * fuse)):
        made = bench(rules=CALM)
        made.plant(side, 0.05, first)
        made.plant(side, 0.06, fuse)
        made.advance(sign * 0.0515)
        assert made[at.LIQUIDATED_COINS + side] == pytest.approx(total)


def test_a_cascade_that_needs_more_rounds_goes_on_in_the_next_step(bench):
    made = bench(rules=CALM)
    for away in np.arange(0.05, 0.2, 0.004):
        made.plant(0, away, 0.02 * made[at.HELD])
    made.advance(-0.0515)
    first = made[at.LIQUIDATED_COINS]
    made.advance()
    assert made[at.LIQUIDATED_COINS] > first > 0.0
    made.assert_conserved()


@sides
def test_liquidated_positions_pass_on_or_close_against_the_other_side(bench, side, sign):
    made = bench(rules={**CALM, "replaced": 0.35})
    held = made[at.HELD]
    made.plant(side, 0.05, 1_000.0)
    made.advance(sign * 0.06)
    assert made[at.HELD] == pytest.approx(held - 650.0)
    assert made.cells[0, made.lane(side) + at.WAITING] == pytest.approx(350.0)
    made.assert_conserved()


@given(st.floats(0.0, 0.5), st.floats(0.0, 1.0), st.sampled_from([0, 1]))
@settings(deadline=None, max_examples=40)
def test_settling_conserves(bench, share, replaced, side):
    made = bench(phi=0.3, rules={"replaced": replaced})
    coins = share * made[at.MASS + 2 * side]
    made.cells[0, at.MASS + 2 * side] -= coins
    made.cells[0, made.lane(side) + at.FAR] -= coins
    settle(made.rules, made.cells, 0, side, coins)
    made.assert_conserved()
    await_entry(made.rules, made.cells, 0, 0, at.OBEDIENT, 5.0)
    await_entry(made.rules, made.cells, 0, 1, at.FREE, 5.0)
    made.cells[0, at.HELD] += 5.0
    made.assert_conserved()


class TestStops:
    """Stop-loss orders leave at their distance, push price, and are no liquidation."""

    @sides
    def test_they_leave_when_price_is_there(self, bench, side, sign):
        made = bench(rules=CALM)
        place = made.plant(side, 0.04, 50.0, kind=at.STOPPED)
        made.advance(sign * 0.039)
        assert made.bin(side, place, kind=at.STOPPED) == 50.0
        thin = made[at.THIN + side]
        made.advance(sign * 0.002)
        assert made.bin(side, place, kind=at.STOPPED) == 0.0
        assert made[at.LIQUIDATED_COINS + side] == made[at.LIQUIDATED_USD + side] == 0.0
        assert made.moved["stop"] == pytest.approx(
            sign * 0.01 * 50.0 / made[at.DEPTH] * np.exp(thin)
        )
        assert made.moved["liquidation"] == 0.0
        made.assert_conserved()

    def test_they_bring_on_liquidations(self, bench):
        for coins, crossed in ((0.0, False), (0.02, True)):
            made = bench(rules=CALM)
            made.plant(0, 0.04, coins * made[at.HELD], kind=at.STOPPED)
            made.plant(0, 0.044, 1.0)
            made.advance(-0.0415)
            assert (made[at.LIQUIDATED_COINS] > 0.0) is crossed


class TestMarginCalls:
    """Who is nearly reached adds collateral or closes, at the cost of price."""

    @sides
    def test_the_cut_is_sold_and_is_no_liquidation(self, bench, side, sign):
        made = bench(habits=Habits(cut=0.2, topped_up=0.3), rules=NEVER)
        place = made.plant(side, 0.05, 100.0)
        made.advance(sign * 0.042)
        assert made.bin(side, place) == pytest.approx(50.0)
        assert made.bin(side, place - 30) == pytest.approx(30.0)
        assert made[at.LIQUIDATED_COINS + side] == 0.0
        sold = sign * 0.01 * 20.0 / made[at.DEPTH]
        assert sign * made.moved["margin_call"] >= sign * sold * 0.99
        assert made.moved["liquidation"] == 0.0
        made.assert_conserved()
        made.advance()
        assert made.bin(side, place) == pytest.approx(50.0)

    @sides
    def test_who_added_collateral_survives_the_fall_that_takes_the_others(self, bench, side, sign):
        made = bench(habits=Habits(cut=0.0, topped_up=0.3), rules=NEVER)
        made.plant(side, 0.05, 100.0)
        made.advance(sign * 0.042)
        made.advance(sign * 0.015)
        assert made[at.LIQUIDATED_COINS + side] == pytest.approx(70.0)


class TestPartial:
    """A fifth at once, the rest after 30 s unless price came back."""

    def made(self, bench, seconds=1, **rules):
        made = bench(
            venue=Venue(engine="partial"),
            step=timedelta(seconds=seconds),
            rules={**CALM, **rules},
        )
        made.plant(0, 0.05, 100.0)
        return made

    @pytest.mark.parametrize("seconds", [1, 10, 30])
    def test_only_the_first_part_goes_at_once(self, bench, seconds):
        made = self.made(bench, seconds)
        made.advance(-0.06)
        assert made[at.LIQUIDATED_COINS] == pytest.approx(20.0)

    def test_most_waits_for_half_a_minute(self, bench):
        made = self.made(bench)
        made.advance(-0.06)
        assert 20.0 <= made[at.LIQUIDATED_COINS] < 23.0
        assert made[at.QUEUE] == pytest.approx(100.0 - made[at.LIQUIDATED_COINS])
        assert made[at.LEVEL] == pytest.approx(START - 0.05, abs=2 * BIN)
        for _ in range(30):
            made.advance()
            made.assert_conserved()
        assert 60.0 < made[at.LIQUIDATED_COINS] < 80.0
        for _ in range(200):
            made.advance()
        assert made[at.LIQUIDATED_COINS] > 99.8

    def test_it_is_saved_where_price_comes_back(self, bench):
        made = self.made(bench)
        made.advance(-0.06)
        gone = made[at.LIQUIDATED_COINS]
        made.advance(0.03)
        assert made[at.LIQUIDATED_COINS] == gone
        assert made[at.QUEUE] == 0.0
        assert sum(made.reachable(0).values()) == pytest.approx(100.0 - gone)
        made.assert_conserved()

    def test_the_low_before_it_was_saved_does_not_reach_it_again(self, bench):
        made = self.made(bench)
        made.advance(-0.06)
        gone = made[at.LIQUIDATED_COINS]
        place = int(np.floor((-made.price - 0.02) / BIN))
        add(made.cells, made.ring, 0, made.lane(1), place, 1.0)  # crossed by the rise that saves
        made.advance(0.03)
        assert made[at.LIQUIDATED_COINS + 1] > 0.0
        assert made[at.LIQUIDATED_COINS] == gone
        assert made[at.QUEUE] == 0.0

    def test_who_was_saved_is_liquidated_by_the_next_fall(self, bench):
        made = self.made(bench)
        for news in (-0.06, 0.03, -0.05):
            made.advance(news)
        assert made[at.LIQUIDATED_COINS] > 30.0
        assert made[at.QUEUE] > 0.0


class TestTiered:
    """Some of the position goes, and what is left has more distance in a lower tier."""

    @sides
    def test_the_rest_survives_further_away(self, bench, side, sign):
        made = bench(venue=Venue(engine="tiered"), rules=CALM)
        made.plant(side, 0.05, 100.0)
        made.advance(sign * 0.06)
        assert made[at.LIQUIDATED_COINS + side] == pytest.approx(40.0)
        (away,) = made.reachable(side)
        assert made.reachable(side)[away] == pytest.approx(60.0)
        assert 0.004 < away < 0.008
        made.assert_conserved()
        made.advance(sign * 0.008)
        assert made[at.LIQUIDATED_COINS + side] == pytest.approx(64.0)
        made.assert_conserved()

    def test_a_wick_takes_each_position_once(self, bench):
        made = bench(venue=Venue(engine="tiered"), rules=CALM)
        made.plant(0, 0.03, 100.0)
        made.advance(0.0, (2.0 * (0.035 / 0.002) ** 2, 0.0))
        assert made[at.LIQUIDATED_COINS] == pytest.approx(40.0)

    def test_it_liquidates_less_than_the_full_engine_and_more_than_the_first_tier(self, bench):
        found = {}
        for engine in ("full", "tiered"):
            made = bench(venue=Venue(engine=engine), rules=CALM)
            for away in np.arange(0.03, 0.2, 0.005):
                made.plant(0, away, 0.002 * made[at.HELD])
            for _ in range(10):
                made.advance(-0.008)
            found[engine] = made[at.LIQUIDATED_COINS]
        assert 0.4 * found["full"] < found["tiered"] < found["full"]


class TestInsurance:
    """Left-over margins fill the fund, bankruptcies drain it, and then the other side pays."""

    def fund(self, bench):
        return bench.rules.insurance * bench[at.HELD] * np.exp(bench.price)

    def test_what_is_left_of_a_margin_goes_to_the_fund(self, bench):
        made = bench(rules=CALM)
        made.cells[0, at.FUND] = 0.0
        place = made.plant(0, 0.05, 10.0)
        made.advance(place * BIN - START - 0.0005)
        level = made[at.FUND] / made[at.LIQUIDATED_USD]
        drop = 0.005 * 10.0 / made[at.DEPTH]
        assert level == pytest.approx(made.rules.maintenance_rate - 0.0005 - drop, rel=1e-6)

    def test_no_more_than_the_maintenance_margin_is_left(self, bench):
        made = bench(rules=CALM)
        made.cells[0, at.FUND] = 0.0
        made.plant(0, 0.03, 10.0)
        made.advance(0.0, (2.0 * (0.035 / 0.002) ** 2, 0.0))
        assert made[at.FUND] == pytest.approx(made.rules.maintenance_rate * made[at.LIQUIDATED_USD])

    @settings(deadline=None, max_examples=30)
    @given(st.floats(0.0, 1.0), st.lists(st.floats(-0.02, 0.02), max_size=15))
    def test_a_fund_never_fills_beyond_its_cap(self, bench, filled, news):
        made = bench(rules=CALM, venue=Venue(insurance_frac=1e-6))
        made.cells[0, at.FUND] *= filled
        for away in np.arange(0.005, 0.1, 0.003):
            for side in range(2):
                made.plant(side, away, 0.001 * made[at.HELD])
        most = self.fund(made)
        for change in news:
            made.advance(change)
            most = max(most, self.fund(made) * np.exp(abs(change)))  # the price of that moment
            assert 0.0 <= made[at.FUND] <= most * 1.001

    def test_a_fund_that_is_too_full_for_a_smaller_market_stays(self, bench):
        made = bench(rules=CALM)
        made.cells[0, at.FUND] = full = 2.0 * self.fund(made)
        made.plant(0, 0.05, 1.0)
        made.advance(-0.052)
        assert made[at.LIQUIDATED_COINS] == 1.0
        assert made[at.FUND] == full

    @sides
    def test_a_gap_beyond_bankruptcy_drains_it(self, bench, side, sign):
        made = bench(rules=CALM)
        before = made[at.FUND]
        place = made.plant(side, 0.05, 10.0)
        made.advance(sign * 0.15)
        price = 100.0 * np.exp(sign * 0.15)
        fill = -sign * (START + sign * 0.15) - 0.005 * 10.0 / made[at.DEPTH]
        missing = (place * BIN - made.rules.maintenance_rate - fill) * 10.0 * price
        assert before - made[at.FUND] == pytest.approx(missing, rel=1e-9)
        assert made[at.ADL_USD] == 0.0

    @sides
    def test_without_a_fund_the_other_side_is_closed_and_the_book_untouched(
        self, bench, side, sign
    ):
        made = bench(rules=CALM)
        made.cells[0, at.FUND] = 0.0
        coins = 0.02 * made[at.HELD]
        made.plant(side, 0.05, coins)
        opposite = made.plant(1 - side, 0.3, 100.0)
        lanes = made[at.MASS + 2 * (1 - side)]
        held = made[at.HELD]
        made.advance(sign * 0.15)
        assert made[at.LIQUIDATED_COINS + side] == pytest.approx(coins)
        assert made[at.ADL_USD] == pytest.approx(made[at.LIQUIDATED_USD + side])
        assert made.moved["liquidation"] == 0.0
        assert made[at.HELD] == pytest.approx(held - coins)
        assert made.bin(1 - side, opposite) == pytest.approx(100.0 * (1.0 - coins / lanes))
        made.assert_conserved()

    def test_a_fund_that_covers_a_half_leaves_a_half_to_the_book(self, bench):
        coins = 0.01 * bench()[at.HELD]
        made = bench(rules=CALM)
        before = made.cells[0, at.FUND] = 1e15
        made.plant(0, 0.05, coins)
        made.advance(-0.15)
        missing = before - made[at.FUND]
        half = bench(rules=CALM)
        half.cells[0, at.FUND] = 0.5 * missing
        half.plant(0, 0.05, coins)
        half.advance(-0.15)
        assert half[at.FUND] == 0.0
        assert half[at.ADL_USD] == pytest.approx(0.5 * half[at.LIQUIDATED_USD], rel=1e-3)
        assert half.moved["liquidation"] == pytest.approx(0.5 * made.moved["liquidation"], rel=1e-3)
        half.assert_conserved()

    def test_stops_cost_the_fund_nothing(self, bench):
        made = bench(rules=CALM)
        before = made[at.FUND]
        made.plant(0, 0.05, 10.0, kind=at.STOPPED)
        made.advance(-0.3)
        assert made[at.FUND] == before
        assert made[at.ADL_USD] == 0.0


@sides
def test_cross_margin_accounts_are_sold_with_a_channel_of_their_own(bench, side, sign):
    made = bench(rules=CALM, cross=CrossMargin(share=0.1))
    owed = 0.5 * made[at.UNIT]
    made.cells[1, made.lane(side) + at.FAR] -= 0.5
    made.cells[1, at.MASS + 2 * side] -= 0.5
    made.cells[0, at.OWED + side] = owed
    made.assert_conserved()
    made.advance()
    assert made.moved["cross_margin"] == pytest.approx(sign * 0.01 * owed / made[at.DEPTH])
    assert made[at.LIQUIDATED_COINS + side] == pytest.approx(owed)
    assert made[at.OWED + side] == 0.0
    made.assert_conserved()


@sides
def test_those_who_fear_a_line_leave_before_it_and_push_price_towards_it(bench, side, sign):
    made = bench(phi=0.4, rules=CALM)
    free, obedient = made.cells[0, at.MASS + 2 * side : at.MASS + 2 * side + 2].copy()
    made.cells[0, at.IN_RUSH + side] = 0.01
    made.advance()
    assert made[at.RUSHED_USD] == pytest.approx(0.01 * free * 100.0)
    assert made[at.MASS + 2 * side + 1] == obedient
    assert sign * (made.price - START) > 0.0
    assert made[at.LIQUIDATED_COINS + side] == 0.0
    made.assert_conserved()
