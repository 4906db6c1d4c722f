import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.series import Series, to_cells, to_coins, to_spacing, to_typical


def series(event, value=None, lag=0):
    event = np.asarray(event, dtype=np.int64)
    value = np.arange(1.0, event.size + 1) if value is None else np.asarray(value, dtype=float)
    return Series(event=event, known=event + lag, value=value)


@pytest.mark.parametrize(
    ("how", "expected"),
    [("open", 3), ("high", 9), ("low", 1), ("close", 2), ("last", 2), ("sum", 15)],
)
def test_half_hours_become_hours(how, expected):
    cells = to_cells(series([900, 1_800, 2_700, 3_600], [3, 9, 1, 2], lag=5), how, 900, 3_600)

    assert cells.event.tolist() == [3_600]
    assert cells.known.tolist() == [3_605]
    assert cells.value.tolist() == [expected]


def test_a_cell_with_a_hole_is_left_out():
    cells = to_cells(series([900, 1_800, 3_600, 4_500, 5_400, 6_300, 7_200]), "sum", 900, 3_600)

    assert cells.event.tolist() == [7_200]


def test_a_shift_ends_cells_before_the_grid():
    cells = to_cells(series(3_600 * np.arange(1, 9)), "sum", 3_600, 14_400, 3_600)

    assert cells.event.tolist() == [3_600 * 7]
    assert cells.value.tolist() == [4 + 5 + 6 + 7]


@given(st.lists(st.integers(1, 60), unique=True), st.sampled_from([1, 2, 4]))
def test_cells_hold_exactly_their_own_intervals(ends, n):
    found = to_cells(series(sorted(ends), sorted(ends)), "sum", 1, n)

    for event, value in zip(found.event, found.value, strict=True):
        assert event % n == 0
        assert value == sum(range(event - n + 1, event + 1))
    assert found.event.size == sum(
        set(range(k - n + 1, k + 1)) <= set(ends) for k in range(n, 61, n)
    )


def test_spacing_ignores_holes_and_late_stamps():
    told = series(np.array([0, 8, 16, 20, 200]) * 3_600 + np.array([0, 1, 0, 2, 0]))

    assert to_spacing(told).value.tolist() == [8.0, 8.0, 4.0]
    assert to_spacing(told).event.tolist() == told.event[1:4].tolist()
    assert to_spacing(series([])).value.size == 0


def test_usd_become_coins_by_the_price_that_ends_with_them():
    coins = to_coins(
        series([3_600, 7_200], [100, 100], lag=9), series([3_600, 7_200], [10, 20]), 3_600
    )

    assert coins.value.tolist() == [10.0, 5.0]
    assert coins.known.tolist() == [3_609, 7_209]


def test_a_late_price_makes_the_coins_late():
    coins = to_coins(series([3_600], [100]), series([3_600], [10], lag=60), 3_600)

    assert coins.known.tolist() == [3_660]


def test_usd_between_prices_take_the_one_before_and_never_an_old_one():
    prices = series([3_600, 7_200], [10, 20])

    coins = to_coins(series([3_000, 3_900, 10_799, 10_800], [100] * 4), prices, 3_600)

    assert coins.event.tolist() == [3_900, 10_799]
    assert coins.value.tolist() == [10.0, 5.0]


def test_without_a_price_there_are_no_coins():
    assert to_coins(series([3_600]), series([]), 3_600).event.size == 0


def test_the_typical_price_needs_all_three():
    typical = to_typical(
        series([1, 2, 3], [12, 12, 12]), series([2, 3], [6, 6], lag=4), series([1, 2], [9, 9])
    )

    assert typical.event.tolist() == [2]
    assert typical.value.tolist() == [9.0]
    assert typical.known.tolist() == [6]
