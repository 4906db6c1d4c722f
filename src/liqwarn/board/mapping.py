"""A board's file in memory, checked before it is used."""

import mmap
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from liqwarn.board.flag import Refusal
from liqwarn.board.layout import (
    BODY_AT,
    COUNT_WORD,
    HEADER_SIZE,
    SYMBOL_SIZE,
    Header,
    board_size,
    slot_at,
)
from liqwarn.errors import StoreError

__all__ = ["BoardMap", "Identity", "file_identity", "need_little_endian", "open_map"]

Identity = tuple[int, int, int]
"""Device, inode and size: another one is another file."""

_MAX_CAPACITY: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardMap:
    """One file of a board, mapped.

    It is never unmapped by hand: it goes when its last user lets go, so that a thread that still
    reads it is not cut off.

    Attributes
    ----------
    memory : mmap
        The bytes.
    words : memoryview of uint64
        The same as 8-byte numbers; one is read or written by one aligned access.
    identity : tuple
        Which file it is.
    """

    header: Header
    memory: mmap.mmap
    words: "memoryview[int]"
    identity: Identity
    _found: dict[str, int] = field(default_factory=dict)

    def find(self, symbol: str) -> int | None:
        """The slot of a symbol; None when it has none. A symbol never changes its slot."""
        index = self._found.get(symbol)
        count = min(self.words[COUNT_WORD], self.header.capacity)
        if index is None and len(self._found) < count:
            self._found.update((self.symbol(i), i) for i in range(count))
            index = self._found.get(symbol)
        return index

    def symbol(self, index: int) -> str:
        """The name on a slot; it never changes once the slot is counted."""
        at = slot_at(index) + BODY_AT
        return self.memory[at : at + SYMBOL_SIZE].rstrip(b"\0").decode(errors="replace")


def need_little_endian() -> None:
    """Raise StoreError on a host whose numbers are the other way round.

    >>> need_little_endian()
    """
    if sys.byteorder != "little":
        raise StoreError(f"host is {sys.byteorder}-endian, expected little-endian")


def file_identity(path: Path) -> Identity | None:
    """Which file is at `path` now; None when there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino, stat.st_size)


def open_map(path: Path, *, writable: bool = False) -> BoardMap | Refusal:
    """The board at `path`, or why there is none that can be used."""
    try:
        access = os.O_RDWR if writable else os.O_RDONLY
        descriptor = os.open(path, access | os.O_NONBLOCK)  # a pipe at its place must not hang us
    except OSError as error:
        return Refusal(kind="missing", detail=f"{path.name}: {error.strerror}")
    try:
        return _mapped(descriptor, writable=writable)
    except (OSError, ValueError) as error:
        return Refusal(kind="missing", detail=f"{path.name} cannot be mapped: {error}")
    finally:
        os.close(descriptor)


def _mapped(descriptor: int, *, writable: bool) -> BoardMap | Refusal:
    stat = os.fstat(descriptor)
    header = Header.unpack(os.pread(descriptor, HEADER_SIZE, 0))
    if isinstance(header, str):
        return Refusal(kind="unknown version", detail=header)
    size = board_size(header.capacity)
    if header.capacity > _MAX_CAPACITY or stat.st_size != size:
        detail = f"file has {stat.st_size} bytes, expected {size} for {header.capacity} slots"
        return Refusal(kind="damaged", detail=detail)
    access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
    memory = mmap.mmap(descriptor, size, access=access)
    return BoardMap(
        header=header,
        memory=memory,
        words=memoryview(memory).cast("Q"),
        identity=(stat.st_dev, stat.st_ino, stat.st_size),
    )
