"""When what a file says could first be known: after its lag, or when it was seen."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqwarn.data.mapping import SeenMap, TimeMap, nearest
from liqwarn.data.panel import Calendar, Source
from liqwarn.data.quarantine import Rejects
from liqwarn.data.records import IntArray
from liqwarn.data.rows import Rows
from liqwarn.data.stamps import NO_TIME, event_seconds
from liqwarn.errors import DataError

__all__ = ["known_at", "lag_s", "without_late"]


def lag_s(told: Source | Calendar) -> int:
    """Seconds from the end of an interval until its values are known; negative for calendars."""
    lag = told.known_lag if isinstance(told, Source) else -told.known_before
    return int(lag.total_seconds())


def known_at(rows: Rows, told: Source | Calendar, table: pd.DataFrame) -> IntArray:
    """When each row could first be known, seconds UTC: when it was seen, or after the lag.

    Parameters
    ----------
    rows : Rows
        Of the table, by position from 1.

    Raises
    ------
    DataError
        When the panel names a column that says when rows were seen, and a row does not say it.
    """
    known = rows.event + lag_s(told)
    if isinstance(told, Calendar) or told.seen is None or not len(rows):
        return known
    seen = _seen(rows, told.seen, table)
    return np.where(_is_live(rows, told.seen, seen), np.maximum(seen, rows.event), known)


def without_late(
    rows: Rows, told: Source | Calendar, table: pd.DataFrame, rejects: Rejects
) -> Rows:
    """Rows of a recorded series without those that were no history when they came, but late.

    A row that was seen too long after its interval to count from then is taken as history. It is
    none when the series was recorded before it, and a newer row of the file was seen live
    earlier: then the provider published it late, and counting it from its lag would look ahead.

    Parameters
    ----------
    rows : Rows
        Of the table, by position from 1, sorted by symbol and time.
    rejects : Rejects
        Takes them.

    Raises
    ------
    DataError
        As :func:`known_at`.
    """
    if isinstance(told, Calendar) or told.seen is None or not len(rows):
        return rows
    seen = _seen(rows, told.seen, table)
    live, late = _is_live(rows, told.seen, seen), np.zeros(len(rows), dtype=np.bool_)
    for symbol in np.unique(rows.symbol).tolist():
        mine = np.flatnonzero(rows.symbol == symbol)
        first_seen = np.where(live[mine], seen[mine], np.iinfo(np.int64).max)
        newer = np.minimum.accumulate(first_seen[::-1])[::-1]
        begun = np.logical_or.accumulate(live[mine])
        late[mine] = ~live[mine] & begun & (newer < seen[mine])
    if late.any():
        rejects.add(rows.row[late], told.seen.column, seen[late], "seen late, after newer rows")
    return rows.take(~late)


def _is_live(rows: Rows, told: SeenMap, seen: IntArray) -> NDArray[np.bool_]:
    return seen - rows.event <= int(told.within.total_seconds())


def _seen(rows: Rows, told: SeenMap, table: pd.DataFrame) -> IntArray:
    """When each row was seen, seconds UTC."""
    if told.column not in table:
        hint = nearest(told.column, map(str, table.columns))
        raise DataError(f"no column '{told.column}'{hint}, which says when a row was seen")
    clock = TimeMap(column=told.column, label="end")
    seen = event_seconds(table[told.column].iloc[rows.row - 1], rows.row, clock, Rejects())
    if (seen == NO_TIME).any():
        at = int(rows.row[int(np.argmax(seen == NO_TIME))])
        raise DataError(f"column '{clock.column}' row {at}: expected the time it was seen")
    return seen
