"""Walks the whole audit log again and again, a little at a time, and says where it was changed.

Every append checks the log's end; an edit further up would be found by nobody before an auditor.
Only what the head acknowledges is read, and only by the thread that appends: an append that was
interrupted is no fault.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from liqwarn.errors import AuditError
from liqwarn.policy.audit import Head, follow, read_head
from liqwarn.serving.logs import get_logger

__all__ = ["AuditPatrol"]

_LOG: Final = get_logger("audit")
_EVERY: Final = timedelta(days=1)
_SOON: Final = timedelta(minutes=1)


class AuditPatrol:
    """One walk over a log after the other.

    Parameters
    ----------
    log, head : Path
    monotonic : callable
        Seconds, for the pause between two walks.
    lines : int
        Read at once: 200 take about 4 ms.
    """

    def __init__(
        self, log: Path, head: Path, *, monotonic: Callable[[], float], lines: int = 200
    ) -> None:
        self._log, self._head = log, head
        self._monotonic, self._lines = monotonic, lines
        self._at = Head()
        self._rest_until = float("-inf")
        self._doubt: str | None = None

    def __call__(self) -> str | None:
        """Walk on; what is wrong, or None.

        A fault is told when a second walk from the first line finds one as well: meanwhile an
        operator may have put a new log in the place of the old one.
        """
        if self._monotonic() < self._rest_until:
            return None
        try:
            if not self._head.exists():
                self._at, self._doubt = Head(), None
                return None
            self._walk()
        except (AuditError, FileNotFoundError) as error:
            again, self._doubt, self._at = self._doubt, str(error), Head()
            if again is None:
                return None
            self._rest(_SOON)
            return str(error)
        except OSError as error:  # what cannot be read now is not known to be wrong
            _LOG.error("audit log cannot be walked", error=str(error))
            self._rest(_SOON)
        return None

    def _walk(self) -> None:
        end = read_head(self._head)
        if end.lines < self._at.lines:
            self._at = Head()  # a new log was begun
        left = min(self._lines, end.lines - self._at.lines)
        with self._log.open("rb") as log:
            log.seek(self._at.size)
            before = self._at.lines
            for line in islice(log, left):
                self._at = follow(self._at, line, self._log)
        if self._at.lines == before and left:
            raise AuditError(f"{self._log}: {before} lines, expected {end.lines}: it was cut short")
        if self._at.lines < end.lines:
            return
        if self._at != end:
            raise AuditError(f"{self._log}: line {end.lines} is not the one its head knows")
        self._at, self._doubt = Head(), None
        self._rest(_EVERY)

    def _rest(self, pause: timedelta) -> None:
        self._rest_until = self._monotonic() + pause.total_seconds()
