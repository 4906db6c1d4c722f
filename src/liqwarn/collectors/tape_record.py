"""A record of the tape as bytes: found again after damage, and never taken for another one.

::

    magic 4 | length u32 | crc u32
    synced u32 | seen_ms i64 | what u8 | line length u8 | line | content

Little-endian. `length` counts what follows the crc. The crc (CRC-32) covers everything but itself
and begins from the segment's own mark and the record's offset, so a record that was moved, doubled
or comes of another segment is not taken for one. `synced` is how far the segment was on disk for
sure when the record was written: it tells an unfinished tail from damage of what was acknowledged.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final, get_args

from liqwarn.collectors.taped import Taped, What
from liqwarn.errors import DataError

__all__ = ["END", "LARGEST", "MAGIC", "Placed", "decode_record", "encode_end", "encode_record"]

MAGIC: Final = b"\xf5LQ\xfa"
"""How a record begins; two of the bytes are in no UTF-8 text."""

LARGEST: Final = 1 << 24
"""Most bytes of a record's content."""

END: Final = 255
"""Code of the record that ends a closed segment; its content is the number of the others."""

_HEAD: Final = struct.Struct("<4sII")
_BODY: Final = struct.Struct("<IqBB")
_SEED: Final = struct.Struct("<II")
_WHATS: Final[tuple[What, ...]] = get_args(What)
_CODES: Final = {what: code for code, what in enumerate(_WHATS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A record and where it is.

    Attributes
    ----------
    offset, end : int
        Of its first byte, and of the first one behind it.
    synced : int
        How far its segment was on disk when it was written.
    record : Taped or None
        None for the one that ends a segment.
    count : int
        Of the records before the end; 0 for others.
    """

    offset: int
    end: int
    synced: int
    record: Taped | None
    count: int = 0


def encode_record(record: Taped, *, mark: int, offset: int, synced: int) -> bytes:
    """The bytes of a record at its place.

    Parameters
    ----------
    record : Taped
    mark : int
        Of the segment.
    offset : int
        Where it will be.
    synced : int
        How far the segment is on disk.

    Raises
    ------
    DataError
        When it is larger than a record can be.
    """
    line = record.line.encode()
    if len(record.content) > LARGEST or len(line) > 255:
        raise DataError(
            f"record of line {record.line[:40]!r} has {len(record.content)} bytes, "
            f"expected at most {LARGEST} and a name of at most 255"
        )
    body = _BODY.pack(synced, record.seen_ms, _CODES[record.what], len(line))
    return _sealed(b"".join((body, line, record.content)), mark, offset)


def encode_end(count: int, *, seen_ms: int, mark: int, offset: int) -> bytes:
    """The bytes of the record that ends a segment of so many records."""
    body = _BODY.pack(offset, seen_ms, END, 0) + count.to_bytes(8, "little")
    return _sealed(body, mark, offset)


def _sealed(body: bytes, mark: int, offset: int) -> bytes:
    return b"".join((_HEAD.pack(MAGIC, len(body), _crc(body, mark, offset)), body))


def _crc(body: bytes | memoryview, mark: int, offset: int) -> int:
    seed = zlib.crc32(_SEED.pack(mark, offset), len(body))
    return zlib.crc32(body, seed)


def decode_record(content: bytes, offset: int, *, mark: int) -> Placed | None:
    """The record at an offset of a segment's bytes; None when there is no whole one.

    Never raises: whatever is not exactly what was written is none.
    """
    start = offset + _HEAD.size
    if len(content) < start + _BODY.size:
        return None
    magic, length, crc = _HEAD.unpack_from(content, offset)
    if magic != MAGIC or not _BODY.size <= length <= LARGEST + 512 or start + length > len(content):
        return None
    if _crc(memoryview(content)[start : start + length], mark, offset) != crc:
        return None
    synced, seen_ms, code, size = _BODY.unpack_from(content, start)
    at, end = start + _BODY.size, start + length
    if code == END:
        count = int.from_bytes(content[at:end], "little")
        return Placed(offset=offset, end=end, synced=synced, record=None, count=count)
    if code >= len(_WHATS) or at + size > end:
        return None
    record = Taped(
        seen_ms=seen_ms,
        line=content[at : at + size].decode(errors="replace"),
        what=_WHATS[code],
        content=content[at + size : end],
    )
    return Placed(offset=offset, end=end, synced=synced, record=record)
