"""Slopes against exact least squares."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.windows import rolling_slope

EPS = 2.0**-52


def exact(bars):
    """Slope, and the error that rounding may add: a few ulps of the sums it is made of."""
    places = [i for i, v in enumerate(bars) if not np.isnan(v)]
    values = [Fraction(float(bars[i])) for i in places]
    n = len(values)
    if n < 2:
        return None, 0.0
    middle, mean = Fraction(sum(places), n), sum(values) / n
    spread = sum((p - middle) ** 2 for p in places)
    rise = sum((p - middle) * (v - mean) for p, v in zip(places, values, strict=True))
    extent = float(max(values) - min(values))
    return rise / spread, 16 * n**2 * len(bars) * EPS * extent / float(n * spread)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_slope_within_bound(laws, data):
    case = data.draw(laws.cases())
    found = rolling_slope(case.x, case.window, first_bar=case.first_bar, min_count=case.min_count)
    exists = laws.by_window(case.x, case.window, case.min_count, lambda bars: 1.0)
    clean = np.where(np.isfinite(case.x), case.x, np.nan)
    for row, t in np.ndindex(case.x.shape):
        slope, bound = exact(clean[row, max(0, t - case.window + 1) : t + 1])
        if np.isnan(exists[row, t]) or slope is None:
            assert np.isnan(found[row, t])
        else:
            assert abs(float(Fraction(found[row, t]) - slope)) <= bound + EPS * abs(slope)


@pytest.mark.parametrize("window", [2, 12, 168, 720])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_accuracy_on_a_long_series(window, offset):
    x = offset + np.random.default_rng(1).normal(size=2000)
    found = rolling_slope(x[None], window, first_bar=31)[0]
    for t in np.linspace(window, 1999, 8).astype(int):
        slope, _ = exact(x[t - window + 1 : t + 1])
        assert found[t] == pytest.approx(float(slope), abs=64 * EPS, rel=64 * EPS)


@pytest.mark.parametrize("window", [2, 7, 40])
def test_a_straight_line_of_whole_numbers_has_its_slope_exactly(window):
    x = 1e6 - 3.0 * np.arange(200.0)[None]
    assert (rolling_slope(x, window, first_bar=5)[0, window - 1 :] == -3.0).all()
    x[0, ::9] = np.nan
    assert (rolling_slope(x, window, first_bar=5, min_count=2)[0, 2:] != -3.0).sum() == (
        0 if window > 2 else np.isnan(rolling_slope(x, 2, first_bar=5, min_count=2)[0, 2:]).sum()
    )


def test_a_constant_series_is_flat_and_one_value_has_no_slope():
    assert (rolling_slope(np.full((1, 50), 0.1), 6, first_bar=2)[0, 5:] == 0.0).all()
    assert np.isnan(rolling_slope(np.ones((1, 5)), 1, first_bar=2)).all()
