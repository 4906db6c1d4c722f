"""From provider files to the store: read, map, check, quarantine, append; and account for it.

A query is read like a folder of files: each piece of its result is checked and stored as one.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from liqwarn.data.accepted import accept_rows
from liqwarn.data.batches import Batches, Read
from liqwarn.data.checks import count_gaps
from liqwarn.data.known import known_at
from liqwarn.data.panel import ALL_SYMBOLS, Calendar, Panel, Source
from liqwarn.data.pending import FileRecords
from liqwarn.data.quarantine import Rejects
from liqwarn.data.queries import DataPlace
from liqwarn.data.readers import read_table
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.rivals import check_rivals
from liqwarn.data.rows import Rows, has_wanted
from liqwarn.data.sql import Question
from liqwarn.data.store import Origin, Store
from liqwarn.data.summary import FileSummary, IngestSummary
from liqwarn.errors import DataError

__all__ = ["Progress", "ingest", "panel_files"]

Progress = Callable[[str, int, int], None]
"""Called with what is read, how many files and queries are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A provider file, or a query."""

    told: Source | Calendar
    file: str
    place: str
    path: Path | None = None
    symbol: str | None = None
    question: Question | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Told:
    """What one file, or one piece of a query, says."""

    file: str
    sha256: str
    table: pd.DataFrame


def panel_files(
    panel: Panel, told: Source | Calendar, data_dir: Path
) -> Iterator[tuple[Path, str | None]]:
    """Provider files of a source, each with the symbol its name tells, in a fixed order.

    Raises
    ------
    DataError
        When a pattern with ``*`` matches nothing and the source is not optional, or a path, links
        followed, leaves `data_dir`. A plain name may not exist; reading it says so.
    """
    for text, name in _patterns(panel, told):
        found = sorted(data_dir.glob(text)) if "*" in text else [data_dir / text]
        if not found and not _is_optional(told):
            raise DataError(f"{data_dir / text}: no file matches")
        for path in found:
            _check_below(path, data_dir)
            if not isinstance(told, Source) or told.dated.holds(path.name):
                yield path, name


def _patterns(panel: Panel, told: Source | Calendar) -> Iterator[tuple[str, str | None]]:
    """Patterns with the symbols put in, each with its symbol."""
    for pattern in told.file:
        if "{symbol}" in pattern or "{asset}" in pattern:
            for symbol in panel.symbols:
                text = pattern.replace("{symbol}", symbol.name).replace("{asset}", symbol.asset)
                yield text, symbol.name
        else:
            yield pattern, None


def _is_optional(told: Source | Calendar) -> bool:
    return isinstance(told, Source) and told.optional


def _absent(panel: Panel, data_dir: Path) -> Iterator[str]:
    """What optional sources lack, so that it is not lost in silence."""
    for source in (source for source in panel.sources if source.optional):
        for text, _ in _patterns(panel, source):
            if next(data_dir.glob(text), None) is None:
                yield f"{source.name}: no file matches {text}"


def _check_below(path: Path, data_dir: Path) -> None:
    if not path.resolve().is_relative_to(data_dir.resolve()):
        raise DataError(f"{path}: leads out of the data folder {data_dir}, refused")


def ingest(
    panel: Panel,
    data_dir: Path | DataPlace,
    store: Store,
    *,
    now: datetime,
    replace: bool = False,
    on_progress: Progress | None = None,
) -> IngestSummary:
    """Read every provider file of a panel into the store.

    Parameters
    ----------
    panel : Panel
    data_dir : Path or DataPlace
        Folder the panel's file names are relative to; with the addresses of databases when it has
        queries of servers.
    store : Store
    now : datetime
        The present: rows of later times are quarantined, those of calendars excepted. Noted in
        the manifest as the moment a file first brought something new.
    replace : bool
        Let a changed value replace the stored one, which stays in the history.
    on_progress : callable, optional

    Raises
    ------
    DataError
        When a file or query cannot be used as a whole; what was read before is in the store.
    ConflictError
        When a value contradicts the store, or another source of the same priority.
    ConfigError
        When the address of a database is not told, or the driver is not installed.
    """
    place = DataPlace.of(data_dir)
    jobs = [job for job in _jobs(panel, place) if _is_wanted(job, place)]
    batches = Batches(store, panel.name, replace=replace)
    for done, job in enumerate(jobs):
        if on_progress is not None:
            on_progress(Path(job.file).name, done, len(jobs))
        try:
            with closing(_reads(panel, job, now)) as reads:
                for read in reads:
                    batches.settle(read)  # what rivals say must be stored before it is compared
                    check_rivals(read.records.batch, job.told, panel, batches.stored)
                    batches.add(read)
                    if on_progress is not None and job.question is not None:
                        on_progress(read.summary.file, done, len(jobs))
        except DataError as error:
            batches.flush()
            raise _placed(error, job) from error
    batches.flush()
    if on_progress is not None:
        on_progress("", len(jobs), len(jobs))
    return IngestSummary(
        panel=panel.name, files=tuple(batches.summaries), absent=tuple(_absent(panel, place.folder))
    )


def _is_wanted(job: _Job, place: DataPlace) -> bool:
    return place.wanted is None or job.path is None or place.wanted(job.path)


def _placed(error: DataError, job: _Job) -> DataError:
    """The error with the file's path and source in it."""
    if job.place in str(error):
        return error
    return type(error)(f"{job.place} ({job.told.name}): {error}")


