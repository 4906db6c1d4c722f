"""The audit log: append-only lines, each holding the hash of the one before.

A line is one decision with everything it was made from, so it can be made again by itself. Kept
are every decision of the newest bar and every change of tier in a history: all decisions of twelve
symbols over two years of hours would be 0.8 GB, these are a few per cent of it, and a decision that
changed nothing is made again by the fold from the scores.

The hash of the last line is kept apart, in a second file, the *head*: an edit anywhere breaks the
chain or contradicts the head. Whoever can rewrite both can forge the log, so keep the head, or
copies of it, where the writer of the log cannot reach.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
from filelock import FileLock

from liqwarn.durable import write_json
from liqwarn.errors import AuditError
from liqwarn.policy.audit_record import (
    Provenance,
    decision_from_dict,
    decision_to_dict,
    position_to_dict,
)
from liqwarn.policy.book import Decision
from liqwarn.policy.breaker import observe, settle
from liqwarn.policy.tiers import Policy

__all__ = ["Head", "ReplaySummary", "append", "follow", "read_head", "replay", "verify"]

_GENESIS: Final = "0" * 64


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySummary:
    """What making all decisions again showed; `first_difference` is None when all are equal."""

    lines: int
    differences: int
    first_difference: str | None


def append(
    path: Path,
    head: Path,
    entries: Iterable[tuple[Decision, Provenance]],
    *,
    policy: Policy,
) -> Head:
    """Add decisions to a log; they are on disk when it returns, or they are not there at all.

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
        for decision, provenance in entries:
            record = decision_to_dict(decision, provenance, policy)
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


def follow(at: Head, line: bytes, path: Path) -> Head:
    """Where a log ends behind one more line.

    Raises
    ------
    AuditError
        When the line is none of the log's, or does not follow the one before.
    """
    number = at.lines + 1
    record = _record(line, path, number)
    if record.get("sequence") != at.lines or record.get("previous") != at.sha256:
        raise AuditError(
            f"{path}: line {number} does not follow line {number - 1}: it, or the one before, "
            "was edited, added, removed or moved"
        )
    return Head(lines=number, size=at.size + len(line), last_size=len(line), sha256=_hash(line))


def replay(path: Path, policy: Policy) -> ReplaySummary:
    """Make every decision of a log again and compare.

    Raises
    ------
    AuditError
        When a line cannot be read. Use :func:`verify` first: a replay does not check the chain.
    """
    lines, differences, first = 0, 0, None
    for number, line in enumerate(_lines(path), start=1):
        record = _record(line, path, number)
        try:
            difference = _difference(record, policy)
        except AuditError as error:
            raise AuditError(f"{path}: line {number}: {error}") from error
        lines = number
        if difference is not None:
            differences += 1
            first = first or f"{path}: line {number}: {difference}"
    return ReplaySummary(lines=lines, differences=differences, first_difference=first)


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


def _difference(record: dict[str, Any], policy: Policy) -> str | None:
    decision = decision_from_dict(record)
    stamp = record.get("policy")
    if stamp != {"version": policy.version, "sha256": policy.sha256}:
        return f"decided under policy {stamp}, replayed under {policy.version} {policy.sha256}"
    before, now = decision.before, decision.now
    seen = observe(before, decision.evidence, now, policy)
    after = settle(before, seen, now, policy, book=decision.book, spent=decision.spent)
    for name, again in position_to_dict(after).items():
        found = record["after"].get(name)
        if found != again:
            return (
                f"{before.symbol} {before.side} at {record['now']}: {name} was {found}, is {again}"
            )
    outside = {
        "tier_before": before.tier.name,
        "tier_after": after.tier.name,
        "rule": after.rule.value,
    }
    for name, again in outside.items():
        if record.get(name) != again:
            return f"{before.symbol} {before.side}: {name} was {record.get(name)}, is {again}"
    return None


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


def _record(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except ValueError as error:
        raise AuditError(f"{path}: line {number} is not JSON: {error}") from error
    if not isinstance(record, dict) or _line(record) != line:
        raise AuditError(f"{path}: line {number} is not written the way the log writes")
    return record


def _line(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
