"""What may be served now: each flag as it was within its validity, and as expired after it.

A flag is good until its `valid_until` by the wall clock, and never for longer than it was meant to
be by a clock that cannot jump: a wall clock set back, before or after the flag was loaded, buys it
no time. A flag that vanished from the file is kept and expires.

Refused is a flag with a lower sequence than was seen before; one that allows more than its tier
does by the server's policy; and one from more than a day ahead of the wall clock, which would both
stay fresh too long and have every flag after it refused.

What is served changes when the source brings something new, or at a moment known beforehand: so a
view says until when it holds, and whoever keeps one need not look again before.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from liqwarn.decisions import MAX_LIFE, Flag
from liqwarn.policy.flags import expire
from liqwarn.policy.limits import at_least_as_strict
from liqwarn.policy.tiers import Policy
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import EPOCH, FlagSet
from liqwarn.serving.ports import FlagSource

__all__ = ["FlagKeeper", "Served", "View"]

_LONG: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One flag as it may be served now.

    Attributes
    ----------
    flag : Flag
        As issued while fresh, else as expired.
    remaining : timedelta
        How long it stays as it is issued; zero once expired.
    deadline : float
        On the monotonic clock: the end of it, whatever the wall clock says.
    """

    flag: Flag
    remaining: timedelta
    deadline: float

    @property
    def fresh(self) -> bool:
        """Whether it is within its validity."""
        return self.remaining > timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that may be served at one moment.

    Attributes
    ----------
    latest : FlagSet or None
        The scoring it comes from; None when none could ever be read.
    flags : tuple of Served
        By symbol.
    fault : str or None
        Why the file as it is now cannot be read, or which of its flags were refused.
    seen, until : datetime
        By the wall clock: the moment of the view, and when the first of its flags changes.
    deadline : float
        The same by the monotonic clock.
    """

    latest: FlagSet | None
    flags: tuple[Served, ...]
    fault: str | None
    seen: datetime = EPOCH
    until: datetime = EPOCH
    deadline: float = -math.inf

    def of(self, symbol: str) -> Served | None:
        """The flag of a symbol."""
        return next((served for served in self.flags if served.flag.symbol == symbol), None)


@dataclass(slots=True)
class _Kept:
    flag: Flag
    deadline: float
    """On the monotonic clock."""
    expired: Flag | None = None
    late: bool = False
    """Whether `expired` is of long after."""


class FlagKeeper:
    """Keeps the newest flag of each symbol and the moment it must be off the shelf."""

    def __init__(self, source: FlagSource, *, policy: Policy, clock: Clock) -> None:
        self._source = source
        self._policy = policy
        self._clock = clock
        self._taken: FlagSet | None = None
        self._kept: dict[str, _Kept] = {}
        self._refused: str | None = None

    def look(self) -> View:
        """What may be served now."""
        reading = self._source.read()
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        latest = reading.latest
        if latest is not None and latest is not self._taken:
            self._take_all(latest, max(wall, reading.modified, latest.generated_at), monotonic)
        until, deadline = self._next_change(wall, monotonic)
        served = (self._serve(kept, wall, monotonic) for _, kept in sorted(self._kept.items()))
        return View(
            latest=latest,
            flags=tuple(served),
            fault=self.fault,
            seen=wall,
            until=until,
            deadline=deadline,
        )

    @property
    def fault(self) -> str | None:
        """Why the source cannot be read now, or which of the flags last taken were refused."""
        return self._source.read().fault or self._refused

    def holds(self, view: View) -> bool:
        """Whether the flags of an earlier view are still those that may be served."""
        return (
            self._source.read().latest is self._taken
            and view.seen <= self._clock.wall() < view.until
            and self._clock.monotonic() < view.deadline
        )

    def _next_change(self, wall: datetime, monotonic: float) -> tuple[datetime, float]:
        """The first end of a validity, or of the grace after it, by each clock."""
        grace = self._policy.expired_after
        ends = [kept.flag.valid_until for kept in self._kept.values()]
        deadlines = [kept.deadline for kept in self._kept.values()]
        walls = [end for end in (*ends, *(end + grace for end in ends)) if end > wall]
        seconds = [*deadlines, *(end + grace.total_seconds() for end in deadlines)]
        return (
            min(walls, default=wall + _LONG),
            min((end for end in seconds if end > monotonic), default=math.inf),
        )

    def _take_all(self, latest: FlagSet, written: datetime, monotonic: float) -> None:
        refused: dict[str, list[str]] = {}
        wall = self._clock.wall()
        for flag in latest.flags.values():
            kept = self._kept.get(flag.symbol)
            if kept is not None and kept.flag is flag:
                continue
            why = self._objection(flag, wall)
            if why is None:
                self._take(flag, written, monotonic)
            else:
                refused.setdefault(why, []).append(flag.symbol)
        self._taken = latest
        faults = (f"{why}: {', '.join(symbols)}" for why, symbols in refused.items())
        self._refused = "; ".join(faults) or None

    def _objection(self, flag: Flag, wall: datetime) -> str | None:
        """Why a flag is not taken; None when it is."""
        newest = max(flag.as_of.timestamp(), flag.issued_at.timestamp(), flag.sequence)
        if newest > (wall + MAX_LIFE).timestamp():
            return "from more than a day ahead of the clock"
        for side in flag.sides.values():
            if not at_least_as_strict(side.limits, self._policy.tiers[side.tier].threatened):
                return "looser than their tier by the policy"
        return "older than served before" if self._older(flag) else None

    def _older(self, flag: Flag) -> bool:
        kept = self._kept.get(flag.symbol)
        return kept is not None and (flag.sequence, flag.issued_at) < (
            kept.flag.sequence,
            kept.flag.issued_at,
        )

    def _take(self, flag: Flag, written: datetime, monotonic: float) -> None:
        left = flag.valid_until - max(written, flag.issued_at, flag.as_of)
        deadline = monotonic + max(left, timedelta(0)).total_seconds()
        kept = self._kept.get(flag.symbol)
        if kept is not None and flag.valid_until <= kept.flag.valid_until:
            deadline = min(deadline, kept.deadline)  # read again, it gains no time
        self._kept[flag.symbol] = _Kept(flag, deadline)

    def _serve(self, kept: _Kept, wall: datetime, monotonic: float) -> Served:
        by_wall = kept.flag.valid_until - wall
        by_budget = timedelta(seconds=kept.deadline - monotonic)
        left = min(by_wall, by_budget)
        if left > timedelta(0):
            return Served(flag=kept.flag, remaining=left, deadline=kept.deadline)
        late = -left >= self._policy.expired_after
        if kept.expired is None or kept.late != late:
            kept.expired, kept.late = expire(kept.flag, -left, self._policy), late
        return Served(flag=kept.expired, remaining=timedelta(0), deadline=kept.deadline)
