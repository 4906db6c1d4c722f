"""The ends of large files, the whole of small ones."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from liqwarn.data.inspection.sample import read_sample
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
