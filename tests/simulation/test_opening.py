"""A market at the start of many futures: simulated, or rebuilt from liquidation maps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.liquidation.profile import Profile
from liqwarn.simulation import layout as at
from liqwarn.simulation.books import PATH_BINS
from liqwarn.simulation.config import DEFAULT_SPECS, CrossMargin, MarketConfig
from liqwarn.simulation.opening import opening_of_profiles, synthetic_opening
from liqwarn.simulation.rules import rules_of
from liqwarn.simulation.scenario_start import SyntheticStart

CONFIG = MarketConfig(
    specs=DEFAULT_SPECS[:3],
    n_bars=8,
    bar=timedelta(minutes=15),
    step=timedelta(minutes=1),
)
START = SyntheticStart(seed=3, days=12)


@pytest.fixture(scope="module")
def opening():
    return synthetic_opening(CONFIG, START)


def lanes(bench, opening):
    """The opening's books on a bench, to be counted."""
    made = bench(len(opening.config.specs))
    made.rules, made.books = rules_of(opening.config), opening.books
    made.cells, made.ring = opening.books
    return made


def test_equal_seeds_give_equal_bits(opening):
    same = synthetic_opening(CONFIG, START)
    for one, other in zip(opening.books, same.books, strict=True):
        assert one.tobytes() == other.tobytes()
    another = synthetic_opening(CONFIG, replace(START, seed=4))
    assert not np.array_equal(opening.prices, another.prices)


def test_a_simulated_opening_conserves_and_starts_counting_anew(bench, opening):
    made = lanes(bench, opening)
    made.assert_conserved()
    assert opening.config is CONFIG
    assert not made.cells[:-1, at.MOVED : at.MOVED + 9].any()
    assert not made.cells[:, at.TALLY : at.TALLY_END].any()
    assert made.cells[-1, at.CLOCK] == 0.0
    assert made.ring.shape[2] == PATH_BINS
    np.testing.assert_array_equal(opening.open_interest, made.cells[:-1, at.HELD])
    np.testing.assert_allclose(opening.prices, np.exp(made.cells[:-1, [at.VALUE, at.PULL]].sum(1)))


def test_futures_may_start_between_the_hours():
    config = replace(CONFIG, start=datetime(2022, 1, 1, 0, 45, tzinfo=UTC))
    assert synthetic_opening(config, START).config.start.minute == 45


def test_it_holds_cohorts_near_price(bench, opening):
    made = lanes(bench, opening)
    for i in range(3):
        for side in range(2):
            near = sum(c for away, c in made.reachable(side, i=i).items() if away < 0.5)
            assert near > 0.3 * made.cells[i, at.HELD]


def test_what_a_scenario_says_of_the_crowd_is_so(opening):
    crowded = synthetic_opening(CONFIG, replace(START, crowding=1.5, appetite=0.4))
    assert (crowded.mood == 1.5).all()
    assert (crowded.appetite == 0.4).all()
    assert (opening.mood != 1.5).all()
    assert (crowded.open_interest > opening.open_interest).mean() > 0.5


def test_depth_and_volatility_are_factors(opening):
    other = synthetic_opening(CONFIG, replace(START, depth=0.5, volatility=2.0))
    np.testing.assert_allclose(other.depth, opening.depth + np.log(0.5))
    np.testing.assert_array_equal(other.activity, 2.0 * opening.activity)
    np.testing.assert_array_equal(other.prices, opening.prices)


def profile_of(spec, long, short, n_bins=400):
    """A map whose coins lie at given (log distance, coins)."""
    coins = spec.open_interest_usd / spec.price
    prices = spec.price * np.exp(0.002 * (np.arange(n_bins) - (n_bins - 1) / 2.0))
    sides = np.zeros((2, n_bins))
    for side, given_ in enumerate((long, short)):
        for away, share in given_:
            place = np.argmin(np.abs(np.log(prices / spec.price) - (-1.0, 1.0)[side] * away))
            sides[side, place] += share * coins
    band = np.zeros((2, n_bins))
    return Profile(
        symbol=spec.name,
        as_of=np.datetime64("2022-01-01T00:00:00"),
        price=spec.price,
        open_interest=coins,
        prices=prices,
        long=sides[0],
        short=sides[1],
        long_band=band,
        short_band=band,
    )


def rebuilt(long, short, *, share=0.1):
    config = replace(CONFIG, cross=CrossMargin(share=share))
    profiles = {spec.name: profile_of(spec, long, short) for spec in config.specs}
    climate = {
        "activity": np.array([1.0, 2.0, 3.0]),
        "mood": np.array([0.5, 0.0, -0.5]),
        "depth": np.zeros((3, 2)),
    }
    return opening_of_profiles(config, profiles, climate)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_maps_coins_lie_at_their_distances(bench, share):
    long, short = [(0.05, 0.1), (0.3, 0.2)], [(0.04, 0.15)]
    made = lanes(bench, rebuilt(long, short, share=share))
    for i in range(3):
        held = made.cells[i, at.HELD]
        for side, planted in enumerate((long, short)):
            found = made.reachable(side, i=i)
            assert len(found) == len(planted)
            for (away, part), distance in zip(planted, sorted(found), strict=True):
                assert distance == pytest.approx(away, abs=0.0021)
                assert found[distance] == pytest.approx((1.0 - share) * part * held)
    made.assert_conserved()


def test_cross_margin_accounts_lie_where_their_leverage_puts_them(bench):
    made = lanes(bench, rebuilt([], []))
    for side in range(2):
        found = made.reachable(side, i=3)
        assert sum(found.values()) == pytest.approx(1.0)
        assert sorted(found.values(), reverse=True)[:2] == pytest.approx([0.45, 0.28], abs=0.2)
        assert min(found) > 0.02


def test_it_carries_the_climate_it_was_given():
    opening = rebuilt([], [])
    np.testing.assert_array_equal(opening.activity, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(opening.mood, [0.5, 0.0, -0.5])
    np.testing.assert_array_equal(opening.books.cells[:-1, at.CROWDING], [0.5, 0.0, -0.5])
    prices = [spec.price for spec in CONFIG.specs]
    np.testing.assert_allclose(opening.prices, prices)


cohorts = st.lists(st.tuples(st.floats(0.001, 0.39), st.floats(0.0, 0.12)), max_size=8)


@settings(deadline=None, max_examples=30)
@given(cohorts, cohorts, st.floats(0.0, 0.5))
def test_whatever_a_map_says_the_market_conserves(bench, long, short, share):
    made = lanes(bench, rebuilt(long, short, share=share))
    made.assert_conserved()


def test_the_next_move_liquidates_what_the_map_says_is_nearest(bench):
    made = lanes(bench, rebuilt([(0.05, 0.1), (0.3, 0.2)], [(0.05, 0.1)]))
    made.rules = made.rules._replace(turnover=0.0, panic=0.0, cut=0.0, topped_up=0.0)
    made.cells[:-1, at.IN_STD] = 0.002
    made.cells[:-1, at.IN_OPEN] = 1.0
    made.n = 3
    made.advance(-0.04)
    assert not made.cells[:-1, at.LIQUIDATED_COINS].any()
    made.advance(-0.015)
    share = made.cells[:-1, at.LIQUIDATED_COINS] / made.cells[:-1, at.OPEN_INTEREST]
    assert (share >= 0.9 * 0.1 - 1e-9).all()
    assert not made.cells[:-1, at.LIQUIDATED_COINS + 1].any()
    made.assert_conserved()
