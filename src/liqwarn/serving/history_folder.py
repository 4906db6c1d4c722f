"""The flag history of a live loop: a file a UTC day, paged as if it were one.

Rows are ordered by bar first and every bar is in the file of its day, so the pages of one day after
those of another are the pages of the whole. Only the newest file still grows; what a walk is known
by keeps the rows out of it that came after its first page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from liqwarn.errors import StoreError
from liqwarn.serving.history_file import HistoryFile
from liqwarn.serving.history_groups import micros_of
from liqwarn.serving.ports import HistoryAsk, HistoryKey, HistoryPage

__all__ = ["MAX_DAYS", "MAX_KEPT", "HistoryFolder"]

MAX_DAYS: Final = 32
"""Days a page reads at most; a page may be short and still say where the next one starts."""
MAX_KEPT: Final = 64
"""Files whose footers are kept."""

_DAY_US: Final = timedelta(days=1) // timedelta(microseconds=1)


class HistoryFolder:
    """A folder of ``YYYY-MM-DD.parquet``, each with the flags of the bars that closed on that day.

    Other files are not looked at. A folder that is missing is a history without rows: a loop that
    has not issued anything yet has none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = lru_cache(maxsize=MAX_KEPT)(HistoryFile)

    def rows(self, ask: HistoryAsk) -> HistoryPage:
        """One page; it opens the days that can hold its rows.

        Without `known_by` the newest day is looked at as well, for its newest issue.

        Raises
        ------
        StoreError
            When a file that is needed is damaged or of another shape.
        """
        days = self._days()
        known_by = ask.known_by or self._newest_issue(days, ask)
        if known_by is None:
            return HistoryPage(rows=(), known_by=None, behind=None)
        found: list[Mapping[str, Any]] = []
        for read, day in enumerate(_wanted(days, ask)):
            left = ask.limit - len(found)
            if not left or read >= MAX_DAYS:
                return HistoryPage(rows=found, known_by=known_by, behind=_before(day))
            page = self._page(day, replace(ask, known_by=known_by, limit=left))
            found += page.rows
            if page.behind is not None:
                return HistoryPage(rows=found, known_by=known_by, behind=page.behind)
        return HistoryPage(rows=found, known_by=known_by, behind=None)

    def _days(self) -> list[date]:
        try:
            names = [path.stem for path in self._folder.iterdir() if path.suffix == ".parquet"]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(
                f"{self._folder.name}: {error.strerror}, expected a folder of flag histories"
            ) from error
        return sorted(day for name in names if (day := _day_of(name)) is not None)

    def _newest_issue(self, days: Sequence[date], ask: HistoryAsk) -> datetime | None:
        """Asked of bars before the day, which its file has none of: only its footer is read."""
        for day in reversed(days):
            midnight = datetime.combine(day, time(), UTC)
            page = self._page(day, replace(ask, start=None, end=midnight, after=None))
            if page.known_by is not None:
                return page.known_by
        return None

    def _page(self, day: date, ask: HistoryAsk) -> HistoryPage:
        return self._file(self._folder / f"{day.isoformat()}.parquet").rows(ask)


def _day_of(name: str) -> date | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def _wanted(days: Sequence[date], ask: HistoryAsk) -> list[date]:
    """Days with a bar in [start, end) that is not before the place where the page starts."""
    starts = [] if ask.start is None else [micros_of(ask.start)]
    starts += [] if ask.after is None else [ask.after[0]]
    return [
        day
        for day in days
        if all(_before(day)[0] + _DAY_US > start for start in starts)
        and (ask.end is None or _before(day)[0] < micros_of(ask.end))
    ]


def _before(day: date) -> HistoryKey:
    """The place before every row of a day."""
    return (micros_of(datetime.combine(day, time(), UTC)), "", -1, -1)
