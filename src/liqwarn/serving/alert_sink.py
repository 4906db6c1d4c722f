"""Alerts on their way to people: in a thread of their own, bounded, never in the loop's way."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Final

from liqwarn.serving.alert_events import Alert, AlertRules, Escalations, Fault, Faults
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.logs import get_logger
from liqwarn.serving.rate_limit import Rate, TokenBuckets

__all__ = ["AlertSink", "Notify"]

Notify = Callable[[Alert], bool]
"""Carries an alert to people; False when that failed. It may take its time, and may raise."""

_LOG = get_logger("alerts")
_RATE: Final = Rate(per_s=20 / 3600, burst=10)
_ATTEMPTS: Final = 3
_MANY: Final = ("tier", "recovered")
"""Kinds of alerts that a market makes by the dozen."""


class AlertSink:
    """Tells people of tiers that rise and of faults, without ever making the loop wait.

    What does not fit the queue is dropped; what exceeds ten at once and twenty an hour is held
    back: of tiers and recoveries by their severity, of faults each by itself, since the hour in
    which every symbol rises must not hide that the feed has stopped. Both are counted, and the next
    alert that goes out says how many.

    Parameters
    ----------
    notify : callable
        See :func:`liqwarn.serving.alerts.open_notifier`.
    clock : Clock
    rules : AlertRules, optional
    on_outcome : callable, optional
        Told ``sent``, ``failed``, ``dropped`` or ``held back``, once an alert.
    capacity : int
        Alerts that may wait.
    pause_s : float
        Before the second attempt to send one; twice that before the third.
    """

    def __init__(
        self,
        notify: Notify,
        *,
        clock: Clock,
        rules: AlertRules | None = None,
        on_outcome: Callable[[str], None] = lambda _outcome: None,
        capacity: int = 100,
        pause_s: float = 2.0,
    ) -> None:
        held_to = rules or AlertRules()
        self._notify = notify
        self._on_outcome = on_outcome
        self._pause_s = pause_s
        self._escalations = Escalations(held_to, clock.monotonic)
        self._faults = Faults(held_to, clock.monotonic)
        self._rate = TokenBuckets(_RATE, monotonic=clock.monotonic)
        self._untold = 0
        self._lock = Lock()
        self._queue: Queue[Alert] = Queue(capacity)
        self._stop = Event()
        self._thread = Thread(target=self._run, name="liqwarn-alerts", daemon=True)
        self._thread.start()

    def publish(self, flags: FlagSet) -> None:
        """Tell what rose and what fell back."""
        with self._lock:
            self._tell(self._escalations.see(flags))

    def fault(self, fault: Fault, text: str) -> None:
        """A fault is there; may be said as often as it is seen."""
        with self._lock:
            self._tell(self._faults.raised(fault, text))

    def clear(self, fault: Fault) -> None:
        """A fault is not there; may be said as often as it is not seen."""
        with self._lock:
            self._tell(self._faults.cleared(fault))

    def tell(self, alerts: Iterable[Alert]) -> None:
        """Alerts that somebody else has worked out, each to be told once."""
        with self._lock:
            self._tell(list(alerts))

    def close(self, within_s: float = 5.0) -> None:
        """Send what waits, as far as that can be done in time."""
        self._stop.set()
        self._thread.join(within_s)

    def _tell(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            if self._rate.take(alert.severity if alert.kind in _MANY else alert.kind):
                self._lose("held back", alert)
                continue
            untold, self._untold = self._untold, 0
            more = f"\n{untold} alerts before this one were not sent." if untold else ""
            try:
                self._queue.put_nowait(replace(alert, text=alert.text + more))
            except Full:
                self._untold = untold
                self._lose("dropped", alert)

    def _lose(self, outcome: str, alert: Alert) -> None:
        self._untold += 1
        self._on_outcome(outcome)
        _LOG.warning("alert not sent", outcome=outcome, kind=alert.kind, title=alert.title)

    def _run(self) -> None:
        while not (self._stop.is_set() and self._queue.empty()):
            with contextlib.suppress(Empty):
                self._send(self._queue.get(timeout=0.1))

    def _send(self, alert: Alert) -> None:
        for attempt in range(_ATTEMPTS):
            if attempt and self._stop.wait(self._pause_s * attempt):
                break
            if self._carried(alert):
                self._on_outcome("sent")
                return
        self._on_outcome("failed")
        _LOG.error("alert failed", kind=alert.kind, title=alert.title)

    def _carried(self, alert: Alert) -> bool:
        try:
            return self._notify(alert)
        except Exception as error:
            # its text may name the address, and that is a secret
            _LOG.warning("alert not carried", error=type(error).__name__)
            return False
