"""Ranks equal the plain way exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.windows import rolling_rank


def mid_rank(bars):
    if np.isnan(bars[-1]):
        return np.nan
    known = bars[~np.isnan(bars)]
    return ((known < bars[-1]).sum() + (known <= bars[-1]).sum()) / 2 / len(known)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_equals_the_plain_way(laws, data):
    case = data.draw(laws.cases())
    found = rolling_rank(case.x, case.window, first_bar=case.first_bar, min_count=case.min_count)
    expected = laws.by_window(case.x, case.window, case.min_count, mid_rank)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("window", [1, 63, 128, 250])
@pytest.mark.parametrize("kind", ["walk", "ties", "gaps"])
def test_equals_the_plain_way_on_long_series(laws, long_series, window, kind):
    for min_count in (None, 1):
        np.testing.assert_array_equal(
            rolling_rank(long_series[kind], window, first_bar=1003, min_count=min_count),
            laws.by_window(long_series[kind], window, min_count, mid_rank),
        )


def test_lies_strictly_between_zero_and_one():
    x = np.array([[3.0, 2.0, 1.0, 0.0, 9.0, 9.0]])
    np.testing.assert_allclose(
        rolling_rank(x, 3, first_bar=0), [[np.nan, np.nan, 1 / 6, 1 / 6, 5 / 6, 4 / 6]]
    )


def test_a_long_window_obeys_the_laws(laws):
    x = np.random.default_rng(6).normal(size=(2, 1500)).round(2)
    x[0, 40:90] = np.nan
    for cut in (0, 700, 1100):
        laws.check(rolling_rank, x, 450, first_bar=12_345, min_count=300, cut=cut)
