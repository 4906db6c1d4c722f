"""Where one side of one symbol stands on the ladder: an immutable value, moved by the breaker."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from liqwarn.decisions import Tier
from liqwarn.errors import PolicyError
from liqwarn.frames import Side
from liqwarn.policy.tiers import Policy

__all__ = ["Hold", "Override", "Position", "Rule", "first_position"]


class Rule(StrEnum):
    """Which rule set the tier in force."""

    START = "start"
    CALM = "calm"
    SCORE = "score"
    CASCADE = "cascade"
    QUALITY = "quality"
    EXPIRED = "expired"
    COMPANY = "company"
    BOOK = "book"
    DWELL = "dwell"
    EXIT = "exit"
    DAILY_CAP = "daily_cap"
    RELAXED = "relaxed"
    OPERATOR = "operator"
    INTEGRITY = "integrity"
    LOOSENED = "loosened"


@dataclass(frozen=True, slots=True)
class Hold:
    """A place on the ladder.

    Attributes
    ----------
    tier : Tier
    entered : datetime
        When this tier was reached.
    since : datetime
        When it was entered or last had a reason to be; its minimum stay counts from here.
    """

    tier: Tier
    entered: datetime
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What was decided by hand, or by a failed integrity check.

    Attributes
    ----------
    tier : Tier
        A floor when it tightens, a ceiling when it loosens.
    names : tuple of str
        Who decided; two for a loosening.
    reason : str
    issued_at : datetime
    expires_at : datetime or None
        None: until it is released.
    granted_at : Tier or None
        For a loosening, the tier that was wanted when it was granted: when more is wanted, it
        lapses. Not the tier that was held: that may stand for a reason long gone.
    integrity : bool
        Whether a failed integrity check set it, not a human.
    """

    tier: Tier
    names: tuple[str, ...]
    reason: str
    issued_at: datetime
    expires_at: datetime | None
    granted_at: Tier | None = None
    integrity: bool = False

    def active(self, now: datetime) -> bool:
        """Whether it still binds at `now`."""
        return self.expires_at is None or now < self.expires_at

    def holds(self, tier: Tier, until: datetime | None, *, integrity: bool) -> bool:
        """Whether it holds a side at that tier or higher until then, for the same kind of reason.

        Parameters
        ----------
        until : datetime or None
            None: until it is released.
        """
        long_enough = self.expires_at is None or (until is not None and until <= self.expires_at)
        return self.tier >= tier and self.integrity == integrity and long_enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One side of one symbol on the ladder.

    Attributes
    ----------
    tier : Tier
        In force: what execution obeys.
    rule : Rule
        Which rule set it.
    own : Hold
        Where this side's own score alone would put it. What the book's rules count, so that a
        tier that the book imposed never feeds back into the book.
    ruled : Hold
        Where all rules put it, before a loosening by hand.
    wanted : Tier
        What the rules asked for at the last step, tightenings by hand and stays left out.
    valid_for : timedelta
        How long after its bar's close a score is good.
    quiet_since : datetime or None
        Since when no cascade has been in progress; None while one is, or nothing usable is known.
    expired_since : datetime or None
        Since when there has been no usable score; None when there is one.
    day, transitions : date, int
        Changes of `ruled` on this UTC day.
    sequence : int
        Grows with every step, and with time: at least the epoch seconds of the step.
    floors : tuple of Override
        What was tightened by hand, each until its own end; the highest binds.
    ceiling : Override or None
        What was loosened by hand.
    """

    symbol: str
    side: Side
    tier: Tier
    rule: Rule
    own: Hold
    ruled: Hold
    wanted: Tier
    valid_for: timedelta
    quiet_since: datetime | None
    expired_since: datetime | None
    day: date
    transitions: int
    sequence: int
    floors: tuple[Override, ...] = ()
    ceiling: Override | None = None

    def transitions_on(self, day: date) -> int:
        """Changes counted for that UTC day."""
        return self.transitions if day <= self.day else 0


def first_position(
    symbol: str, side: Side, now: datetime, *, bar: timedelta, policy: Policy
) -> Position:
    """Where a side starts before its first score: as expired, never T0.

    Parameters
    ----------
    bar : timedelta
        Length of the bars that are scored.

    Raises
    ------
    PolicyError
        When `now` has no timezone.
    """
    if now.tzinfo is None:
        raise PolicyError(f"now is {now.isoformat()} without a timezone, expected UTC")
    return Position(
        symbol=symbol,
        side=side,
        tier=policy.expired_tier,
        rule=Rule.START,
        own=Hold(Tier.T0, now, now),
        ruled=Hold(policy.expired_tier, now, now),
        wanted=policy.expired_tier,
        valid_for=policy.valid_for(bar),
        quiet_since=None,
        expired_since=now,
        day=now.astimezone(UTC).date(),
        transitions=0,
        sequence=0,
    )
