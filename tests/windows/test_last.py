"""The newest value alone is the last column of the kernel, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.windows import (
    rolling_corr,
    rolling_max,
    rolling_mean,
    rolling_min,
    rolling_rank,
    rolling_run_length,
    rolling_slope,
    rolling_std,
    rolling_sum,
    rolling_zscore,
)
from liqwarn.windows.last import KINDS, last_corr, last_value

BATCH = {
    "sum": rolling_sum,
    "mean": rolling_mean,
    "std": rolling_std,
    "zscore": rolling_zscore,
    "max": rolling_max,
    "min": rolling_min,
    "rank": rolling_rank,
    "slope": rolling_slope,
    "run": rolling_run_length,
}

VALUE = st.one_of(
    st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1e9, 1e9 + 1e-3]),
    st.floats(-1e6, 1e6),
)
SERIES = st.lists(VALUE, min_size=1, max_size=40)


def bits(x):
    return np.asarray(x, dtype=np.float64).view(np.int64).tolist()


def cells_until(x, t, window):
    """The window that ends at t, missing before the history."""
    padded = np.concatenate([np.full(window, np.nan), x])
    return np.ascontiguousarray(padded[t + 1 : t + 1 + window])


def same(ours, theirs):
    return bits(ours) == bits(theirs) or (np.isnan(ours) and np.isnan(theirs))


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(x=SERIES, window=st.integers(1, 17), first=st.integers(0, 60), share=st.floats(0.01, 1.0))
@settings(max_examples=60, deadline=None)  # the first call compiles
def test_every_kind_is_the_last_column_of_its_kernel(kind, x, window, first, share):
    x = np.array(x)
    least = max(1, int(share * window))
    theirs = BATCH[kind](x[None], window, first_bar=first, min_count=least)[0]

    ours = [
        last_value(cells_until(x, t, window), KINDS[kind], (first + t) % window + 1, least)
        for t in range(x.size)
    ]

    assert all(same(a, b) for a, b in zip(ours, theirs, strict=True)), (ours, theirs.tolist())


@given(
    pairs=st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=40),
    window=st.integers(2, 17),
    first=st.integers(0, 60),
)
@settings(max_examples=100, deadline=None)
def test_correlation_is_the_last_column_of_its_kernel(pairs, window, first):
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    least = max(1, window // 2)
    theirs = rolling_corr(x[None], y[None], window, first_bar=first, min_count=least)[0]

    for t in range(x.size):
        ours = last_corr(
            cells_until(x, t, window), cells_until(y, t, window), (first + t) % window + 1, least
        )
        assert same(ours, theirs[t]), (t, ours, theirs[t])


def test_a_block_that_starts_one_cell_later_gives_other_bits_somewhere():
    """The mutant the law must catch: a window that is not anchored."""
    x = np.random.default_rng(0).normal(size=400) * 1e3
    theirs = rolling_mean(x[None], 24, first_bar=0)[0]
    shifted = [
        last_value(cells_until(x, t, 24), KINDS["mean"], (t + 1) % 24 + 1, 24) for t in range(400)
    ]

    assert not all(same(a, b) for a, b in zip(shifted, theirs, strict=True))
