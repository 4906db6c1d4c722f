"""Rings of cohorts, against a plain account of every coin and where it lies."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from liqwarn.simulation import cohorts
from liqwarn.simulation import layout as at
from liqwarn.simulation.config import CrossMargin, Habits, Leverage
from liqwarn.simulation.rules import log_distance

N_BINS = 16
BIN = at.BIN_WIDTH
sides = pytest.mark.parametrize("side", [0, 1])


def fields(bench):
    return bench.rules, bench.cells, bench.ring


def place_of(bench, side, distance, i=0):
    return int(np.floor((cohorts.own(bench.cells, i, side) - distance) / BIN))


def test_every_lane_has_a_ring_and_columns_of_its_own(bench):
    made = bench(phi=0.3)
    lanes = [
        cohorts.lane_of.py_func(made.rules, side, pop, kind)
        for side in range(2)
        for pop in range(2)
        for kind in range(2)
    ]
    assert sorted(lanes) == list(range(at.LANES, at.LANES_END, at.LANE_SIZE))
    assert sorted(cohorts.ring_of.py_func(lane) for lane in lanes) == list(range(8))


@sides
def test_what_funding_took_brings_a_side_nearer(bench, side):
    made = bench()
    before = cohorts.own(made.cells, 0, side)
    assert before == pytest.approx((1, -1)[side] * np.log(100.0))
    made.cells[0, at.PAID + side] = 0.02
    assert cohorts.own(made.cells, 0, side) == pytest.approx(before - 0.02)


acts = st.one_of(
    st.tuples(st.just("add"), st.integers(-20, 20), st.just(0.0) | st.floats(1e-3, 100.0)),
    st.tuples(st.just("cross"), st.integers(-20, 20), st.just(0.0)),
    st.tuples(st.just("shrink"), st.just(0), st.floats(0.01, 1.0)),
)


class Account:
    """Every coin by bin: what falls off the ring's lower end is lost to reach for ever."""

    def __init__(self, top, far):
        self.coins, self.top, self.far = {}, top, far

    def add(self, place, coins):
        self.top = max(self.top, place)
        self.coins[place] = self.coins.get(place, 0.0) + coins
        for old in [k for k in self.coins if k <= self.top - N_BINS]:
            self.far += self.coins.pop(old)

    def cross(self, first):
        found = {k: c for k, c in self.coins.items() if k >= first}
        if first <= self.top:
            self.top = first - 1
        for place in found:
            del self.coins[place]
        total = sum(found.values())
        level = sum(k * c for k, c in found.items()) * BIN
        return total, level / total if total > 0.0 else 0.0

    def shrink(self, left):
        self.coins = {k: c * left for k, c in self.coins.items()}
        self.far *= left


@settings(deadline=None, max_examples=60)
@given(st.lists(acts, max_size=25))
@example([("add", 5, 1.0), ("add", 5 - N_BINS, 1.0), ("add", 6 - N_BINS, 1.0)])
@example([("add", 5, 1.0), ("add", 6, 1.0), ("cross", 6, 0.0), ("add", 21, 1.0)])
def test_a_ring_holds_what_a_plain_account_holds(bench, done):
    made = bench(n_bins=N_BINS)
    lane = made.lane(0)
    made.cells[0, lane + at.TOP] = 0
    account = Account(0, made.cells[0, lane + at.FAR])
    for name, place, amount in done:
        if name == "add":
            cohorts.add(made.cells, made.ring, 0, lane, place, amount)
            account.add(place, amount)
        elif name == "cross":
            found = cohorts.cross(made.cells, made.ring, 0, lane, (place - 0.5) * BIN)
            assert found == pytest.approx(account.cross(place), rel=1e-9, abs=1e-9)
        else:
            cohorts.shrink(made.rules, made.cells, 0, 0, at.FREE, amount)
            account.shrink(amount)
    assert made.cells[0, lane + at.TOP] == account.top
    for place in range(account.top - N_BINS + 1, account.top + 1):
        assert made.bin(0, place) == pytest.approx(account.coins.get(place, 0.0), rel=1e-9)
    far = made.cells[0, lane + at.FAR] * made.cells[0, lane + at.SCALE]
    assert far == pytest.approx(account.far, rel=1e-9)


