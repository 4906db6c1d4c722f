"""What a crash left of a tape: an unfinished end is cut off and kept aside, damage is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from liqwarn.collectors.tape_closing import segment_bytes
from liqwarn.collectors.tape_record import MAGIC, encode_end
from liqwarn.collectors.tape_segment import (
    Segment,
    TapeFault,
    mark_of,
    placed_records,
    segments_of,
)
from liqwarn.durable import replace_file, write_bytes
from liqwarn.errors import StoreError

__all__ = ["Recovered", "recover_tape"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was found at the start.

    Attributes
    ----------
    next_number : int
        Of the next segment.
    torn : tuple of TapeFault
        Ends that were cut off, of records that nobody had acknowledged.
    damaged : tuple of str
        Segments that are not as they were written: what is wrong with each. They stay as they are.
    """

    next_number: int
    torn: tuple[TapeFault, ...] = ()
    damaged: tuple[str, ...] = ()


def recover_tape(folder: Path, venue: str) -> Recovered:
    """Close what a crash left open. The caller alone may write there.

    The bytes of an unfinished end go to ``{segment}.torn`` beside it.

    Raises
    ------
    StoreError
        When a segment cannot be read.
    OSError
        When the disk is full or fails; it can be called again.
    """
    segments = segments_of(folder, venue)
    torn: list[TapeFault] = []
    damaged: list[str] = []
    for segment in segments:
        if segment.closed:
            continue
        try:
            torn.extend(_closed(segment, venue))
        except _DamagedError as error:
            damaged.append(str(error))
    last = segments[-1].number if segments else 0
    return Recovered(next_number=last + 1, torn=tuple(torn), damaged=tuple(damaged))


class _DamagedError(Exception):
    """Something that had been on disk for sure is not there any more."""


def _closed(segment: Segment, venue: str) -> Iterator[TapeFault]:
    """Give a segment its end; yield what had to be cut off."""
    path = segment.path
    content = segment_bytes(path)
    try:
        mark, start = mark_of(content, path, venue=venue, number=segment.number)
    except StoreError as error:
        if MAGIC in content:  # the header was on disk before any record
            raise _DamagedError(str(error)) from error
        yield _set_aside(path, content, at=0)
        return
    count, at, seen_ms = 0, start, segment.hour_ms
    for placed in placed_records(content, path, mark=mark, start=start):
        if isinstance(placed, TapeFault):
            if placed.acknowledged:
                raise _DamagedError(placed.to_text())
            yield _set_aside(path, content, at=placed.offset)
            break
        if placed.record is None:
            return
        count, at, seen_ms = count + 1, placed.end, placed.record.seen_ms
    end = encode_end(count, seen_ms=seen_ms, mark=mark, offset=at)
    replace_file(path, lambda temporary: _fill(temporary, content[:at] + end))


def _set_aside(path: Path, content: bytes, *, at: int) -> TapeFault:
    write_bytes(path.with_name(f"{path.name}.torn"), content[at:])
    if at == 0:
        path.unlink()
    return TapeFault(path=path, offset=at, size=len(content) - at, what="torn")


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)
