"""A map's level, measured against what open interest did, and the low leverage behind it."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.frames import MarketFrame, bar_times
from liqwarn.liquidation.profile import Profile
from liqwarn.simulation.behaviour import Leverage
from liqwarn.simulation.believed_map import USUAL_SHARE, believed_share, tempered

N = 2_000
LADDER = Leverage()


def frame_of(swept, interest):
    times = bar_times(np.datetime64("2024-01-01T01:00:00"), len(interest), timedelta(hours=1))
    fields = {
        "open_interest": np.array([interest]),
        "map_long_swept": np.array([swept]),
        "map_short_swept": np.zeros((1, len(interest))),
    }
    return MarketFrame(
        symbols=("BTCUSDT",), times=times, bar=timedelta(hours=1), fields=fields, ages={}
    )


def test_it_is_what_left_over_what_was_crossed_in_the_heaviest_bars():
    swept = np.full(N, 1.0)
    heavy = np.arange(50, N, 100)
    swept[heavy] = 100.0
    interest = np.full(N, 10_000.0)
    for bar in heavy:
        interest[bar:] -= 6.0
    interest[7] -= 500.0  # a fall in a bar that crossed little is nothing to do with the map

    assert believed_share(frame_of(swept, interest)) == (pytest.approx(0.06), 20)


def test_a_rise_counts_as_no_fall_and_it_never_exceeds_1():
    swept = np.linspace(1.0, 2.0, N)
    rising = np.linspace(1e4, 2e4, N)
    falling = np.linspace(2e5, 1e4, N)

    assert believed_share(frame_of(swept, rising))[0] == 0.0
    assert believed_share(frame_of(swept, falling))[0] == 1.0


@pytest.mark.parametrize("bars", [0, 300])
def test_too_few_bars_give_the_usual_share(bars):
    swept = np.full(N, np.nan)
    swept[:bars] = np.arange(bars)

    share, seen = believed_share(frame_of(swept, np.full(N, 1e4)))
    assert share == USUAL_SHARE
    assert seen < 10


def profile_of(price=100.0, cells=301):
    prices = price * np.exp(np.linspace(-0.3, 0.3, cells))
    held = np.where(np.abs(np.log(prices / price)) < 0.05, 1.0, 0.0)
    return Profile(
        symbol="BTCUSDT",
        as_of=np.datetime64("2024-01-01T01:00:00"),
        price=price,
        open_interest=1_000.0,
        prices=prices,
        long=np.where(prices < price, held, 0.0),
        short=np.where(prices > price, held, 0.0),
        long_band=np.zeros((2, cells)),
        short_band=np.zeros((2, cells)),
    )


def within(profile, side, near, far):
    distance = np.abs(np.log(profile.prices / profile.price))
    return getattr(profile, side)[(distance >= near) & (distance < far)].sum()


@pytest.mark.parametrize("side", ["long", "short"])
def test_near_price_is_the_map_and_further_away_the_simulator_s_mix(side):
    before = profile_of()
    after = tempered(before, np.full(24, 100.0), LADDER, 0.1)

    near = within(before, side, 0.0, 0.09)
    assert within(after, side, 0.0, 0.09) == pytest.approx(0.1 * near)
    low = 0.9 * 1_000.0 * sum(LADDER.mix[:4])
    assert within(after, side, 0.09, 1.0) == pytest.approx(low)
    assert getattr(after, side).sum() < before.open_interest


def test_all_of_the_map_is_the_map():
    before = profile_of()
    after = tempered(before, np.full(24, 100.0), LADDER, 1.0)

    assert after.long.sum() == pytest.approx(before.long.sum())
    kept = np.flatnonzero(after.long)
    np.testing.assert_allclose(after.prices[kept], before.prices[np.flatnonzero(before.long)])


def test_positions_that_a_later_price_has_crossed_are_gone():
    calm = tempered(profile_of(), np.full(10, 100.0), LADDER, 0.0)
    fallen = tempered(profile_of(), np.array([*[130.0] * 5, *[100.0] * 5]), LADDER, 0.0)

    assert fallen.long.sum() < calm.long.sum()
    assert (fallen.prices[fallen.long > 0.0] < 100.0).all()
    assert (fallen.prices[fallen.short > 0.0] > 100.0).all()


def test_closes_that_are_not_known_are_skipped():
    known = tempered(profile_of(), np.array([90.0, 100.0]), LADDER, 0.2)
    gaps = tempered(profile_of(), np.array([90.0, np.nan, 100.0]), LADDER, 0.2)

    np.testing.assert_array_equal(gaps.long, known.long)
