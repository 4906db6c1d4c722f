"""The two clocks of board and client: the wall's, which may jump, and the one since boot."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

__all__ = ["SYSTEM_CLOCKS", "Clocks", "boot_identity", "epoch_ns"]

_EPOCH: Final = datetime.fromtimestamp(0, tz=UTC)
_BOOT_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Where the time comes from; a test brings its own.

    Attributes
    ----------
    wall_ns : function
        Nanoseconds since 1970, UTC. It may be wrong, and may jump.
    boot_ns : function
        Nanoseconds since the machine started, its sleep included; never goes back.
    """

    wall_ns: Callable[[], int]
    boot_ns: Callable[[], int]


SYSTEM_CLOCKS: Final = Clocks(
    wall_ns=time.time_ns, boot_ns=partial(time.clock_gettime_ns, _BOOT_CLOCK)
)
"""The machine's own."""


def boot_identity() -> bytes:
    """Sixteen bytes that differ with every start of the machine; zeros where it has no such name.

    >>> len(boot_identity())
    16
    """
    try:
        return bytes.fromhex(_BOOT_ID.read_text().strip().replace("-", ""))[:16].ljust(16, b"\0")
    except (OSError, ValueError):
        return bytes(16)


def epoch_ns(moment: datetime) -> int:
    """An aware time in whole nanoseconds since 1970, UTC.

    >>> epoch_ns(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005000
    """
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
