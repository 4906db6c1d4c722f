"""One series of an API: how it is asked for, and bringing what is here up to date with it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from liqwarn.errors import BusyError, DataError, RefusedError
from liqwarn.sources.recording import Kept, Reading, Recording
from liqwarn.sources.spans import Span, iso_of
from liqwarn.sources.tally import OnFetch, Tally

__all__ = ["ApiReport", "ApiSeries", "SeriesOutcome", "check_stamps", "fetch_series"]

_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSeries:
    """What is asked for, and how.

    Attributes
    ----------
    kind, name : str
        Such as ``flows`` and ``BTC``.
    columns : tuple of str
        Names of the cells.
    step : int or None
        Milliseconds from one row to the next, stamps being starts; None when there is no history
        and the reply is of the moment it came.
    settles : int
        Milliseconds for which the newest rows are asked for again at each run.
    instants : bool
        Stamps are moments, within a minute after the grid of `step`.
    ask : callable
        Rows of a span, and the bytes that came, page by page. Rows without a value are left out.
    """

    kind: str
    name: str
    columns: tuple[str, ...]
    step: int | None
    settles: int
    instants: bool = False
    ask: Callable[[Span], Iterator[tuple[list[Reading], int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesOutcome:
    """What became of one series.

    Attributes
    ----------
    kind, name : str
    status : {"fetched", "held", "refused"}
        ``held``: nothing had to be asked.
    kept : Kept
    pages, size : int
        Replies, and bytes that came.
    awaited : int
        Rows that came and are not whole yet: an interval that is not over, a value to come.
    gaps : tuple of (first, end, rows)
        Steps without a row, joined, as text.
    reason : str
        Why it was refused.
    """

    kind: str
    name: str
    status: Literal["fetched", "held", "refused"]
    kept: Kept = field(default_factory=Kept)
    pages: int = 0
    size: int = 0
    awaited: int = 0
    gaps: tuple[tuple[str, str, int], ...] = ()
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "kind": self.kind, "name": self.name, "status": self.status,
            "new": self.kept.new, "same": self.kept.same, "revised": self.kept.revised,
            "awaited": self.awaited, "pages": self.pages, "bytes": self.size,
            "gaps": [list(gap) for gap in self.gaps], "reason": self.reason,
        }  # fmt: skip

    def to_text(self) -> str:
        """One line for people."""
        if self.status == "refused":
            return f"{self.kind} of {self.name}: refused, {self.reason}"
        told = f"{self.kind} of {self.name}: {self.kept.new} new, {self.kept.same} the same"
        told += f", {self.kept.revised} revised" if self.kept.revised else ""
        told += f", {self.awaited} awaited" if self.awaited else ""
        missing = sum(rows for _, _, rows in self.gaps)
        first = f", {missing} missing, the first at {self.gaps[0][0]}" if missing else ""
        return told + first


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiReport:
    """What became of every series."""

    outcomes: tuple[SeriesOutcome, ...]

    @property
    def refused(self) -> tuple[SeriesOutcome, ...]:
        """Series that ended before their end."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "refused")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` and ``fetch.json``."""
        return {"series": [outcome.to_dict() for outcome in self.outcomes]}

    def to_text(self) -> str:
        """A line a series."""
        return "\n".join(outcome.to_text() for outcome in self.outcomes)


def check_stamps(readings: Sequence[Reading], step: int, span: Span, where: str) -> None:
    """Refuse stamps outside what was asked, off the grid or not going up.

    Raises
    ------
    DataError
        Naming the row, from 1.
    """
    before = None
    for n, reading in enumerate(readings, 1):
        at, fault = reading.time, ""
        if not span[0] <= at < span[1]:
            fault = f"from {span[0]} to {span[1]} as asked: another unit, or another page?"
        elif at % step:
            fault = f"a multiple of {step} ms"
        elif before is not None and at <= before:
            fault = f"later than the row before ({before}): a row that is there twice?"
        if fault:
            raise DataError(f"{where}, row {n}, field 'time': found {at} ms, expected {fault}")
        before = at


def fetch_series(
    every: Sequence[ApiSeries],
    span: Span,
    folder: Path,
    *,
    clock: Callable[[], float],
    on_fetch: OnFetch,
) -> ApiReport:
    """Ask for what is missing of every series and write it, a month at a time.

    Parameters
    ----------
    every : sequence of ApiSeries
    span : (int, int)
        Milliseconds since the epoch; its end is not after the present.
    folder : Path
    clock : callable
        Seconds since the epoch.
    on_fetch : callable

    Raises
    ------
    StoreError
        When a file here is damaged.
    SourceError
        When the provider refuses whatever it is asked. A series that cannot be used, or that the
        provider refuses, is told in the report, and the others are fetched.
    """
    tally, begun = Tally(on_fetch), clock()
    work = []
    for series in every:
        recording = Recording(folder, series.kind, series.name, series.columns)
        parts = recording.missing(span) if series.step else [span]
        tally.more(len(parts))
        work.append((series, recording, parts))
    return ApiReport(
        outcomes=tuple(
            _fetch(series, recording, parts, (span, begun), (clock, tally))
            for series, recording, parts in work
        )
    )


def _fetch(
    series: ApiSeries,
    recording: Recording,
    parts: Sequence[Span],
    asked: tuple[Span, float],
    tools: tuple[Callable[[], float], Tally],
) -> SeriesOutcome:
    (span, begun), (clock, tally) = asked, tools
    kept, pages, size, awaited, reason = Kept(), 0, 0, 0, ""
    for part in parts:
        try:
            readings: list[Reading] = []
            for rows, came in series.ask(part):
                tally.came(came)
                readings += rows
                pages, size = pages + 1, size + came
        except (DataError, BusyError, RefusedError) as error:
            reason = str(error)
            break
        finally:
            tally.settled()
        seen = clock()
        # rows may be older than the last reply: what was over when the run began is surely whole
        sure = begun if series.step else seen
        whole = [r for r in readings if _is_whole(r, series, sure)]
        awaited += len(readings) - len(whole)
        now, step = int(sure * _MS), series.step or 1
        told = part if series.step else (now, now + 1)
        kept += recording.keep(told, whole, seen=seen, closed=(now - series.settles) // step * step)
    return SeriesOutcome(
        kind=series.kind,
        name=series.name,
        status="refused" if reason else "fetched" if parts else "held",
        kept=kept,
        pages=pages,
        size=size,
        awaited=awaited,
        gaps=_gaps(recording.times(span), series.step, span) if series.step else (),
        reason=reason,
    )


def _is_whole(reading: Reading, series: ApiSeries, sure: float) -> bool:
    """Whether its interval was over before it was asked for, and no value of it is to come."""
    end = reading.time + (0 if series.instants else series.step or 0)
    return end <= sure * _MS and (all(reading.cells) or end <= sure * _MS - series.settles)


def _gaps(times: Sequence[int], step: int, span: Span) -> tuple[tuple[str, str, int], ...]:
    """Steps without a row between the first row and the last, and before the first."""
    found, before = [], -(-span[0] // step) * step
    for at in (time // step * step for time in times):
        if at > before:
            found.append((iso_of(before), iso_of(at), (at - before) // step))
        before = at + step
    return tuple(found)
