"""Reads the bundle in use again from time to time: what was signed must still be what lies there.

What scores is in memory and cannot be changed by a file; a restart would load what lies there, and
whoever changes it may have changed more.

It is read in a thread of its own: a share that hangs must not keep the bars waiting.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from liqwarn.serving.logs import get_logger

__all__ = ["BundleGuard"]

_LOG: Final = get_logger("bundles")
_EVERY: Final = timedelta(minutes=10)
_SOON: Final = timedelta(seconds=30)


class _Holder(Protocol):
    def fault(self) -> str | None:
        """What is wrong with the files of the bundle in use."""


def _in_thread(look: Callable[[], None]) -> None:
    threading.Thread(target=look, name="liqwarn-bundle-guard", daemon=True).start()


class BundleGuard:
    """A check of the live loop; a fault counts when it is there at two looks, half a minute apart.

    Parameters
    ----------
    holder : BundleHolder
    monotonic : callable
        Seconds.
    begin : callable
        Has a look made; by default in a thread.
    """

    def __init__(
        self,
        holder: _Holder,
        *,
        monotonic: Callable[[], float],
        begin: Callable[[Callable[[], None]], None] = _in_thread,
    ) -> None:
        self._holder, self._begin = holder, begin
        self._looking = False
        self._seen: SimpleQueue[str | None] = SimpleQueue()
        self._monotonic = monotonic
        self._rest_until = monotonic() + _EVERY.total_seconds()
        self._doubted = False

    def __call__(self) -> str | None:
        """Have a look made, when it is time; what is wrong, or None while nothing is known."""
        if not self._looking:
            if self._monotonic() < self._rest_until:
                return None
            self._looking = True
            self._begin(self._look)
        try:
            found = self._seen.get_nowait()
        except Empty:
            return None
        self._looking, doubted = False, self._doubted
        self._doubted = found is not None
        pause = _SOON if self._doubted and not doubted else _EVERY
        self._rest_until = self._monotonic() + pause.total_seconds()
        return found if doubted else None

    def _look(self) -> None:
        try:
            found = self._holder.fault()
        except Exception as error:  # a look that breaks has found nothing, and is made again
            _LOG.error("bundle cannot be looked at", error=f"{type(error).__name__}: {error}")
            found = None
        self._seen.put(found)
