"""When a line was really listened to, from what the tape says of it.

Silence is a fault, not calm: only what was listened to throughout can have had no liquidations.
A line is listened to from ``opened`` to ``closed``, and not

- for the seconds in which it, or a topic that matters, said nothing for too long (``silent``);
- across a hole that the venue's own sequence shows (``gap``), a frame that cannot be read, and
  frames that were not even kept (``dropped``);
- across a jump of our clock (``clock``);
- while the tape of the venue, or of the line, stands still for longer than :data:`PAUSE_MS`: an
  open line is on the tape every half minute, and a process that was killed writes no ``closed``.
  Neither does one that opens a line again without closing it;
- while our clock is not the venue's (``clock``): what it tells is of other minutes.

A connection that takes the
place of one that was still well was open beside it for seconds, so nothing lies between them; one
that takes the place of a dead one leaves a hole.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from liqwarn.collectors.taped import Taped
from liqwarn.frames import FloatArray

__all__ = ["MINUTE_MS", "PAUSE_MS", "SETTLE_MS", "Listening", "covered_seconds", "joined_spans"]

PAUSE_MS: Final = 120_000
"""A tape, or a line, without any record for longer was not being written."""

SETTLE_MS: Final = 2_000
"""So long after it opened a line is not counted yet, since its subscriptions are under way; and so
long before it ended no more, since what happened then may not have come."""

MINUTE_MS: Final = 60_000

_EVER: Final = 1 << 62

Span = tuple[int, int]

_SILENT: Final = re.compile(r"(.*?): nothing for (\d+\.?\d*) s", re.DOTALL)
_REPLACES: Final = b"replaces another"
_REPLACED: Final = b"replaced"
_APART: Final = re.compile(rb"frames are (-?\d+\.\d) s behind our clock(, as expected)?")
_APART_EARLY_S: Final = 2.0
_APART_LATE_S: Final = 60.0
"""Frames from our future, or so late that it is no delay: one of the clocks is wrong."""

_UNKEPT_MS: Final = 60_000
_ALL: Final = ""


@dataclass(slots=True, kw_only=True)
class Listening:
    """A fold over the tape of one venue. One owner.

    Attributes
    ----------
    open : dict of line to int or None
        Lines that are open, and since when they have been listened to; None while silent.
    heard : dict of line to int
        When the last record of a line was seen.
    muted : dict of line to dict of topic to int
        Topics that have been silent since then, until the line is opened again. Of the line ``""``
        all lines, while our clock is not the venue's.
    replaced : dict of line to (int, int)
        The last span of lines that were closed to be replaced, until they are opened again.
    refused : dict of line to (int, int)
        When the last two refused frames were seen. Those that were not kept came within a minute
        after the first of them: the second is the one with which it is told.
    last_ms : int or None
        When the last record of any line was seen.
    ended : dict of line to list of (int, int)
        Spans of listening that are over.
    mutes : dict of line to list of (topic, int, int)
        Silences that are over; of a topic, or of all where it is empty.

    Examples
    --------
    >>> listening = Listening()
    >>> for seen_ms, what in ((0, "opened"), (40_000, "frame"), (90_000, "closed")):
    ...     listening.take(Taped(seen_ms=seen_ms, line="market", what=what, content=b""))
    >>> listening.spans("market")
    [(0, 90000)]
    """

    open: dict[str, int | None] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    muted: dict[str, dict[str, int]] = field(default_factory=dict)
    replaced: dict[str, Span] = field(default_factory=dict)
    refused: dict[str, Span] = field(default_factory=dict)
    last_ms: int | None = None
    ended: dict[str, list[Span]] = field(default_factory=dict)
    mutes: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)

    def take(self, record: Taped, *, unread: bool = False) -> None:
        """Take the next record.

        Parameters
        ----------
        record : Taped
        unread : bool
            Whether it is a frame that even the reader of today cannot read.
        """
        now = record.seen_ms
        last = now if self.last_ms is None else self.last_ms
        paused = not 0 <= now - last <= PAUSE_MS
        if paused or record.what == "clock":
            self._interrupt(last, None if paused else now)
        if record.what == "clock":
            self._clock(record)
        elif record.what == "opened":
            self._opened(record, last)
        elif record.what == "closed":
            self._closed(record)
        elif record.line in self.open:
            self._within(record, unread=unread)
        if record.what == "refused":
            self.refused[record.line] = (self.refused.get(record.line, (now, now))[1], now)
        if record.what != "silent":
            self.heard[record.line] = now
        self.last_ms = now

    def spans(self, line: str, topics: Collection[str] = ()) -> list[Span]:
        """When a line was listened to and no topic was silent, as far as the tape goes."""
        found = list(self.ended.get(line, ()))
        since, last = self.open.get(line), self.last_ms
        if since is not None and last is not None:
            found += self._span(line, since, last)
        mutes = self.mutes.get(line, ())
        silences = [(a, b) for topic, a, b in mutes if topic in topics or topic == _ALL]
        silences += [(a, _EVER) for t, a in self.muted.get(line, {}).items() if t in topics]
        silences += [(a, b) for _, a, b in self.mutes.get(_ALL, ())]
        silences += [(a, _EVER) for a in self.muted.get(_ALL, {}).values()]
        for silence in silences:
            found = [part for span in found for part in _without(span, silence)]
        return found

    def forget_before(self, moment_ms: int) -> None:
        """Drop spans that ended before a moment."""
        for line, spans in self.ended.items():
            self.ended[line] = [span for span in spans if span[1] >= moment_ms]
        for line, mutes in self.mutes.items():
            self.mutes[line] = [mute for mute in mutes if mute[2] >= moment_ms]

    def state(self) -> dict[str, Any]:
        """What is to be known of the past to go on, as JSON."""
        muted = {line: dict(topics) for line, topics in self.muted.items()}
        state = {"open": dict(self.open), "heard": dict(self.heard), "muted": muted}
        spans = {"replaced": dict(self.replaced), "refused": dict(self.refused)}
        return {**state, **spans, "last_ms": self.last_ms}

    def _clock(self, record: Taped) -> None:
        """While our clock is not the venue's all lines are silent: minutes are not the same."""
        told = _APART.match(record.content)
        if told is None:
            return
        if told[2]:
            self._agree(record.seen_ms)
        elif not -_APART_EARLY_S <= float(told[1]) <= _APART_LATE_S:
            muted = self.muted.setdefault(_ALL, {})
            muted.setdefault(_ALL, record.seen_ms - MINUTE_MS)

    def _agree(self, now: int) -> None:
        for since in self.muted.pop(_ALL, {}).values():
            self.mutes.setdefault(_ALL, []).append((_ALL, since, now))

    def _opened(self, record: Taped, last: int) -> None:
        line, now = record.line, record.seen_ms
        if not self.open and record.content != _REPLACES:  # a collector that has told nothing yet
            self._agree(now)
        if line in self.open:  # never closed: whoever held the lines is gone
            for other in list(self.open):
                self._end(other, last)
            self.open.clear()
        for topic, since in self.muted.pop(line, {}).items():
            self.mutes.setdefault(line, []).append((topic, since, now))
        self.open[line] = now
        before = self.replaced.pop(line, None)
        if record.content == _REPLACES and before is not None:
            self.open[line] = before[0]
            ended = self.ended.get(line, [])
            self.ended[line] = [span for span in ended if span != tuple(before)]

    def _closed(self, record: Taped) -> None:
        line, now = record.line, record.seen_ms
        since = self.open.get(line)
        self._end(line, now)
        self.open.pop(line, None)
        self.replaced.pop(line, None)
        if record.content == _REPLACED and since is not None:
            self.replaced[line] = (since, now)

    def _within(self, record: Taped, *, unread: bool) -> None:
        line, now = record.line, record.seen_ms
        if record.what == "silent":
            self._silent(record)
        elif record.what == "gap":
            self._end(line, self.heard.get(line, now))
            self.open[line] = now
        elif record.what == "dropped":
            before = self.refused.get(line, (now, now))[0]
            self.mutes.setdefault(line, []).append((_ALL, before, min(before + _UNKEPT_MS, now)))
        elif unread or self.open[line] is None or now - self.heard.get(line, now) > PAUSE_MS:
            self._end(line, now)
            self.open[line] = now

    def _silent(self, record: Taped) -> None:
        line, now = record.line, record.seen_ms
        told = _SILENT.match(record.content.decode(errors="replace"))
        since = self.heard.get(line, now) if told is None else now - int(1_000 * float(told[2]))
        if told is None or told[1] == "line":
            self._end(line, since)
            self.open[line] = None
        else:
            topics = self.muted.setdefault(line, {})
            topics[told[1]] = min(since, topics.get(told[1], since))

    def _interrupt(self, last: int, since: int | None) -> None:
        """End all spans; lines are listened to from `since` on, or when they speak again."""
        self.replaced.clear()
        for line, before in list(self.open.items()):
            self._end(line, last)
            self.open[line] = None if before is None else since

    def _end(self, line: str, end: int) -> None:
        since = self.open.get(line)
        if since is not None:
            self.ended.setdefault(line, []).extend(self._span(line, since, end))

    def _span(self, line: str, since: int, end: int) -> list[Span]:
        """From then to then, or to the last record of the line when it has had none for long."""
        heard = max(since, self.heard.get(line, since))
        end = end if end - heard <= PAUSE_MS else heard
        return [(since, end)] if end > since else []


