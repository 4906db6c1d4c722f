"""Flags pushed to a receiver: the newest of each symbol, in order, until it has them.

A flag is posted until the receiver takes it, a newer one of its symbol takes its place, or it has
expired. What waits is one flag a symbol, so a receiver that is down for a day costs no memory and
gets what is true when it is back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Thread
from typing import Any, Final

import orjson

from liqwarn.decisions import FLAGS_SCHEMA, Flag, iso_utc
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.logs import get_logger
from liqwarn.serving.webhook_post import Reply, WebhookTarget, post

__all__ = ["WebhookPace", "WebhookSink"]

_LOG = get_logger("webhook")
_FLAGS_A_POST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPace:
    """How long to leave a receiver alone that fails: doubled each time, up to the longest."""

    first_s: float = 0.5
    longest_s: float = 30.0

    def after(self, failures: int, asked_s: float = 0.0) -> float:
        """Seconds to wait after so many failures in a row; as long as was asked, within bounds."""
        doubled = self.first_s * 2.0 ** min(failures - 1, 20)
        return min(self.longest_s, max(doubled, asked_s))


@dataclass(frozen=True, slots=True)
class _Waiting:
    flag: Flag
    deadline: float
    """On the monotonic clock; after it the flag is of no use to anybody."""


class WebhookSink:
    """Publishes to one receiver, in a thread of its own.

    The body is as ``GET /v1/flags`` answers: ``{"schema": "liqwarn.flags/1", "generated_at",
    "market", "flags": […]}``, at most 100 flags a post. Posts are one after the other, and the
    sequences of a symbol only grow. A post whose answer was lost is sent again: the receiver
    ignores a sequence it has.

    Parameters
    ----------
    target : WebhookTarget
    document : callable
        A flag as it is to be posted, signed where there is a key.
    clock : Clock
    pace : WebhookPace, optional
    on_outcome : callable, optional
        Told ``delivered``, ``retried`` or ``dead``, and how many flags wait.
    """

    def __init__(
        self,
        target: WebhookTarget,
        *,
        document: Callable[[Flag], Mapping[str, Any]],
        clock: Clock,
        pace: WebhookPace | None = None,
        on_outcome: Callable[[str, int], None] = lambda _outcome, _pending: None,
    ) -> None:
        self._target = target
        self._document = document
        self._clock = clock
        self._pace = pace or WebhookPace()
        self._on_outcome = on_outcome
        self._changed = Condition()
        self._waiting: dict[str, _Waiting] = {}
        self._newest: dict[str, int] = {}
        self._head: tuple[datetime, str] | None = None
        self._closing = False
        self.dead_letters = 0
        """Flags that were never delivered: refused for good, or expired while they waited."""
        self._thread = Thread(target=self._run, name="liqwarn-webhook", daemon=True)
        self._thread.start()

    def publish(self, flags: FlagSet) -> None:
        """Have every flag posted that is newer than the last of its symbol; never waits."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        with self._changed:
            self._head = (flags.generated_at, flags.market)
            for symbol, flag in flags.flags.items():
                if flag.sequence > self._newest.get(symbol, -1):
                    self._newest[symbol] = flag.sequence
                    left = (flag.valid_until - max(wall, flags.generated_at)).total_seconds()
                    self._waiting[symbol] = _Waiting(flag, now + left)
            self._changed.notify()

    def pending(self) -> int:
        """Flags that wait to be posted."""
        with self._changed:
            return len(self._waiting)

    def close(self, within_s: float = 5.0) -> None:
        """Post what waits once more, as far as that can be done in time."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(within_s)

    def _run(self) -> None:
        failures = 0
        while batch := self._next():
            try:
                reply = post(self._target, self._body(batch))
            except Exception as error:
                _LOG.error("flags could not be written out", error=repr(error))
                reply = Reply(status=400)
            if reply.delivered or reply.for_good:
                failures = 0
                self._done(batch, "delivered" if reply.delivered else "dead", reply)
                continue
            failures += 1
            self._report("retried", reply)
            if not self._rest(self._pace.after(failures, reply.retry_after_s)):
                return

    def _next(self) -> list[_Waiting]:
        """The flags that have waited longest; none when it is time to end."""
        with self._changed:
            while True:
                self._drop_expired()
                if self._waiting:
                    return list(self._waiting.values())[:_FLAGS_A_POST]
                if self._closing:
                    return []
                self._changed.wait()

    def _drop_expired(self) -> None:
        now = self._clock.monotonic()
        late = [symbol for symbol, kept in self._waiting.items() if kept.deadline <= now]
        for symbol in late:
            del self._waiting[symbol]
        if late:
            self.dead_letters += len(late)
            self._on_outcome("dead", len(self._waiting))
            _LOG.error("flags expired before they were delivered", flags=len(late))

    def _body(self, batch: list[_Waiting]) -> bytes:
        made_at, market = self._head or (batch[0].flag.issued_at, "")
        body = {
            "schema": FLAGS_SCHEMA,
            "generated_at": iso_utc(made_at),
            "market": market,
            "flags": [self._document(kept.flag) for kept in batch],
        }
        return orjson.dumps(body)

    def _done(self, batch: list[_Waiting], outcome: str, reply: Reply) -> None:
        with self._changed:
            for kept in batch:
                if self._waiting.get(kept.flag.symbol) is kept:
                    del self._waiting[kept.flag.symbol]
            if outcome == "dead":
                self.dead_letters += len(batch)
        self._report(outcome, reply)

    def _report(self, outcome: str, reply: Reply) -> None:
        pending = self.pending()
        self._on_outcome(outcome, pending)
        if outcome != "delivered":
            told = {"outcome": outcome, "status": reply.status, "fault": reply.fault}
            _LOG.warning("post failed", **told, pending=pending)

    def _rest(self, seconds: float) -> bool:
        """Wait; False when it is time to end instead."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, timeout=seconds)
            return not self._closing
