"""Where a ledger lies: sealed parts, and a chained log that names each by its SHA-256.

::

    LIQWARN_HOME/ledger/PANEL/ledger.jsonl   the chain: a line a part, and a line a model
    LIQWARN_HOME/ledger/PANEL/ledger.head.json
    LIQWARN_HOME/ledger/PANEL/parts/000/000017-flags.parquet

A part is on disk before its line is, and is never written again. A settling that is killed before
its line leaves a part that no line names: the next one writes it anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pandas as pd

from liqwarn.chained_log import Head, append_records, follow, read_head, read_record
from liqwarn.durable import sha256_of
from liqwarn.errors import AuditError
from liqwarn.tables import read_table, write_table

__all__ = ["KINDS", "Entry", "Line", "append_entries", "head_of", "lines_after", "part_table"]

SCHEMA: Final = "liqwarn.ledger-log/1"
KINDS: Final = ("flags", "outcomes", "events")
_LOG: Final = "ledger.jsonl"
_HEAD: Final = "ledger.head.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """What is to be added: rows of one kind, or facts without rows.

    Attributes
    ----------
    kind : {"flags", "outcomes", "events", "model"}
    told : mapping
        What the line says beside them; plain data.
    rows : DataFrame or None
    """

    kind: str
    told: Mapping[str, Any] = field(default_factory=dict)
    rows: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the chain and where the log ends behind it."""

    record: Mapping[str, Any]
    head: Head


def head_of(folder: Path) -> Head:
    """Where the chain ends; an empty one while there is none.

    Raises
    ------
    AuditError
        When the head is missing beside a log, or unreadable.
    """
    if not (folder / _LOG).exists() and not (folder / _HEAD).exists():
        return Head()
    return read_head(folder / _HEAD)


def append_entries(folder: Path, entries: Sequence[Entry]) -> Head:
    """Seal every entry's rows and add its line; on disk when it returns, all or none.

    The caller holds the ledger's lock.

    Raises
    ------
    AuditError
        When the log does not end as its head says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    at = append_records(folder / _LOG, folder / _HEAD, []).lines
    made = []
    for number, entry in enumerate(entries, start=at):
        record: dict[str, Any] = {"schema": SCHEMA, "kind": entry.kind, **entry.told}
        if entry.rows is not None:
            file = f"parts/{number // 1000:03d}/{number:06d}-{entry.kind}.parquet"
            write_table(entry.rows, folder / file)
            digest = sha256_of(folder / file)
            record |= {"file": file, "rows": len(entry.rows), "sha256": digest}
        made.append(record)
    return append_records(folder / _LOG, folder / _HEAD, made)


def lines_after(folder: Path, at: Head) -> Iterator[Line]:
    """Every acknowledged line behind a place in the chain, checked link by link.

    Raises
    ------
    AuditError
        When the log does not go on from there, or does not end as its head says.
    """
    end = head_of(folder)
    if end.lines < at.lines or end.size < at.size:
        raise AuditError(f"{folder / _LOG}: {end.lines} lines, expected {at.lines} at least")
    if at == end:
        return
    if not (folder / _LOG).exists():
        raise AuditError(f"{folder / _LOG}: missing, expected {end.lines} lines")
    with (folder / _LOG).open("rb") as log:
        log.seek(at.size)
        while at.lines < end.lines:
            line = log.readline()
            if not line:
                raise AuditError(f"{folder / _LOG}: {at.lines} lines, expected {end.lines}: cut")
            record = read_record(line, folder / _LOG, at.lines + 1)
            at = follow(at, line, folder / _LOG)
            yield Line(record=record, head=at)
    if at != end:
        raise AuditError(f"{folder / _LOG}: line {at.lines} is not the one its head knows")


def part_table(folder: Path, record: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a part, checked against the hash in its line.

    Raises
    ------
    AuditError
        When it is missing, was edited or cut.
    """
    path = folder / str(record["file"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AuditError(f"{path}: missing, expected a part of the ledger") from error
    found = sha256(content).hexdigest()
    if found != record["sha256"]:
        raise AuditError(
            f"{path}: SHA-256 {found[:12]}…, expected {str(record['sha256'])[:12]}…: it was "
            "edited; keep a copy of the folder, and restore it"
        )
    table = read_table(BytesIO(content))
    if len(table) != record["rows"]:
        raise AuditError(f"{path}: {len(table)} rows, expected {record['rows']}")
    return table
