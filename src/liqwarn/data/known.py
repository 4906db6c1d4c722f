"""When what a file says could first be known: after its lag, or when it was seen."""

import numpy as np
import pandas as pd

from liqwarn.data.mapping import TimeMap, nearest
from liqwarn.data.panel import Calendar, Source
from liqwarn.data.quarantine import Rejects
from liqwarn.data.records import IntArray
from liqwarn.data.rows import Rows
from liqwarn.data.stamps import NO_TIME, event_seconds
from liqwarn.errors import DataError

__all__ = ["known_at", "lag_s"]


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
    if told.seen.column not in table:
        hint = nearest(told.seen.column, map(str, table.columns))
        raise DataError(f"no column '{told.seen.column}'{hint}, which says when a row was seen")
    clock = TimeMap(column=told.seen.column, label="end")
    refused = Rejects()
    seen = event_seconds(table[told.seen.column].iloc[rows.row - 1], rows.row, clock, refused)
    if (seen == NO_TIME).any():
        at = int(rows.row[int(np.argmax(seen == NO_TIME))])
        raise DataError(f"column '{clock.column}' row {at}: expected the time it was seen")
    live = seen - rows.event <= int(told.seen.within.total_seconds())
    return np.where(live, np.maximum(seen, rows.event), known)
