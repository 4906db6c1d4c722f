"""Columns of a query's result as a file would hold them: numbers, text, times; nothing else.

A decimal stays exact until it becomes the nearest float64. Arrow's own cast of decimals misses
the last bit of some 7 % of them, so they go by their text.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from liqwarn.data.mapping import nearest
from liqwarn.errors import DataError

__all__ = ["as_plain", "check_columns"]

_READ: Final = frozenset(
    {
        *("bool", "int2", "int4", "int8", "float4", "float8", "numeric"),
        *("text", "varchar", "bpchar", "name", "char", "date", "timestamp", "timestamptz"),
        *("boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint"),
        *("usmallint", "uinteger", "ubigint", "uhugeint", "float", "double", "decimal", "enum"),
        *("timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone", "null"),
    }
)
"""Types of PostgreSQL and DuckDB that are read, in small letters."""

_FIRST_S: Final = -62_135_596_800  # 0001-01-01
_LAST_S: Final = 253_402_300_799  # 9999-12-31
_BECOMES: Final = {pa.types.is_dictionary: pa.string(), pa.types.is_null: pa.float64()}
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def check_columns(types: Mapping[str, str], names: Iterable[str], wanted: Iterable[str]) -> None:
    """Refuse a result that cannot be read as a table of plain columns.

    Parameters
    ----------
    types : mapping of column to str
        The database's own name of its type.
    names : iterable of str
        Columns in their order, which may repeat.
    wanted : iterable of str
        Columns that must be there to put the rows in order.

    Raises
    ------
    DataError
        Naming every column that is there twice, of a type that is not read, or missing.

    Examples
    --------
    >>> check_columns({"t": "timestamptz", "oi": "jsonb"}, ["t", "oi"], ["t"])
    ... # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    liqwarn.errors.DataError: column 'oi' is jsonb, expected numbers, text or times; cast it in ...
    """
    found = list(names)
    twice = sorted({name for name in found if found.count(name) > 1})
    faults = [f"columns {twice} are there twice, expected each name once"] if twice else []
    faults += [
        f"column '{name}' is {kind}, expected numbers, text or times; cast it in the query or "
        "leave it out"
        for name, kind in types.items()
        if kind.lower().strip('"').split("(")[0] not in _READ or kind.endswith("]")
    ]
    faults += [
        f"no column '{name}'{nearest(name, found)} found {found[:12]}"
        for name in wanted
        if name not in found
    ]
    if faults:
        raise DataError("; ".join(faults))


def as_plain(batch: pa.RecordBatch) -> pa.Table:
    """A batch with decimals as float64, dates as times without a zone, and enums as text.

    A time before the year 1 or after 9999, infinity among them, is missing.
    """
    columns = [_plain(column) for column in batch.columns]
    return pa.table(columns, names=batch.schema.names)


def _plain(column: pa.Array) -> pa.Array:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):  # numerics of PostgreSQL come as their text
        return pc.cast(column.storage, pa.float64())
    if pa.types.is_decimal(kind):
        return pc.cast(pc.cast(column, pa.string()), pa.float64())
    if pa.types.is_date(kind):
        days = _without_infinity(pc.cast(column, pa.int32()), 1 / 86_400)
        return pc.cast(pc.cast(days, pa.date32()), pa.timestamp("us"))
    if pa.types.is_timestamp(kind):
        ticks = _without_infinity(pc.cast(column, pa.int64()), _PER_SECOND[kind.unit])
        return pc.cast(ticks, kind)
    other = next((to for is_one, to in _BECOMES.items() if is_one(kind)), kind)
    return pc.cast(column, other)


def _without_infinity(ticks: pa.Array, per_second: float) -> pa.Array:
    """Times of no calendar as missing: databases have an infinity, which wraps around here."""
    first, last = (pa.scalar(int(s * per_second), pa.int64()) for s in (_FIRST_S, _LAST_S))
    told = pc.and_(pc.greater_equal(ticks, first), pc.less_equal(ticks, last))
    return pc.if_else(told, ticks, pa.scalar(None, ticks.type))
