"""Reading the journal's segments, newest first: what follows a segment vouches for its end."""

from pathlib import Path

from liqwarn.data.bars.head import Head
from liqwarn.data.bars.message import close_seconds
from liqwarn.data.bars.recovery import (
    quarantine,
    segment_fault,
    segment_path,
    segment_paths,
)
from liqwarn.data.bars.segment import Record, Segment, decode
from liqwarn.data.bars.tail import Damage

__all__ = ["read_records"]


def read_records(
    folder: Path, head: Head, bar_s: int, start: int
) -> tuple[list[Record], tuple[Damage, ...]]:
    """Acknowledged records from the number `start` on, and what was found damaged.

    A damaged segment is quarantined now; its records before the fault are still read. Records
    that are not there are missing from the list, and the damages say so.

    Raises
    ------
    OSError
        When a file cannot be read or moved.
    """
    records: list[Record] = []
    damages: list[Damage] = []
    end = (head.count, head.seal)
    for first, path in reversed(segment_paths(folder)):
        if end[0] <= start:
            break
        if first >= head.count:
            continue  # written, never acknowledged
        content = path.read_bytes()
        segment = decode(content)
        reason = _foreign(first, segment, end) or _mistimed(segment, head, bar_s)
        if reason is not None:
            damages.append(quarantine(path, reason))
            continue
        if segment.next_number < end[0]:
            damages.append(_shortened(path, content, segment, end[0]))
        records += [record for record in segment.records if start <= record.number < end[0]]
        end = (first, _seal_before(segment))
    if end[0] > start:
        reason = f"no segment holds records {start} to {end[0] - 1}"
        damages.append(Damage(file=segment_path(folder, start).name, reason=reason))
    return records, tuple(damages)


def _foreign(first: int, segment: Segment, end: tuple[int, bytes]) -> str | None:
    """Why nothing in a segment can be believed, None when its whole records can."""
    if segment.header is None or segment.header.first != first or segment.next_number >= end[0]:
        return segment_fault(first, segment, end)
    return None


def _mistimed(segment: Segment, head: Head, bar_s: int) -> str | None:
    for record in segment.records:
        expected = head.last - (head.count - 1 - record.number) * bar_s
        if record.number < head.count and close_seconds(record.column.time) != expected:
            return f"record {record.number} closes at {record.column.time}Z, out of its place"
    return None


def _shortened(path: Path, content: bytes, segment: Segment, end: int) -> Damage:
    """A segment that ends too early: by a fault inside, or because what follows is gone."""
    reason = f"records {segment.next_number} to {end - 1} are missing"
    if segment.fault is None:
        return Damage(file=path.name, reason=f"after it {reason}")
    keep = content[: segment.records[-1].end] if segment.records else b""
    return quarantine(path, f"{segment.fault}; {reason}", keep)


def _seal_before(segment: Segment) -> bytes:
    return b"" if segment.header is None else bytes.fromhex(segment.header.previous)
