"""Raw columns of a provider file as rows of fields: symbols, times and numbers, still unchecked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.data.mapping import FieldMap, Span, SymbolMap, TimeMap, nearest
from liqwarn.data.panel import Panel
from liqwarn.data.quarantine import Rejects
from liqwarn.data.records import IntArray
from liqwarn.data.stamps import NO_TIME, event_seconds
from liqwarn.errors import DataError
from liqwarn.frames import FloatArray

__all__ = ["Declaration", "Rows", "has_wanted", "inside", "map_rows"]


class Declaration(Protocol):
    """The part of a source or calendar that says what its columns mean."""

    @property
    def time(self) -> TimeMap: ...  # noqa: D102 - see Source
    @property
    def symbol(self) -> SymbolMap | None: ...  # noqa: D102 - see Source
    @property
    def where(self) -> Mapping[str, tuple[str, ...]]: ...  # noqa: D102 - see Source


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows of one provider file in its order, one array a column.

    Attributes
    ----------
    row : ndarray of int64
        Row of the file, from 1.
    symbol : ndarray of str
    event : ndarray of int64
        Seconds UTC of the end of the row's interval.
    values : mapping of field to ndarray of float64
        NaN where the file gives none.
    """

    row: IntArray
    symbol: NDArray[np.str_]
    event: IntArray
    values: Mapping[str, FloatArray]

    def take(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Rows":
        """The rows selected by a mask or by positions."""
        return Rows(
            row=self.row[keep],
            symbol=self.symbol[keep],
            event=self.event[keep],
            values={name: column[keep] for name, column in self.values.items()},
        )

    def __len__(self) -> int:
        return int(self.row.size)


def map_rows(
    table: pd.DataFrame,
    told: Declaration,
    fields: Mapping[str, FieldMap],
    panel: Panel,
    named: str | None,
    rejects: Rejects,
) -> tuple[Rows, int]:
    """Rows of the panel's symbols that pass the filters, and how many others there were.

    Parameters
    ----------
    named : str or None
        The symbol when the file's name told it.

    Raises
    ------
    DataError
        When a column is missing, a filter leaves nothing, or the clock is wrong as a whole.
    """
    wanted = {
        told.time.column,
        *told.where,
        *(
            c
            for field in fields.values()
            for c in (field.column, field.minus, field.divide_by)
            if c
        ),
        *([told.symbol.column] if told.symbol and told.symbol.column else []),
    }
    table = table.rename(columns=str)
    for column in sorted(wanted - set(table.columns)):
        raise DataError(
            f"no column '{column}'{nearest(column, table.columns)} found {list(table.columns)[:12]}"
        )
    table = _as_text(table[sorted(wanted)])
    symbols = _symbols(table, told, panel, named)
    keep = _filter(table, told.where) & (symbols != "")
    rows = np.flatnonzero(keep) + 1
    table, symbols = table.loc[keep], symbols[keep]
    if not rows.size:
        raise DataError(f"no row of {', '.join(panel.symbol_names)} in the file")
    event = event_seconds(table[told.time.column], rows, told.time, rejects)
    values = {name: _values(table, field, rows, name, rejects) for name, field in fields.items()}
    mapped = Rows(row=rows, symbol=symbols, event=event, values=values)
    return mapped.take(event != NO_TIME), int((~keep).sum())


def has_wanted(table: pd.DataFrame, told: Declaration, panel: Panel) -> bool:
    """Whether a part of a result has a row of the panel's symbols that passes the filters.

    True as well when a column is missing, which is for :func:`map_rows` to tell.
    """
    symbol = told.symbol.column if told.symbol else None
    if not {*told.where, *([symbol] if symbol else [])} <= set(table.columns):
        return True
    keep = _symbols(table, told, panel, None) != ""
    for column, allowed in told.where.items():
        keep &= table[column].astype(str).isin(allowed).to_numpy(dtype=bool)
    return bool(keep.any())


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of bytes, which parquet has beside text, as text."""
    for name, column in table.items():
        if column.dtype == object and pd.api.types.infer_dtype(column) == "bytes":
            try:
                table = table.assign(**{str(name): column.str.decode("utf-8")})
            except UnicodeDecodeError as error:
                raise DataError(f"column '{name}' holds bytes that are no text, {error}") from error
    return table


def inside(event: IntArray, span: Span) -> NDArray[np.bool_]:
    """Which times lie in ``(from, to]``."""
    keep = np.ones(event.shape, dtype=np.bool_)
    if span.start is not None:
        keep &= event > int(span.start.timestamp())
    if span.end is not None:
        keep &= event <= int(span.end.timestamp())
    return keep


def _symbols(
    table: pd.DataFrame, told: Declaration, panel: Panel, named: str | None
) -> NDArray[np.str_]:
    """Panel symbol of every row, empty for rows of other symbols."""
    if told.symbol is None or told.symbol.fixed is not None:
        fixed = named if told.symbol is None else told.symbol.fixed
        return np.full(len(table), fixed or "")
    known = {symbol.asset: symbol.name for symbol in panel.symbols}
    known |= {name: name for name in panel.symbol_names} | dict(told.symbol.map)
    column = table[told.symbol.column].astype(str)
    return column.map(known).fillna("").to_numpy(dtype=np.str_)


def _filter(table: pd.DataFrame, where: Mapping[str, tuple[str, ...]]) -> NDArray[np.bool_]:
    keep = np.ones(len(table), dtype=np.bool_)
    for column, allowed in where.items():
        text = table[column].astype(str)
        keep &= text.isin(allowed).to_numpy(dtype=bool)
        if not keep.any():
            raise DataError(
                f"no row has '{column}' in {list(allowed)}, found {sorted(text.unique())[:8]}"
            )
    return keep


def _values(
    table: pd.DataFrame, field: FieldMap, rows: IntArray, name: str, rejects: Rejects
) -> FloatArray:
    if field.column is None:
        return np.full(len(table), float(field.constant or 0.0))
    value = _numbers(table[field.column], rows, name, rejects)
    if field.minus is not None:
        value = value - _numbers(table[field.minus], rows, f"{name}: minus", rejects)
    value = value * field.factor
    if field.divide_by is not None:
        divisor = _numbers(table[field.divide_by], rows, f"{name}: divide_by", rejects)
        bad = ~np.isnan(divisor) & ~(divisor > 0.0)
        if bad.any():
            rejects.add(rows[bad], name, divisor[bad], "divisor not positive")
        value = value / np.where(divisor > 0.0, divisor, np.nan)
    return value


def _numbers(column: "pd.Series[Any]", rows: IntArray, name: str, rejects: Rejects) -> FloatArray:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise DataError(f"field '{name}': column '{column.name}' holds times, expected numbers")
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    text = column.astype("string").str.strip().str.lower()
    garbage = np.isnan(numbers) & ~text.isin(["", "nan", "null", "none", "na"]).to_numpy(
        dtype=bool, na_value=True
    )
    garbage &= column.notna().to_numpy(dtype=bool)
    if 2 * int(garbage.sum()) >= max(len(column), 1):
        at = int(np.argmax(garbage))
        raise DataError(
            f"field '{name}' row {rows[at]}: column '{column.name}' holds {column.iloc[at]!r}, "
            "expected numbers"
        )
    if garbage.any():
        rejects.add(rows[garbage], name, column.to_numpy(dtype=object)[garbage], "not a number")
    return numbers
