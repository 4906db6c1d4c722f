"""Reads the bundle in use again from time to time: what was signed must still be what lies there.

What scores is in memory and cannot be changed by a file; a restart would load what lies there, and
whoever changes it may have changed more.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

__all__ = ["BundleGuard"]

_EVERY: Final = timedelta(minutes=10)
_SOON: Final = timedelta(seconds=30)


class _Holder(Protocol):
    def fault(self) -> str | None:
        """What is wrong with the files of the bundle in use."""


class BundleGuard:
    """A check of the live loop; a fault counts when it is there at two looks, half a minute apart.

    Parameters
    ----------
    holder : BundleHolder
    monotonic : callable
        Seconds.
    """

    def __init__(self, holder: _Holder, *, monotonic: Callable[[], float]) -> None:
        self._holder = holder
        self._monotonic = monotonic
        self._rest_until = monotonic() + _EVERY.total_seconds()
        self._doubted = False

    def __call__(self) -> str | None:
        """Look, when it is time; what is wrong, or None."""
        if self._monotonic() < self._rest_until:
            return None
        found, doubted = self._holder.fault(), self._doubted
        self._doubted = found is not None
        pause = _SOON if self._doubted and not doubted else _EVERY
        self._rest_until = self._monotonic() + pause.total_seconds()
        return found if doubted else None
