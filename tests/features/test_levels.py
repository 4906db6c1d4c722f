"""Recent extremes and round numbers, on prices short enough to compute by hand."""

import numpy as np
import pytest


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
