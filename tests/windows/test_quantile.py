"""Quantiles equal numpy's exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.windows import rolling_quantile


def quantile(q):
    return lambda bars: np.quantile(bars[~np.isnan(bars)] + 0.0, q)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), q=st.sampled_from([0.0, 0.05, 1 / 3, 0.5, 0.75, 0.9, 1.0]) | st.floats(0, 1))
def test_equals_numpy(laws, data, q):
    case = data.draw(laws.cases())
    found = rolling_quantile(
        case.x, case.window, q, first_bar=case.first_bar, min_count=case.min_count
    )
    expected = laws.by_window(case.x, case.window, case.min_count, quantile(q))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("window", [1, 31, 32, 33, 64, 65, 128, 250])
@pytest.mark.parametrize("kind", ["walk", "ties", "gaps"])
def test_equals_numpy_on_long_series(laws, long_series, window, kind):
    for q, min_count in ((0.9, None), (0.25, 1)):
        np.testing.assert_array_equal(
            rolling_quantile(long_series[kind], window, q, first_bar=1003, min_count=min_count),
            laws.by_window(long_series[kind], window, min_count, quantile(q)),
        )


@pytest.mark.parametrize("q", [-0.1, 1.1, np.nan])
def test_out_of_range(q):
    with pytest.raises(FrameError, match=r"q is .*, expected 0 to 1"):
        rolling_quantile(np.zeros((1, 3)), 2, q, first_bar=0)
