"""Sums and moments against exact rational arithmetic, and on series made to cancel."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.windows import (
    rolling_count,
    rolling_mean,
    rolling_std,
    rolling_sum,
    rolling_zscore,
)

EPS = 2.0**-52
MANY = settings(max_examples=250, deadline=None)


def finite(bars):
    return [Fraction(v) for v in bars if not math.isnan(v)]


def exact_mean(values):
    return sum(values) / len(values)


def exact_variance(values):
    mean = exact_mean(values)
    return sum((v - mean) ** 2 for v in values) / (len(values) - 1)


def each_window(laws, case):
    """Bars of every window that has enough values, with where it ends."""
    ends, bars = [], []
    least = case.window if case.min_count is None else case.min_count
    clean = np.where(np.isfinite(case.x), case.x, np.nan)
    for row, t in np.ndindex(case.x.shape):
        window = clean[row, max(0, t - case.window + 1) : t + 1]
        if np.isfinite(window).sum() >= least:
            ends.append((row, t))
            bars.append(window)
    return ends, bars


def run(kernel, case):
    return kernel(case.x, case.window, first_bar=case.first_bar, min_count=case.min_count)


@MANY
@given(data=st.data())
def test_sum_within_bound(laws, data):
    case = data.draw(laws.cases())
    found = run(rolling_sum, case)
    ends, windows = each_window(laws, case)
    assert np.isfinite(found).sum() == len(ends)
    for at, bars in zip(ends, windows, strict=True):
        values = finite(bars)
        bound = case.window * EPS * math.fsum(abs(v) for v in values)
        assert abs(Fraction(found[at]) - sum(values)) <= bound


@MANY
@given(data=st.data())
def test_mean_within_bound(laws, data):
    """Two roundings of the mean, and what a window's own range costs."""
    case = data.draw(laws.cases())
    found = run(rolling_mean, case)
    ends, windows = each_window(laws, case)
    assert np.isfinite(found).sum() == len(ends)
    for at, bars in zip(ends, windows, strict=True):
        values = finite(bars)
        mean = exact_mean(values)
        bound = (2 * case.window + 4) * EPS * float(max(values) - min(values))
        bound += 2 * EPS * float(abs(mean)) + 5e-324
        assert abs(float(Fraction(found[at]) - mean)) <= bound


@MANY
@given(data=st.data())
def test_variance_within_relative_bound(laws, data):
    """Relative error of the variance at most ``8 window² 2⁻⁵²``, whatever level and jumps."""
    case = data.draw(laws.cases())
    found = run(rolling_std, case)
    for at, bars in zip(*each_window(laws, case), strict=True):
        values = finite(bars)
        if len(values) < 2:
            assert np.isnan(found[at])
            continue
        variance = exact_variance(values)
        if max(values) - min(values) > Fraction(1e-100):
            assert found[at] > 0.0
            assert abs(float(Fraction(found[at]) ** 2 / variance - 1)) <= 8 * case.window**2 * EPS
        elif variance == 0:
            assert found[at] == 0.0


@MANY
@given(data=st.data())
def test_zscore_within_bound(laws, data):
    case = data.draw(laws.cases())
    found = run(rolling_zscore, case)
    for at, bars in zip(*each_window(laws, case), strict=True):
        values = finite(bars)
        if math.isnan(bars[-1]) or max(values) == min(values):
            assert np.isnan(found[at])
        elif max(values) - min(values) > Fraction(1e-100):
            last = Fraction(float(bars[-1]))
            expected = float(last - exact_mean(values)) / math.sqrt(exact_variance(values))
            assert found[at] == pytest.approx(expected, abs=16 * case.window**2.5 * EPS)


@MANY
@given(data=st.data())
def test_count_is_exact(laws, data):
    case = data.draw(laws.cases())
    expected = laws.by_window(case.x, case.window, 1, lambda bars: np.isfinite(bars).sum())
    found = rolling_count(case.x, case.window, first_bar=case.first_bar)
    np.testing.assert_array_equal(found, np.nan_to_num(expected))
    least = case.window if case.min_count is None else case.min_count
    found = rolling_count(case.x, case.window, first_bar=case.first_bar, min_count=least)
    np.testing.assert_array_equal(found, np.where(expected >= least, expected, np.nan))


