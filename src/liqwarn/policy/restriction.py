"""From places on the ladder to what execution must obey, with the reasons in words.

Reasons never carry a threshold: those are private to a deployment. Nothing here ever limits an
order that reduces a position.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from liqwarn.decisions import Limits, Restriction, Tier, TradingState, iso_utc
from liqwarn.policy.limits import no_new_risk, stricter
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
    bound = _bound(position, opposite, now, policy)
    reasons: tuple[str, ...] = (_reason(position),)
    if opposite is not None and bound.shares:
        name = TIER_NAMES[opposite.tier]
        reasons += (f"The {opposite.side} side is at {opposite.tier.name} ({name}).",)
    return Restriction(
        tier=position.tier,
        state=bound.state,
        limits=bound.limits,
        probability=probability,
        reasons=reasons,
    )


def binding(
    position: Position, opposite: Position | None, now: datetime, policy: Policy
) -> tuple[Limits, TradingState]:
    """What binds a side, without the words."""
    bound = _bound(position, opposite, now, policy)
    return bound.limits, bound.state


class _Bound(NamedTuple):
    """What binds a side; `shares`: whether its opposite makes that stricter."""

    limits: Limits
    state: TradingState
    shares: bool


class _Case(NamedTuple):
    """All that it depends on, besides the policy."""

    tier: Tier
    opposite: Tier | None
    blocked: bool
    halted: bool
    expired: bool


_Known = tuple[Policy | None, dict[_Case, _Bound]]
_known: list[_Known] = [(None, {})]
"""Answers of the policy asked last, that very object: a book asks few questions, of many sides."""


def _bound(position: Position, opposite: Position | None, now: datetime, policy: Policy) -> _Bound:
    case = _Case(
        position.tier,
        None if opposite is None else opposite.tier,
        opposite is not None and _blocks(opposite, now, policy),
        _halted_by_operator(position),
        position.expired_since is not None,
    )
    asked, answers = _known[0]
    if asked is not policy:
        answers = {}
        _known[0] = policy, answers
    if case not in answers:
        answers[case] = _worked_out(case, policy)
    return answers[case]


def _worked_out(case: _Case, policy: Policy) -> _Bound:
    limits = own = policy.tiers[case.tier].threatened
    if case.opposite is not None:
        shared = policy.tiers[case.opposite].other
        limits = stricter(own, no_new_risk(shared) if case.blocked else shared)
    shares = limits != own
    if case.halted or case.expired:
        limits = no_new_risk(limits)
    return _Bound(limits, state_of(limits, halted=case.halted), shares)


def state_of(limits: Limits, *, halted: bool) -> TradingState:
    """The coarse word for some limits; HALTED is only ever an operator's."""
    if halted:
        return TradingState.HALTED
    return TradingState.ACTIVE if limits.net_increase else TradingState.REDUCING


def _blocks(opposite: Position, now: datetime, policy: Policy) -> bool:
    return now - opposite.ruled.entered < policy.tiers[opposite.tier].block_opposite_adds


def _halted_by_operator(position: Position) -> bool:
    return position.tier is Tier.T5 and any(
        floor.tier is Tier.T5 and not floor.integrity for floor in position.floors
    )


def _reason(position: Position) -> str:
    sentence = _SENTENCES[position.rule]
    if "{" not in sentence:
        return sentence
    floor = max(position.floors, key=lambda floor: floor.tier, default=None)
    ceiling = position.ceiling
    until = ceiling and ceiling.expires_at
    return sentence.format(
        side=position.side,
        expired=iso_utc(position.expired_since) if position.expired_since else "",
        floor=floor.reason if floor else "",
        until=iso_utc(until) if until else "",
        ceiling=ceiling.reason if ceiling else "",
    )
