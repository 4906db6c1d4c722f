"""Which row groups of a flag history can hold what is asked: read from the footer alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow.parquet as pq

from liqwarn.serving.ports import HistoryAsk

__all__ = ["Group", "groups_of", "micros_of", "moment_of", "newest_issue", "wanted"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS: Final = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row group and the spans of its columns; boundless where the footer does not say.

    Attributes
    ----------
    as_of, issued_at : tuple of float
        Least and greatest, µs since the epoch.
    symbols : tuple of str or None
        Least and greatest.
    """

    number: int
    as_of: tuple[float, float]
    issued_at: tuple[float, float]
    symbols: tuple[str, str] | None


def micros_of(moment: datetime) -> int:
    """Microseconds since the epoch.

    >>> micros_of(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(micros: int) -> datetime:
    """The moment so many microseconds after the epoch."""
    return _EPOCH + timedelta(microseconds=micros)


def groups_of(footer: pq.FileMetaData) -> tuple[Group, ...]:
    """The row groups of a file that have rows, from its footer."""
    places = {footer.schema.column(k).name: k for k in range(footer.num_columns)}
    found = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        if not group.num_rows:
            continue
        spans = {
            name: _span(group.column(places[name]).statistics)
            for name in ("symbol", "as_of", "issued_at")
        }
        found.append(
            Group(
                number=number,
                as_of=_times(spans["as_of"]),
                issued_at=_times(spans["issued_at"]),
                symbols=spans["symbol"],
            )
        )
    return tuple(found)


def _span(statistics: Any) -> Any:  # noqa: ANN401  pyarrow's, and of any column
    return (statistics.min, statistics.max) if statistics and statistics.has_min_max else None


def _times(span: Any) -> tuple[float, float]:  # noqa: ANN401
    return _ALWAYS if span is None else (micros_of(span[0]), micros_of(span[1]))


def newest_issue(groups: Sequence[Group]) -> datetime | None:
    """When the newest row was issued; None where the footer does not say, or nothing was."""
    newest = max((group.issued_at[1] for group in groups), default=math.inf)
    return moment_of(int(newest)) if math.isfinite(newest) else None


def wanted(groups: Sequence[Group], ask: HistoryAsk, known_by: datetime) -> list[Group]:
    """Those that may hold rows of the page, by their first bar."""
    start = -math.inf if ask.start is None else micros_of(ask.start)
    end = math.inf if ask.end is None else micros_of(ask.end)
    if ask.after is not None:
        start = max(start, ask.after[0])
    found = [
        group
        for group in groups
        if group.as_of[1] >= start
        and group.as_of[0] < end
        and group.issued_at[0] <= micros_of(known_by)
        and (group.symbols is None or group.symbols[0] <= ask.symbol <= group.symbols[1])
    ]
    return sorted(found, key=lambda group: group.as_of[0])
