"""Extremes and their ages equal the plain way exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.windows import bars_since_max, bars_since_min, rolling_max, rolling_min

MANY = settings(max_examples=200, deadline=None)


def age(pick):
    return lambda bars: len(bars) - 1 - np.flatnonzero(bars == pick(bars))[-1]


PLAIN = {
    rolling_max: np.nanmax,
    rolling_min: np.nanmin,
    bars_since_max: age(np.nanmax),
    bars_since_min: age(np.nanmin),
}


@pytest.mark.parametrize("extreme", PLAIN, ids=lambda f: f.__name__)
@MANY
@given(data=st.data())
def test_equals_the_plain_way(laws, extreme, data):
    case = data.draw(laws.cases())
    found = extreme(case.x, case.window, first_bar=case.first_bar, min_count=case.min_count)
    expected = laws.by_window(case.x, case.window, case.min_count, PLAIN[extreme])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("extreme", PLAIN, ids=lambda f: f.__name__)
@pytest.mark.parametrize("window", [1, 24, 168])
def test_equals_the_plain_way_on_a_long_walk(laws, extreme, window):
    x = np.cumsum(np.random.default_rng(window).normal(size=(2, 600)), axis=1).round(1)
    expected = laws.by_window(x, window, None, PLAIN[extreme])
    np.testing.assert_array_equal(extreme(x, window, first_bar=77), expected)


def test_the_latest_of_equal_extremes_counts():
    x = np.array([[2.0, 5.0, 1.0, 5.0, 1.0, 3.0]])
    assert bars_since_max(x, 6, first_bar=0)[0, -1] == 2
    assert bars_since_min(x, 6, first_bar=0)[0, -1] == 1


def test_a_missing_current_bar_does_not_hide_the_extreme():
    x = np.array([[2.0, 5.0, np.nan]])
    assert rolling_max(x, 3, first_bar=4, min_count=1)[0, -1] == 5.0
    assert bars_since_max(x, 3, first_bar=4, min_count=1)[0, -1] == 1.0
