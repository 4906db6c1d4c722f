"""From provider files to the store: read, map, check, quarantine, append; and account for it."""

from collections.abc import Callable, Iterator
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
from liqwarn.data.readers import read_table
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.rivals import check_rivals
from liqwarn.data.rows import Rows
from liqwarn.data.store import Origin, Store
from liqwarn.data.summary import FileSummary, IngestSummary
from liqwarn.errors import DataError

__all__ = ["Progress", "ingest", "panel_files"]

Progress = Callable[[str, int, int], None]
"""Called with a file's name, how many files are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    told: Source | Calendar
    path: Path
    file: str
    symbol: str | None


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
    data_dir: Path,
    store: Store,
    *,
    now: datetime,
    replace: bool = False,
    only: Callable[[Path], bool] | None = None,
    on_progress: Progress | None = None,
) -> IngestSummary:
    """Read every provider file of a panel into the store.

    Parameters
    ----------
    panel : Panel
    data_dir : Path
        Folder the panel's file names are relative to.
    store : Store
    now : datetime
        The present: rows of later times are quarantined, those of calendars excepted. Noted in
        the manifest as the moment a file first brought something new.
    replace : bool
        Let a changed value replace the stored one, which stays in the history.
    only : callable, optional
        Whether a file is to be read; others are left out, as for who knows that they are read
        already.
    on_progress : callable, optional

    Raises
    ------
    DataError
        When a file cannot be used as a whole; files before it are in the store.
    ConflictError
        When a value contradicts the store, or another source of the same priority.
    """
    jobs = [job for job in _jobs(panel, data_dir) if only is None or only(job.path)]
    batches = Batches(store, panel.name, replace=replace)
    for done, job in enumerate(jobs):
        if on_progress is not None:
            on_progress(job.path.name, done, len(jobs))
        try:
            read = _read_file(panel, job, now)
            batches.settle(read)  # what rivals say must be in the store before it is compared
            check_rivals(read.records.batch, job.told, panel, batches.stored)
        except DataError as error:
            batches.flush()
            raise _placed(error, job) from error
        batches.add(read)
    batches.flush()
    if on_progress is not None:
        on_progress("", len(jobs), len(jobs))
    return IngestSummary(
        panel=panel.name, files=tuple(batches.summaries), absent=tuple(_absent(panel, data_dir))
    )


def _placed(error: DataError, job: _Job) -> DataError:
    """The error with the file's path and source in it."""
    if str(job.path) in str(error):
        return error
    return type(error)(f"{job.path} ({job.told.name}): {error}")


def _jobs(panel: Panel, data_dir: Path) -> Iterator[_Job]:
    for told in panel.declared:
        everywhere = isinstance(told, Calendar) and told.gives == "macro"
        for path, symbol in panel_files(panel, told, data_dir):
            named = ALL_SYMBOLS if everywhere else symbol
            yield _Job(told=told, path=path, file=str(path.relative_to(data_dir)), symbol=named)


def _read_file(panel: Panel, job: _Job, now: datetime) -> Read:
    """Read, map and check one file."""
    told, rejects = job.told, Rejects()
    table = read_table(job.path, told)
    kept = accept_rows(table, told, panel, job.symbol, now, rejects)
    rows = kept.rows
    filled = ~np.all([np.isnan(column) for column in rows.values.values()], axis=0)
    step = told.time.step
    summary = FileSummary(
        source=told.name,
        file=job.file,
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
    origin = Origin(file=job.file, sha256=sha256(job.path.read_bytes()).hexdigest(), first_at=now)
    batch = list(_records(rows.take(filled), told, panel, table))
    records = FileRecords(batch=batch, origin=origin)
    return Read(records=records, summary=summary, rejects=rejects, path=job.path)


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
