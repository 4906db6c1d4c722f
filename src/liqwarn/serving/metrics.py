"""What the server counts, for Prometheus.

The only module that counts with prometheus_client (what is read from elsewhere when somebody asks
goes through :mod:`liqwarn.serving.metric_families`). Its registry is its own: nothing is global.
Every label has a bounded number of values.
"""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from liqwarn import __version__
from liqwarn.decisions import Flag
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagSet

__all__ = ["CONTENT_TYPE", "ServingMetrics"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_OTHER: Final = "other"
_LATENCIES_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_QUALITIES: Final = ("ok", "degraded", "stale", "unknown")


class ServingMetrics:
    """Everything the live loop, the application and what publishes report.

    The loop's calls cost about a microsecond; what needs more, such as the tier of every symbol,
    is worked out when somebody asks (:meth:`render`).

    Parameters
    ----------
    clock : Clock
    disk : Path, optional
        A folder of the file system that is written to, whose free space is told.
    max_symbols : int
        Symbols beyond it are not told one by one.
    """

    def __init__(self, clock: Clock, *, disk: Path | None = None, max_symbols: int = 1_000) -> None:
        self._clock = clock
        self._disk = disk
        self._max_symbols = max_symbols
        self._flags: FlagSet | None = None
        self._shown: set[str] = set()
        self._seen: dict[str, set[str]] = {}
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._bar: tuple[float, float] | None = None
        self._beat: float | None = None
        self._too_slow = 0
        self._looks: list[Callable[[], None]] = []
        self._rendering = Lock()
        self._offset = clock.wall().timestamp() - clock.monotonic()
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="liqwarn", registry=self.registry)
        self._add_loop()
        self._add_flags()
        self._add_bundles_and_records()
        self._add_retraining()
        self._add_http()
        self._add_outgoing()
        self._gauge("info", "Release of the server, always 1.", "version").labels(__version__).set(
            1
        )

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"liqwarn_{name}", what, labels, registry=self.registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"liqwarn_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, *labels: str) -> Histogram:
        return Histogram(
            f"liqwarn_{name}", what, labels, registry=self.registry, buckets=_LATENCIES_S
        )

    def _add_loop(self) -> None:
        self._bars = self._counter(
            "bars_total",
            "Bars by outcome: taken, late, duplicate, refused; closed when their flags are out.",
            "outcome",
        )
        for outcome in ("taken", "late", "duplicate", "refused"):
            self._bars.labels(outcome)
        self._bars_refused = self._counter("bars_refused_total", "Refused bars.", "reason")
        self._bar_to_flag = self._histogram(
            "bar_to_flag_seconds", "From a bar's arrival to its flags being published."
        )
        self._bar_age = self._gauge(
            "newest_bar_age_seconds", "Since the close of the newest bar; NaN before the first."
        )
        self._bar_length = self._gauge("bar_interval_seconds", "Time between two bars.")
        self._beat_at = self._gauge(
            "loop_heartbeat_timestamp_seconds", "When the live loop last went round."
        )
        self._beat_age = self._gauge(
            "loop_heartbeat_age_seconds", "Since then, by a clock that cannot jump; NaN before."
        )
        self._jump = self._gauge(
            "clock_jump_seconds", "How far the wall clock has moved against the monotonic one."
        )
        self._loop_errors = self._counter("loop_errors_total", "Rounds of the loop that failed.")

    def _add_flags(self) -> None:
        self._quality = self._gauge(
            "flags", "Flags by quality; an expired one is stale.", "quality"
        )
        self._tier = self._gauge("tier", "Tier as issued, 0 to 5.", "symbol", "side")
        self._probability = self._gauge(
            "score_probability_4h", "Probability of a cascade within 4 h.", "symbol", "side"
        )
        self._dropped = self._gauge("symbols_not_shown", "Symbols beyond those told one by one.")
        self._published = self._counter("publications_total", "Sets of flags published.", "target")
        self._unpublished = self._counter(
            "publication_failures_total", "Sets of flags a target did not take.", "target"
        )

    def _add_bundles_and_records(self) -> None:
        self._bundle = self._gauge("bundle_info", "Bundle in use, always 1.", "version", "sha256")
        self._swaps = self._counter("bundle_swaps_total", "Bundles swapped in.")
        self._bundle_refusals = self._counter(
            "bundle_refusals_total", "Bundles that were refused.", "reason"
        )
        self._audit_lines = self._counter("audit_lines_total", "Lines of the audit log written.")
        self._audit_fault = self._gauge(
            "audit_fault", "1 when the audit log is broken or cannot be written."
        )
        self._orders = self._counter(
            "orders_total", "Orders by hand and of the service itself.", "action", "outcome"
        )
        self._held = self._gauge(
            "sides_by_hand", "Sides held up by hand or for a fault, or loosened.", "how"
        )
        for how in ("tightened", "loosened", "integrity"):
            self._held.labels(how).set(0)
        self._integrity = self._counter(
            "integrity_failures_total", "Integrity checks that failed and halted every side."
        )
        self._journal_bars = self._counter("journal_bars_total", "Closed bars put on disk.")
        self._journal_bytes = self._gauge("journal_bytes", "Size of the journal of bars.")
        self._fsync = self._histogram("journal_fsync_seconds", "One fsync of the journal.")
        self._free = self._gauge("disk_free_bytes", "Free space where the server writes.")
        self._lost_lines = self._gauge("log_lines_lost", "Log lines that could not be written.")

    def _add_retraining(self) -> None:
        self._retrains = self._counter(
            "retrain_runs_total",
            "Runs of the server's own schedule by what came of them.",
            "result",
        )
        self._retrained_at = self._gauge(
            "retrain_last_finished_timestamp_seconds", "When a run last ended; NaN before."
        )
        self._retrain_next = self._gauge(
            "retrain_next_timestamp_seconds", "When a run is due next; NaN without a schedule."
        )
        self._retrain_on = self._gauge("retrain_running", "1 while a run is on.")
        for gauge in (self._retrained_at, self._retrain_next):
            gauge.set(float("nan"))

    def _add_http(self) -> None:
        self._requests = self._counter(
            "http_requests_total", "Requests answered.", "route", "method", "status"
        )
        self._request_s = self._histogram(
            "http_request_seconds", "To the start of the answer.", "route"
        )
        self._refusals = self._counter(
            "http_refusals_total", "Requests refused before the application.", "reason"
        )
        self._streams = self._gauge("stream_clients", "Clients of streams.")
        self._stream_drops = self._counter(
            "stream_drops_total", "Streams ended because the client did not keep up."
        )
        self._key_fault = self._gauge(
            "key_file_fault", "1 when the file of keys cannot be read and older keys are in force."
        )

    def _add_outgoing(self) -> None:
        self._alerts = self._counter(
            "alerts_total", "Alerts by outcome: sent, failed, dropped or held back.", "outcome"
        )
        self._posts = self._counter(
            "webhook_posts_total", "Posts by outcome: delivered, retried or dead.", "outcome"
        )
        self._pending = self._gauge("webhook_pending", "Flags waiting to be delivered.")
        for outcome in ("sent", "failed", "dropped", "held back"):
            self._alerts.labels(outcome)
        for outcome in ("delivered", "retried", "dead"):
            self._posts.labels(outcome)

    # the live loop

    def bar(self, outcome: str, *, closed_at: datetime | None = None, reason: str = "") -> None:
        """What became of a bar: ``taken``, ``late``, ``duplicate``, ``refused``, ``closed``.

        The age of the newest is counted from `closed_at`, wherever it is given.
        """
        self._bars.labels(self._bounded("outcome", outcome)).inc()
        if outcome == "refused":
            self._bars_refused.labels(self._bounded("bar", reason or _OTHER)).inc()
        if closed_at is not None:
            age = self._clock.wall().timestamp() - closed_at.timestamp()
            self._bar = (age, self._clock.monotonic())

    def bar_interval(self, interval: timedelta) -> None:
        """How far apart bars are; alert rules measure the age of the newest by it."""
        self._bar_length.set(interval.total_seconds())

    def bar_to_flag(self, seconds: float) -> None:
        """How long a bar took from its arrival until its flags were published."""
        self._bar_to_flag.observe(seconds)

    def heartbeat(self) -> None:
        """The loop went round."""
        self._beat = self._clock.monotonic()
        self._beat_at.set(self._clock.wall().timestamp())

    def loop_error(self) -> None:
        """A round of the loop failed."""
        self._loop_errors.inc()

    def publish(self, flags: FlagSet) -> None:
        """The newest flags; their tiers and probabilities are worked out by :meth:`render`."""
        self._flags = flags

    def published(self, target: str, *, ok: bool = True) -> None:
        """A target, such as ``board`` or ``webhook``, took a set of flags, or did not."""
        counter = self._published if ok else self._unpublished
        counter.labels(self._bounded("target", target)).inc()

    def bundle_swapped(self, version: str, sha256: str) -> None:
        """A bundle came into use; the first as well."""
        self._bundle.clear()
        self._bundle.labels(version, sha256).set(1)
        self._swaps.inc()

    def bundle_refused(self, reason: str) -> None:
        """A bundle was refused and the old one stays; `reason` is a word, not a message."""
        self._bundle_refusals.labels(self._bounded("bundle", reason)).inc()

    def audit_written(self, lines: int) -> None:
        """So many lines of the audit log are on disk."""
        self._audit_lines.inc(lines)
        self._audit_fault.set(0)

    def audit_failed(self) -> None:
        """The audit log is broken, or could not be written."""
        self._audit_fault.set(1)

    def order(self, action: str, *, accepted: bool) -> None:
        """An order was carried out, or refused."""
        self._orders.labels(action, "accepted" if accepted else "refused").inc()

    def held(self, **sides: int) -> None:
        """So many sides are ``tightened`` or ``loosened`` by hand, or halted for ``integrity``."""
        for how, count in sides.items():
            self._held.labels(how).set(count)

    def integrity_failed(self) -> None:
        """An integrity check failed and every side was halted."""
        self._integrity.inc()

    def journal(self, bars: int, fsync_s: float) -> None:
        """So many closed bars were put on disk, which took so long."""
        self._journal_bars.inc(bars)
        self._fsync.observe(fsync_s)

    def journal_size(self, size_bytes: int) -> None:
        """The journal has that size."""
        self._journal_bytes.set(size_bytes)

    def retrained(self, result: str, at: datetime | None) -> None:
        """A scheduled run ended with a result; it was left out when there is no time."""
        self._retrains.labels(self._bounded("retrain", result)).inc()
        if at is not None:
            self._retrained_at.set(at.timestamp())

    def retrain_due(self, at: datetime | None) -> None:
        """When the next scheduled run is due."""
        self._retrain_next.set(float("nan") if at is None else at.timestamp())

    def retrain_running(self, *, running: bool) -> None:
        """Whether a scheduled run is on."""
        self._retrain_on.set(running)

    # the application

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is a template, never a path."""
        asked = (route, method, status)
        found = self._children.get(asked)
        if found is None:
            name = self._bounded("route", route)
            count = self._requests.labels(name, self._bounded("method", method), str(status))
            found = count, self._request_s.labels(name)
            if len(self._children) < 1_000:
                self._children[asked] = found
        found[0].inc()
        found[1].observe(seconds)

    def refusal(self, reason: str, _who: str = "") -> None:
        """A request was refused before the application; fits ``OnRefusal``."""
        self._refusals.labels(self._bounded("refusal", reason)).inc()

    def streams(self, clients: int, too_slow: int) -> None:
        """So many clients follow streams; so many were let go as too slow since the start."""
        self._streams.set(clients)
        self._stream_drops.inc(max(0, too_slow - self._too_slow))
        self._too_slow = too_slow

    def key_file_fault(self, fault: str | None) -> None:
        """Whether the file of keys is in force as it is."""
        self._key_fault.set(fault is not None)

    # what goes out

    def alert(self, outcome: str) -> None:
        """An alert was ``sent``, ``failed``, ``dropped`` or ``held back``."""
        self._alerts.labels(self._bounded("alert", outcome)).inc()

    def webhook(self, outcome: str, pending: int) -> None:
        """A post was ``delivered``, ``retried`` or ``dead``; so many flags still wait."""
        self._posts.labels(self._bounded("post", outcome)).inc()
        self._pending.set(pending)

    def log_lines_lost(self, lines: int) -> None:
        """So many log lines could not be written since the start."""
        self._lost_lines.set(lines)

    # asking

    def before_render(self, look: Callable[[], None]) -> None:
        """Have `look` called whenever somebody asks, to tell what is only known by looking."""
        self._looks.append(look)

    def render(self) -> bytes:
        """Everything, in Prometheus' text format."""
        with self._rendering:
            for look in self._looks:
                look()
            self._measure()
            return generate_latest(self.registry)

    def _measure(self) -> None:
        now, wall = self._clock.monotonic(), self._clock.wall()
        nan = float("nan")
        self._bar_age.set(self._bar[0] + now - self._bar[1] if self._bar else nan)
        self._beat_age.set(now - self._beat if self._beat is not None else nan)
        self._jump.set(wall.timestamp() - now - self._offset)
        if self._disk is not None:
            self._free.set(shutil.disk_usage(self._disk).free)
        self._show(list(self._flags.flags.values()) if self._flags else [], wall)

    def _show(self, flags: list[Flag], wall: datetime) -> None:
        expired = sum(wall >= flag.valid_until for flag in flags)
        for quality in _QUALITIES:
            fresh = sum(wall < flag.valid_until for flag in flags if flag.quality == quality)
            self._quality.labels(quality).set(fresh + (expired if quality == "stale" else 0))
        shown = flags[: self._max_symbols]
        self._dropped.set(len(flags) - len(shown))
        for flag in shown:
            for side, restriction in flag.sides.items():
                self._tier.labels(flag.symbol, side).set(restriction.tier)
                likely = restriction.probability.get(4, float("nan"))
                self._probability.labels(flag.symbol, side).set(likely)
        for symbol in self._shown - {flag.symbol for flag in shown}:
            for side in ("long", "short"):
                self._tier.remove(symbol, side)
                self._probability.remove(symbol, side)
        self._shown = {flag.symbol for flag in shown}

    def _bounded(self, label: str, value: str) -> str:
        """The value, or ``other`` once a label has too many: nobody outside can make more."""
        seen = self._seen.setdefault(label, set())
        if value not in seen:
            if len(seen) >= 40:
                return _OTHER
            seen.add(value)
        return value