def test_closing_a_share_closes_it_of_every_lane_of_the_population_alone(bench):
    made = bench(phi=0.5)
    for kind in range(2):
        for pop in range(2):
            made.plant(0, 0.1, 10.0, kind=kind, pop=pop)
    made.cells[0, made.lane(0) + at.WAITING] = 4.0
    made.cells[0, at.MASS] += 4.0
    mass = made.cells[0, at.MASS : at.MASS + 4].copy()
    cohorts.shrink(made.rules, made.cells, 0, 0, at.FREE, 0.75)
    place = place_of(made, 0, 0.1)
    for kind in range(2):
        assert made.bin(0, place, kind=kind) == pytest.approx(7.5)
        assert made.bin(0, place, kind=kind, pop=at.OBEDIENT) == 10.0
    assert made.cells[0, made.lane(0) + at.WAITING] == pytest.approx(3.0)
    np.testing.assert_allclose(made.cells[0, at.MASS : at.MASS + 4], mass * [0.75, 1.0, 1.0, 1.0])


@sides
def test_coins_are_lifted_off_both_populations_alike_and_never_more_than_there_are(bench, side):
    made = bench(phi=0.25)
    held = cohorts.held_by(made.rules, made.cells, 0, side)
    cohorts.lift(made.rules, made.cells, 0, side, 0.4 * held)
    left = made.cells[0, at.MASS + 2 * side : at.MASS + 2 * side + 2]
    np.testing.assert_allclose(left, 0.6 * held * np.array([0.75, 0.25]))
    assert cohorts.held_by(made.rules, made.cells, 0, 1 - side) == held
    cohorts.lift(made.rules, made.cells, 0, side, 2.0 * held)
    assert cohorts.held_by(made.rules, made.cells, 0, side) == 0.0


def test_a_side_that_was_closed_whole_can_be_opened_anew(bench):
    made = bench()
    cohorts.lift(made.rules, made.cells, 0, 0, 2.0 * made[at.HELD])
    cohorts.add(made.cells, made.ring, 0, made.lane(0), place_of(made, 0, 0.1), 5.0)
    assert made.bin(0, place_of(made, 0, 0.1)) == 5.0


def enter(bench, side, coins, *, pop=at.FREE, i=0):
    bench.cells[i, bench.lane(side, pop=pop) + at.WAITING] = coins
    cohorts.enter_waiting(*fields(bench), i, side, pop)


@sides
def test_new_positions_lie_at_their_liquidation_prices_and_their_stops(bench, side):
    made = bench(rules={"stop_share": 0.2})
    enter(made, side, 1_000.0)
    n = made.rules.rungs
    mix = made.cells[0, at.MIX + side * n : at.MIX + (side + 1) * n]
    for share, leverage in zip(mix, made.config.leverage.ladder, strict=True):
        away = log_distance(leverage, ("long", "short")[side], 0.005)
        assert made.bin(side, place_of(made, side, away)) == pytest.approx(800.0 * share)
    for away in made.config.habits.stop_distances:
        found = made.bin(side, place_of(made, side, away), kind=at.STOPPED)
        assert found == pytest.approx(50.0)
    assert made.cells[0, made.lane(side) + at.WAITING] == 0.0


@sides
def test_entering_counts_every_coin_once(bench, side):
    made = bench()
    enter(made, side, 1_000.0)
    found = sum(sum(made.reachable(side, kind=kind).values()) for kind in range(2))
    assert found == pytest.approx(1_000.0)


