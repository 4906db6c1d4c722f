"""From provider files to the store: read, map, check, quarantine, append; and account for it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import numpy as np

from liqwarn.data.checks import check_rows, count_gaps, drop_duplicates, merge_events
from liqwarn.data.mapping import FieldMap, Span
from liqwarn.data.panel import ALL_SYMBOLS, Calendar, Panel, Source
from liqwarn.data.quarantine import Rejects
from liqwarn.data.readers import read_table
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.rivals import check_rivals
from liqwarn.data.rows import Rows, inside, map_rows
from liqwarn.data.stamps import after_the_present
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
        When a pattern with ``*`` matches nothing, or a path, links followed, leaves `data_dir`.
        A plain name may not exist; reading it says so.
    """
    for pattern in told.file:
        symbols = panel.symbols if "{symbol}" in pattern or "{asset}" in pattern else (None,)
        for symbol in symbols:
            name = None if symbol is None else symbol.name
            text = pattern
            if symbol is not None:
                text = pattern.replace("{symbol}", symbol.name).replace("{asset}", symbol.asset)
            found = sorted(data_dir.glob(text)) if "*" in text else [data_dir / text]
            if not found:
                raise DataError(f"{data_dir / text}: no file matches")
            for path in found:
                _check_below(path, data_dir)
                yield path, name


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
    on_progress : callable, optional

    Raises
    ------
    DataError
        When a file cannot be used as a whole; files before it are in the store.
    ConflictError
        When a value contradicts the store, or another source of the same priority.
    """
    jobs = list(_jobs(panel, data_dir))
    files = []
    for done, job in enumerate(jobs):
        if on_progress is not None:
            on_progress(job.path.name, done, len(jobs))
        try:
            files.append(_ingest_file(panel, job, store, now=now, replace=replace))
        except DataError as error:
            if str(job.path) in str(error):
                raise
            raise type(error)(f"{job.path} ({job.told.name}): {error}") from error
    if on_progress is not None:
        on_progress("", len(jobs), len(jobs))
    return IngestSummary(panel=panel.name, files=tuple(files))


def _jobs(panel: Panel, data_dir: Path) -> Iterator[_Job]:
    for told in panel.declared:
        everywhere = isinstance(told, Calendar) and told.gives == "macro"
        for path, symbol in panel_files(panel, told, data_dir):
            named = ALL_SYMBOLS if everywhere else symbol
            yield _Job(told=told, path=path, file=str(path.relative_to(data_dir)), symbol=named)


def _ingest_file(
    panel: Panel, job: _Job, store: Store, *, now: datetime, replace: bool
) -> FileSummary:
    told, fields, rejects = job.told, _fields(job.told), Rejects()
    table = read_table(job.path, told)
    mapped, other = map_rows(table, told, fields, panel, job.symbol, rejects)
    valid = inside(mapped.event, told.valid if isinstance(told, Source) else Span())
    known = mapped.take(valid)
    if isinstance(told, Source):  # a calendar speaks of what is ahead
        known = _without_future(known, told, now, rejects)
    rows = check_rows(known, fields, panel, rejects)
    if isinstance(told, Calendar):
        rows = merge_events(rows)
    rows, duplicates = drop_duplicates(rows, rejects)
    filled = ~np.all([np.isnan(column) for column in rows.values.values()], axis=0)
    batch = list(_records(rows.take(filled), told, panel))
    check_rivals(batch, told, panel, store)
    origin = Origin(file=job.file, sha256=sha256(job.path.read_bytes()).hexdigest(), first_at=now)
    counts = store.append(batch, origin=origin, replace=replace)
    rejects.write(store.quarantine_file(panel.name, told.name, origin), origin.file)
    step = told.time.step
    return FileSummary(
        source=told.name,
        file=origin.file,
        rows=len(table),
        other=other + int((~valid).sum()),
        new=counts.new,
        unchanged=counts.unchanged,
        replaced=counts.replaced,
        duplicates=duplicates,
        empty=int((~filled).sum()),
        missing=sum(int(np.isnan(column).sum()) for column in rows.values.values()),
        gaps=count_gaps(rows, None if step is None else int(step.total_seconds())),
        quarantined=rejects.by_reason(),
    )


def _without_future(rows: Rows, source: Source, now: datetime, rejects: Rejects) -> Rows:
    ahead = after_the_present(rows.event, int(now.timestamp()))
    if ahead.any():
        rejects.add(rows.row[ahead], source.time.column, rows.event[ahead], "after the present")
    return rows.take(~ahead)


def _fields(told: Source | Calendar) -> Mapping[str, FieldMap]:
    if isinstance(told, Source):
        return told.stored_fields
    return {told.stored_field: told.amount or FieldMap(constant=1.0)}


def _records(rows: Rows, told: Source | Calendar, panel: Panel) -> Iterator[Records]:
    lag = told.known_lag if isinstance(told, Source) else -told.known_before
    for symbol in np.unique(rows.symbol).tolist():
        mine = rows.take(rows.symbol == symbol)
        yield Records(
            key=SeriesKey(panel=panel.name, source=told.name, symbol=symbol),
            event=mine.event,
            known=mine.event + int(lag.total_seconds()),
            values=mine.values,
            row=mine.row,
        )
