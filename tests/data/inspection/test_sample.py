"""The ends of large files, the whole of small ones."""

from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.inspection.sample import ask_sample, read_sample
from liqwarn.errors import DataError

TABLE = pd.DataFrame({"t": range(100), "close": np.arange(100.0)})


@pytest.fixture
def layout(make_panel):
    return make_panel().sources[0]


def write(folder, kind):
    path = folder / f"a.{kind}"
    if kind == "csv":
        TABLE.to_csv(path, index=False)
    elif kind == "feather":
        TABLE.to_feather(path)
    else:
        pq.write_table(pa.Table.from_pandas(TABLE), path, row_group_size=7)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
def test_a_small_file_is_read_whole(tmp_path, layout, kind):
    sample = read_sample(write(tmp_path, kind), layout, 50)

    assert sample.whole
    assert (len(sample.table), sample.total, sample.head) == (100, 100, 100)


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather"])
@pytest.mark.parametrize("most", [1, 6, 7, 8, 30, 46, 49])
def test_of_a_large_file_the_ends_are_read(tmp_path, layout, kind, most):
    sample = read_sample(write(tmp_path, kind), layout, most)
    rows = [*range(1, most + 1), *range(101 - most, 101)]

    assert not sample.whole
    assert sample.row.tolist() == rows
    assert sample.table["t"].astype(int).tolist() == [row - 1 for row in rows]
    assert (sample.total, sample.head) == (100, most)


def test_a_damaged_file_is_refused_as_the_ingest_refuses_it(tmp_path, layout):
    path = write(tmp_path, "parquet")
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(DataError, match="not readable as parquet"):
        read_sample(path, layout, 5)


def test_a_missing_file_is_named(tmp_path, layout):
    with pytest.raises(DataError, match="no such file"):
        read_sample(tmp_path / "none.parquet", layout, 5)


class Asked:
    """A question whose answer comes in portions of these sizes."""

    def __init__(self, total, sizes):
        self.table, self.sizes = pa.table({"t": np.arange(total)}), sizes

    @contextmanager
    def tables(self):
        ends = [0, *np.cumsum(self.sizes).tolist(), len(self.table)]
        parts = pairwise(ends)
        yield (self.table.slice(first, max(last - first, 0)) for first, last in parts)


@given(st.integers(1, 60), st.lists(st.integers(0, 9), max_size=9), st.integers(1, 40))
def test_the_ends_of_an_answer_are_the_same_however_it_arrives(total, sizes, most):
    sample = ask_sample(Asked(total, sizes), most)

    rows = np.arange(1, total + 1)
    keep = (rows <= most) | (rows > total - most)
    assert sample.row.tolist() == rows[keep].tolist()
    assert sample.table["t"].tolist() == (rows[keep] - 1).tolist()
    assert (sample.total, sample.whole) == (total, total <= 2 * most)


def test_an_empty_answer_is_told():
    with pytest.raises(DataError, match="no rows"):
        ask_sample(Asked(0, []), 5)
