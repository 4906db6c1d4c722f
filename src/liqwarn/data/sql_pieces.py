"""The result of a query in pieces of bounded size, cut the same way however it arrives.

A piece is to a query what a file is to a folder: read, checked, hashed and stored as one. Rows
come in order of time; a cut falls between two stamps, so rows that repeat each other are together.
A result of up to twice the size of a piece is one piece.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from liqwarn.errors import DataError

__all__ = ["PIECE_ROWS", "Piece", "cut"]

PIECE_ROWS: Final = 200_000
_MOST_OF_ONE_STAMP: Final = 10  # pieces


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Rows of a result that belong together.

    Attributes
    ----------
    first : int
        Number of its first row in the result, from 1.
    rows : Table
        Plain columns, see :func:`liqwarn.data.sql_types.as_plain`.
    """

    first: int
    rows: pa.Table

    @property
    def name(self) -> str:
        """Which rows it holds, for messages and the manifest."""
        return f"rows-{self.first}-{self.first + len(self.rows) - 1}"

    @property
    def sha256(self) -> str:
        """Hash of what it says: equal for equal rows, however they arrived."""
        digest = sha256()
        for name, column in zip(self.rows.schema.names, self.rows.columns, strict=True):
            digest.update(f"{name}\n{column.type}\n{len(column)}\n".encode())
            for content in _bytes(column):
                digest.update(content)
        return digest.hexdigest()

    def frame(self) -> pd.DataFrame:
        """The rows as the readers of files give them."""
        table: pd.DataFrame = self.rows.to_pandas(use_threads=False)  # see readers: threads
        return table


def cut(tables: Iterable[pa.Table], clock: str, most: int = PIECE_ROWS) -> Iterator[Piece]:
    """Pieces of at least `most` rows, fewer only when there are no more.

    Parameters
    ----------
    tables : iterable of Table
        The result in order of time, in portions of any size.
    clock : str
        Column of stamps.

    Raises
    ------
    DataError
        When far more rows than a piece holds have one stamp.

    Examples
    --------
    >>> rows = pa.table({"t": [1, 1, 2, 2, 3, 3, 3]})
    >>> [piece.name for piece in cut([rows.slice(0, 3), rows.slice(3)], "t", most=2)]
    ['rows-1-2', 'rows-3-4', 'rows-5-7']
    """
    first, held, count = 1, list[pa.Table](), 0
    for table in tables:
        held.append(table)
        count += len(table)
        while count >= 2 * most:
            joined = pa.concat_tables(held).combine_chunks()
            at = _next_change(joined.column(clock), most)
            _check_width(clock, at or count, most)
            if at is None or count - at < most:
                held = [joined]
                break
            yield Piece(first=first, rows=joined.slice(0, at))
            first, held, count = first + at, [joined.slice(at)], count - at
    if count:
        yield Piece(first=first, rows=pa.concat_tables(held))


def _next_change(stamps: pa.ChunkedArray, least: int) -> int | None:
    """First place at or after `least` where another stamp begins; none among missing ones."""
    changed = pc.not_equal(stamps.slice(least), stamps.slice(least - 1, len(stamps) - least))
    at = pc.index(changed, True).as_py()
    return None if at < 0 else least + int(at)


def _check_width(clock: str, count: int, most: int) -> None:
    if count > _MOST_OF_ONE_STAMP * most:
        raise DataError(
            f"column '{clock}': {count:,} rows around one stamp, expected far fewer; is it a time?"
        )


def _bytes(column: pa.ChunkedArray) -> Iterator[bytes]:
    """What a column says; what lies under a missing cell is arbitrary and left out."""
    yield pc.is_valid(column).to_numpy().tobytes()
    told = column.drop_null()
    if pa.types.is_string(told.type) or pa.types.is_large_string(told.type):
        yield pc.binary_length(told).to_numpy().tobytes()
        yield "".join(told.to_pylist()).encode()
    elif pa.types.is_floating(told.type):  # there are many bit patterns of NaN
        numbers = told.to_numpy()
        yield np.where(np.isnan(numbers), np.nan, numbers).tobytes()
    elif pa.types.is_timestamp(told.type):
        yield pc.cast(told, pa.int64()).to_numpy().tobytes()
    else:
        yield told.to_numpy().tobytes()
