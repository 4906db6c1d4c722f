"""Pieces of a result: the same ones however it arrives, each named by what it says."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.sql_pieces import cut
from liqwarn.errors import DataError


def portions(table, sizes):
    at = 0
    for size in sizes:
        yield table.slice(at, size)
        at += size
    yield table.slice(at)


def look(pieces):
    return [(piece.name, piece.sha256) for piece in pieces]


@given(
    st.lists(st.integers(0, 12), max_size=60),
    st.lists(st.integers(1, 9), max_size=20),
    st.integers(1, 6),
)
def test_pieces_depend_on_the_rows_alone(stamps, sizes, most):
    stamps = sorted(stamps)
    table = pa.table(
        {
            "t": pa.array(stamps, pa.int64()),
            "v": pa.array([None if t % 5 == 0 else t / 7 for t in stamps], pa.float64()),
            "s": pa.array([None if t % 3 == 0 else str(t) for t in stamps], pa.string()),
        }
    )
    try:
        whole = list(cut([table], "t", most=most))
    except DataError:
        assert max(np.bincount(stamps)) > most
        return
    assert look(cut(portions(table, sizes), "t", most=most)) == look(whole)
    assert sum(len(piece.rows) for piece in whole) == len(stamps)
    for before, after in pairwise(whole):
        assert len(before.rows) >= most
        assert len(after.rows) >= most
        assert before.rows.column("t")[-1] != after.rows.column("t")[0]


def test_appended_rows_change_the_last_pieces_only():
    table = pa.table({"t": np.arange(1_000)})
    before, after = (look(cut([table.slice(0, n)], "t", most=100)) for n in (750, 1_000))

    assert before[:5] == after[:5]
    assert before[-1] != after[len(before) - 1]


def test_what_lies_under_a_missing_cell_does_not_count():
    mask = np.array([False, True])
    one, two = (
        pa.table({"t": [1, 2], "v": pa.array(np.array([1.5, under]), mask=mask)})
        for under in (7.0, 8.0)
    )
    other = pa.table({"t": [1, 2], "v": pa.array([1.5, 0.0])})

    assert look(cut([one], "t")) == look(cut([two], "t"))
    assert look(cut([one], "t")) != look(cut([other], "t"))


def test_missing_stamps_stay_with_the_last_piece():
    stamps = pa.array([1, 1, 2, 3, 4, 5, None, None])

    assert [p.name for p in cut([pa.table({"t": stamps})], "t", most=2)] == [
        "rows-1-2", "rows-3-4", "rows-5-8",
    ]  # fmt: skip


def test_a_column_of_one_stamp_is_no_clock():
    table = pa.table({"t": np.zeros(41)})

    with pytest.raises(DataError, match="column 't': 41 rows around one stamp"):
        list(cut([table], "t", most=4))
    assert [p.name for p in cut([table.slice(1)], "t", most=4)] == ["rows-1-40"]
