"""Deciding some sides again between two bars: after an order by hand, or when one has ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from liqwarn.frames import Side
from liqwarn.policy.book import Decision, Key, book_floors
from liqwarn.policy.breaker import NO_FLOOR, Evidence, Floor, observe, settle, utc_day
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy

__all__ = ["decide_between"]

_OPPOSITE: Final[dict[Side, Side]] = {"long": "short", "short": "long"}


def decide_between(
    positions: Mapping[Key, Position],
    ordered: Mapping[Key, Position],
    evidence: Mapping[Key, Evidence],
    now: datetime,
    policy: Policy,
) -> dict[Key, Decision]:
    """One decision for each side that was ordered about; the others stand where they stood.

    By the breaker's own step, so that the audit log's replay makes it again. What time alone would
    relax waits for the next bar: an order to tighten must never end in a looser tier, so where it
    would, the decision is made as of the bar it stands on.

    Parameters
    ----------
    positions : mapping of (symbol, side) to Position
        The whole book before the order.
    ordered : mapping of (symbol, side) to Position
        The sides with the order on them.
    evidence : mapping of (symbol, side) to Evidence
        The newest of those sides.
    now : datetime
        The moment of the order, not before the newest bar's close.

    Returns
    -------
    dict of (symbol, side) to Decision
        The sequence of each is above those of both sides of its symbol.
    """
    seen = {key: observe(one, evidence[key], now, policy) for key, one in ordered.items()}
    own = {key: one.own.tier for key, one in positions.items()}
    floors = book_floors(own | {key: one.own.tier for key, one in seen.items()}, policy.book)
    decisions: dict[Key, Decision] = {}
    # The lower side first: with one change left today it is the higher side that holds.
    for key in sorted(ordered, key=lambda key: ordered[key].ruled.tier):
        twin: Key = (key[0], _OPPOSITE[key[1]])
        # the twin as it stood, too: decided after midnight it has forgotten what it spent before
        others = [positions[twin]] if twin in positions else []
        others += [decisions[twin].after] if twin in decisions else []
        newest = max(one.sequence for one in (ordered[key], *others))
        before = replace(ordered[key], sequence=newest)
        given = evidence[key], floors.get(key, NO_FLOOR), others
        decision = _decided(before, given, now, policy)
        if decision.after.tier < before.tier:
            # a loosening that has ended is none as of the bar either
            before = before if _loosened(before, now) else replace(before, ceiling=None)
            decision = _decided(before, given, min(now, evidence[key].as_of), policy)
        decisions[key] = decision
    return decisions


def _loosened(position: Position, now: datetime) -> bool:
    return position.ceiling is not None and position.ceiling.active(now)


def _decided(
    before: Position, given: tuple[Evidence, Floor, list[Position]], now: datetime, policy: Policy
) -> Decision:
    evidence, book, others = given
    spent = max((one.transitions_on(utc_day(now)) for one in others), default=0)
    seen = observe(before, evidence, now, policy)
    after = settle(before, seen, now, policy, book=book, spent=spent)
    return Decision(before, evidence, now, book, spent, after)
