"""Flags: issued from positions, and what they mean once they are no longer good."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from liqwarn.decisions import (
    MAX_LIFE,
    Flag,
    ModelStamp,
    Quality,
    Restriction,
    Tier,
    TradingState,
    iso_utc,
)
from liqwarn.errors import PolicyError
from liqwarn.frames import SIDES, Side
from liqwarn.policy.limits import no_new_risk, stricter
from liqwarn.policy.position import Position
from liqwarn.policy.restriction import restrict, state_of
from liqwarn.policy.tiers import Policy

__all__ = [
    "FlagSource",
    "Scored",
    "SideScore",
    "expire",
    "expired_tier",
    "issue_flag",
    "unknown_restrictions",
    "with_disabled",
    "with_strangeness",
]

_WORST: Final[tuple[Quality, ...]] = ("ok", "degraded", "stale", "unknown")
_BOTH: Final = frozenset(SIDES)


class Scored(Protocol):
    """What a flag needs of a side's score; :class:`liqwarn.decisions.RiskScore` is one."""

    @property
    def as_of(self) -> datetime:
        """Close of its bar."""

    @property
    def probability(self) -> Mapping[int, float]:
        """By hours ahead."""

    @property
    def quality(self) -> Quality:
        """Of its bar."""


class SideScore(NamedTuple):
    """A score that is nothing but what a flag needs, made for every side of every bar."""

    as_of: datetime
    probability: Mapping[int, float]
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSource:
    """What a flag was made from."""

    model: ModelStamp
    data_sha256: str
    completeness: float


def issue_flag(
    positions: Mapping[Side, Position],
    scores: Mapping[Side, Scored],
    now: datetime,
    policy: Policy,
    *,
    issued_at: datetime,
    source: FlagSource,
) -> Flag:
    """The flag of one symbol after a step.

    Parameters
    ----------
    positions, scores : mappings of both sides
        The positions after the step, and the scores it was made from.
    now : datetime
        The moment of the step.
    issued_at : datetime
        When the flag is published; the time a replay does not reproduce.

    Returns
    -------
    Flag
        Valid until its bar's validity ends, or a loosening by hand does, whichever is first. The
        validity runs from the bar's close, or from `issued_at` where that is earlier, and never
        for longer than :data:`~liqwarn.decisions.MAX_LIFE`.

    Raises
    ------
    PolicyError
        When a side is missing, or the sides are of different symbols.
    """
    if positions.keys() != _BOTH or scores.keys() != _BOTH:
        raise PolicyError(_not_both(positions, scores))
    long, short = positions["long"], positions["short"]
    if long.symbol != short.symbol:
        raise PolicyError(_not_both(positions, scores))
    ends = [
        min(score.as_of, issued_at) + min(position.valid_for, MAX_LIFE)
        for position, score in ((long, scores["long"]), (short, scores["short"]))
    ]
    ends += [p.ceiling.expires_at for p in (long, short) if p.ceiling and p.ceiling.expires_at]
    quality, other = (_quality(positions[side], scores[side]) for side in SIDES)
    return Flag(
        symbol=long.symbol,
        as_of=min(scores["long"].as_of, scores["short"].as_of),
        issued_at=issued_at,
        valid_until=min(ends),
        sequence=max(long.sequence, short.sequence),
        quality=quality if quality == other else max(quality, other, key=_WORST.index),
        sides={
            "long": restrict(long, short, scores["long"].probability, now, policy),
            "short": restrict(short, long, scores["short"].probability, now, policy),
        },
        model=source.model,
        policy=policy.stamp,
        data_sha256=source.data_sha256,
        completeness=source.completeness,
    )


def _not_both(positions: Mapping[Side, Position], scores: Mapping[Side, Scored]) -> str:
    return (
        f"flag of {sorted({position.symbol for position in positions.values()})} from positions "
        f"{sorted(positions)} and scores {sorted(scores)}, expected both sides of one symbol"
    )


def _quality(position: Position, score: Scored) -> Quality:
    if position.expired_since is None or score.quality in ("stale", "unknown"):
        return score.quality
    return "stale" if score.probability else "unknown"


def with_strangeness(flag: Flag, words: str) -> Flag:
    """The flag with what is unlike training among its reasons; as it is where nothing is."""
    return _saying(flag, f"Unlike training: {words}.") if words else flag


def with_disabled(flag: Flag, reason: str) -> Flag:
    """The flag with why its symbol is not scored among its reasons; as it is where it is scored."""
    return _saying(flag, f"Not scored: {reason}.") if reason else flag


def _saying(flag: Flag, said: str) -> Flag:
    sides = {s: replace(side, reasons=(*side.reasons, said)) for s, side in flag.sides.items()}
    return replace(flag, sides=sides)


def expired_tier(tier: Tier, expired_for: timedelta, policy: Policy) -> Tier:
    """The least tier to assume of a side whose flag expired that long ago.

    >>> from types import SimpleNamespace
    >>> rule = SimpleNamespace(expired_tier=Tier.T2, expired_later_tier=Tier.T3,
    ...                        expired_after=timedelta(minutes=60))
    >>> expired_tier(Tier.T0, timedelta(0), rule).name, expired_tier(
    ...     Tier.T4, timedelta(days=9), rule).name
    ('T2', 'T4')
    """
    late = expired_for >= policy.expired_after
    return max(tier, policy.expired_later_tier if late else policy.expired_tier)


def expire(flag: Flag, expired_for: timedelta, policy: Policy) -> Flag:
    """What an expired flag says: stale, no new risk, and never looser than it was.

    Parameters
    ----------
    expired_for : timedelta
        Since how long it has not been valid, by the reader's clock.

    Returns
    -------
    Flag
        The same flag with quality ``stale``, without probabilities, every side at
        :func:`expired_tier` or higher.
    """
    sides = {
        name: _expired_side(side, flag, expired_for, policy) for name, side in flag.sides.items()
    }
    return replace(flag, quality="stale", sides=sides)


def _expired_side(
    side: Restriction, flag: Flag, expired_for: timedelta, policy: Policy
) -> Restriction:
    tier = expired_tier(side.tier, expired_for, policy)
    limits = no_new_risk(stricter(side.limits, policy.tiers[tier].threatened))
    return Restriction(
        tier=tier,
        state=state_of(limits, halted=side.state is TradingState.HALTED),
        limits=limits,
        probability={},
        reasons=(
            f"Expired: valid until {iso_utc(flag.valid_until)}; no new risk until a fresh flag.",
            *side.reasons,
        ),
    )


def unknown_restrictions(policy: Policy) -> dict[Side, Restriction]:
    """What to assume of a symbol without a readable flag: as expired for longer than any grace."""
    tier = policy.expired_later_tier
    limits = no_new_risk(policy.tiers[tier].threatened)
    unknown = Restriction(
        tier=tier,
        state=state_of(limits, halted=False),
        limits=limits,
        probability={},
        reasons=("No flag is known for this symbol: as expired, no new risk.",),
    )
    return dict.fromkeys(SIDES, unknown)