@sides
def test_the_obedient_keep_their_room(bench, side):
    made = bench(phi=0.5, rules={"stop_share": 0.0})
    made.cells[0, at.IN_ROOM + side] = 0.15
    enter(made, side, 1_000.0, pop=at.OBEDIENT)
    enter(made, side, 1_000.0)
    assert min(made.reachable(side, pop=at.OBEDIENT)) >= 0.15 - 1e-9
    assert min(made.reachable(side)) < 0.01
    assert sum(made.reachable(side, pop=at.OBEDIENT).values()) == pytest.approx(1_000.0)


def test_the_basket_has_no_stops_and_those_without_leverage_no_liquidation_price(bench):
    made = bench(habits=Habits(stop_share=0.5))
    enter(made, 0, 1.0, i=1)
    assert sum(made.reachable(0, i=1).values()) == pytest.approx(1.0)
    assert not made.reachable(0, i=1, kind=at.STOPPED)
    made = bench(rules={"leverage_off": True})
    far = made.cells[0, made.lane(0) + at.FAR]
    enter(made, 0, 7.0)
    assert not made.reachable(0)
    assert made.cells[0, made.lane(0) + at.FAR] == pytest.approx(far + 7.0)


CALLED = {"call_distance": 0.012, "topped_up": 0.25, "cut": 0.1, "top_up": 30}


def call_margin_again(bench, side):
    return cohorts.call_margin(bench.rules, bench.cells, bench.ring, 0, side)


@sides
def test_a_margin_call_comes_once_tops_up_some_and_cuts_others(bench, side):
    made = bench(rules=CALLED)
    near, far = made.plant(side, 0.01, 100.0), made.plant(side, 0.03, 100.0)
    assert call_margin_again(made, side) == pytest.approx(10.0)
    assert made.bin(side, near) == pytest.approx(65.0)
    assert made.bin(side, near - 30) == pytest.approx(25.0)
    assert made.bin(side, far) == 100.0
    assert call_margin_again(made, side) == 0.0
    assert made.bin(side, near) == pytest.approx(65.0)


@sides
def test_a_margin_call_comes_again_only_after_price_was_away(bench, side):
    made = bench(rules=CALLED)
    sign = (1, -1)[side]
    place = made.plant(side, 0.0105, 100.0)
    call_margin_again(made, side)
    once = made.bin(side, place)
    for away, again in ((0.009, False), (0.03, True)):
        made.cells[0, at.VALUE] += sign * away
        assert call_margin_again(made, side) == 0.0
        made.cells[0, at.VALUE] -= sign * away
        assert (call_margin_again(made, side) > 0.0) is again
    assert made.bin(side, place) == pytest.approx(0.65 * once)


@sides
def test_a_fall_calls_everyone_it_comes_near_to(bench, side):
    made = bench(rules=CALLED)
    planted = [made.plant(side, away, 10.0) for away in (0.02, 0.04, 0.06)]
    made.cells[0, at.VALUE] -= (1, -1)[side] * 0.05
    made.cells[0, made.lane(side) + at.TOP] = place_of(made, side, 0.0)
    assert call_margin_again(made, side) > 0.0
    assert made.bin(side, planted[2]) == pytest.approx(6.5)


def squeezed(bench, away, left, *, side=0, times=1):
    """A unit of the basket at one distance, after a haircut in so many parts; the exact distance.

    The ring's top is the cohort itself, as it is where nobody has more leverage.
    """
    made = bench(cross=CrossMargin(share=0.2))
    place = place_of(made, side, away, i=1)
    made.cells[1, made.lane(side) + at.TOP] = place
    made.plant(side, away, 1.0, i=1)
    for _ in range(times):
        cohorts.squeeze(*fields(made), 1, side, left ** (1.0 / times))
    assert made.units(side) == pytest.approx(1.0)
    exact = cohorts.own(made.cells, 1, side) - place * BIN
    return made, (exact + 0.005) * left - 0.005


