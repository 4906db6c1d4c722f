"""Decisions by hand, as pure functions: tighten, loosen, release, and halt on a failed check.

Tightening takes one name and is immediate. Loosening takes two names, a reason and an end.
T5 is left by release only, step by step. Every one of them only makes a new position; the audit
log records it with the next decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from liqwarn.decisions import Tier, iso_utc
from liqwarn.errors import PolicyError
from liqwarn.policy.position import Hold, Override, Position, Rule
from liqwarn.policy.tiers import Policy

__all__ = ["MOST_FLOORS", "Signed", "halt_on_fault", "loosen", "release", "tighten"]

MOST_FLOORS: Final = 256
"""Tightenings that a side keeps beside each other; of more, those that others outlive are dropped.

Every step and every line of the audit log goes over all of them.
"""


@dataclass(frozen=True, slots=True)
class Signed:
    """Who takes a restriction back, and why.

    Attributes
    ----------
    names : tuple of str
        Two different people at least.
    reason : str
        A sentence.

    Raises
    ------
    PolicyError
        Without two different names or a reason.

    Examples
    --------
    >>> Signed(("Ada", "ada "), "bad tick")
    Traceback (most recent call last):
        ...
    liqwarn.errors.PolicyError: names are ['Ada', 'ada '], expected 2 different
    """

    names: tuple[str, ...]
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", _names(self.names, need=2))
        object.__setattr__(self, "reason", _reason(self.reason))


def tighten(
    position: Position,
    tier: Tier,
    name: str,
    reason: str,
    now: datetime,
    *,
    expires_at: datetime | None = None,
) -> Position:
    """Raise a side by hand, at once.

    Parameters
    ----------
    expires_at : datetime or None
        When the tier stops being held up; it then relaxes by the rules. None: until released.
        T5 has no end but :func:`release`.

    Raises
    ------
    PolicyError
        Without a name or a reason, for T0, or with an end for T5 or in the past.
    """
    if tier is Tier.T0:
        raise PolicyError("tightening to T0 tightens nothing, expected T1 to T5")
    if expires_at is not None and (tier is Tier.T5 or expires_at <= now):
        raise PolicyError(
            f"tightening to {tier.name} ends at {expires_at.isoformat()}, expected "
            + ("no end: T5 is left by release" if tier is Tier.T5 else f"after {now.isoformat()}")
        )
    floor = Override(
        tier=tier,
        names=_names([name], need=1),
        reason=_reason(reason),
        issued_at=now,
        expires_at=expires_at,
    )
    return _raised(position, floor, now)


def halt_on_fault(position: Position, reason: str, now: datetime) -> Position:
    """T5 because an integrity check failed: a hash, a signature, the audit log.

    Raises
    ------
    PolicyError
        Without a reason.
    """
    floor = Override(
        tier=Tier.T5,
        names=("integrity",),
        reason=_reason(reason),
        issued_at=now,
        expires_at=None,
        integrity=True,
    )
    return _raised(position, floor, now)


def loosen(
    position: Position,
    tier: Tier,
    signed: Signed,
    now: datetime,
    *,
    expires_at: datetime,
    policy: Policy,
) -> Position:
    """Hold a side at a lower tier for a while.

    It lapses at once when more is wanted than when it was granted (whatever tier was held then),
    when a cascade begins, and when the score expires.

    Raises
    ------
    PolicyError
        Without an end within the policy's limit; for a tier that is not lower; for T5, which
        needs :func:`release`; without a usable score.
    """
    if position.ruled.tier is Tier.T5:
        raise PolicyError(f"{position.symbol} {position.side} is at T5, which needs a release")
    if position.expired_since is not None:
        raise PolicyError(
            f"{position.symbol} {position.side} has had no usable score since "
            f"{iso_utc(position.expired_since)}, expected one: without it nothing is loosened"
        )
    if tier >= position.tier:
        raise PolicyError(
            f"loosening to {tier.name}, expected a tier below {position.tier.name} in force"
        )
    if not now < expires_at <= now + policy.max_loosening:
        raise PolicyError(
            f"loosening ends at {expires_at.isoformat()}, expected within {policy.max_loosening} "
            f"of {now.isoformat()}"
        )
    ceiling = Override(
        tier=tier,
        names=signed.names,
        reason=signed.reason,
        issued_at=now,
        expires_at=expires_at,
        granted_at=max([position.wanted, *(f.tier for f in position.floors if f.active(now))]),
    )
    return replace(position, tier=tier, rule=Rule.LOOSENED, ceiling=ceiling)


def release(position: Position, signed: Signed, now: datetime, *, policy: Policy) -> Position:
    """Take back every tightening by hand; from T5 to the policy's first stage.

    From there a side relaxes by the rules, one tier at a time: no stage can be skipped.

    Raises
    ------
    PolicyError
        Where there is nothing to release.
    """
    if not position.floors:
        who = " and ".join(signed.names)
        raise PolicyError(
            f"{position.symbol} {position.side} was not tightened by hand: nothing for {who} to "
            "release"
        )
    if position.ruled.tier is not Tier.T5:
        return replace(position, floors=())
    stage = Hold(policy.release_to, now, now)
    return replace(position, floors=(), ruled=stage, tier=stage.tier, rule=Rule.RELAXED)


def _raised(position: Position, floor: Override, now: datetime) -> Position:
    rule = Rule.INTEGRITY if floor.integrity else Rule.OPERATOR
    floors = (*position.floors, floor)
    if len(floors) > MOST_FLOORS:
        floors = tuple(one for k, one in enumerate(floors) if not _outlived(one, floors, k))
    if position.ruled.tier > floor.tier:
        return replace(position, floors=floors, ceiling=None, tier=position.ruled.tier, rule=rule)
    entered = position.ruled.entered if position.ruled.tier == floor.tier else now
    ruled = Hold(floor.tier, entered, now)
    return replace(position, floors=floors, ceiling=None, ruled=ruled, tier=ruled.tier, rule=rule)


def _outlived(floor: Override, floors: Sequence[Override], place: int) -> bool:
    """Whether another holds as high for as long; of equal ones the last stays."""
    return any(
        other.holds(floor.tier, floor.expires_at, integrity=floor.integrity)
        and (k > place or not floor.holds(other.tier, other.expires_at, integrity=other.integrity))
        for k, other in enumerate(floors)
        if k != place
    )


def _names(names: Sequence[str], *, need: int) -> tuple[str, ...]:
    given = tuple(name.strip() for name in names)
    different = {name.casefold() for name in given if name}
    if len(different) < need:
        raise PolicyError(f"names are {list(names)}, expected {need} different")
    return given


def _reason(reason: str) -> str:
    if not reason.strip():
        raise PolicyError("the reason is empty, expected a sentence")
    return reason.strip()
