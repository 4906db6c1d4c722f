"""Cluster features on prices short enough to compute by hand."""

import numpy as np
import pytest

from liqwarn.liquidation.margin import liquidation_price

SIDES = ("long", "short")


def flat(n_bars, price=100.0):
    """A market that trades at one price, with a range of 1 each bar."""
    at = np.full(n_bars, price)
    return {"high": at + 0.5, "low": at - 0.5, "close": at.copy()}


def test_distance_to_recent_extremes(column):
    bars = flat(24)
    bars["high"][3], bars["low"][5] = 110.0, 80.0

    assert column("high_dist_pct_24h", **bars)[-1] == pytest.approx(10.0)
    assert column("low_dist_pct_24h", **bars)[-1] == pytest.approx(20.0)
    # true ranges: 22 bars of 1, one of 10.5 and one of 20.5
    atr = (22 + 10.5 + 20.5) / 24
    assert column("high_dist_atr_24h", **bars)[-1] == pytest.approx(10.0 / atr)
    assert column("low_dist_atr_24h", **bars)[-1] == pytest.approx(20.0 / atr)


@pytest.mark.parametrize(("window", "hours"), [("7d", 168), ("30d", 720)])
def test_an_extreme_is_forgotten_after_its_window(column, window, hours):
    bars = flat(hours + 24)
    bars["high"][23] = 110.0

    assert column(f"high_dist_pct_{window}", **bars)[-2] == pytest.approx(10.0)
    assert column(f"high_dist_pct_{window}", **bars)[-1] == pytest.approx(0.5)
    assert column(f"low_dist_atr_{window}", **bars)[-1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("price", "below", "above"),
    [(42_137.0, 137.0, 863.0), (0.7321, 0.0021, 0.0079), (1_000.0, 0.0, 100.0)],
)
def test_round_numbers_are_tenths_of_the_power_of_ten(column, price, below, above):
    assert column("round_below_pct", close=[price])[0] == pytest.approx(below / price * 100)
    assert column("round_above_pct", close=[price])[0] == pytest.approx(above / price * 100)


def test_round_numbers_in_true_ranges(column):
    bars = flat(24, 104.0)

    assert column("round_below_atr", **bars)[-1] == pytest.approx(4.0)
    assert column("round_above_atr", **bars)[-1] == pytest.approx(6.0)


@pytest.fixture
def opened():
    """A quiet day at 100 in which volume is even and no open interest is known."""
    return {**flat(24), "volume": np.full(24, 10.0)}


def test_the_nearest_rung_is_the_highest_leverage_not_reached(column, opened):
    # 100x: 99.497 and 100.498, both inside the range of 99.5 … 100.5 for shorts, outside for longs
    long_100 = float(liquidation_price("long", 100.0, 100, 0.005))
    short_50 = float(liquidation_price("short", 100.0, 50, 0.005))

    assert column("cluster_dist_long_pct", **opened)[-1] == pytest.approx(100.0 - long_100)
    assert column("cluster_dist_short_pct", **opened)[-1] == pytest.approx(short_50 - 100.0)
    assert column("cluster_dist_long_atr", **opened)[-1] == pytest.approx(100.0 - long_100)
    assert column("cluster_dist_short_atr", **opened)[-1] == pytest.approx(short_50 - 100.0)
    assert column("cluster_skew", **opened)[-1] == pytest.approx(
        np.log((short_50 - 100.0) / (100.0 - long_100))
    )


def test_a_rung_that_the_price_has_reached_is_gone(column, opened):
    opened["low"][-2] = 90.0
    entry = (100.0 * 23 + (100.5 + 90.0 + 100.0) / 3) / 24
    long_5 = float(liquidation_price("long", entry, 5, 0.005))

    assert float(liquidation_price("long", entry, 10, 0.005)) > 90.0
    assert column("cluster_dist_long_pct", **opened)[-1] == pytest.approx(100.0 - long_5)


def test_no_rung_left_is_unknown(column, opened):
    opened["low"][-2] = 10.0

    assert np.isnan(column("cluster_dist_long_pct", **opened)[-1])
    assert column("cluster_near_long", **opened)[-1] == 0.0
    assert np.isfinite(column("cluster_dist_short_pct", **opened)[-1])


def test_entries_are_where_open_interest_was_added(column, opened):
    for name in ("high", "low", "close"):
        opened[name][12:] += 10.0
    coins = np.r_[np.full(12, 500.0), 600.0, np.full(11, 550.0)]
    opened["low"][12] = 99.5
    # the only addition is in the bar that jumps from 100 to 110
    entry = (110.5 + 99.5 + 110.0) / 3
    nearest = max(
        level
        for level in liquidation_price("long", entry, [5, 10, 25, 50, 100], 0.005)
        if level < 99.5
    )

    found = column("cluster_dist_long_pct", **opened, open_interest=coins)[-1]
    assert found == pytest.approx((1.0 - nearest / 110.0) * 100.0)


@pytest.mark.parametrize("side", SIDES)
def test_share_of_rungs_alive_and_near(column, opened, side):
    # of the day's rungs 25x and 50x lie within 5 %, 100x too where it is alive; the entry windows
    # of 3 and 7 days are not full enough to count
    alive = {"long": 3, "short": 2}[side]

    assert column(f"cluster_near_{side}", **opened)[-1] == pytest.approx(alive / 15)
    assert np.isnan(column(f"cluster_near_{side}", **flat(24))[-1])


def test_entries_are_by_volume_while_nothing_is_added(column, opened):
    by_volume = column("cluster_dist_long_pct", **opened)

    found = column("cluster_dist_long_pct", **opened, open_interest=np.full(24, 500.0))
    np.testing.assert_array_equal(found, by_volume)