def mean_distance(bench, side):
    found = bench.reachable(side, i=1)
    return sum(away * coins for away, coins in found.items()) / sum(found.values())


@sides
@pytest.mark.parametrize("left", [0.9, 0.5])
@pytest.mark.parametrize("away", [0.05, 0.2, 0.6])
def test_a_haircut_shrinks_distances(bench, side, left, away):
    made, wanted = squeezed(bench, away, left, side=side)
    assert mean_distance(made, side) == pytest.approx(wanted, abs=0.0011)


@sides
@pytest.mark.parametrize("left", [0.9, 0.5])
def test_a_haircut_shrinks_distances_below_a_nearer_cohort(bench, side, left):
    made = bench(cross=CrossMargin(share=0.2))
    place = made.plant(side, 0.2, 1.0, i=1)
    exact = cohorts.own(made.cells, 1, side) - place * BIN
    cohorts.squeeze(*fields(made), 1, side, left)
    wanted = (exact + 0.005) * left - 0.005
    assert mean_distance(made, side) == pytest.approx(wanted, abs=0.0011)


@sides
def test_who_is_under_water_after_a_haircut_is_above_price(bench, side):
    made, wanted = squeezed(bench, 0.05, 0.05, side=side)
    assert wanted < 0.0
    here = cohorts.own(made.cells, 1, side)
    found, _ = cohorts.cross(made.cells, made.ring, 1, made.lane(side), here)
    assert found == pytest.approx(1.0)


@pytest.mark.parametrize("away", [0.1, 0.4])
def test_a_haircut_in_many_small_parts_shrinks_distances_as_much(bench, away):
    made, wanted = squeezed(bench, away, 0.7, times=300)
    assert mean_distance(made, 0) == pytest.approx(wanted, abs=0.004)


@sides
def test_a_haircut_leaves_no_coin_twice_where_the_ring_is_full(bench, side):
    """The lowest cohort lies at the ring's lower end, which moves up with the nearest."""
    made = bench(cross=CrossMargin(share=0.2))
    top = made.cells[1, made.lane(side) + at.TOP] = place_of(made, side, 0.05, i=1)
    made.plant(side, 0.05, 0.4, i=1)
    cohorts.add(made.cells, made.ring, 1, made.lane(side), int(top) - 1_020, 0.3)
    made.cells[1, made.lane(side) + at.FAR] -= 0.3
    cohorts.squeeze(*fields(made), 1, side, 0.5)
    assert made.ring.min() >= 0.0
    assert made.cells[1, made.lane(side) + at.FAR] >= 0.3 - 1e-12
    assert sum(made.reachable(side, i=1).values()) <= 0.7 + 1e-12
    assert made.units(side) == pytest.approx(1.0)


def test_no_haircut_changes_nothing(bench):
    made, wanted = squeezed(bench, 0.2, 1.0, times=20)
    assert mean_distance(made, 0) == pytest.approx(wanted, abs=0.0011)


@settings(deadline=None)
@given(st.floats(1e-300, 1.0))
def test_a_rescaled_lane_is_the_same_lane(bench, scale):
    made = bench()
    place = made.plant(0, 0.1, 100.0)
    made.cells[0, made.lane(0) + at.SCALE] = scale
    before = made.bin(0, place)
    cohorts.rescale(made.cells, made.ring, 0)
    assert made.bin(0, place) == pytest.approx(before, rel=1e-12)
    assert made.cells[0, made.lane(0) + at.SCALE] >= 1e-60


def test_one_rung_is_one_cohort(bench):
    made = bench(
        leverage=Leverage(ladder=(10.0,), mix=(1.0,)),
        cross=CrossMargin(mix=(1.0,)),
        habits=Habits(stop_share=0.0, stop_distances=(0.1,)),
    )
    enter(made, 0, 3.0)
    assert list(made.reachable(0).values()) == [3.0]
