"""The two clocks a server needs: the wall's, which may jump, and one that never goes back."""

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Where the server gets the time from; a test brings its own."""

    def wall(self) -> datetime:
        """The time of day, UTC. It may be wrong, and may jump."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back, and runs on while the machine sleeps."""


class SystemClock:
    """The machine's clocks."""

    def wall(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since the machine started, its sleep included."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
