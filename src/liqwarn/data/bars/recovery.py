"""Bringing a journal back after a crash, and telling a crash from damage.

Bytes after the last acknowledged record are what a killed writer left: whole records are kept, the
rest is set aside as ``.torn``. Anything wrong before that is damage: the file goes to
``quarantine/`` with its reason, and what was whole before the fault stays.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from liqwarn.data.bars.head import Head, create_head, read_head
from liqwarn.data.bars.message import close_seconds
from liqwarn.data.bars.segment import Header, Segment, decode
from liqwarn.data.bars.tail import Damage
from liqwarn.data.panel import Panel
from liqwarn.durable import write_bytes, write_json
from liqwarn.errors import StoreError

__all__ = [
    "HEAD",
    "Recovered",
    "quarantine",
    "recover",
    "segment_fault",
    "segment_path",
    "segment_paths",
]

HEAD: Final = "head"
_SUFFIX: Final = ".bars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Where to go on.

    Attributes
    ----------
    head : Head
    header : Header or None
        Of the segment that can be appended to; None when a new one must be begun.
    size : int
        Its bytes.
    damages : tuple of Damage
    """

    head: Head
    header: Header | None
    size: int
    damages: tuple[Damage, ...]


def segment_path(folder: Path, first: int) -> Path:
    """File of the segment whose first record has that number."""
    return folder / f"{first:012d}{_SUFFIX}"


def segment_paths(folder: Path) -> list[tuple[int, Path]]:
    """Segments with the numbers of their first records, oldest first."""
    found = [path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal()]
    return sorted((int(path.stem), path) for path in found)


def quarantine(path: Path, reason: str, keep: bytes = b"") -> Damage:
    """Copy a damaged file aside with the reason, then cut the original to what is to be kept."""
    content = path.read_bytes()
    name = f"{path.name}-{sha256(content).hexdigest()[:12]}"
    folder = path.parent / "quarantine"
    write_bytes(folder / name, content)
    write_json(folder / f"{name}.reason.json", {"file": path.name, "reason": reason})
    if keep:
        write_bytes(path, keep)
    else:
        path.unlink()
    return Damage(file=path.name, reason=reason)


def recover(folder: Path, panel: Panel) -> Recovered:
    """Check the head and the newest segment, and mend what a killed writer left.

    Older segments are checked when they are read.

    Raises
    ------
    StoreError
        When the journal is of another panel, or the folder cannot be read or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _recover(folder, panel)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be read or written ({error.strerror})") from error


def _recover(folder: Path, panel: Panel) -> Recovered:
    reading, paths = read_head(folder / HEAD), segment_paths(folder)
    damages: tuple[Damage, ...] = ()
    head = reading.head
    if head is None:
        if paths or (folder / HEAD).exists():
            reason = "lost or damaged: whether more was acknowledged cannot be known"
            damages = (Damage(file=HEAD, reason=reason),)
        head = _rebuilt(paths)
    found = Recovered(head=head, header=None, size=0, damages=())
    if paths:
        found = _newest(*paths[-1], head, panel)
    elif head.count:
        damages += (Damage(file=segment_path(folder, 0).name, reason="every segment is missing"),)
    if found.head != reading.head or reading.damaged:
        create_head(folder / HEAD, found.head)
    return replace(found, damages=damages + found.damages)


def _newest(first: int, path: Path, head: Head, panel: Panel) -> Recovered:
    """Mend the segment that was written last."""
    content = path.read_bytes()
    segment = decode(content)
    end = segment.records[-1].end if segment.records else segment.header_end
    _check_owner(path, segment, panel)
    reason = segment_fault(first, segment, (head.count, head.seal))
    unacknowledged = segment.next_number >= head.count or first >= head.count
    if reason is None or (segment.header is None and unacknowledged):
        if segment.fault is not None:
            _set_aside(path, content, end)
        header = segment.header
        return Recovered(head=_adopted(segment, head), header=header, size=end, damages=())
    ours = segment.header is not None and segment.header.first == first
    if ours and segment.fault is None and segment.next_number < head.count:
        damage = Damage(file=path.name, reason=reason)  # whole, but its end was cut off
    else:
        keep = content[:end] if ours and segment.next_number < head.count else b""
        damage = quarantine(path, reason, keep)
    return Recovered(head=head, header=None, size=0, damages=(damage,))


def segment_fault(first: int, segment: Segment, end: tuple[int, bytes]) -> str | None:
    """Why a segment is not what was acknowledged, None when it is.

    Parameters
    ----------
    first : int
        Number of its first record, as its file's name says.
    segment : Segment
    end : tuple of int and bytes
        Number after its last acknowledged record, and the seal of that record: what follows the
        segment says so.
    """
    number, seal = end
    if segment.header is None:
        return segment.fault
    if segment.header.first != first:
        return f"it holds records from {segment.header.first} on, not from {first}"
    if segment.next_number < number:
        return segment.fault or f"records {segment.next_number} to {number - 1} are cut off"
    at = number - 1 - first
    found = segment.records[at].seal if at >= 0 else bytes.fromhex(segment.header.previous)
    return None if found == seal else f"record {number - 1} is not the one that was acknowledged"


def _check_owner(path: Path, segment: Segment, panel: Panel) -> None:
    header = segment.header
    if header is not None and (header.panel, header.bar_s) != (panel.name, panel.bar_s):
        raise StoreError(
            f"{path}: a journal of panel '{header.panel}' with {header.bar_s} s bars, expected "
            f"'{panel.name}' with {panel.bar_s} s"
        )


def _set_aside(path: Path, content: bytes, end: int) -> None:
    """Keep what a killed writer left, and cut it off."""
    torn = path.with_name(f"{path.name}.{end}.torn")
    write_bytes(torn, content[end:])
    if end:
        write_bytes(path, content[:end])
    else:
        path.unlink()


def _adopted(segment: Segment, head: Head) -> Head:
    """The head, moved on to whole records that were written but not yet acknowledged."""
    if segment.next_number <= head.count or not segment.records:
        return head
    last = segment.records[-1]
    first = head.first if head.count else close_seconds(segment.records[0].column.time)
    return Head(
        turn=head.turn + 1,
        count=segment.next_number,
        first=first,
        last=close_seconds(last.column.time),
        seal=last.seal,
    )


def _rebuilt(paths: list[tuple[int, Path]]) -> Head:
    """The head that the segments themselves speak for."""
    for first, path in reversed(paths):
        segment = decode(path.read_bytes())
        if segment.header is not None and segment.records and segment.header.first == first:
            last = segment.records[-1]
            close = close_seconds(last.column.time)
            return Head(
                count=segment.next_number,
                first=close - (last.number - paths[0][0]) * segment.header.bar_s,
                last=close,
                seal=last.seal,
            )
    return Head()
