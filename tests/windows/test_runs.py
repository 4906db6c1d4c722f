import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.windows import lag, rolling_run_length


def run(bars):
    signs = np.sign(bars)
    same = signs[::-1] == signs[-1]
    return np.nan if np.isnan(bars[-1]) else len(same) if same.all() else np.argmin(same)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_run_length_equals_the_plain_way(laws, data):
    case = data.draw(laws.cases())
    found = rolling_run_length(
        case.x, case.window, first_bar=case.first_bar, min_count=case.min_count
    )
    np.testing.assert_array_equal(found, laws.by_window(case.x, case.window, case.min_count, run))


def test_zero_is_a_sign_and_a_gap_ends_a_run():
    x = np.array([[1.0, 0.0, -0.0, np.nan, 0.0, 2.0, 3.0]])
    np.testing.assert_array_equal(
        rolling_run_length(x, 3, first_bar=0, min_count=1), [[1, 1, 2, np.nan, 1, 1, 2]]
    )


def test_lag():
    x = np.array([[1.0, np.inf, 3.0], [4.0, 5.0, np.nan]])
    np.testing.assert_array_equal(lag(x, 0), [[1, np.nan, 3], [4, 5, np.nan]])
    np.testing.assert_array_equal(lag(x, 1), [[np.nan, 1, np.nan], [np.nan, 4, 5]])
    assert np.isnan(lag(x, 3)).all()
    assert np.isnan(lag(x, 30)).all()


def test_lag_never_looks_ahead():
    with pytest.raises(FrameError, match="lag is -1 bars, expected 0 or more"):
        lag(np.zeros((1, 3)), -1)
    with pytest.raises(FrameError, match=r"x has shape \(3,\), expected two axes"):
        lag(np.zeros(3), 1)
