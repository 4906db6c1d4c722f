"""How far the journal was acknowledged, kept apart from its records.

Without it nobody could tell a record that was cut off from one that was never finished. Two slots
are written in turn, each with its own seal: a write that was cut short leaves the other.
"""

import errno
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import Final

from liqwarn.data.bars.segment import GENESIS
from liqwarn.durable import write_bytes

__all__ = ["Head", "HeadReading", "create_head", "read_head", "write_head"]

_SLOT: Final = 512  # one sector: the most a disk writes whole
_MAGIC: Final = b"LQWHEAD1"
_BODY: Final = Struct("<8sQQqq32s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a journal ends.

    Attributes
    ----------
    turn : int
        How often a head was written; odd and even ones have a slot each.
    count : int
        Records acknowledged so far, and the number of the next one.
    first, last : int
        Closes of the first and the last of them, seconds since the epoch; 0 when there is none.
    seal : bytes
        Of the last record.
    """

    turn: int = 0
    count: int = 0
    first: int = 0
    last: int = 0
    seal: bytes = GENESIS


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadReading:
    """The newest whole head, None when there is none, and how many slots are damaged."""

    head: Head | None
    damaged: int


def create_head(path: Path, head: Head) -> None:
    """Put a head in place, the same in both slots, so that they are of full length from the start.

    Writing in place later needs no further room on the disk.
    """
    write_bytes(path, _encoded(head) * 2)


def write_head(path: Path, head: Head) -> None:
    """Write a head into the slot that does not hold the one before; on disk when it returns."""
    handle = os.open(path, os.O_WRONLY)
    try:
        if os.pwrite(handle, _encoded(head), _SLOT * (head.turn % 2)) < _SLOT:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fdatasync(handle)
    finally:
        os.close(handle)


def read_head(path: Path) -> HeadReading:
    """The newest whole head of a file."""
    try:
        content = path.read_bytes()
    except OSError:
        return HeadReading(head=None, damaged=2)
    slots = [_decoded(content[at : at + _SLOT]) for at in (0, _SLOT)]
    whole = [head for head in slots if head is not None]
    head = max(whole, key=lambda one: one.turn, default=None)
    extra = int(len(content) != 2 * _SLOT)
    return HeadReading(head=head, damaged=max(len(slots) - len(whole), extra))


def _encoded(head: Head) -> bytes:
    body = _BODY.pack(_MAGIC, head.turn, head.count, head.first, head.last, head.seal)
    return (body + sha256(body).digest()).ljust(_SLOT, b"\0")


def _decoded(slot: bytes) -> Head | None:
    body, seal = slot[: _BODY.size], slot[_BODY.size : _BODY.size + 32]
    if len(body) < _BODY.size or sha256(body).digest() != seal or any(slot[_BODY.size + 32 :]):
        return None
    magic, turn, count, first, last, sealed = _BODY.unpack(body)
    if magic != _MAGIC:
        return None
    return Head(turn=turn, count=count, first=first, last=last, seal=sealed)
