"""How many frames that cannot be read are kept: enough to mend the reader, not a flood of them."""

from typing import Final

__all__ = ["RefusedBudget"]

_FRAMES: Final = 1_000
_BYTES: Final = 1 << 20
_MINUTE_S: Final = 60.0


class RefusedBudget:
    """Of one line: so many frames and bytes a minute; the others are counted.

    Examples
    --------
    >>> budget = RefusedBudget()
    >>> [budget.take(600_000, at) for at in (0.0, 1.0, 61.0)]
    [True, False, True]
    >>> budget.untold()
    1
    >>> budget.untold()
    """

    def __init__(self) -> None:
        self._began = -_MINUTE_S
        self._frames = self._bytes = 0
        self._unkept = self._told = 0

    def take(self, size: int, now: float) -> bool:
        """Whether a frame of that size is kept."""
        if now - self._began >= _MINUTE_S:
            self._began, self._frames, self._bytes = now, 0, 0
            self._told, self._unkept = self._unkept, 0
        if self._frames >= _FRAMES or self._bytes + size > _BYTES:
            self._unkept += 1
            return False
        self._frames += 1
        self._bytes += size
        return True

    def untold(self) -> int | None:
        """How many of the minutes before were not kept, told once; None for none."""
        told, self._told = self._told, 0
        return told or None
