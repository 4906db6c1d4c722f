"""One provider file as the ingest would take it, or what the ingest would refuse it for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liqwarn.data.accepted import accept_rows, stored_maps
from liqwarn.data.inspection.sample import Sample, ask_sample, read_sample
from liqwarn.data.known import known_at, lag_s
from liqwarn.data.mapping import FieldMap
from liqwarn.data.panel import Calendar, Panel, Source
from liqwarn.data.quarantine import Refusal, Rejects
from liqwarn.data.records import IntArray
from liqwarn.data.rows import Rows
from liqwarn.data.sql import Question
from liqwarn.errors import DataError

__all__ = ["Limits", "Place", "Reading", "neighbours", "read_place", "used_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read of a file, and what the present is."""

    now: datetime
    most: int = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file of a source: where it is, and the symbol its name tells; or a source's query."""

    file: str
    path: Path | None = None
    symbol: str | None = None
    question: Question | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """A file's raw rows beside what they become.

    Attributes
    ----------
    sample : Sample or None
        None when the file cannot be read at all.
    rows : Rows or None
        Rows the ingest would keep, by position in the sample from 1; None when it would stop.
    other, duplicates : int
    known : ndarray of int64 or None
        When each of the rows is known, seconds UTC.
    refusals : tuple of Refusal
        By position in the sample from 1.
    error : str
        What the ingest would stop with, empty when it would not.
    """

    told: Source | Calendar
    place: Place
    sample: Sample | None = None
    rows: Rows | None = None
    other: int = 0
    duplicates: int = 0
    known: IntArray | None = None
    refusals: tuple[Refusal, ...] = ()
    error: str = ""

    @property
    def fields(self) -> Mapping[str, FieldMap]:
        """Fields that are read from the file itself."""
        return stored_maps(self.told)

    @property
    def lag_s(self) -> int:
        """How long after the end of its interval a value is known, in seconds."""
        return lag_s(self.told)

    def column(self, name: str) -> "pd.Series[Any] | None":
        """A raw column, None when the file has none of this name."""
        if self.sample is None:
            return None
        table = self.sample.table.rename(columns=str)
        return table[name] if name in table.columns else None


def read_place(panel: Panel, told: Source | Calendar, place: Place, limits: Limits) -> Reading:
    """Read the ends of a file; the whole of it when its ends alone are refused."""
    try:
        sample = _sample(place, told, limits.most)
        reading = _accepted(panel, told, place, sample, limits.now)
        if reading.error and not sample.whole:  # the panel's symbols may lie in the middle
            sample = _sample(place, told, sample.total)
            reading = _accepted(panel, told, place, sample, limits.now)
    except DataError as error:
        return Reading(told=told, place=place, error=str(error))
    return reading


def _sample(place: Place, told: Source | Calendar, most: int) -> Sample:
    if place.question is not None:
        return ask_sample(place.question, most)
    return read_sample(Path(place.path or ""), told, most)


def _accepted(
    panel: Panel, told: Source | Calendar, place: Place, sample: Sample, now: datetime
) -> Reading:
    rejects = Rejects()
    try:
        kept = accept_rows(sample.table, told, panel, place.symbol, now, rejects)
        known = known_at(kept.rows, told, sample.table)
    except DataError as error:
        return Reading(told=told, place=place, sample=sample, error=str(error))
    return Reading(
        told=told,
        place=place,
        sample=sample,
        rows=kept.rows,
        known=known,
        other=kept.other,
        duplicates=kept.duplicates,
        refusals=tuple(rejects.refusals),
    )


def used_columns(reading: Reading) -> set[str]:
    """Columns of the file that the panel names."""
    told = reading.told
    symbol = told.symbol.column if told.symbol else None
    parts = [(f.column, f.minus, f.divide_by) for f in reading.fields.values()]
    seen = told.seen.column if isinstance(told, Source) and told.seen else None
    named = [told.time.column, symbol, seen, *told.where, *(c for part in parts for c in part)]
    return {name for name in named if name}


def neighbours(rows: Rows, sample: Sample) -> tuple[Rows, Rows]:
    """Rows and the next row of the same symbol, none across what was not read."""
    late = rows.row > sample.head
    joined = (rows.symbol[1:] == rows.symbol[:-1]) & (late[1:] == late[:-1])
    before = np.flatnonzero(joined)
    return rows.take(before), rows.take(before + 1)
