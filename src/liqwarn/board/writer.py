"""The one process that writes a board."""

import fcntl
import mmap
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from liqwarn.board.clocks import SYSTEM_CLOCKS, boot_identity
from liqwarn.board.codec import Place, encode, symbol_bytes
from liqwarn.board.layout import (
    ALIVE,
    BEAT_WORD,
    BODY_AT,
    COUNT_WORD,
    DEAD,
    NO_BEAT,
    STATE_WORD,
    Header,
    board_size,
    slot_at,
)
from liqwarn.board.mapping import BoardMap, need_little_endian, open_map
from liqwarn.decisions import Flag
from liqwarn.durable import replace_file
from liqwarn.errors import StoreError

if TYPE_CHECKING:
    from liqwarn.signing import SigningKey

__all__ = ["BoardWriter"]

_SPARE: Final = 32


class BoardWriter:
    """Writes flags where any process of the host can read them; made by :meth:`create`.

    A write is a few stores into memory: counter odd, payload, counter even. A process killed
    between them leaves the counter odd, and a reader of that slot has no flag. Nothing is synced
    to disk: a board is for the readers of now, and put in memory (``/dev/shm``).
    """

    def __init__(self, board: BoardMap, lock: BinaryIO, key: "SigningKey | None") -> None:
        self._board = board
        self._lock = lock
        self._key = key
        self._index: dict[str, int] = {}

    @classmethod
    def create(
        cls,
        path: Path,
        symbols: Sequence[str],
        *,
        key: "SigningKey | None" = None,
        capacity: int | None = None,
    ) -> "BoardWriter":
        """A new board at `path`, every slot without a flag; one that is there is marked dead.

        Parameters
        ----------
        path : Path
            In a folder in memory. Beside it a lock file is kept.
        symbols : sequence of str
            Each gets a slot.
        key : SigningKey or None
            Signs every flag.
        capacity : int or None
            Slots; None leaves room for 32 more symbols.

        Raises
        ------
        StoreError
            When another process writes it, a symbol does not fit, or the host is big-endian.
        """
        need_little_endian()
        room = len(symbols) + _SPARE if capacity is None else capacity
        if len(set(symbols)) != len(symbols) or not len(symbols) <= room:
            raise StoreError(
                f"{len(symbols)} symbols, {len(set(symbols))} of them different, for {room} slots, "
                "expected different ones and room for all"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _locked(path)
        try:
            board = _replace(path, room)
            writer = cls(board, lock, key)
            for symbol in symbols:
                writer._add(symbol)
        except BaseException:
            lock.close()
            raise
        return writer

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those with a slot, in its order."""
        return tuple(self._index)

    def write(self, flag: Flag, *, deadline_ns: int) -> None:
        """Publish a flag; a symbol that is new gets the next free slot.

        Parameters
        ----------
        deadline_ns : int
            ``CLOCK_BOOTTIME`` nanoseconds after which it is stale, whatever the wall clock says.

        Raises
        ------
        StoreError
            When there is no slot left, the symbol does not fit one, or the board is closed.
        """
        if self._lock.closed:
            raise StoreError("board is closed, expected an open one")
        index = self._index.get(flag.symbol)
        if index is None:
            index = self._add(flag.symbol)
        words, header = self._board.words, self._board.header
        at = slot_at(index)
        before = words[at // 8]
        place = Place(
            counter=before + 2, generation=header.generation, index=index, boot=header.boot
        )
        content = encode(flag, place, deadline_ns, self._key)
        words[at // 8] = before + 1
        self._put(at + BODY_AT, content)
        words[at // 8] = before + 2
        self.beat(SYSTEM_CLOCKS.boot_ns())

    def _put(self, at: int, content: bytes) -> None:
        self._board.memory[at : at + len(content)] = content

    def beat(self, now_ns: int) -> None:
        """Say that the writer lives; a client denies when it has not for long.

        Parameters
        ----------
        now_ns : int
            ``CLOCK_BOOTTIME`` nanoseconds.
        """
        self._board.words[BEAT_WORD] = now_ns

    def _add(self, symbol: str) -> int:
        raw, index = symbol_bytes(symbol), len(self._index)
        if index >= self._board.header.capacity:
            raise StoreError(f"board has {index} slots, all taken, expected room for {symbol!r}")
        self._put(slot_at(index) + BODY_AT, raw)
        self._board.words[COUNT_WORD] = index + 1  # after the name: a reader may look at once
        self._index[symbol] = index
        return index

    def close(self) -> None:
        """Mark the board dead, so that its readers deny at once, and let the next writer in."""
        if not self._lock.closed:
            _end(self._board)
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _locked(path: Path) -> BinaryIO:
    lock = path.with_name(f"{path.name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreError(f"{path.name} has another writer, expected one") from error
    return lock


def _replace(path: Path, capacity: int) -> BoardMap:
    """Put a new board in the place of the old one, then mark that one dead."""
    before = open_map(path, writable=True)
    old = before if isinstance(before, BoardMap) else None
    generation = max(time.time_ns(), old.header.generation + 1 if old else 0)
    header = Header(capacity=capacity, generation=generation, boot=boot_identity(), pid=os.getpid())
    replace_file(path, lambda temporary: _fill(temporary, header))
    if old is not None:
        _end(old)
    board = open_map(path, writable=True)
    if not isinstance(board, BoardMap):
        raise StoreError(f"{path.name} as just written: {board}")
    return board


def _end(board: BoardMap) -> None:
    board.words[STATE_WORD] = DEAD
    board.words[BEAT_WORD] = NO_BEAT


def _fill(path: Path, header: Header) -> None:
    """A whole board without flags; its room is taken now, for a full disk would kill a writer."""
    size = board_size(header.capacity)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, size)
        with mmap.mmap(file.fileno(), size) as memory:
            packed = header.pack()
            memory[: len(packed)] = packed
            with memoryview(memory) as raw, raw.cast("Q") as words:
                words[BEAT_WORD] = SYSTEM_CLOCKS.boot_ns()
                words[STATE_WORD] = ALIVE
