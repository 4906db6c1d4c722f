import numpy as np
import pytest

from liqwarn.windows.blocks import complete_until, load_row, neighbours, plan_blocks


@pytest.mark.parametrize("first_bar", range(8))
@pytest.mark.parametrize("n_bars", [0, 1, 3, 4, 11])
def test_blocks_lie_on_whole_windows_of_the_absolute_bar_number(first_bar, n_bars):
    plan = plan_blocks(n_bars, 4, first_bar, None)
    column_of_first_block = plan.window - plan.before
    assert (first_bar + column_of_first_block) % 4 == 0
    assert column_of_first_block <= 0
    assert plan.size % 4 == 0
    assert plan.size >= plan.before + n_bars


def without_gap(padded, start, window):
    return not np.isnan(padded[start - window : start + window]).any()


@pytest.mark.parametrize("first_bar", range(5))
@pytest.mark.parametrize("n_bars", [0, 1, 5, 8, 23])
@pytest.mark.parametrize("missing", [(), (0,), (4,), (22,), (9, 10), tuple(range(23))])
def test_runs_of_complete_blocks(first_bar, n_bars, missing):
    row = np.ones(n_bars)
    row[[k for k in missing if k < n_bars]] = np.nan
    plan = plan_blocks(n_bars, 4, first_bar, None)
    padded = np.zeros(plan.size)
    complete = load_row(row, plan.before, padded)
    assert complete == (not np.isnan(row).any())
    for start in range(4, plan.size, 4):
        end = complete_until(padded, start, plan, complete)
        assert all(without_gap(padded, s, 4) for s in range(start, end, 4))
        assert end == plan.size or not without_gap(padded, end, 4)


def test_rows_are_padded_and_cleaned():
    padded = np.zeros(8)
    complete = load_row(np.array([1.0, np.inf, -0.0, np.nan]), 2, padded)
    assert not complete
    np.testing.assert_array_equal(padded, [np.nan, np.nan, 1, np.nan, 0, np.nan, np.nan, np.nan])
    assert not np.signbit(padded[4])
    assert load_row(np.array([1.0, 2.0]), 2, padded)


def test_neighbours_are_the_nearest_known_values():
    padded = np.array([1.0, 2.0, np.nan, np.nan, 5.0, 6.0])
    assert neighbours(padded, 3, 3) == (5.0, 2.0)
    head, tail = neighbours(np.array([np.nan, np.nan, 3.0, 4.0]), 2, 2)
    assert head == 3.0
    assert np.isnan(tail)
