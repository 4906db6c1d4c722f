"""The rows of one provider file that the ingest would keep: mapped, valid, checked, each once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from liqwarn.data.checks import check_rows, drop_duplicates, merge_events
from liqwarn.data.known import without_late
from liqwarn.data.mapping import FieldMap, Span
from liqwarn.data.panel import Calendar, Panel, Source
from liqwarn.data.quarantine import Rejects
from liqwarn.data.rows import Rows, inside, map_rows
from liqwarn.data.stamps import after_the_present

__all__ = ["Accepted", "accept_rows", "stored_maps"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accepted:
    """What became of the rows of a table.

    Attributes
    ----------
    rows : Rows
        Kept, sorted by symbol and time; NaN where a cell was refused or empty.
    other : int
        Rows of other symbols, filtered out, or outside the validity.
    duplicates : int
        Identical copies that were dropped.
    """

    rows: Rows
    other: int
    duplicates: int


def accept_rows(
    table: pd.DataFrame,
    told: Source | Calendar,
    panel: Panel,
    named: str | None,
    now: datetime,
    rejects: Rejects,
) -> Accepted:
    """Map, check and sort the rows of one provider file.

    Parameters
    ----------
    named : str or None
        The symbol when the file's name told it.
    now : datetime
        The present: rows of later times are refused, those of calendars excepted.
    rejects : Rejects
        Takes what is refused, with the reasons.

    Raises
    ------
    DataError
        When the table is wrong as a whole.
    """
    fields = stored_maps(told)
    mapped, other = map_rows(table, told, fields, panel, named, rejects)
    valid = inside(mapped.event, told.valid if isinstance(told, Source) else Span())
    known = mapped.take(valid)
    if isinstance(told, Source):  # a calendar speaks of what is ahead
        known = _without_future(known, told, now, rejects)
    rows = check_rows(known, fields, panel, rejects)
    if isinstance(told, Calendar):
        rows = merge_events(rows)
    rows, duplicates = drop_duplicates(rows, rejects)
    rows = without_late(rows, told, table, rejects)
    return Accepted(rows=rows, other=other + int((~valid).sum()), duplicates=duplicates)


def stored_maps(told: Source | Calendar) -> Mapping[str, FieldMap]:
    """The fields that are read from the file itself, with their columns."""
    if isinstance(told, Source):
        return told.stored_fields
    return {told.stored_field: told.amount or FieldMap(constant=1.0)}


def _without_future(rows: Rows, source: Source, now: datetime, rejects: Rejects) -> Rows:
    ahead = after_the_present(rows.event, int(now.timestamp()))
    if ahead.any():
        rejects.add(rows.row[ahead], source.time.column, rows.event[ahead], "after the present")
    return rows.take(~ahead)
