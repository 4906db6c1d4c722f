"""Follows the pointer of a folder of releases, and remembers the last bundle that was good.

A restart asks the pointer first. If what it names is refused, the last good one serves: a bad
release may come and a machine may restart in either order.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson

from liqwarn.durable import write_json
from liqwarn.errors import ModelError
from liqwarn.serving.bundles import BundleHolder, Verdict
from liqwarn.serving.clock import Clock
from liqwarn.serving.logs import get_logger
from liqwarn.serving.releases import POINTER, pointed

__all__ = ["LAST_GOOD", "BundleWatch"]

_LOG = get_logger("bundles")

LAST_GOOD: Final = "last_good_bundle.json"


class BundleWatch:
    """Offers a holder whatever the pointer names.

    Parameters
    ----------
    holder : BundleHolder
    releases : Path
        Folder of releases; only read.
    state : Path
        Folder of the server's own, where the last good bundle is remembered.
    clock : Clock
    every_s : float
        Least seconds between two looks.
    """

    def __init__(
        self,
        holder: BundleHolder,
        releases: Path,
        *,
        state: Path,
        clock: Clock,
        every_s: float = 5.0,
    ) -> None:
        self._holder = holder
        self._releases = releases
        self._memory = state / LAST_GOOD
        self._clock = clock
        self._every_s = every_s
        self._looked: float | None = None
        self._pointer: tuple[int, int, int] | None = None
        self._last: Verdict | None = None
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """Why the pointer cannot be followed, or what it names is not in use; None when it is."""
        if self._fault is not None:
            return self._fault
        last = self._last
        return None if last is None or last.accepted else f"{last.folder}: {last.reason}"

    def start(self) -> tuple[Verdict, ...]:
        """Load the bundle that the pointer names, else the last good one.

        Returns
        -------
        tuple of Verdict
            One, or the refusal and then that of the last good one.

        Raises
        ------
        ModelError
            When there is neither.
        """
        found = [verdict for verdict in (self.look(),) if verdict is not None]
        last = self._remembered()
        if not any(verdict.accepted for verdict in found) and last is not None:
            found.append(self._holder.offer(last))
        if not any(verdict.accepted for verdict in found):
            told = "; ".join(f"{verdict.folder}: {verdict.reason}" for verdict in found)
            raise ModelError(f"no bundle to start with: {told or self._fault}")
        return tuple(found)

    def look(self) -> Verdict | None:
        """What came of a new offer; None when it is too soon or nothing changed."""
        now = self._clock.monotonic()
        if self._looked is not None and now - self._looked < self._every_s:
            return None
        self._looked = now
        stamp = self._stamp()  # before the pointer is read: a later change is then seen next time
        try:
            folder = pointed(self._releases)
        except ModelError as error:
            self._fault = str(error)
            return None
        self._fault = None
        again = self._pointer is not None and stamp != self._pointer  # somebody pointed anew
        self._pointer = stamp
        verdict = self._holder.offer(folder, again=again)
        if verdict is self._last:
            return None
        self._last = verdict
        if verdict.accepted:
            self._remember(verdict)
        return verdict

    def run(self, stop: threading.Event, tell: Callable[[Verdict], None] = lambda _: None) -> None:
        """Look until `stop` is set, in a thread of its own, and tell what came of each offer.

        Whatever fails in one look, the next one is made: a thread that ended would leave the server
        with its bundle for good, and nobody would be told.
        """
        while not stop.is_set():
            try:
                verdict = self.look()
                if verdict is not None:
                    tell(verdict)
            except Exception as error:
                self._fault = f"the look at the releases failed: {type(error).__name__}: {error}"
                _LOG.error("look at the releases failed", error=self._fault)
            stop.wait(self._every_s)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            told = (self._releases / POINTER).stat()
        except OSError:
            return None
        return told.st_ino, told.st_mtime_ns, told.st_ctime_ns

    def _remember(self, verdict: Verdict) -> None:
        try:
            write_json(self._memory, {"folder": verdict.folder, "id": verdict.id})
        except OSError as error:
            self._fault = f"the last good bundle cannot be remembered: {error}"

    def _remembered(self) -> Path | None:
        try:
            raw = orjson.loads(self._memory.read_bytes())
            return Path(raw["folder"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # then there is none; the signature is checked whatever it says
