import numpy as np
import pytest

from liqwarn.windows.blocks import interior, load_row, neighbours, plan_blocks


@pytest.mark.parametrize("first_bar", range(8))
@pytest.mark.parametrize("n_bars", [0, 1, 3, 4, 11])
def test_blocks_lie_on_whole_windows_of_the_absolute_bar_number(first_bar, n_bars):
    plan = plan_blocks(n_bars, 4, first_bar, None)
    column_of_first_block = plan.window - plan.before
    assert (first_bar + column_of_first_block) % 4 == 0
    assert column_of_first_block <= 0
    assert plan.size % 4 == 0
    assert plan.size >= plan.before + n_bars


@pytest.mark.parametrize("first_bar", range(5))
def test_interior_blocks_and_those_before_them_are_inside_the_row(first_bar):
    plan = plan_blocks(23, 4, first_bar, None)
    first, end = interior(plan, True)
    assert plan.before <= first - 4 < plan.before + 4
    assert end <= plan.before + 23 < end + 4
    assert interior(plan, False) == (plan.size, plan.size)


@pytest.mark.parametrize("n_bars", range(9))
def test_interior_of_a_short_row_is_empty_or_within_it(n_bars):
    plan = plan_blocks(n_bars, 4, 3, None)
    first, end = interior(plan, True)
    assert plan.window <= first <= end <= plan.size


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
