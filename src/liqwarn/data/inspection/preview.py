"""The first rows of a file as they stand, beside what they become."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pandas as pd

from liqwarn.data.inspection.doubts import spell
from liqwarn.data.inspection.reading import Reading
from liqwarn.data.mapping import FieldMap
from liqwarn.data.panel import Calendar
from liqwarn.frames import FIELDS

__all__ = ["Cell", "ShownRow", "first_rows", "utc_text"]

_ROWS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One value: its name, the raw text with its columns, and what it becomes."""

    name: str
    raw: str
    becomes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A row of the file, from 1, as cells."""

    row: int
    cells: tuple[Cell, ...]


def utc_text(seconds: int) -> str:
    """Seconds UTC for a person.

    >>> utc_text(1_704_067_200)
    '2024-01-01 00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def first_rows(reading: Reading, most: int = _ROWS) -> tuple[ShownRow, ...]:
    """The first rows of the panel's symbols; the very first ones of a file it cannot use."""
    if reading.sample is None:
        return ()
    wanted = {refusal.row for refusal in reading.refusals}
    if reading.rows is not None:
        wanted |= set(reading.rows.row.tolist())
    positions = sorted(wanted or range(1, len(reading.sample.table) + 1))[:most]
    return tuple(
        ShownRow(
            row=int(reading.sample.row[position - 1]),
            cells=tuple(_cells(reading, position)),
        )
        for position in positions
    )


def _cells(reading: Reading, position: int) -> Iterator[Cell]:
    at = _index(reading, position)
    yield Cell(
        name=_time_name(reading),
        raw=_raw(reading, reading.told.time.column, position),
        becomes=_time(reading, position, at),
    )
    column = reading.told.symbol.column if reading.told.symbol else None
    rows = reading.rows
    yield Cell(
        name="symbol",
        raw=_raw(reading, column, position) if column else "by the panel",
        becomes="" if at is None or rows is None else str(rows.symbol[at]),
    )
    if isinstance(reading.told, Calendar) and reading.told.amount is None:
        return
    for name, told in reading.fields.items():
        yield Cell(
            name=name,
            raw=_field_raw(reading, told, position),
            becomes=_field(reading, name, told, position, at),
        )


def _index(reading: Reading, position: int) -> int | None:
    if reading.rows is None:
        return None
    found = np.flatnonzero(reading.rows.row == position)
    return int(found[0]) if found.size else None


def _time_name(reading: Reading) -> str:
    time = reading.told.time
    step = "" if time.step is None else f" + {spell(time.step.total_seconds())}"
    return f"time ({time.label}{step if time.label == 'start' else ''})"


def _time(reading: Reading, position: int, at: int | None) -> str:
    if reading.rows is None or reading.known is None or at is None:
        return _refused(reading, position, None)
    end = int(reading.rows.event[at])
    known = int(reading.known[at])
    return utc_text(end) if known == end else f"{utc_text(end)}, known {utc_text(known)}"


def _refused(reading: Reading, position: int, field: str | None) -> str:
    reasons = [
        f"{r.field}: {r.reason}" if field is None else r.reason
        for r in reading.refusals
        if r.row == position and field in (None, r.field)
    ]
    return f"refused ({'; '.join(reasons)})" if reasons else ""


def _raw(reading: Reading, column: str | None, position: int) -> str:
    series = None if column is None else reading.column(column)
    if series is None:
        return f"no column '{column}'"
    value = series.iloc[position - 1]
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return "empty"
    text = value.isoformat(sep=" ") if isinstance(value, pd.Timestamp) else str(value)
    return " ".join(text.split())[:40] or "empty"


def _field_raw(reading: Reading, told: FieldMap, position: int) -> str:
    if told.column is None:
        return "constant"
    text = _raw(reading, told.column, position)
    if told.minus:
        text = f"({text} - {_raw(reading, told.minus, position)})"
    if told.factor != 1.0:
        text = f"{text} * {told.factor:g}"
    return f"{text} / {_raw(reading, told.divide_by, position)}" if told.divide_by else text


def _field(reading: Reading, name: str, told: FieldMap, position: int, at: int | None) -> str:
    refused = _refused(reading, position, name)
    if reading.rows is None or at is None or refused:
        return refused
    value = float(reading.rows.values[name][at])
    unit = "USD, coins in a frame" if told.priced else FIELDS[name].unit
    return "missing" if np.isnan(value) else f"{value:.10g} {unit}"
