"""The spread of a window carried on from bar to bar is that of the kernel over the whole row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.windows import rolling_std
from liqwarn.windows.sliding_spread import empty_spreads, next_std


def carried_on(x, window, first_bar, least):
    spreads = empty_spreads(2, window)
    return np.array(
        [next_std(spreads, 1, first_bar + t, value, least) for t, value in enumerate(x)]
    )


@settings(max_examples=150, deadline=None)
@given(
    x=st.lists(
        st.sampled_from([0.0, -0.0, 1.0, 1e9, np.nan, np.inf, -np.inf]) | st.floats(-5, 5),
        min_size=1,
        max_size=80,
    ),
    window=st.integers(1, 30),
    first_bar=st.integers(0, 60),
    data=st.data(),
)
def test_the_same_bits(x, window, first_bar, data):
    least = data.draw(st.integers(1, window))
    expected = rolling_std(np.array([x]), window, first_bar=first_bar, min_count=least)[0]

    assert carried_on(x, window, first_bar, least).tobytes() == expected.tobytes()


@pytest.mark.parametrize("window", [63, 64, 65, 66, 128, 129, 200, 333])
@pytest.mark.parametrize("kind", ["walk", "ties", "gaps"])
def test_the_same_bits_of_windows_with_marks(long_series, window, kind):
    for row, least in zip(long_series[kind], (1, window // 2), strict=False):
        expected = rolling_std(row[None], window, first_bar=1003, min_count=least)[0]
        found = carried_on(row, window, 1003, least)
        np.testing.assert_array_equal(found, expected)
        assert np.isfinite(found).any()
