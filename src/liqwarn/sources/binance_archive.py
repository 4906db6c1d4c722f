"""Years of Binance's public archive in a folder: what is missing is fetched, what changed too."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from liqwarn.errors import BusyError, ConfigError, DataError, SourceError
from liqwarn.sources.binance_files import (
    BINANCE_ARCHIVE,
    KINDS,
    ArchiveFile,
    FileSeries,
    Kind,
    files_of,
)
from liqwarn.sources.keeper import Keeper
from liqwarn.sources.outcome import FetchReport, Gap, Outcome
from liqwarn.sources.tally import OnFetch, Tally
from liqwarn.sources.web import Patience, Web

__all__ = ["ArchiveOrder", "fetch_archive"]

_YOUNG_DAYS: Final = 2
_YOUNG_MONTH_DAYS: Final = 10
_RECENT_DAYS: Final = 62
_BUSY_IN_A_ROW: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveOrder:
    """What is wanted of the archive.

    Attributes
    ----------
    symbols : tuple of str
    since, until : date
        First and last day, UTC.
    interval : str
        Of the candles.
    folder : Path
        Where it is kept; the archive's own paths below it.
    kinds : tuple of Kind
    base_url : str
    jobs : int
        Files asked for at a time.
    ask_again : bool
        Ask whether files that are here were replaced.
    patience : Patience
    """

    symbols: tuple[str, ...]
    since: date
    until: date
    interval: str
    folder: Path
    kinds: tuple[Kind, ...] = KINDS
    base_url: str = BINANCE_ARCHIVE
    jobs: int = 4
    ask_again: bool = True
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ConfigError(f"from {self.since} is after to {self.until}")

    def series(self, kind: Kind) -> Iterator[FileSeries]:
        """The series of a kind, one a symbol."""
        for symbol in self.symbols:
            yield FileSeries(kind=kind, symbol=symbol, interval=self.interval)


def fetch_archive(order: ArchiveOrder, *, today: date, on_fetch: OnFetch) -> FetchReport:
    """Bring a folder up to date with the archive.

    Candles come first: days before a symbol's first candle are not asked for of its other series.

    Parameters
    ----------
    order : ArchiveOrder
    today : date
        UTC; a young day that is missing is awaited, not a gap.
    on_fetch : callable
        Told how far it is.

    Raises
    ------
    SourceError
        When the server refuses, or does not answer for long. What is whole stays.
    StoreError
        When the folder cannot be written, or the disk is full.
    """
    began, stop = time.monotonic(), threading.Event()
    tally = Tally(on_fetch)
    _remove_leftovers(order.folder)
    with Web(order.base_url, connections=order.jobs, patience=order.patience, stop=stop) as web:
        keeper = Keeper(web, order.folder, on_bytes=tally.came, ask_again=order.ask_again)
        run = _Run(order, keeper, tally, stop, today)
        candles = run.all([f for s in order.series("klines") for f in run.files(s, order.since)])
        listed = _listed(order, candles)
        rest = [
            file
            for kind in order.kinds
            for series in order.series(kind)
            if kind != "klines" and series.symbol in listed
            for file in run.files(series, listed[series.symbol])
        ]
        outcomes = sorted([*candles, *run.all(rest)], key=lambda outcome: outcome.file)
    return FetchReport(
        outcomes=tuple(outcomes),
        unlisted=tuple(_unlisted(order, listed)),
        seconds=time.monotonic() - began,
    )


class _Run:
    """The workers of one fetch."""

    def __init__(
        self, order: ArchiveOrder, keeper: Keeper, tally: Tally, stop: threading.Event, today: date
    ) -> None:
        self._order, self._keeper, self._tally = order, keeper, tally
        self._stop, self._today = stop, today
        self._busy = 0
        self._fault: Exception | None = None

    def files(self, series: FileSeries, since: date) -> tuple[ArchiveFile, ...]:
        """Files of a series from a day on."""
        return files_of(series, since, self._order.until)

    def all(self, files: Sequence[ArchiveFile]) -> list[Outcome]:
        """Settle files, a few at a time; the first fault that concerns all of them ends it."""
        self._tally.more(len(files))
        found: list[Outcome] = []
        with ThreadPoolExecutor(self._order.jobs, thread_name_prefix="fetch") as pool:
            futures = [pool.submit(self._work, file) for file in files]
            try:
                for future in as_completed(futures):
                    found += future.result()
            except Exception as error:
                self._end(pool)
                raise self._fault or error from error.__cause__
            except BaseException:  # somebody pressed Ctrl-C
                self._end(pool)
                raise
        return found

    def _end(self, pool: ThreadPoolExecutor) -> None:
        """Ask nothing more, and wait for what is under way to notice."""
        self._stop.set()
        pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, file: ArchiveFile) -> list[Outcome]:
        """Settle a file; the first worker that cannot stops the others, and its reason counts."""
        try:
            return self._settle(file)
        except Exception as error:
            if self._fault is None:
                self._fault = error
            self._stop.set()
            raise

    def _settle(self, file: ArchiveFile) -> list[Outcome]:
        """A file, or the days of a month that is not published as one."""
        if file.monthly and file.series.has_days:
            days = file.days()
            if all(self._keeper.holds(day.path) for day in days):
                self._tally.settled()
                return self._by_days(file, days)  # nothing is fetched twice
        first = self._one(file)
        if first.status not in ("missing", "awaited") or not (
            file.monthly and file.series.has_days
        ):
            return [first]
        days = file.days()
        if (self._today - file.last).days <= _RECENT_DAYS:
            return self._by_days(file, days)
        ends = self._days([days[0], days[-1]])
        if all(end.status == "missing" for end in ends):
            return [first]
        return [Outcome(file=file, status="by_days"), *ends, *self._days(days[1:-1])]

    def _by_days(self, file: ArchiveFile, days: Sequence[ArchiveFile]) -> list[Outcome]:
        return [Outcome(file=file, status="by_days"), *self._days(days)]

    def _days(self, days: Sequence[ArchiveFile]) -> list[Outcome]:
        self._tally.more(len(days))
        return [self._one(day) for day in days]

    def _one(self, file: ArchiveFile) -> Outcome:
        try:
            status, size = self._keeper.keep(file.path)
            self._busy = 0
        except BusyError as error:
            self._busy += 1
            if self._busy >= _BUSY_IN_A_ROW:
                raise SourceError(
                    f"{_BUSY_IN_A_ROW} files in a row did not come, the last: {error}; "
                    "what is whole stays, run again to go on"
                ) from error
            return self._refused(file, error)
        except DataError as error:
            return self._refused(file, error)
        self._tally.settled()
        if status == "missing" and self._is_young(file):
            return Outcome(file=file, status="awaited")
        return Outcome(file=file, status=status, size=size)

    def _refused(self, file: ArchiveFile, error: Exception) -> Outcome:
        self._tally.settled()
        return Outcome(file=file, status="refused", reason=str(error))

    def _is_young(self, file: ArchiveFile) -> bool:
        """Whether the provider may still be about to publish it."""
        age = (self._today - file.last).days
        return age <= (_YOUNG_MONTH_DAYS if file.monthly else _YOUNG_DAYS)


def _listed(order: ArchiveOrder, candles: Iterable[Outcome]) -> dict[str, date]:
    """First day with candles of each symbol that has any."""
    here = ("fetched", "replaced", "held", "withdrawn")
    first: dict[str, date] = {}
    for outcome in candles:
        symbol, day = outcome.file.series.symbol, outcome.file.first
        if outcome.status in here or outcome.status == "refused":
            first[symbol] = min(day, first.get(symbol, day))
    return {symbol: max(day, order.since) for symbol, day in first.items()}


def _unlisted(order: ArchiveOrder, listed: dict[str, date]) -> Iterator[Gap]:
    for kind in order.kinds:
        for series in order.series(kind):
            first = listed.get(series.symbol, order.since)
            if kind != "klines" and first > order.since:
                last = first - timedelta(days=1)
                yield Gap(series=series, first=order.since, last=last, awaited=False)


def _remove_leftovers(folder: Path) -> None:
    """Temporary files of a run that was killed."""
    for leftover in folder.glob("data/**/.*.tmp*"):
        leftover.unlink(missing_ok=True)
