"""Readings of the coins near the price: what plain NumPy says, and what is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.liquidation.side_values import EDGES, WHATS, side_values

FAR = 40


def readings(within, square, stock):
    return dict(zip(WHATS, np.moveaxis(side_values(within, square, stock), 1, 0), strict=True))


def plain(coins, square, stock):
    """One side of one bar, as one would write it."""
    inside, middle = np.diff(coins, prepend=0.0), EDGES - 0.00125
    heavy = np.flatnonzero(inside >= 0.01 * stock)
    mean = coins[19]
    whole = np.concatenate([[0.0], coins[:FAR]])
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            **{f"within_{k}": coins[4 * k - 1] for k in (1, 2, 3, 5, 10)},
            "nearest": middle[heavy[0]] if heavy.size else np.nan,
            "mean_distance": (inside[:FAR] * middle[:FAR]).sum() / coins[FAR - 1],
            "doubt": np.sqrt(max(square[19] - mean**2, 0.0)) / mean if mean > 0 else np.nan,
            "peak": (whole[4:] - whole[:-4]).max(),
        }


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**20), n_bars=st.integers(1, 5))
def test_they_are_what_plain_numpy_says(seed, n_bars):
    rng = np.random.default_rng(seed)
    inside = rng.exponential(1.0, (n_bars, 2, len(EDGES))) * (rng.random(len(EDGES)) < 0.4)
    within = np.cumsum(inside, axis=2) * rng.choice([0.0, 1e-9, 1.0, 1e7])
    square = within**2 * (1.0 + rng.random(within.shape))
    stock = within[:, 0, -1] * rng.choice([0.5, 30.0, np.nan])
    found = readings(within, square, stock)
    for bar in range(n_bars):
        for side in range(2):
            expected = plain(within[bar, side], square[bar, side], stock[bar])
            for name, value in expected.items():
                np.testing.assert_allclose(found[name][side, bar], value, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize(("first", "expected"), [(0, 400.0), (7, 400.0), (36, 400.0), (38, 200.0)])
def test_the_peak_is_the_richest_percent_wherever_it_lies(first, expected):
    inside = np.zeros((1, 2, len(EDGES)))
    inside[:, :, first : first + 4] = 100.0  # what lies beyond 10 % does not count
    within = np.cumsum(inside, axis=2)
    found = readings(within, within**2, np.array([1_000.0]))
    assert found["peak"].tolist() == [[expected], [expected]]
    assert found["nearest"].tolist() == [[EDGES[first] - 0.00125]] * 2


def test_a_map_that_says_nothing_has_no_readings():
    within = np.full((2, 2, len(EDGES)), np.nan)
    assert np.isnan(side_values(within, np.zeros_like(within), np.ones(2))).all()
