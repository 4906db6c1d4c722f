"""Where every byte of a board is. The picture is in ``docs/board.md``; C has it in its header.

Little-endian, every number aligned to its own size. Bytes that are not named are zero.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

__all__ = [
    "ALIVE",
    "BEAT_WORD",
    "BODY",
    "BODY_AT",
    "BODY_SIZE",
    "BYTE_ORDER",
    "COUNT_WORD",
    "CRC_AT",
    "DEAD",
    "DOMAIN",
    "HEADER_SIZE",
    "MAGIC",
    "NO_BEAT",
    "SIGNATURE_AT",
    "SLOT_SIZE",
    "STATE_WORD",
    "SYMBOL_SIZE",
    "VERSION",
    "Header",
    "board_size",
    "slot_at",
]

MAGIC: Final = b"LIQBOARD"
VERSION: Final = 1
BYTE_ORDER: Final = 0x01020304
HEADER_SIZE: Final = 256
SLOT_SIZE: Final = 512
SYMBOL_SIZE: Final = 48

BEAT_WORD: Final = 64 // 8
STATE_WORD: Final = 72 // 8
COUNT_WORD: Final = 80 // 8
"""The three numbers of the header that change, as 8-byte words of the file."""

ALIVE: Final = 1
DEAD: Final = 2
NO_BEAT: Final = 2**64 - 1
"""The heartbeat of a dead board: so far ahead that a reader need not look at the state as well."""

BODY_AT: Final = 8
"""The payload follows the slot's counter."""
_SIDE: Final = "BBB5x9d8x"
BODY: Final = struct.Struct(f"<48sQQIIQqqqQ8sd16s16s16sB7x{_SIDE}{_SIDE}8s32x")
BODY_SIZE: Final = BODY.size
SIGNATURE_AT: Final = BODY_AT + BODY_SIZE
CRC_AT: Final = SIGNATURE_AT + 64
DOMAIN: Final = b"liqwarn.board/1\0"
"""Put before the payload when it is signed, so that no other document's signature fits it."""

_HEADER: Final = struct.Struct("<8s6IQ16sI")
_CRC: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The part of a header that never changes.

    Attributes
    ----------
    capacity : int
        Slots the file has room for.
    generation : int
        Grows with every new file of the same board.
    boot : bytes
        Which start of the machine the boot clock counts from; 16 bytes.
    pid : int
        The writer's process.
    """

    capacity: int
    generation: int
    boot: bytes
    pid: int

    def pack(self) -> bytes:
        """Its 64 bytes, their CRC-32 last."""
        fixed = _HEADER.pack(
            MAGIC,
            VERSION,
            BYTE_ORDER,
            HEADER_SIZE,
            SLOT_SIZE,
            self.capacity,
            BODY_SIZE,
            self.generation,
            self.boot,
            self.pid,
        )
        return fixed + _CRC.pack(zlib.crc32(fixed))

    @classmethod
    def unpack(cls, content: bytes) -> "Header | str":
        """A header read back, or why it is none of ours.

        >>> header = Header(capacity=3, generation=7, boot=bytes(16), pid=1)
        >>> Header.unpack(header.pack()) == header, Header.unpack(b"")
        (True, 'header has 0 bytes, expected 64')
        """
        if len(content) < _HEADER.size + _CRC.size:
            return f"header has {len(content)} bytes, expected {_HEADER.size + _CRC.size}"
        fixed = content[: _HEADER.size]
        magic, version, order, header, slot, capacity, body, generation, boot, pid = _HEADER.unpack(
            fixed
        )
        if magic != MAGIC:
            return f"magic is {magic!r}, expected {MAGIC!r}"
        found, expected = (
            (version, order, header, slot, body),
            (VERSION, BYTE_ORDER, HEADER_SIZE, SLOT_SIZE, BODY_SIZE),
        )
        if found != expected:
            return f"version, byte order and sizes are {found}, expected {expected}"
        if _CRC.unpack_from(content, _HEADER.size)[0] != zlib.crc32(fixed):
            return "header does not match its checksum"
        return cls(capacity=capacity, generation=generation, boot=boot, pid=pid)


def slot_at(index: int) -> int:
    """The first byte of a slot.

    >>> slot_at(0), slot_at(1)
    (256, 768)
    """
    return HEADER_SIZE + index * SLOT_SIZE


def board_size(capacity: int) -> int:
    """Bytes of a file with so many slots."""
    return slot_at(capacity)
