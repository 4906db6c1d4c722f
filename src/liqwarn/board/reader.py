"""Read a board without a call into the kernel, and never take an old flag for a good one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from liqwarn.board.clocks import SYSTEM_CLOCKS, Clocks, boot_identity
from liqwarn.board.codec import Place
from liqwarn.board.flag import BoardFlag, Refusal
from liqwarn.board.layout import ALIVE, BEAT_WORD, STATE_WORD, slot_at
from liqwarn.board.mapping import BoardMap, file_identity, need_little_endian, open_map
from liqwarn.board.slot import copy_slot, judge, too_far

if TYPE_CHECKING:
    from liqwarn.signing import VerifyKey

__all__ = ["RECHECK_S", "BoardReader"]

RECHECK_S: Final = 1.0
"""So often the reader looks whether another file is at the path; until then it may not notice a
board that was replaced by someone who did not mark the old one dead."""

_CENTURY_S: Final = 100 * 366 * 86_400
_EARLIEST_NS: Final = -1_000_000_000
"""A heartbeat may be a second ahead of the reader's own look at the clock; one that is further was
made by another clock, and deadlines on that clock mean nothing here."""


@dataclass(slots=True)
class _Entry:
    """What a slot said under one counter."""

    at: int
    counter: int
    valid_until_ns: int
    deadline_ns: int
    said: BoardFlag | Refusal


_Good = tuple["memoryview[int]", int, int, int, int, int, BoardFlag]
"""A flag that was found good, and all that must still be so: words of the file, where its counter
is, counter, heartbeat, the boot clock's and the wall clock's ends, the flag.

