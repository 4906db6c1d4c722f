"""A segment of the tape: its name, its header, and the records in its bytes.

``{folder}/{venue}/{YYYY-MM-DD}/{HH}-{number}.tape`` while it is written, with ``.gz`` behind it
when it is closed and compressed. A segment holds records seen in one hour of the clock; numbers
grow in the order of writing, whatever the clock did.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from liqwarn.collectors.tape_record import MAGIC, Placed, decode_record
from liqwarn.errors import StoreError

__all__ = [
    "HOUR_MS",
    "Segment",
    "TapeFault",
    "header_of",
    "mark_of",
    "placed_records",
    "segment_path",
    "segments_of",
]

HOUR_MS: Final = 3_600_000

_SCHEMA: Final = "liqwarn.venue-tape/1"
_FILE_MAGIC: Final = b"LIQTAPE\n"
_HEAD: Final = struct.Struct("<8sII")
_NAME: Final = re.compile(r"(\d{2})-(\d{9})\.tape(\.gz)?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A file of the tape.

    Attributes
    ----------
    number : int
        In the order of writing.
    hour_ms : int
        When the hour of its records began.
    path : Path
        The compressed one where both are there: it is whole.
    """

    number: int
    hour_ms: int
    path: Path

    @property
    def closed(self) -> bool:
        """Whether it is compressed, and so must be whole."""
        return self.path.suffix == ".gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeFault:
    """Bytes of a segment that are no records.

    Attributes
    ----------
    path : Path
    offset : int
        Of its records, decompressed.
    size : int
        Bytes.
    what : {"torn", "damaged"}
        An unfinished end, or something else than was written.
    acknowledged : bool
        Whether these bytes had been on disk for sure, by the word of a later record.
    """

    path: Path
    offset: int
    size: int
    what: str
    acknowledged: bool = False

    def to_text(self) -> str:
        """For a person."""
        return f"{self.path}: {self.what} at byte {self.offset}, {self.size} bytes are no records"


def segment_path(folder: Path, venue: str, *, seen_ms: int, number: int) -> Path:
    """Where a segment whose first record was seen at a time is written.

    Examples
    --------
    >>> str(segment_path(Path("tape"), "okx", seen_ms=1_700_000_000_000, number=7))
    'tape/okx/2023-11-14/22-000000007.tape'
    """
    at = datetime.fromtimestamp(seen_ms // 1_000, UTC)
    return folder / venue / f"{at:%Y-%m-%d}" / f"{at:%H}-{number:09d}.tape"


def segments_of(folder: Path, venue: str) -> list[Segment]:
    """Every segment of a venue, in the order of writing; files of other names are not its."""
    place = folder / venue
    found: dict[int, Segment] = {}
    if not place.is_dir():
        return []
    for day in sorted(p for p in place.iterdir() if _DAY.fullmatch(p.name)):
        for path in sorted(day.iterdir()):  # the compressed one comes after the other
            if (name := _NAME.fullmatch(path.name)) is None:
                continue
            hour = datetime.fromisoformat(f"{day.name}T{name[1]}:00:00+00:00")
            number = int(name[2])
            hour_ms = int(hour.timestamp()) * 1_000
            found[number] = Segment(number=number, hour_ms=hour_ms, path=path)
    return [found[number] for number in sorted(found)]


def header_of(venue: str, *, seen_ms: int, number: int) -> bytes:
    """What a segment begins with."""
    told = {"schema": _SCHEMA, "venue": venue, "number": number, "begun_ms": seen_ms}
    body = orjson.dumps(told)
    return _HEAD.pack(_FILE_MAGIC, len(body), zlib.crc32(body)) + body


def mark_of(content: bytes, path: Path, *, venue: str, number: int) -> tuple[int, int]:
    """A segment's own mark and where its records begin, from its bytes.

    Raises
    ------
    StoreError
        When it is no segment of the venue and number.
    """
    if len(content) < _HEAD.size:
        raise StoreError(f"{path}: {len(content)} bytes, expected a header of a tape's segment")
    magic, length, crc = _HEAD.unpack_from(content)
    body = content[_HEAD.size : _HEAD.size + length]
    if magic != _FILE_MAGIC or len(body) != length or zlib.crc32(body) != crc:
        raise StoreError(f"{path}: damaged at byte 0, expected a header of a tape's segment")
    told = orjson.loads(body)
    found = tuple(told.get(key) for key in ("schema", "venue", "number"))
    if found != (_SCHEMA, venue, number):
        raise StoreError(f"{path}: found {found}, expected {(_SCHEMA, venue, number)}")
    return crc, _HEAD.size + length


def placed_records(
    content: bytes, path: Path, *, mark: int, start: int
) -> Iterator[Placed | TapeFault]:
    """The records in a segment's bytes in order, and what is none, behind which it goes on."""
    at = start
    while at < len(content):
        placed = decode_record(content, at, mark=mark)
        if placed is None:
            placed = _next_record(content, at + 1, mark)
            end = len(content) if placed is None else placed.offset
            yield TapeFault(
                path=path,
                offset=at,
                size=end - at,
                what="torn" if placed is None else "damaged",
                acknowledged=_was_synced(content, placed, at, mark),
            )
            if placed is None:
                return
        yield placed
        at = placed.end


def _next_record(content: bytes, at: int, mark: int) -> Placed | None:
    """The first whole record from an offset on."""
    while (at := content.find(MAGIC, at)) >= 0:
        placed = decode_record(content, at, mark=mark)
        if placed is not None:
            return placed
        at += 1
    return None


def _was_synced(content: bytes, placed: Placed | None, at: int, mark: int) -> bool:
    """Whether a record behind a fault says that what was at `at` had been on disk."""
    while placed is not None:
        if placed.synced > at:
            return True
        placed = _next_record(content, placed.end, mark)
    return False
