"""Correlations against exact sums."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.windows import rolling_corr

EPS = 2.0**-52


def exact(us, vs):
    pairs = [
        (Fraction(float(u)), Fraction(float(v)))
        for u, v in zip(us, vs, strict=True)
        if np.isfinite(u) and np.isfinite(v)
    ]
    if len({u for u, _ in pairs}) < 2 or len({v for _, v in pairs}) < 2:
        return math.nan
    n = len(pairs)
    mean_u, mean_v = sum(u for u, _ in pairs) / n, sum(v for _, v in pairs) / n
    suu = sum((u - mean_u) ** 2 for u, _ in pairs)
    svv = sum((v - mean_v) ** 2 for _, v in pairs)
    suv = sum((u - mean_u) * (v - mean_v) for u, v in pairs)
    # a ratio of squares first: each may be too large or small for a float
    return math.copysign(math.sqrt(suv**2 / (suu * svv)), suv)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_correlation_within_bound(laws, data):
    case = data.draw(laws.cases())
    other = data.draw(st.permutations(range(case.x.shape[1])))
    y = np.where(np.abs(case.x) > 1e-40, case.x, 0.0)[:, other]
    x = np.where(np.abs(case.x) > 1e-40, case.x, 0.0)
    found = rolling_corr(x, y, case.window, first_bar=case.first_bar, min_count=case.min_count)
    least = case.window if case.min_count is None else case.min_count
    for row, t in np.ndindex(x.shape):
        part = slice(max(0, t - case.window + 1), t + 1)
        us, vs = x[row, part], y[row, part]
        if (np.isfinite(us) & np.isfinite(vs)).sum() < least:
            assert np.isnan(found[row, t])
        else:
            expected = exact(us, vs)
            bound = 16 * case.window**2 * EPS
            assert found[row, t] == pytest.approx(expected, abs=bound, nan_ok=True)


@pytest.mark.parametrize("window", [3, 24, 720])
def test_accuracy_with_large_offsets(window):
    rng = np.random.default_rng(8)
    x = 1e9 + 1e-2 * rng.normal(size=1600)
    y = -1e6 + 0.5 * (x - 1e9) + 1e-2 * rng.normal(size=1600)
    found = rolling_corr(x[None], y[None], window, first_bar=50)[0]
    for t in np.linspace(window, 1599, 6).astype(int):
        part = slice(t - window + 1, t + 1)
        assert found[t] == pytest.approx(exact(x[part], y[part]), abs=4 * window * EPS)


def test_a_series_with_itself_and_its_mirror():
    x = np.random.default_rng(8).normal(size=(2, 300))
    assert rolling_corr(x, x, 9, first_bar=4)[:, 8:] == pytest.approx(1.0, abs=1e-14)
    assert rolling_corr(x, -x, 9, first_bar=4)[:, 8:] == pytest.approx(-1.0, abs=1e-14)
    assert np.abs(rolling_corr(x, x, 9, first_bar=4)[:, 8:]).max() <= 1.0


def test_only_bars_where_both_are_known_count():
    x = np.array([[1.0, 2.0, np.nan, 4.0, 5.0]])
    y = np.array([[1.0, np.inf, 3.0, 8.0, 4.0]])
    found = rolling_corr(x, y, 5, first_bar=0, min_count=3)[0]
    assert np.isnan(found[:4]).all()
    assert found[4] == pytest.approx(np.corrcoef([1, 4, 5], [1, 8, 4])[0, 1])


def test_different_shapes():
    with pytest.raises(FrameError, match=r"y has shape \(1, 4\), expected \(1, 3\) as x"):
        rolling_corr(np.zeros((1, 3)), np.zeros((1, 4)), 2, first_bar=0)


@pytest.mark.parametrize("name", ["x", "y"])
def test_either_plane_is_checked(name):
    planes = {"x": np.zeros((1, 3)), "y": np.zeros((1, 3))} | {name: np.zeros(3)}
    with pytest.raises(FrameError, match=rf"{name} has shape \(3,\), expected two axes"):
        rolling_corr(planes["x"], planes["y"], 2, first_bar=0)
