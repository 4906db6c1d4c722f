"""Looks now and then at what the ledger and the journal of retraining say, beside the live loop.

It reads two small files, and only when they have changed; the loop knows nothing of it.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final

import orjson

from liqwarn.durable import write_json
from liqwarn.serving.alert_events import Alert
from liqwarn.serving.clock import Clock
from liqwarn.serving.ledger_alarms import AlarmNews
from liqwarn.serving.ledger_families import ledger_families, retrain_families
from liqwarn.serving.ledger_file import LedgerFile, LedgerReading
from liqwarn.serving.ledger_retrain import LastRuns, read_last_runs
from liqwarn.serving.logs import get_logger
from liqwarn.serving.metric_families import MetricFamily

__all__ = ["MEMORY", "LedgerWatch"]

MEMORY: Final = "ledger_alarms.json"
"""Which alarms were told, so that a restart does not tell them again."""

_LOG: Final = get_logger("ledger")
_SCHEMA: Final = "liqwarn.ledger_alarms/1"
_EVERY_S: Final = 30.0


class LedgerWatch:
    """The ledger of one panel as metrics, and as alerts where somebody is told.

    Parameters
    ----------
    home : Path
        ``LIQWARN_HOME``.
    panel : str
    clock : Clock
    tell : callable, optional
        Given the alerts of alarms that are to be acted on; None tells nobody.
    memory : Path, optional
        Folder that remembers what was told.
    """

    def __init__(
        self,
        home: Path,
        panel: str,
        *,
        clock: Clock,
        tell: Callable[[Iterable[Alert]], None] | None = None,
        memory: Path | None = None,
    ) -> None:
        self._file = LedgerFile(home / "ledger" / panel / "account.json")
        self._journal = home / "retrain" / f"{panel}.jsonl"
        self._stamp: tuple[int, int] | None = None
        self._runs = LastRuns()
        self._clock = clock
        self._tell = tell
        self._memory = None if memory is None else memory / MEMORY
        self._news = AlarmNews(() if self._memory is None else _remembered(self._memory))
        self._seen: LedgerReading | None = None
        self._lock = Lock()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="liqwarn-ledger", daemon=True)

    def start(self) -> None:
        """Look every half minute, in a thread of its own."""
        self._thread.start()

    def stop(self, within_s: float = 5.0) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def look(self) -> tuple[LedgerReading, LastRuns]:
        """What the files say now; alarms that came or went are told."""
        with self._lock:
            reading = self._file.read()
            if reading is not self._seen:
                self._seen = reading
                self._changed(reading)
            return reading, self._last_runs()

    def families(self) -> Iterator[MetricFamily]:
        """The metrics, as of now."""
        reading, runs = self.look()
        yield from ledger_families(reading, self._clock.wall())
        yield from retrain_families(runs)

    def _changed(self, reading: LedgerReading) -> None:
        if reading.account is None:
            _LOG.warning("ledger not read", fault=reading.fault)
            return
        if self._tell is None:
            return
        before = self._news.told
        alerts = self._news.see(reading.account)
        if alerts:
            self._tell(alerts)
        if self._news.told != before:
            self._remember()

    def _remember(self) -> None:
        if self._memory is None:
            return
        try:
            told = [list(subject) for subject in sorted(self._news.told)]
            write_json(self._memory, {"schema": _SCHEMA, "told": told})
        except OSError as error:  # told again after a restart, which is better than never
            _LOG.warning("alarms told cannot be remembered", error=type(error).__name__)

    def _last_runs(self) -> LastRuns:
        try:
            stat = self._journal.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            self._stamp, self._runs = None, LastRuns()
            return self._runs
        if stamp != self._stamp:
            self._runs, self._stamp = read_last_runs(self._journal), stamp
        return self._runs

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception as error:  # whatever a file holds, flags go out and this looks again
                _LOG.error("ledger not looked at", error=f"{type(error).__name__}: {error}")
            if self._stop.wait(_EVERY_S):
                return


def _remembered(memory: Path) -> list[tuple[str, str]]:
    """Alarms that were told; none where that cannot be read, and they are told again."""
    try:
        found: Any = orjson.loads(memory.read_bytes())
        return [(str(rule), str(subject)) for rule, subject in found["told"]]
    except (OSError, KeyError, TypeError, ValueError):
        return []