def _without(span: Span, silence: Span) -> list[Span]:
    """What a silence leaves of a span."""
    parts = [(span[0], min(span[1], silence[0])), (max(span[0], silence[1]), span[1])]
    return [part for part in parts if part[0] < part[1]]


def joined_spans(spans: Iterable[Span]) -> list[Span]:
    """What one or another connection listened to, each span without its unsettled ends.

    >>> joined_spans([(0, 50_000), (40_000, 90_000), (95_000, 97_000)])
    [(2000, 88000)]
    """
    settled = sorted((a + SETTLE_MS, b - SETTLE_MS) for a, b in spans if b - a > 2 * SETTLE_MS)
    joined: list[Span] = []
    for start, end in settled:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def covered_seconds(spans: Sequence[Span], first_ms: int, n_minutes: int) -> FloatArray:
    """Seconds of each minute that lie in spans, shape (n_minutes,); 60 when it was covered.

    Parameters
    ----------
    spans : sequence of (int, int)
        Disjoint, from :func:`joined_spans`.
    first_ms : int
        When the first minute begins.
    n_minutes : int

    Examples
    --------
    >>> covered_seconds([(30_000, 150_000)], 0, 3).tolist()
    [30.0, 60.0, 30.0]
    """
    edges = first_ms + MINUTE_MS * np.arange(n_minutes + 1, dtype=np.int64)
    total = np.zeros(n_minutes, dtype=np.int64)
    for start, end in spans:
        inside = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None)
        total += inside
    return total / 1_000.0
