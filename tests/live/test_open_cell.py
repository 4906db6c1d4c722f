"""A coarse cell made bar by bar is the batch's, when it closes and not before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.features.feature import CLOCK
from liqwarn.features.resolution import coarsen
from liqwarn.frames import ALL_FIELDS
from liqwarn.live.open_cell import OpenCell

NAMES = tuple(sorted(ALL_FIELDS))
ROWS = np.arange(len(NAMES))


def planes(n_bars, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0.0, 1e3, (len(NAMES), 2, n_bars))
    return np.where(rng.random(values.shape) < 0.1, np.nan, values)


@given(seed=st.integers(0, 1_000), ratio=st.integers(2, 12), cells=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_every_field_closes_as_the_batch_coarsens_it(seed, ratio, cells):
    given_ = planes(ratio * cells, seed)
    cell = OpenCell(NAMES, ratio=ratio, n_symbols=2)

    for bar in range(1, ratio * cells + 1):
        closed = cell.take(given_[:, :, bar - 1], ROWS, bar)

        assert (closed is not None) == (bar % ratio == 0)
        if closed is not None:
            for row, name in enumerate(NAMES):
                expected = coarsen(given_[row, :, :bar], ALL_FIELDS[name].how, ratio, first_bar=1)
                np.testing.assert_array_equal(closed[row], expected[:, -1], err_msg=name)


@pytest.mark.parametrize("seen", [1, 2, 3])
def test_a_cell_whose_first_bars_were_not_seen_is_missing_where_they_matter(seen):
    cell = OpenCell(("volume", "high", "low", "close"), ratio=4, n_symbols=1)
    for bar in range(5 - seen, 5):
        closed = cell.take(np.full((4, 1), 7.0), ROWS[:4], bar)

    assert np.isnan(closed[:3]).all()
    assert closed[3, 0] == 7.0


def test_the_clock_is_the_last_bar_s():
    cell = OpenCell((CLOCK,), ratio=2, n_symbols=1)
    cell.take(np.array([[10.0]]), ROWS[:1], 1)

    assert cell.take(np.array([[10.5]]), ROWS[:1], 2)[0, 0] == 10.5


def test_what_is_held_goes_on_from_a_copy():
    one, other = (OpenCell(NAMES, ratio=6, n_symbols=2) for _ in range(2))
    given_ = planes(6, 3)
    for bar in range(4):
        one.take(given_[:, :, bar], ROWS, bar + 1)
    other.held[:] = one.held
    for bar in (4, 5):
        ours = one.take(given_[:, :, bar], ROWS, bar + 1)
        theirs = other.take(given_[:, :, bar], ROWS, bar + 1)

    np.testing.assert_array_equal(ours, theirs)


def test_what_is_infinite_is_missing_and_rows_may_be_anywhere():
    cell = OpenCell(("close", "volume"), ratio=2, n_symbols=1)
    cell.take(np.array([[np.inf], [7.0], [3.0]]), np.array([2, 0]), 1)

    closed = cell.take(np.array([[1.0], [7.0], [4.0]]), np.array([2, 0]), 2)

    assert closed[0, 0] == 4.0
    assert np.isnan(closed[1, 0])
