"""The clocks of a collector, and what is wrong with them."""

import asyncio
import statistics
import time
from collections import deque
from typing import Final, Protocol

__all__ = ["Clocks", "JumpWatch", "SkewWatch", "SystemClocks"]


class Clocks(Protocol):
    """Where a collector gets the time from; a test brings its own, which may run faster."""

    def wall(self) -> float:
        """Seconds since the epoch; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def real_s(self, seconds: float) -> float:
        """How many seconds of the machine so many of these clocks take."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of these clocks."""
        ...


class SystemClocks:
    """The machine's clocks."""

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since the machine started."""
        return time.monotonic()

    def real_s(self, seconds: float) -> float:
        """As many."""
        return seconds

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class JumpWatch:
    """Notices that the wall's clock was set, by the one that never is.

    Parameters
    ----------
    wall, monotonic : float
        Both clocks, now.
    limit_s : float
        A smaller step is a clock that is being steered.

    Examples
    --------
    >>> watch = JumpWatch(100.0, 5.0, limit_s=0.5)
    >>> watch.jump(101.01, 6.0)
    0.0
    >>> watch.jump(162.0, 7.0)  # it runs on from there
    59.99
    >>> watch.jump(163.0, 8.0)
    0.0
    """

    def __init__(self, wall: float, monotonic: float, *, limit_s: float = 0.5) -> None:
        self._apart = wall - monotonic
        self._limit_s = limit_s

    def jump(self, wall: float, monotonic: float) -> float:
        """Seconds that the wall's clock jumped since the last look; 0 for none."""
        apart = wall - monotonic
        jumped, self._apart = apart - self._apart, apart
        return round(jumped, 3) if abs(jumped) > self._limit_s else 0.0


class SkewWatch:
    """How far our clock is ahead of a venue's, its way to us included: a median over a window.

    Parameters
    ----------
    late_s, early_s : float
        More than so much late or early is a fault. A venue's time before ours is the way of the
        frame and the venue's own delay; a venue's time after ours is a wrong clock.
    window : int
        Frames that are looked at.

    Examples
    --------
    >>> watch = SkewWatch(late_s=5.0, early_s=1.0)
    >>> for late_ms in (90, 100, 8_000):
    ...     watch.heard(1_000_000 + late_ms, 1_000_000)
    >>> watch.skew_s()
    0.1
    >>> watch.changed()  # nothing is wrong
    """

    _LEAST: Final = 3

    def __init__(self, *, late_s: float = 5.0, early_s: float = 1.0, window: int = 101) -> None:
        self._late_s, self._early_s = late_s, early_s
        self._lags: deque[int] = deque(maxlen=window)
        self._wrong = False
        self._told_s = 0.0

    def heard(self, seen_ms: int, time_ms: int) -> None:
        """A frame that was seen then says that it is of that time."""
        self._lags.append(seen_ms - time_ms)

    def skew_s(self) -> float | None:
        """Seconds; None before there are enough frames."""
        if len(self._lags) < self._LEAST:
            return None
        return statistics.median(self._lags) / 1_000

    def restart(self) -> None:
        """Forget what was seen: the clock was set."""
        self._lags.clear()
        self._told_s = 0.0

    def changed(self) -> str | None:
        """What to tell when it went beyond the limits, went twice as far, or came back, or None."""
        skew = self.skew_s()
        if skew is None:
            return None
        wrong = not -self._early_s <= skew <= self._late_s
        if wrong == self._wrong and not (wrong and abs(skew) > 2.0 * self._told_s):
            return None
        self._wrong, self._told_s = wrong, abs(skew)
        if wrong:
            limits = f"-{self._early_s:g} to {self._late_s:g} s"
            return f"frames are {skew:.1f} s behind our clock, expected {limits}"
        return f"frames are {skew:.1f} s behind our clock, as expected"
