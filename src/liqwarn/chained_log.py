"""Append-only logs whose lines each hold the hash of the one before.

A line is JSON with sorted keys, its place as ``sequence`` and the hash of the line before it as
``previous``. The hash of the last line is kept apart, in a second file, the *head*: an edit
anywhere breaks the chain or contradicts the head. Whoever can rewrite both can forge the log, so
keep the head, or copies of it, where the writer of the log cannot reach.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
from filelock import FileLock

from liqwarn.durable import write_json
from liqwarn.errors import AuditError

__all__ = [
    "Head",
    "acknowledged",
    "append_records",
    "follow",
    "read_head",
    "read_record",
    "records",
    "verify",
]

_GENESIS: Final = "0" * 64
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a log ends.

    Attributes
    ----------
    lines, size : int
        Lines and bytes of the log.
    last_size : int
        Bytes of its last line, line break included; 0 for an empty log.
    sha256 : str
        Hash of the last line, which holds that of the line before, and so on.
    """

    lines: int = 0
    size: int = 0
    last_size: int = 0
    sha256: str = _GENESIS


def append_records(path: Path, head: Path, made: Iterable[Record]) -> Head:
    """Add records to a log; they are on disk when it returns, or they are not there at all.

    What an interrupted append left behind the head's end was never acknowledged: it is set aside
    into ``<log>.unacknowledged`` and the log goes on from its head.

    Raises
    ------
    AuditError
        When the log does not end as its head says: it was edited or cut.
    """
    with FileLock(f"{head}.lock"):
        at = _ready(path, head)
        lines = bytearray()
        for record in made:
            line = _line({**record, "sequence": at.lines, "previous": at.sha256})
            lines += line
            at = Head(
                lines=at.lines + 1,
                size=at.size + len(line),
                last_size=len(line),
                sha256=_hash(line),
            )
        with path.open("ab") as log:
            log.write(lines)
            _to_disk(log)
        write_json(head, asdict(at))
        return at


def verify(path: Path, head: Path) -> Head:
    """Check every line of a log against the chain and the head.

    Raises
    ------
    AuditError
        Naming the first line that was edited, added, removed or moved, or the end that is missing.
    """
    expected = read_head(head)
    found = Head()
    for number, line in enumerate(_lines(path), start=1):
        found = follow(found, line, path)
        if number == expected.lines and found != expected:
            raise AuditError(f"{path}: line {number} is not the one its head knows: it was edited")
    if found != expected:
        raise AuditError(
            f"{path}: {found.lines} lines in {found.size} bytes, expected {expected.lines} in "
            f"{expected.size}: cut short, or added to, or an append was interrupted (the next "
            "append sets its rest aside)"
        )
    return found


def acknowledged(path: Path, head: Path) -> list[dict[str, Any]]:
    """Every record up to the head, checked; none when neither log nor head is there.

    For whoever reads while others append: the head is read first, and then no more of the log than
    it knows, so an append in between, or one that was interrupted, is no edit. Nothing is written.

    Raises
    ------
    AuditError
        As :func:`verify` does for what lies before the head's end.
    """
    if not head.exists() and not path.exists():
        return []
    expected, found = read_head(head), Head()
    made = []
    for line in _lines(path) if expected.lines else ():
        if found.lines == expected.lines:
            break
        found = follow(found, line, path)
        made.append(read_record(line, path, found.lines))
    if found != expected:
        raise AuditError(
            f"{path}: line {found.lines} in {found.size} bytes is not the one its head knows, line "
            f"{expected.lines} in {expected.size}: the log was edited or cut short"
        )
    return made


def follow(at: Head, line: bytes, path: Path) -> Head:
    """Where a log ends behind one more line.

    Raises
    ------
    AuditError
        When the line is none of the log's, or does not follow the one before.
    """
    number = at.lines + 1
    record = read_record(line, path, number)
    if record.get("sequence") != at.lines or record.get("previous") != at.sha256:
        raise AuditError(
            f"{path}: line {number} does not follow line {number - 1}: it, or the one before, "
            "was edited, added, removed or moved"
        )
    return Head(lines=number, size=at.size + len(line), last_size=len(line), sha256=_hash(line))


def records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number, from 1, and content of every line; the chain is not checked.

    Raises
    ------
    AuditError
        When the log is missing, or a line is none of a log's.
    """
    for number, line in enumerate(_lines(path), start=1):
        yield number, read_record(line, path, number)


def read_head(head: Path) -> Head:
    """The head of a log.

    Raises
    ------
    AuditError
        When it is missing or unreadable.
    """
    try:
        raw = orjson.loads(head.read_bytes())
        return Head(**raw)
    except FileNotFoundError as error:
        raise AuditError(f"{head}: missing, expected the head of the audit log") from error
    except (TypeError, ValueError) as error:
        raise AuditError(f"{head}: unreadable head of an audit log: {error}") from error


def read_record(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """The content of a line.

    Raises
    ------
    AuditError
        When it is not written the way a log writes.
    """
    try:
        record = orjson.loads(line)
    except ValueError as error:
        raise AuditError(f"{path}: line {number} is not JSON: {error}") from error
    if not isinstance(record, dict) or _line(record) != line:
        raise AuditError(f"{path}: line {number} is not written the way the log writes")
    return record


def _ready(path: Path, head: Path) -> Head:
    """The head, once the log is known to end there."""
    size = path.stat().st_size if path.exists() else 0
    if not head.exists():
        if size:
            raise AuditError(f"{head}: missing, while the log {path} has {size} bytes")
        write_json(head, asdict(Head()))
    at = read_head(head)
    if size < at.size:
        raise AuditError(f"{path}: {size} bytes, expected {at.size}: the log was cut short")
    with path.open("ab+") as log:
        log.seek(at.size - at.last_size)
        if at.lines and _hash(log.read(at.last_size)) != at.sha256:
            raise AuditError(f"{path}: line {at.lines} is not the one its head knows")
        if size > at.size:
            with path.with_name(f"{path.name}.unacknowledged").open("ab") as aside:
                aside.write(log.read())
                _to_disk(aside)
            log.truncate(at.size)
            _to_disk(log)
    return at


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as log:
            yield from log
    except FileNotFoundError as error:
        raise AuditError(f"{path}: missing, expected an audit log") from error


def _line(record: Record) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
