"""The laws every window kernel obeys, the kernels, and series that are hard on them.

A kernel is a function of ``(x, window, *, first_bar, min_count)`` of one plane.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st

from liqwarn import windows

Kernel = Callable[..., np.ndarray]


def _correlation_with_own_square(x, window, *, first_bar, min_count=None):
    return windows.rolling_corr(x, x * x, window, first_bar=first_bar, min_count=min_count)


def _upper_decile(x, window, *, first_bar, min_count=None):
    return windows.rolling_quantile(x, window, 0.9, first_bar=first_bar, min_count=min_count)


def _lag(x, window, *, first_bar, min_count=None):
    return windows.lag(x, window - 1)


KERNELS: dict[str, Kernel] = {
    "bars_since_max": windows.bars_since_max,
    "bars_since_min": windows.bars_since_min,
    "lag": _lag,
    "rolling_corr": _correlation_with_own_square,
    "rolling_count": windows.rolling_count,
    "rolling_max": windows.rolling_max,
    "rolling_mean": windows.rolling_mean,
    "rolling_min": windows.rolling_min,
    "rolling_quantile": _upper_decile,
    "rolling_rank": windows.rolling_rank,
    "rolling_run_length": windows.rolling_run_length,
    "rolling_slope": windows.rolling_slope,
    "rolling_std": windows.rolling_std,
    "rolling_sum": windows.rolling_sum,
    "rolling_zscore": windows.rolling_zscore,
}


def same_bits(found: np.ndarray, expected: np.ndarray) -> bool:
    """Equal bit for bit, with every NaN taken as the same."""
    bits = [np.where(np.isnan(a), np.nan, a).view(np.int64) for a in (found, expected)]
    return found.shape == expected.shape and bool((bits[0] == bits[1]).all())


def _demand(found: np.ndarray, expected: np.ndarray, law: str) -> None:
    assert same_bits(found, expected), f"law broken: {law}"


def _any_start(call, x, window, first_bar, cut):
    rest = call(x[:, cut:], first_bar + cut)
    _demand(rest[:, window - 1 :], call(x, first_bar)[:, cut:][:, window - 1 :], "any start")
    unknown = np.where(np.arange(x.shape[1]) < cut, np.nan, x)
    _demand(rest, call(unknown, first_bar)[:, cut:], "bars before the start are missing bars")


def _any_chunk(call, x, window, first_bar, cut):
    before = max(0, cut - window + 1)
    chunks = [
        call(x[:, :cut], first_bar),
        call(x[:, before:], first_bar + before)[:, cut - before :],
    ]
    _demand(np.concatenate(chunks, axis=1), call(x, first_bar), "any chunk")


def _one_bar(call, x, window, first_bar, cut):
    before = max(0, cut - window + 1)
    bar = call(x[:, before : cut + 1], first_bar + before)[:, -1:]
    _demand(bar, call(x, first_bar)[:, cut : cut + 1], "one bar at a time")


def _any_subset(call, x, window, first_bar, cut):
    rows = [(cut + i) % len(x) for i in range(max(1, len(x) - 1))]
    _demand(call(x[rows], first_bar), call(x, first_bar)[rows], "any subset of symbols")


def _blind_to_the_future(call, x, window, first_bar, cut):
    other = x.copy()
    other[:, cut + 1 :] = np.where(np.isnan(x[:, cut + 1 :]), 3.0, np.inf)
    _demand(call(other, first_bar)[:, : cut + 1], call(x, first_bar)[:, : cut + 1], "no look-ahead")


def _forgetful(call, x, window, first_bar, cut):
    for poison in (np.nan, np.inf, -np.inf, 1e60):
        other = x.copy()
        other[:, : cut + 1] = poison
        after = slice(cut + window, None)
        _demand(call(other, first_bar)[:, after], call(x, first_bar)[:, after], "forgets the past")


def _anchored(call, x, window, first_bar, cut):
    _demand(call(x, first_bar + cut * window), call(x, first_bar), "whole windows later, the same")


LAWS = (
    _any_start,
    _any_chunk,
    _one_bar,
    _any_subset,
    _blind_to_the_future,
    _forgetful,
    _anchored,
)


def check_laws(
    kernel: Kernel, x: np.ndarray, window: int, *, first_bar: int, min_count: int | None, cut: int
) -> None:
    """Raise AssertionError naming the first law that `kernel` breaks; `cut` is a column of `x`."""

    def call(plane, first):
        return kernel(plane, window, first_bar=first, min_count=min_count)

    for law in LAWS:
        law(call, x, window, first_bar, cut)


ORDINARY = st.floats(-1e4, 1e4)
VALUES = {
    "ordinary": ORDINARY,
    "ties": st.sampled_from([-1.0, -0.0, 0.0, 1.0, 2.0]),
    "gaps": st.one_of(ORDINARY, st.sampled_from([np.nan, np.inf, -np.inf])),
    "jumps": st.sampled_from([1e9, 1e9 + 1e-3, 1e9 - 1e-3, 1e-3, -1e12, np.nan, 0.1]),
    "wild": st.floats(-1e30, 1e30) | st.just(np.nan),
}


@st.composite
def cases(draw):
    """A plane and the arguments of `check_laws`."""
    values = VALUES[draw(st.sampled_from(sorted(VALUES)))]
    n_symbols, n_bars = draw(st.integers(1, 3)), draw(st.integers(1, 40))
    flat = draw(st.lists(values, min_size=n_symbols * n_bars, max_size=n_symbols * n_bars))
    window = draw(st.integers(1, 13))
    return SimpleNamespace(
        x=np.array(flat).reshape(n_symbols, n_bars),
        window=window,
        first_bar=draw(st.integers(0, 60) | st.integers(0, 10**9)),
        min_count=draw(st.none() | st.integers(1, window)),
        cut=draw(st.integers(0, n_bars - 1)),
    )


def by_window(x: np.ndarray, window: int, min_count: int | None, function) -> np.ndarray:
    """The plain way: `function` of each window's bars, a bar at a time, NaN for missing ones."""
    least = window if min_count is None else min_count
    clean = np.where(np.isfinite(x), x, np.nan)
    out = np.full(x.shape, np.nan)
    for row in range(x.shape[0]):
        for t in range(x.shape[1]):
            bars = clean[row, max(0, t - window + 1) : t + 1]
            if np.isfinite(bars).sum() >= least:
                out[row, t] = function(bars)
    return out


@pytest.fixture(scope="session", params=sorted(KERNELS))
def kernel(request) -> Kernel:
    """Each kernel in turn."""
    return KERNELS[request.param]


@pytest.fixture(scope="session")
def laws() -> SimpleNamespace:
    """What the tests of this folder share."""
    return SimpleNamespace(
        kernels=KERNELS, check=check_laws, cases=cases, same_bits=same_bits, by_window=by_window
    )


@pytest.fixture(scope="session")
def long_series() -> dict[str, np.ndarray]:
    """Two symbols, 500 bars: a walk, many ties, many gaps."""
    rng = np.random.default_rng(11)
    shape = (2, 500)
    return {
        "walk": np.cumsum(rng.normal(size=shape), axis=1),
        "ties": rng.integers(0, 5, size=shape).astype(float),
        "gaps": np.where(rng.random(shape) < 0.3, np.nan, rng.normal(size=shape).round(1)),
    }
