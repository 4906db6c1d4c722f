"""Silence is a fault, not calm: who should have said something by now."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from liqwarn.collectors.venue import Line

__all__ = ["LineWatch", "Silence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A topic, or the line when it is empty, that has said nothing for so many seconds.

    `times` is on how many connections in a row.
    """

    topic: str
    seconds: float
    times: int = 1

    def to_text(self) -> str:
        """As it goes to the tape.

        >>> Silence(topic="markPrice", seconds=12.25).to_text()
        'markPrice: nothing for 12.2 s'
        """
        return f"{self.topic or 'line'}: nothing for {self.seconds:.1f} s"


class LineWatch:
    """When a line and each of its topics were last heard. Reads no clock.

    Parameters
    ----------
    line : Line
    now : float
        Seconds of a clock that never goes back.

    Examples
    --------
    >>> watch = LineWatch(Line(name="a", path="/", topics=(("mark", 5.0), ("forced", None))), 0.0)
    >>> watch.heard("forced", 4.0)
    >>> [silence.to_text() for silence in watch.overdue(6.0)]
    ['mark: nothing for 6.0 s']
    >>> list(watch.overdue(7.0))  # told once, until it has had another chance
    []
    """

    def __init__(self, line: Line, now: float) -> None:
        self._limits = {topic: limit for topic, limit in line.topics if limit is not None}
        self._silence_s = line.silence_s
        self._alive_at = now
        self._heard_at = {topic: now for topic, _ in line.topics}
        self._due_at = {topic: now + limit for topic, limit in self._limits.items()}
        self._missed = dict.fromkeys(self._limits, 0)
        self._refused: set[str] = set()

    @property
    def all_refused(self) -> bool:
        """Whether the venue gives none of the topics."""
        return len(self._refused) == len(self._heard_at)

    @property
    def alive_at(self) -> float:
        """When the line last gave a sign of life, or was opened."""
        return self._alive_at

    def reopened(self, now: float) -> None:
        """A connection was made: everything has its full time again."""
        self._alive_at = now
        self._due_at = {topic: now + limit for topic, limit in self._limits.items()}
        self._refused.clear()

    def refuse(self, topics: Iterable[str]) -> tuple[str, ...] | None:
        """The venue refuses topics: they are not waited for until the line is opened again.

        Returns
        -------
        tuple of str or None
            Those of the line that were not known to be refused; None when none is of the line.
        """
        here = [topic for topic in topics if topic in self._heard_at]
        new = tuple(topic for topic in here if topic not in self._refused)
        self._refused.update(new)
        self._due_at.update(dict.fromkeys(self._limits.keys() & set(new), math.inf))
        return new if here else None

    def alive(self, now: float) -> None:
        """The line gave a sign of life, such as an answer to a ping."""
        self._alive_at = now

    def heard(self, topic: str, now: float) -> None:
        """A frame of a topic came; an empty one is of none."""
        self._alive_at = now
        if topic in self._heard_at:
            self._heard_at[topic] = now
            self._refused.discard(topic)
            if topic in self._limits:
                self._due_at[topic] = now + self._limits[topic]
                self._missed[topic] = 0

    def line_silence(self, now: float) -> Silence | None:
        """The line's own silence when it is too long."""
        seconds = now - self._alive_at
        return Silence(topic="", seconds=seconds) if seconds > self._silence_s else None

    def overdue(self, now: float) -> Iterator[Silence]:
        """Topics whose silence became too long; each is told once a connection."""
        for topic, due_at in self._due_at.items():
            if now > due_at:
                self._due_at[topic] = math.inf
                self._missed[topic] += 1
                quiet_s = now - self._heard_at[topic]
                yield Silence(topic=topic, seconds=quiet_s, times=self._missed[topic])

    def silences(self, now: float) -> dict[str, float]:
        """Seconds since each topic was heard."""
        return {topic: now - at for topic, at in self._heard_at.items()}
