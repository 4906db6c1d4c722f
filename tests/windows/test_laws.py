"""Every kernel obeys the laws, and the laws reject what must not be a kernel."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn import windows

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_every_kernel_is_under_the_laws(laws):
    public = {n for n in windows.__all__ if n not in {"FloatArray", "needed_bars"}}
    assert set(laws.kernels) == public


@MANY
@given(data=st.data())
def test_laws(kernel, laws, data):
    case = data.draw(laws.cases())
    laws.check(
        kernel,
        case.x,
        case.window,
        first_bar=case.first_bar,
        min_count=case.min_count,
        cut=case.cut,
    )


@pytest.mark.parametrize("window", [2, 24, 60, 168])
@pytest.mark.parametrize("hole", ["none", "at the start", "now and then"])
def test_laws_on_a_long_walk(kernel, laws, window, hole):
    rng = np.random.default_rng(7)
    x = 3e4 * np.exp(np.cumsum(rng.normal(scale=0.01, size=(3, 700)), axis=1))
    if hole == "at the start":
        x[1, :250] = np.nan
    if hole == "now and then":
        x[rng.random(x.shape) < 0.02] = np.nan
        x[0, 300] = np.inf
    for cut in (0, 1, 333, 420):
        for min_count in (None, 1):
            laws.check(kernel, x, window, first_bar=1_234_567, min_count=min_count, cut=cut)


def _pandas(x, how):
    return np.ascontiguousarray(how(pd.DataFrame(x.T)).to_numpy().T)


def _cumulative_mean(x, window, *, first_bar, min_count):
    sums = np.cumsum(np.nan_to_num(x), axis=1)
    sums[:, window:] -= sums[:, :-window].copy()
    out = sums / window
    out[:, : window - 1] = np.nan
    return out


def _pandas_std(x, window, *, first_bar, min_count):
    return _pandas(x, lambda f: f.rolling(window, min_periods=min_count).std())


def _centred_mean(x, window, *, first_bar, min_count):
    return _pandas(x, lambda f: f.rolling(window, min_periods=min_count, center=True).mean())


def _batch_zscore(x, window, *, first_bar, min_count):
    return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)


def _expanding_max(x, window, *, first_bar, min_count):
    return np.maximum.accumulate(x, axis=1)


def _exponential_mean(x, window, *, first_bar, min_count):
    return _pandas(x, lambda f: f.ewm(span=window).mean())


def _cross_section(x, window, *, first_bar, min_count):
    return x - x.mean(axis=0, keepdims=True)


def _anchored_to_the_array(x, window, *, first_bar, min_count):
    return windows.rolling_mean(x, window, first_bar=0, min_count=min_count)


def _uses_the_bar_number(x, window, *, first_bar, min_count):
    return x + first_bar


MUTANTS = {
    "any start|any chunk|forgets": _cumulative_mean,
    "any start|any chunk|forgets ": _pandas_std,
    "any start|no look-ahead|any chunk": _centred_mean,
    "any start|no look-ahead": _batch_zscore,
    "any start|forgets the past": _expanding_max,
    "any start|forgets the past ": _exponential_mean,
    "any subset": _cross_section,
    "any start": _anchored_to_the_array,
    "any start|whole windows": _uses_the_bar_number,
}


@pytest.mark.parametrize("law", MUTANTS, ids=lambda law: MUTANTS[law].__name__.strip("_"))
def test_laws_reject_mutants(laws, law):
    x = np.random.default_rng(3).standard_cauchy(size=(3, 90))
    with pytest.raises(AssertionError, match=f"law broken: ({law.strip()})"):
        laws.check(MUTANTS[law], x, 12, first_bar=1005, min_count=12, cut=37)


def test_a_peeking_kernel_is_caught_by_the_law_against_it(laws):
    """One bar of look-ahead that every other law would let pass."""

    def peek(x, window, *, first_bar, min_count):
        ahead = np.full(x.shape, np.nan)
        ahead[:, :-1] = x[:, 1:]
        return ahead

    x = np.random.default_rng(4).normal(size=(2, 30))
    with pytest.raises(AssertionError, match=r"any chunk|one bar|no look-ahead"):
        laws.check(peek, x, 3, first_bar=0, min_count=3, cut=11)
