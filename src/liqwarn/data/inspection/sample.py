"""The first and the last rows of a provider file or query, read as the ingest reads it."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from liqwarn.data.readers import MAX_BYTES, FileLayout, format_of, read_table
from liqwarn.data.records import IntArray
from liqwarn.data.sql import Question
from liqwarn.errors import DataError

__all__ = ["Sample", "ask_sample", "read_sample"]

_MOST_ASKED: Final = 500_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Raw columns of a file's first and last rows.

    Attributes
    ----------
    table : DataFrame
        In the file's order.
    row : ndarray of int64
        Row of the file of each, from 1.
    total : int
        Rows in the file.
    """

    table: pd.DataFrame
    row: IntArray
    total: int

    @property
    def whole(self) -> bool:
        """Whether no row was left out."""
        return len(self.table) == self.total

    @property
    def head(self) -> int:
        """How many rows lie before the first that was left out."""
        jump = np.flatnonzero(np.diff(self.row) > 1)
        return int(jump[0]) + 1 if jump.size else len(self.table)


def read_sample(path: Path, layout: FileLayout, most: int) -> Sample:
    """At most `most` rows of each end of a file.

    Of a parquet file only the row groups that hold them are read; a file of another format has
    to be read to find where it ends.

    Raises
    ------
    DataError
        What :func:`liqwarn.data.readers.read_table` says of the file.
    """
    ends = _parquet_ends(path, layout, most)
    if ends is not None:
        return ends
    table = read_table(path, layout).reset_index(drop=True)
    total = len(table)
    if total <= 2 * most:
        return Sample(table=table, row=np.arange(1, total + 1), total=total)
    keep = np.r_[0:most, total - most : total]
    return Sample(table=table.take(keep).reset_index(drop=True), row=keep + 1, total=total)


def _parquet_ends(path: Path, layout: FileLayout, most: int) -> Sample | None:
    """The ends of a large parquet file; None when it is small, another format or damaged."""
    try:
        if not 0 < path.stat().st_size <= MAX_BYTES or format_of(path, layout.format) != "parquet":
            return None
        with pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
            return _ends(file, most)
    except (DataError, ValueError, OSError, EOFError, MemoryError, pa.ArrowException):
        return None  # the ingest's reader then says what is wrong


def _ends(file: pq.ParquetFile, most: int) -> Sample | None:
    total = file.metadata.num_rows
    if total <= 2 * most:
        return None
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    first = int(np.searchsorted(np.cumsum(sizes), most)) + 1
    last = len(sizes) - int(np.searchsorted(np.cumsum(sizes[::-1]), most)) - 1
    if last < first:
        return None
    head = file.read_row_groups(range(first), use_threads=False).slice(0, most)
    tail = file.read_row_groups(range(last, len(sizes)), use_threads=False)
    tail = tail.slice(len(tail) - most)
    table: pd.DataFrame = pa.concat_tables([head, tail]).to_pandas(use_threads=False)
    row = np.r_[1 : most + 1, total - most + 1 : total + 1]
    return Sample(table=table.reset_index(drop=True), row=row, total=total)


def ask_sample(question: Question, most: int) -> Sample:
    """At most `most` rows of each end of a query's result, and never more than half a million.

    The whole result is read to find where it ends; what lies between is let go at once.

    Raises
    ------
    DataError
        What :meth:`liqwarn.data.sql.Question.tables` says.
    """
    most = min(most, _MOST_ASKED)
    head: list[pa.Table] = []
    tail: deque[pa.Table] = deque()
    total = in_head = in_tail = 0
    with question.tables() as tables:
        for table in tables:
            taken = table.slice(0, max(most - in_head, 0))
            head.append(taken)
            rest = table.slice(len(taken))
            tail.append(rest)
            total, in_head, in_tail = total + len(table), in_head + len(taken), in_tail + len(rest)
            while in_tail - len(tail[0]) >= most:
                in_tail -= len(tail.popleft())
    if not total:
        raise DataError("no rows, expected at least one")
    last = pa.concat_tables(tail)
    last = last.slice(max(len(last) - most, 0))
    joined: pd.DataFrame = pa.concat_tables([*head, last]).to_pandas(use_threads=False)
    row = np.r_[1 : in_head + 1, total - len(last) + 1 : total + 1]
    return Sample(table=joined, row=row, total=total)