def _jobs(panel: Panel, place: DataPlace) -> Iterator[_Job]:
    for told in panel.declared:
        question = Question.of(told, place) if isinstance(told, Source) else None
        if question is not None:
            yield _Job(told=told, file=question.name, place=question.place, question=question)
        everywhere = isinstance(told, Calendar) and told.gives == "macro"
        for path, symbol in panel_files(panel, told, place.folder):
            yield _Job(
                told=told,
                file=str(path.relative_to(place.folder)),
                place=str(path),
                path=path,
                symbol=ALL_SYMBOLS if everywhere else symbol,
            )


def _reads(panel: Panel, job: _Job, now: datetime) -> Generator[Read]:
    """Read, map and check a file, or a query piece by piece."""
    if job.path is not None:
        table = read_table(job.path, job.told)
        told = _Told(file=job.file, sha256=sha256(job.path.read_bytes()).hexdigest(), table=table)
        yield _checked(panel, job, told, now)
    if job.question is not None:
        yield from _answers(panel, job, job.question, now)


def _answers(panel: Panel, job: _Job, question: Question, now: datetime) -> Iterator[Read]:
    """Pieces of a result; one without any row of the panel's symbols is left out and counted."""
    told, some = None, False
    with closing(question.pieces()) as pieces:
        for piece in pieces:
            told = _Told(file=f"{job.file}/{piece.name}", sha256=piece.sha256, table=piece.frame())
            wanted = has_wanted(told.table, job.told, panel)
            some = some or wanted
            yield _checked(panel, job, told, now) if wanted else _unwanted(job, told, now)
    if told is not None and not some:
        _checked(panel, job, told, now)  # says what is missing


def _unwanted(job: _Job, told: _Told, now: datetime) -> Read:
    rows = len(told.table)
    summary = FileSummary(
        source=job.told.name, file=told.file, rows=rows, other=rows, new=0, unchanged=0,
        replaced=0, duplicates=0, empty=0, missing=0, gaps=0, quarantined={},
    )  # fmt: skip
    origin = Origin(file=told.file, sha256=told.sha256, first_at=now)
    records = FileRecords(batch=[], origin=origin)
    return Read(records=records, summary=summary, rejects=Rejects(), place=job.place)


def _checked(panel: Panel, job: _Job, read: _Told, now: datetime) -> Read:
    """Map and check what one file or piece says."""
    told, rejects, table = job.told, Rejects(), read.table
    kept = accept_rows(table, told, panel, job.symbol, now, rejects)
    rows = kept.rows
    filled = ~np.all([np.isnan(column) for column in rows.values.values()], axis=0)
    step = told.time.step
    summary = FileSummary(
        source=told.name,
        file=read.file,
        rows=len(table),
        other=kept.other,
        new=0,
        unchanged=0,
        replaced=0,
        duplicates=kept.duplicates,
        empty=int((~filled).sum()),
        missing=sum(int(np.isnan(column).sum()) for column in rows.values.values()),
        gaps=count_gaps(rows, None if step is None else int(step.total_seconds())),
        quarantined=rejects.by_reason(),
    )
    origin = Origin(file=read.file, sha256=read.sha256, first_at=now)
    batch = list(_records(rows.take(filled), told, panel, table))
    records = FileRecords(batch=batch, origin=origin)
    return Read(records=records, summary=summary, rejects=rejects, place=job.place)


def _records(
    rows: Rows, told: Source | Calendar, panel: Panel, table: pd.DataFrame
) -> Iterator[Records]:
    for symbol in np.unique(rows.symbol).tolist():
        mine = rows.take(rows.symbol == symbol)
        yield Records(
            key=SeriesKey(panel=panel.name, source=told.name, symbol=symbol),
            event=mine.event,
            known=known_at(mine, told, table),
            values=mine.values,
            row=mine.row,
        )
