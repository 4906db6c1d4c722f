"""A Past can be windowed backwards, never read forwards."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.features.past import (
    MAX_CELLS,
    Past,
    highest,
    lowest,
    maximum,
    minimum,
    reveal,
    where,
)

NAN = np.nan
HOUR = timedelta(hours=1)


def past(*rows, cell=HOUR, first_cell=100, leader=None):
    values = np.array(rows, dtype=float)
    return Past(values, cell=cell, first_cell=first_cell, leader=leader)


def row(series):
    return reveal(series)[0].tolist()


def test_arithmetic_is_elementwise_and_missing_spreads():
    a, b = past([6.0, NAN, 1.0]), past([2.0, 2.0, 0.0])

    np.testing.assert_equal(row(a + b), [8.0, NAN, 1.0])
    np.testing.assert_equal(row(1.0 - a), [-5.0, NAN, 0.0])
    np.testing.assert_equal(row(a / b), [3.0, NAN, NAN])
    np.testing.assert_equal(row(12.0 / b), [6.0, 6.0, NAN])
    np.testing.assert_equal(row(-a * 2.0), [-12.0, NAN, -2.0])
    np.testing.assert_equal(row(2.0 + a % 4.0), [4.0, NAN, 3.0])
    np.testing.assert_equal(row(abs(-a)), [6.0, NAN, 1.0])


def test_functions_give_missing_where_they_are_undefined():
    x = past([-4.0, 0.0, 4.0])

    np.testing.assert_equal(row(x.sqrt()), [NAN, 0.0, 2.0])
    np.testing.assert_allclose(row(x.log()), [NAN, NAN, np.log(4.0)])
    assert row(x.sign()) == [-1.0, 0.0, 1.0]
    assert row((x / 3.0).floor()) == [-2.0, 0.0, 1.0]
    np.testing.assert_allclose(row(x.sin() * x.sin() + x.cos() * x.cos()), [1.0, 1.0, 1.0])
    np.testing.assert_equal(row((x * 100.0).magnitude()), [NAN, NAN, 100.0])


def test_comparisons_and_choices():
    x = past([1.0, 2.0, 3.0, NAN])

    np.testing.assert_equal(row(x < 2.0), [1.0, 0.0, 0.0, NAN])
    np.testing.assert_equal(row(x <= 2.0), [1.0, 1.0, 0.0, NAN])
    np.testing.assert_equal(row(x > 2.0), [0.0, 0.0, 1.0, NAN])
    np.testing.assert_equal(row(x >= past([1.0, 3.0, 3.0, 3.0])), [1.0, 0.0, 1.0, NAN])
    np.testing.assert_equal(row(where(x > 1.0, x, -1.0)), [-1.0, 2.0, 3.0, NAN])
    np.testing.assert_equal(row(x.fill(9.0)), [1.0, 2.0, 3.0, 9.0])


def test_extremes_of_two_spread_what_is_missing_and_of_many_leave_it_out():
    a, b = past([1.0, NAN]), past([2.0, 3.0])

    np.testing.assert_equal(row(maximum(a, b)), [2.0, NAN])
    np.testing.assert_equal(row(minimum(a, 0.5)), [0.5, NAN])
    np.testing.assert_equal(row(highest(a, b, a)), [2.0, 3.0])
    np.testing.assert_equal(row(lowest(a, b)), [1.0, 3.0])


def test_windows_end_at_their_own_cell():
    x = past([1.0, 2.0, 4.0, 8.0])

    np.testing.assert_equal(row(x.lag(1)), [NAN, 1.0, 2.0, 4.0])
    np.testing.assert_equal(row(x.previous()), [NAN, 1.0, 2.0, 4.0])
    np.testing.assert_equal(row(x.mean(2)), [NAN, 1.5, 3.0, 6.0])
    np.testing.assert_equal(row(x.total(2)), [NAN, 3.0, 6.0, 12.0])
    np.testing.assert_equal(row(x.max(2)), [NAN, 2.0, 4.0, 8.0])
    np.testing.assert_equal(row(x.min(2)), [NAN, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(row(x.std(2)), [NAN, *np.sqrt([0.5, 2.0, 8.0])])
    np.testing.assert_allclose(row(x.zscore(2)), [NAN, *[np.sqrt(0.5)] * 3])
    np.testing.assert_allclose(row(x.rank(2)), [NAN, 0.75, 0.75, 0.75])
    np.testing.assert_allclose(row(x.slope(2)), [NAN, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(row(x.corr(-x, 2)), [NAN, -1.0, -1.0, -1.0])


def test_a_run_lasts_as_long_as_the_sign():
    x = past([1.0, 2.0, -1.0, -2.0, -3.0], cell=8 * HOUR)

    np.testing.assert_equal(row(x.run_hours(16))[1:], [16.0, 8.0, 16.0, 16.0])


def test_slopes_and_runs_are_per_hour_whatever_the_cell():
    x = past([0.0, 8.0, 16.0], cell=8 * HOUR)

    np.testing.assert_allclose(row(x.slope(16)), [NAN, 1.0, 1.0])
    assert x.cell_hours == 8.0


def test_windows_are_whole_cells_rounded_down():
    x = past([1.0, 2.0, 4.0, 8.0], cell=4 * HOUR)

    assert row(x.mean(6)) == row(x.mean(4)) == row(x)
    np.testing.assert_equal(row(x.mean(3)), [NAN] * 4)
    np.testing.assert_equal(row(x.lag(3)), [NAN] * 4)


def test_a_window_is_known_when_three_quarters_of_it_are():
    x = past([1.0, NAN, 3.0, 5.0, NAN])

    np.testing.assert_equal(row(x.mean(4)), [NAN, NAN, NAN, 3.0, NAN])
    np.testing.assert_equal(row(x.total(4)), [NAN, NAN, NAN, 12.0, NAN])


@pytest.mark.parametrize("hours", [0.0, -1.0, -0.001])
def test_looking_ahead_is_refused(hours):
    with pytest.raises(FrameError, match="looks ahead, expected more than 0 h"):
        past([1.0]).lag(hours)
    with pytest.raises(FrameError, match="looks ahead, expected more than 0 h"):
        past([1.0]).mean(hours)


def test_a_window_that_live_could_not_hold_is_refused():
    x = past([1.0])

    assert x.mean(MAX_CELLS).lookback == 2 * MAX_CELLS
    with pytest.raises(FrameError, match="721 h are 721 cells of 1:00:00, expected at most 720"):
        x.mean(721)


def test_lookback_adds_up_along_a_chain_and_takes_the_longest_of_two():
    x = past([1.0])

    assert x.lookback == 1
    assert x.lag(5).lookback == 6
    assert x.mean(24).lookback == 48
    assert x.mean(24).lag(2).lookback == 50
    assert x.previous().zscore(10).lookback == 21
    assert (x.mean(24) / x.lag(2)).lookback == 48
    assert x.corr(x.lag(3), 10).lookback == 23
    assert where(x > 0, x.lag(9), 0.0).lookback == 10
    assert x.mean(0.5).lookback == 1


def test_series_of_different_grids_never_meet():
    with pytest.raises(FrameError, match=r"\('8:00:00', 100, \(1, 1\)\) cannot meet"):
        past([1.0]) + past([1.0], cell=8 * HOUR)
    with pytest.raises(FrameError, match="cannot meet"):
        past([1.0]).corr(past([1.0], first_cell=101), 2)


def test_a_past_cannot_be_changed():
    x = past([1.0, 2.0])

    with pytest.raises(ValueError, match="read-only"):
        reveal(x)[0, 0] = 5.0
    assert repr(x) == "Past(shape=(1, 2), cell=1:00:00, lookback=1)"


def test_looking_across_symbols():
    x = past([1.0, NAN], [2.0, 4.0], [6.0, 8.0], leader=1)

    assert reveal(x.leader()).tolist() == [[2.0, 4.0]] * 3
    assert reveal(x.cross_mean()).tolist() == [[3.0, 6.0]] * 3
    np.testing.assert_allclose(reveal(x.cross_std())[0], [np.sqrt(7.0), np.sqrt(8.0)])
    np.testing.assert_equal(reveal(x.others_mean()), [[4.0, NAN], [3.5, 8.0], [1.5, 4.0]])


@pytest.mark.parametrize("method", ["leader", "cross_mean", "cross_std", "others_mean"])
def test_looking_across_some_of_the_symbols_is_refused(method):
    with pytest.raises(FrameError, match="declare the feature with cross_section=True"):
        getattr(past([1.0]), method)()


@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.just(NAN), min_size=12, max_size=40),
    at=st.integers(0, 11),
    window=st.integers(1, 12),
)
def test_no_method_sees_what_comes_after(values, at, window):
    whole = past(values)
    cut = past(values[: at + 1])
    for method in ("lag", "mean", "total", "std", "zscore", "max", "min", "rank", "slope"):
        full, part = getattr(whole, method)(window), getattr(cut, method)(window)
        np.testing.assert_array_equal(row(full)[: at + 1], row(part))
