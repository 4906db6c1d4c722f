"""What may be served now: each flag as it was within its validity, and as expired after it.

A flag is good until its `valid_until` by the wall clock, and never for longer than it was meant to
be by a clock that cannot jump: a wall clock set back, before or after the flag was loaded, buys it
no time. A flag that vanished from the file is kept and expires.

Refused is a flag with a lower sequence than was seen before; one that allows more than its tier
does by the server's policy; and one from more than a day ahead of the wall clock, which would both
stay fresh too long and have every flag after it refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from liqwarn.decisions import MAX_LIFE, Flag
from liqwarn.policy.flags import expire
from liqwarn.policy.limits import at_least_as_strict
from liqwarn.policy.tiers import Policy
from liqwarn.serving.clock import Clock
from liqwarn.serving.flag_file import FlagFile, FlagSet

__all__ = ["FlagKeeper", "Served", "View"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One flag as it may be served now.

    Attributes
    ----------
    flag : Flag
        As issued while fresh, else as expired.
    remaining : timedelta
        How long it stays as it is issued; zero once expired.
    """

    flag: Flag
    remaining: timedelta

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
    """

    latest: FlagSet | None
    flags: tuple[Served, ...]
    fault: str | None

    def of(self, symbol: str) -> Served | None:
        """The flag of a symbol."""
        return next((served for served in self.flags if served.flag.symbol == symbol), None)


@dataclass(frozen=True, slots=True)
class _Kept:
    flag: Flag
    deadline: float
    """On the monotonic clock."""


class FlagKeeper:
    """Keeps the newest flag of each symbol and the moment it must be off the shelf."""

    def __init__(self, source: FlagFile, *, policy: Policy, clock: Clock) -> None:
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
            written = max(wall, reading.modified, latest.generated_at)
            refused: dict[str, list[str]] = {}
            for flag in latest.flags.values():
                why = self._objection(flag, wall)
                if why is None:
                    self._take(flag, written, monotonic)
                else:
                    refused.setdefault(why, []).append(flag.symbol)
            self._taken = latest
            faults = (f"{why}: {', '.join(symbols)}" for why, symbols in refused.items())
            self._refused = "; ".join(faults) or None
        served = (self._serve(kept, wall, monotonic) for _, kept in sorted(self._kept.items()))
        return View(latest=latest, flags=tuple(served), fault=reading.fault or self._refused)

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
            return Served(flag=kept.flag, remaining=left)
        return Served(flag=expire(kept.flag, -left, self._policy), remaining=timedelta(0))
