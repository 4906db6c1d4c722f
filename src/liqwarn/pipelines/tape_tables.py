"""From the tapes of venues to parquet tables by day, written whole; a rerun goes on where it is.

``OUT/{venue}/{symbol}/{table}/{symbol}-{table}-{YYYY-MM-DD}.parquet``, and beside the symbols
``progress.json``: before which hour all is said, and what the next run must know.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from liqwarn.collectors.coverage import Listening
from liqwarn.collectors.coverage_lines import carrying_lines
from liqwarn.collectors.coverage_symbols import Collected
from liqwarn.collectors.happenings import KINDS, Kind
from liqwarn.collectors.tape import read_tape
from liqwarn.collectors.tape_segment import segments_of
from liqwarn.collectors.tape_tables_fold import (
    DAY_MS,
    HOUR_MS,
    DayTables,
    TapeFold,
    carry_from_json,
)
from liqwarn.collectors.tape_tables_reading import TapeCounts, TapeReading
from liqwarn.collectors.taped import Taped
from liqwarn.collectors.venue import Venue
from liqwarn.durable import write_json
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.tables import read_table, write_table

__all__ = ["TapeTablesDone", "TapeTablesJob", "kinds_of", "make_tape_tables", "table_path"]

_SCHEMA: Final = "liqwarn.tape_tables/2"
_NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeTablesJob:
    """Which tape, into which folder.

    Attributes
    ----------
    tape : Path
        Folder of all venues' tapes.
    venue : Venue
    symbols : tuple of str
    kinds : frozenset of str
        What the collector was asked for, which decides how its lines are called.
    out : Path
    again : bool
        Make every day anew, such as after a reader was mended.
    """

    tape: Path
    venue: Venue
    symbols: tuple[str, ...]
    kinds: frozenset[Kind]
    out: Path
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeTablesDone:
    """What a run wrote.

    Attributes
    ----------
    venue : str
    finished, running : tuple of str
        Days that were written, those that may still change apart.
    counts : TapeCounts
        Of the records that were read.
    astray, impossible, late : int
        See :class:`liqwarn.collectors.minutes.MinuteTally`.
    """

    venue: str
    finished: tuple[str, ...]
    running: tuple[str, ...]
    counts: TapeCounts
    astray: int
    impossible: int
    late: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "venue": self.venue,
            "finished": list(self.finished),
            "running": list(self.running),
            **self.counts.to_dict(),
            "astray": self.astray,
            "impossible": self.impossible,
            "late": self.late,
        }

    def to_text(self) -> str:
        """For a person."""
        c = self.counts
        days = f"{len(self.finished)} days finished, {len(self.running)} running"
        faults = {
            "frames mended": c.mended,
            "frames unread": c.unread,
            "samples damaged": c.damaged,
            "times samples were given up": c.dropped,
            "happenings astray": self.astray,
            "happenings impossible": self.impossible,
            "readings late": self.late,
        }
        told = [f"{name} {count:,d}" for name, count in faults.items() if count]
        first = [f"first fault: {c.first_fault}"] if c.first_fault else []
        read = f"{c.frames:,d} frames, {c.samples:,d} samples"
        return "; ".join([f"{self.venue}: {days}; {read}", *told, *first])


def table_path(out: Path, venue: str, symbol: str, table: str, day: str) -> Path:
    """Where the table of a day is.

    >>> table_path(Path("t"), "okx", "BTCUSDT", "mark", "2026-11-22").as_posix()
    't/okx/BTCUSDT/mark/BTCUSDT-mark-2026-11-22.parquet'
    """
    return out / venue / symbol / table / f"{symbol}-{table}-{day}.parquet"


def kinds_of(venue: Venue, words: tuple[str, ...] = ()) -> frozenset[Kind]:
    """Kinds by their names that a venue can tell; all but trades and positions without any.

    Raises
    ------
    ConfigError
        For a word that is no kind.
    """
    unknown = sorted(set(words) - set(KINDS))
    if unknown:
        raise ConfigError(f"kinds {', '.join(unknown)}, expected of {', '.join(KINDS)}")
    wanted = words or [kind for kind in KINDS if kind not in ("trade", "position")]
    return frozenset(kind for kind in venue.kinds if kind in wanted)


def make_tape_tables(job: TapeTablesJob, *, on_progress: OnProgress = silent) -> TapeTablesDone:
    """Bring the tables of a venue up to its tape.

    Hours before which all is said are not read again, unless with `again` or for symbols or kinds
    that they were not made for. The same tape gives the same tables, however often and wherever it
    was cut in between.

    Raises
    ------
    ConfigError
        When a symbol is no symbol of the venue, or the venue has no tape.
    StoreError
        When the tape or the notes of an earlier run are damaged, or its rows of the running day
        are gone.
    """
    segments = segments_of(job.tape, job.venue.name)
    if not segments:
        raise ConfigError(f"{job.tape / job.venue.name}: no tape, expected what collect recorded")
    fold, since_ms = _begin(job)
    first, last = segments[0].hour_ms, segments[-1].hour_ms + HOUR_MS
    begin = max(first, since_ms)
    finished: list[int] = []
    hour = -1
    for record in read_tape(job.tape, job.venue.name, since_ms=since_ms, until_ms=_NEVER):
        fold.take(record)
        if record.seen_ms // HOUR_MS != hour:
            hour = record.seen_ms // HOUR_MS
            finished += _write_finished(job, fold)
            done = (record.seen_ms - begin) // HOUR_MS
            on_progress(f"tables of {job.venue.name}", done, max(1, (last - begin) // HOUR_MS))
    running = fold.running_days()
    tables = {day: _write_day(job, fold, day) for day in running}
    hour, _ = fold.carry(fold.said_until())
    _note(job, fold, hour, tables.get(hour * HOUR_MS // DAY_MS, {}))
    on_progress(f"tables of {job.venue.name}", 1, 1)
    return TapeTablesDone(
        venue=job.venue.name,
        finished=tuple(map(_date, finished)),
        running=tuple(map(_date, running)),
        counts=fold.reading.counts,
        astray=fold.tally.astray,
        impossible=fold.tally.impossible,
        late=fold.tally.late,
    )


def _begin(job: TapeTablesJob) -> tuple[TapeFold, int]:
    """The fold as it was an hour before the first hour that is not finished."""
    lines = carrying_lines(job.venue, job.symbols, "liquidation", job.kinds)
    notes = None if job.again else _notes(job)
    if notes is None:
        reading = TapeReading(job.venue, job.symbols)
        return TapeFold(reading=reading, lines=lines), 0
    listening, collected, once = _carried(job, notes["carry"])
    reading = TapeReading(job.venue, job.symbols, once)
    hour = notes["next_hour"]
    _check_rows(job, hour, notes["rows"])
    fold = TapeFold(
        reading=reading, lines=lines, first_hour=hour, listening=listening, collected=collected
    )
    return fold, (hour - 1) * HOUR_MS


def _carried(
    job: TapeTablesJob, carry: Mapping[str, Any]
) -> tuple[Listening, Collected, dict[str, Taped]]:
    try:
        return carry_from_json(carry)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(_notes_path(job), error) from error


def _check_rows(job: TapeTablesJob, hour: int, rows: Mapping[str, int]) -> None:
    """See that what earlier runs wrote of the running day is still there."""
    for name, count in rows.items():
        symbol, _, table = name.partition("/")
        day = _date(hour * HOUR_MS // DAY_MS)
        path = table_path(job.out, job.venue.name, symbol, table, day)
        found = len(_until(read_table(path), hour)) if path.is_file() else 0
        if found != count:
            raise StoreError(f"{path}: {found} rows, expected {count}; run with --again")


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(f"{path}: damaged ({error!r}); run with --again")


def _notes(job: TapeTablesJob) -> Mapping[str, Any] | None:
    """What the last run noted; None when it says nothing of this job."""
    path = _notes_path(job)
    if not path.is_file():
        return None
    try:
        notes = json.loads(path.read_bytes())
        fits = notes["schema"] == _SCHEMA and notes["asked"] == _asked(job)
        found = {name: notes[name] for name in ("next_hour", "rows", "carry")}
        found["next_hour"] = int(found["next_hour"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error
    return found if fits else None


def _asked(job: TapeTablesJob) -> dict[str, list[str]]:
    return {"symbols": sorted(job.symbols), "kinds": sorted(job.kinds)}


def _notes_path(job: TapeTablesJob) -> Path:
    return job.out / job.venue.name / "progress.json"


def _write_finished(job: TapeTablesJob, fold: TapeFold) -> Iterator[int]:
    for day in fold.finished_days():
        _write_day(job, fold, day)
        fold.forget(day)
        _note(job, fold, (day + 1) * DAY_MS // HOUR_MS, {})
        yield day


def _note(job: TapeTablesJob, fold: TapeFold, until: int, tables: DayTables) -> None:
    hour, carry = fold.carry(until)
    rows = {"/".join(key): len(_until(table, hour)) for key, table in tables.items()}
    notes = {"schema": _SCHEMA, "asked": _asked(job), "next_hour": hour, "rows": rows}
    write_json(_notes_path(job), {**notes, "carry": carry})


def _until(table: pd.DataFrame, hour: int) -> pd.DataFrame:
    """Rows of the minutes before an hour."""
    return table[table["time"] <= pd.Timestamp(hour * HOUR_MS, unit="ms", tz="UTC")]


def _write_day(job: TapeTablesJob, fold: TapeFold, day: int) -> DayTables:
    """Write the tables of a day, with the rows that earlier runs wrote before the fold began."""
    tables = {}
    for key, fresh in fold.tables(day).items():
        path = table_path(job.out, job.venue.name, *key, _date(day))
        goes_on = (fold.first_hour or 0) * HOUR_MS > day * DAY_MS
        before = read_table(path) if goes_on and path.is_file() else None
        table = fresh
        if before is not None:
            before = before.astype(fresh.dtypes.to_dict())
            kept = _until(before, fold.first_hour or 0)
            table = pd.concat([kept, fresh], ignore_index=True)
        if not len(table):
            path.unlink(missing_ok=True)
        elif before is None or not before.equals(table):
            write_table(table, path)
        tables[key] = table
    return tables


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, tz=UTC).date().isoformat()