def hard_series(name, n=3000):
    rng = np.random.default_rng(5)
    noise = rng.normal(size=n)
    return {
        "offset 1e9, noise 1e-3": 1e9 + 1e-3 * noise,
        "jump of ten times": np.where(np.arange(n) < n // 2, 1e4, 1e5) * (1 + 1e-4 * noise),
        "spikes of 1e9": np.where(rng.random(n) < 0.01, 1e9, 1.0) + noise,
        "random walk": 3e4 * np.exp(np.cumsum(1e-2 * noise)),
        "flat but for the last digit": 1.0 + EPS * (rng.random(n) < 0.5),
    }[name]


SERIES = [
    "offset 1e9, noise 1e-3",
    "jump of ten times",
    "spikes of 1e9",
    "random walk",
    "flat but for the last digit",
]


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("window", [2, 12, 168, 720])
def test_accuracy_on_hard_series(name, window):
    """Against exact arithmetic: std within ``window`` ulps, mean within 4 ulps of the largest."""
    x = hard_series(name)
    std = rolling_std(x[None], window, first_bar=99)[0]
    mean = rolling_mean(x[None], window, first_bar=99)[0]
    z = rolling_zscore(x[None], window, first_bar=99)[0]
    for t in np.linspace(window, len(x) - 1, 12).astype(int):
        values = [Fraction(v) for v in x[t - window + 1 : t + 1].tolist()]
        expected, variance = exact_mean(values), exact_variance(values)
        largest = float(max(abs(v) for v in values))
        assert abs(float(Fraction(mean[t]) - expected)) <= 4 * EPS * largest
        if variance == 0:
            assert std[t] == 0.0
            assert np.isnan(z[t])
            continue
        deviation = math.sqrt(variance)
        assert std[t] == pytest.approx(deviation, rel=window * EPS)
        found = float(values[-1] - expected) / deviation
        assert z[t] == pytest.approx(found, rel=window * EPS, abs=window * EPS)


def test_the_bounds_reject_running_sums():
    """The accuracy above means something: plain sums of squares have no digit left here."""
    x = hard_series("offset 1e9, noise 1e-3")[:400]
    sums = np.array([np.convolve(x**p, np.ones(168), "valid") for p in (1, 2)])
    naive = (sums[1] - sums[0] ** 2 / 168) / 167
    ours = rolling_std(x[None], 168, first_bar=99)[0, 167:] ** 2
    exact = float(exact_variance([Fraction(v) for v in x[:168].tolist()]))
    assert ours[0] == pytest.approx(exact, rel=168 * EPS)
    assert naive[0] != pytest.approx(exact, rel=1e-2)


@pytest.mark.parametrize("level", [0.1, 1 / 3, -7e11, 1e-30, -0.0])
@pytest.mark.parametrize("window", [2, 5, 13])
def test_constant_windows(level, window):
    x = np.full((1, 60), level)
    x[0, 20:40] = 5.0
    std = rolling_std(x, window, first_bar=3)[0]
    constant = np.array(
        [t >= window - 1 and np.ptp(x[0, t - window + 1 : t + 1]) == 0 for t in range(60)]
    )
    assert (std[constant] == 0.0).all()
    assert (std[window - 1 :][~constant[window - 1 :]] > 0.0).all()
    assert np.isnan(rolling_zscore(x, window, first_bar=3)[0][constant]).all()
    mean = rolling_mean(x, window, first_bar=3)[0]
    np.testing.assert_array_equal(mean[constant], x[0][constant])


@pytest.mark.parametrize("level", [0.1, 1 / 3, -7e11, 1e-30])
def test_constant_windows_with_gaps(level):
    x = np.full((1, 60), level)
    x[0, ::7] = np.nan
    assert (rolling_std(x, 5, first_bar=3, min_count=2)[0, 5:] == 0.0).all()
    np.testing.assert_array_equal(rolling_mean(x, 5, first_bar=3, min_count=1)[0, 1:], level)


def test_sums_of_whole_numbers_are_exact_and_of_nothing_zero():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, size=(1, 400)) * rng.integers(1, 10**9, size=(1, 400)) * 1.0
    x[0, 100:200] = 0.0
    expected = np.convolve(x[0], np.ones(50))[49:400]
    np.testing.assert_array_equal(rolling_sum(x, 50, first_bar=17)[0, 49:], expected)
    assert (rolling_sum(x, 50, first_bar=17)[0, 149:200] == 0.0).all()


def test_an_infinity_is_forgotten():
    x = np.random.default_rng(2).normal(size=(1, 100))
    clean = {k: k(x, 8, first_bar=1) for k in (rolling_mean, rolling_std, rolling_zscore)}
    x[0, 50] = np.inf
    for kernel, before in clean.items():
        after = kernel(x, 8, first_bar=1)
        assert np.isnan(after[0, 50:58]).all()
        np.testing.assert_array_equal(
            np.delete(after, range(50, 58), 1), np.delete(before, range(50, 58), 1)
        )


def test_min_count_lets_gaps_pass():
    x = np.array([[np.nan, 2.0, np.nan, 4.0, 9.0]])
    np.testing.assert_array_equal(
        rolling_mean(x, 3, first_bar=0, min_count=1), [[np.nan, 2.0, 2.0, 3.0, 6.5]]
    )
    np.testing.assert_array_equal(
        rolling_mean(x, 3, first_bar=0, min_count=2), [[np.nan, np.nan, np.nan, 3.0, 6.5]]
    )
    assert np.isnan(rolling_mean(x, 3, first_bar=0)).all()
