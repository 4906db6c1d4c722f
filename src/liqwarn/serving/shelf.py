"""The flags in memory: what the live loop puts down and the servers pick up."""

import threading
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from liqwarn.decisions import Flag
from liqwarn.serving.flag_file import EPOCH, FlagSet, Reading

__all__ = ["FlagShelf"]

_EMPTY: Final = Reading(latest=None, modified=EPOCH, fault="no flags published yet")


class FlagShelf:
    """The newest flag of every symbol; written by one thread, read by any.

    A publication may hold some of the symbols; the others stay as they were and run out in their
    own time. Of one symbol the highest sequence stays, and an older one is named as a fault.

    Examples
    --------
    >>> FlagShelf().read().fault
    'no flags published yet'
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading = _EMPTY
        self._fault: str | None = None
        self._listeners: list[Callable[[], None]] = []

    def read(self) -> Reading:
        """What lies here now; the same object until something changes."""
        return self._reading

    def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` after every publication, from the thread that publishes."""
        with self._lock:
            self._listeners.append(heard)

    def publish(self, flags: FlagSet) -> None:
        """Put flags down, in place of those of the same symbols, and tell the listeners."""
        with self._lock:
            before = self._reading.latest
            merged = dict(before.flags) if before else {}
            older = [s for s, flag in flags.flags.items() if not _advances(flag, merged.get(s))]
            merged.update((s, flag) for s, flag in flags.flags.items() if s not in older)
            latest = FlagSet(
                generated_at=flags.generated_at,
                market=flags.market,
                flags=MappingProxyType(merged),
            )
            late = f"older than published before: {', '.join(sorted(older))}" if older else None
            fault = self._fault or late
            self._reading = Reading(latest=latest, modified=flags.generated_at, fault=fault)
        self._tell()

    def fail(self, fault: str | None) -> None:
        """Say what is wrong with the loop that publishes here, until told None: not ready."""
        with self._lock:
            self._fault = fault
            before = self._reading
            shown = fault or (None if before.latest else _EMPTY.fault)
            self._reading = Reading(latest=before.latest, modified=before.modified, fault=shown)
        self._tell()

    def _tell(self) -> None:
        for heard in tuple(self._listeners):
            heard()


def _advances(flag: Flag, before: Flag | None) -> bool:
    return before is None or (flag.sequence, flag.issued_at) >= (before.sequence, before.issued_at)
