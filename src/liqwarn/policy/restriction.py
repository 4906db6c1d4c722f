"""From places on the ladder to what execution must obey, with the reasons in words.

Reasons never carry a threshold: those are private to a deployment. Nothing here ever limits an
order that reduces a position.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from liqwarn.decisions import Limits, Restriction, Tier, TradingState, iso_utc
from liqwarn.policy.limits import at_least_as_strict, no_new_risk, stricter
from liqwarn.policy.position import Position, Rule
from liqwarn.policy.tiers import Policy

__all__ = ["TIER_NAMES", "binding", "restrict", "state_of"]

TIER_NAMES: Final = {
    Tier.T0: "normal",
    Tier.T1: "watch",
    Tier.T2: "caution",
    Tier.T3: "restrict",
    Tier.T4: "reduce-only",
    Tier.T5: "halt",
}

_SENTENCES: Final = {
    Rule.START: "No score yet: as without one.",
    Rule.CALM: "No rule asks for a restriction.",
    Rule.SCORE: "The probability of a {side} cascade is high for this symbol.",
    Rule.CASCADE: "A {side} cascade is in progress.",
    Rule.QUALITY: (
        "Data quality is degraded: an optional input or history to rank is missing, or the data "
        "are unlike anything the model was trained on."
    ),
    Rule.EXPIRED: "No usable score since {expired}: price or open interest is missing or too old.",
    Rule.COMPANY: "Several core symbols are at risk together with this one.",
    Rule.BOOK: "Several core symbols are restricted: the whole book is limited.",
    Rule.DWELL: "The reason has passed; the minimum stay of this tier has not.",
    Rule.EXIT: "The risk has fallen, not yet far or long enough to relax.",
    Rule.DAILY_CAP: "The tier changed often today: the higher one holds until the next UTC day.",
    Rule.RELAXED: "Relaxed by one tier; the next one follows after its minimum stay.",
    Rule.OPERATOR: "Tightened by hand: {floor}",
    Rule.INTEGRITY: "An integrity check failed: {floor}",
    Rule.LOOSENED: "Loosened by hand until {until}: {ceiling}",
}


def restrict(
    position: Position,
    opposite: Position | None,
    probability: Mapping[int, float],
    now: datetime,
    policy: Policy,
) -> Restriction:
    """What execution must obey for one side.

    Parameters
    ----------
    opposite : Position or None
        The other side of the symbol: what its tier says about this side counts too.
    probability : mapping of hours ahead to float
        Carried along for the reader.

    Returns
    -------
    Restriction
        The stricter of the side's own limits and the shared ones, limit by limit.
    """
    limits, state = binding(position, opposite, now, policy)
    reasons = [_reason(position)]
    if opposite is not None:
        own = policy.tiers[position.tier].threatened
        if not at_least_as_strict(own, _shared(opposite, now, policy)):
            name = TIER_NAMES[opposite.tier]
            reasons.append(f"The {opposite.side} side is at {opposite.tier.name} ({name}).")
    return Restriction(
        tier=position.tier,
        state=state,
        limits=limits,
        probability=probability,
        reasons=tuple(reasons),
    )


def binding(
    position: Position, opposite: Position | None, now: datetime, policy: Policy
) -> tuple[Limits, TradingState]:
    """What binds a side, without the words."""
    limits = policy.tiers[position.tier].threatened
    if opposite is not None:
        limits = stricter(limits, _shared(opposite, now, policy))
    halted = _halted_by_operator(position)
    if halted or position.expired_since is not None:
        limits = no_new_risk(limits)
    return limits, state_of(limits, halted=halted)


def state_of(limits: Limits, *, halted: bool) -> TradingState:
    """The coarse word for some limits; HALTED is only ever an operator's."""
    if halted:
        return TradingState.HALTED
    return TradingState.ACTIVE if limits.net_increase else TradingState.REDUCING


def _shared(opposite: Position, now: datetime, policy: Policy) -> Limits:
    rung = policy.tiers[opposite.tier]
    blocked = now - opposite.ruled.entered < rung.block_opposite_adds
    return no_new_risk(rung.other) if blocked else rung.other


def _halted_by_operator(position: Position) -> bool:
    return position.tier is Tier.T5 and any(
        floor.tier is Tier.T5 and not floor.integrity for floor in position.floors
    )


def _reason(position: Position) -> str:
    floor = max(position.floors, key=lambda floor: floor.tier, default=None)
    ceiling = position.ceiling
    until = ceiling and ceiling.expires_at
    return _SENTENCES[position.rule].format(
        side=position.side,
        expired=iso_utc(position.expired_since) if position.expired_since else "",
        floor=floor.reason if floor else "",
        until=iso_utc(until) if until else "",
        ceiling=ceiling.reason if ceiling else "",
    )