It is for the same counter and the same heartbeat alone, so what hangs on their values need not be
worked out again: the boot clock must not have reached the first of the flag's deadline, the end of
the writer's silence, and the next look at the path. A plain tuple is taken apart fastest.
"""


@dataclass(slots=True)
class _View:
    """One file of the board and what was read from it; replaced as one, so threads need no lock."""

    board: BoardMap
    words: "memoryview[int]"
    recheck_ns: int
    entries: dict[str, _Entry] = field(default_factory=dict)
    good: dict[str, _Good] = field(default_factory=dict)


class BoardReader:
    """Reads the flags of one board; finds the new file when its writer is started again.

    Threads may share it, and a forked child may go on with it: it holds no lock.

    Parameters
    ----------
    path : Path
        It may be missing: until it is there, there are no flags.
    keys : sequence of VerifyKey
        When given, a flag that none of them signed is refused. A signature is verified once for
        each new counter of a slot.
    max_silence_s : float
        A flag is refused once the writer's heartbeat is older; infinite asks for none.
    max_wait_s : float
        Longest to wait for a writer that is in the middle of a write.
    clocks : Clocks
        Where the time comes from.

    Raises
    ------
    StoreError
        On a big-endian host.

    Examples
    --------
    >>> reader = BoardReader(Path("no_such.board"))
    >>> reader.read("BTCUSDT"), reader.refusal("BTCUSDT").kind
    (None, 'missing')
    """

    def __init__(
        self,
        path: Path,
        *,
        keys: "Sequence[VerifyKey]" = (),
        max_silence_s: float = inf,
        max_wait_s: float = 0.005,
        clocks: Clocks = SYSTEM_CLOCKS,
    ) -> None:
        need_little_endian()
        self._path = path
        self._keys = tuple(keys)
        self._max_silence_ns = int(min(max_silence_s, _CENTURY_S) * 1e9)  # a float compares slowly
        self._max_wait_s = max_wait_s
        self._wall_ns, self._boot_ns = clocks.wall_ns, clocks.boot_ns
        self._boot = boot_identity()
        self._view: _View | None = None
        self._good: dict[str, _Good] = {}

    def read(self, symbol: str) -> BoardFlag | None:
        """The flag of a symbol, good at this moment; None when there is none.

        Returns
        -------
        BoardFlag or None
            The very same object for as long as the slot is unchanged.
        """
        try:  # what is slow here is each step, so there are few
            words, at, counter, beat, until_boot_ns, until_wall_ns, flag = self._good[symbol]
        except KeyError:
            pass
        else:
            if (
                words[at] == counter
                and words[BEAT_WORD] == beat
                and self._boot_ns() < until_boot_ns
                and self._wall_ns() < until_wall_ns
            ):
                return flag
        found = self.look(symbol)
        return found if isinstance(found, BoardFlag) else None

    def refusal(self, symbol: str) -> Refusal | None:
        """Why there is no flag of a symbol now; None when there is one."""
        found = self.look(symbol)
        return found if isinstance(found, Refusal) else None

    def look(self, symbol: str) -> BoardFlag | Refusal:
        """The flag of a symbol, good at this moment, or why there is none."""
        view = self._current()
        if isinstance(view, Refusal):
            return view
        index = view.board.find(symbol)
        if index is None:
            return Refusal(kind="unknown symbol", detail=f"the board has no slot for {symbol!r}")
        entry = self._entry(view, symbol, index)
        if isinstance(entry, Refusal):
            return entry
        beat = view.words[BEAT_WORD]
        found = self._silent(beat) or _expired(entry, self._wall_ns(), self._boot_ns())
        if isinstance(found, BoardFlag):
            silent_ns = beat + self._max_silence_ns + 1
            until_boot_ns = min(entry.deadline_ns, view.recheck_ns, silent_ns)
            until_wall_ns = entry.valid_until_ns
            place = (view.words, entry.at, entry.counter, beat)
            view.good[symbol] = (*place, until_boot_ns, until_wall_ns, found)
        return found

    @property
    def silence_s(self) -> float:
        """Seconds since the writer's last heartbeat; infinite without a board."""
        view = self._current()
        if isinstance(view, Refusal):
            return inf
        return (self._boot_ns() - view.words[BEAT_WORD]) / 1e9

    def _current(self) -> _View | Refusal:
        """The file in use; the one now at the path when that is another, or it is time to see."""
        view, boot = self._view, self._boot_ns()
        if view is not None and view.words[STATE_WORD] == ALIVE:
            if boot < view.recheck_ns:
                return view
            if file_identity(self._path) == view.board.identity:
                view.recheck_ns = boot + int(RECHECK_S * 1e9)
                return view
        board = self._opened()
        if isinstance(board, Refusal):
            self.close()
            return board
        view = _View(board, board.words, boot + int(RECHECK_S * 1e9))
        self._view, self._good = view, view.good
        return view

    def _opened(self) -> BoardMap | Refusal:
        found = open_map(self._path)
        if isinstance(found, Refusal):
            return found
        if found.header.boot != self._boot:
            return Refusal(kind="dead", detail="the board is of an earlier start of the machine")
        if found.words[STATE_WORD] != ALIVE:
            return Refusal(kind="dead", detail="its writer has closed the board")
        return found

    def _entry(self, view: _View, symbol: str, index: int) -> _Entry | Refusal:
        """What the slot says now; read anew when its counter has moved."""
        at = slot_at(index) // 8
        entry = view.entries.get(symbol)
        if entry is not None and entry.counter == view.words[at]:
            return entry
        copied = copy_slot(view.board, index, self._max_wait_s)
        if isinstance(copied, Refusal):
            return copied
        counter, content = copied
        place = Place(
            counter=counter,
            generation=view.board.header.generation,
            index=index,
            boot=self._boot,
        )
        entry = self._judged(content, place, symbol)
        if not (isinstance(entry.said, Refusal) and entry.said.kind == "damaged"):
            view.entries[symbol] = entry  # damage may be a torn read, and be whole the next time
        return entry

    def _judged(self, content: bytes, place: Place, symbol: str) -> _Entry:
        said = judge(content, place, symbol, self._keys)
        if isinstance(said, BoardFlag):
            said = too_far(said, self._wall_ns(), self._boot_ns()) or said
        return _Entry(
            at=slot_at(place.index) // 8,
            counter=place.counter,
            valid_until_ns=said.valid_until_ns if isinstance(said, BoardFlag) else 0,
            deadline_ns=said.deadline_ns if isinstance(said, BoardFlag) else 0,
            said=said,
        )

    def _silent(self, beat: int) -> Refusal | None:
        silence = self._boot_ns() - beat
        if _EARLIEST_NS <= silence <= self._max_silence_ns:
            return None
        detail = f"heartbeat {silence / 1e9:.1f} s ago, allowed {self._max_silence_ns / 1e9:g} s"
        return Refusal(kind="silent", detail=detail)

    def close(self) -> None:
        """Let go of the file; a later read opens it again."""
        self._view, self._good = None, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _expired(entry: _Entry, wall_ns: int, boot_ns: int) -> BoardFlag | Refusal:
    over = max(wall_ns - entry.valid_until_ns, boot_ns - entry.deadline_ns)
    if over < 0 or isinstance(entry.said, Refusal):
        return entry.said
    which = "valid until" if wall_ns >= entry.valid_until_ns else "its deadline was"
    return Refusal(kind="expired", detail=f"{which} {over / 1e9:.1f} s ago")
