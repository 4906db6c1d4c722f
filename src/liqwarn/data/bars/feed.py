"""What every feed of closing bars offers the live loop, and how its silence shows.

Silence is a fault, not calm: a feed that has nothing says for how long, on a clock that nobody can
set, and the loop decides when that is too long.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from liqwarn.data.bars.message import BarMessage

__all__ = ["MOST_FAULTS", "Delivery", "Feed", "Monotonic", "Silence", "Sleep"]

Monotonic = Callable[[], float]
"""A clock in seconds that never goes back, such as ``time.monotonic``."""

Sleep = Callable[[float], None]
"""Waits for so many seconds, such as ``time.sleep``."""

MOST_FAULTS: Final = 100
"""Faults of one delivery that are told in words; more are counted only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a feed has for the loop.

    Attributes
    ----------
    messages : tuple of BarMessage
        In the order they came.
    refused : int
        Lines that are no messages, and other faults of the feed.
    faults : tuple of str
        The last hundred of them in words.
    silence_s : float
        Seconds since the feed last had a message, or since it was opened; 0 with messages.
    more : bool
        Some more was waiting already: no bar should be closed for want of patience before it is
        read.
    ended : bool
        Nothing will ever follow, as at the end of a replay.
    """

    messages: tuple[BarMessage, ...] = ()
    refused: int = 0
    faults: tuple[str, ...] = ()
    silence_s: float = 0.0
    more: bool = False
    ended: bool = False


class Feed(Protocol):
    """A source of closing bars.

    The loop calls :meth:`poll`, gives the messages to the assembler, ticks it unless there is more,
    gives the closed columns to the journal, calls :meth:`taken`, and begins again.
    """

    def poll(self, wait_s: float) -> Delivery:
        """What has come, waiting no longer than `wait_s` seconds for the first of it."""

    def taken(self) -> None:
        """Say that everything handed out so far is in the assembler, or in the journal."""

    def close(self) -> None:
        """Let go of files and sockets."""


@dataclass(slots=True)
class Silence:
    """Measures how long nothing has come, on a monotonic clock.

    >>> ticks = iter([10.0, 12.0, 15.0])
    >>> silence = Silence(clock=lambda: next(ticks))
    >>> silence.after(heard=True), silence.after(heard=False)
    (0.0, 3.0)
    """

    clock: Monotonic
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock()

    def after(self, *, heard: bool) -> float:
        """Seconds of silence, counted from now on if something was heard."""
        now = self.clock()
        if heard:
            self._since = now
        return now - self._since
