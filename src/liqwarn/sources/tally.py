"""How far a fetch is, counted by several workers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FetchState", "OnFetch", "Tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchState:
    """How far a fetch is.

    Attributes
    ----------
    done, total : int
        Files that are settled, and all that are known of so far: a month that is not published
        becomes its days.
    size : int
        Bytes that came.
    """

    done: int
    total: int
    size: int


OnFetch = Callable[[FetchState], None]
"""Called at each piece and each settled file, by one thread at a time; must return at once."""


class Tally:
    """Counts for all workers, and tells each change.

    >>> told = []
    >>> tally = Tally(told.append)
    >>> tally.more(2); tally.came(10); tally.settled()
    >>> told[-1]
    FetchState(done=1, total=2, size=10)
    """

    def __init__(self, on_fetch: OnFetch) -> None:
        self._lock = threading.Lock()
        self._on_fetch = on_fetch
        self._done = self._total = self._size = 0

    def more(self, files: int) -> None:
        """There are so many files more."""
        self._count(total=files)

    def came(self, size: int) -> None:
        """So many bytes came."""
        self._count(size=size)

    def settled(self) -> None:
        """One file is settled."""
        self._count(done=1)

    def _count(self, *, done: int = 0, total: int = 0, size: int = 0) -> None:
        with self._lock:
            self._done += done
            self._total += total
            self._size += size
            self._on_fetch(FetchState(done=self._done, total=self._total, size=self._size))
