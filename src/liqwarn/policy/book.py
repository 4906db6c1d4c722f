"""One step of a whole book: every side of every symbol, and what many symbols together mean."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from liqwarn.decisions import Restriction, RiskScore, Tier
from liqwarn.frames import SIDES, Side
from liqwarn.policy.breaker import (
    NO_FLOOR,
    Evidence,
    Floor,
    evidence_of,
    no_evidence,
    observe,
    settle,
    utc_day,
)
from liqwarn.policy.position import Position, Rule
from liqwarn.policy.restriction import restrict
from liqwarn.policy.tiers import BookRules, Policy

__all__ = ["Decision", "Key", "advance_book", "book_floors", "restrictions", "step_book"]

Key = tuple[str, Side]
"""Symbol and side."""


class Decision(NamedTuple):
    """One step of one side with everything it was made from: enough to make it again."""

    before: Position
    evidence: Evidence
    now: datetime
    book: Floor
    spent: int
    after: Position


def step_book(
    positions: Mapping[Key, Position],
    scores: Mapping[Key, RiskScore],
    now: datetime,
    policy: Policy,
) -> tuple[dict[Key, Decision], dict[Key, Restriction]]:
    """One decision for every side in the book.

    Parameters
    ----------
    positions : mapping of (symbol, side) to Position
        Both sides of every symbol.
    scores : mapping of (symbol, side) to RiskScore
        The newest scores; a side without one counts as one whose score is missing.

    Returns
    -------
    decisions, restrictions : mappings of (symbol, side)
        ``decisions[key].after`` are the positions of the next step.
    """
    silent = no_evidence(now)
    evidence = {key: evidence_of(scores[key]) if key in scores else silent for key in positions}
    decisions = advance_book(positions, evidence, now, policy)
    after = {key: decision.after for key, decision in decisions.items()}
    probability = {key: scores[key].probability if key in scores else {} for key in positions}
    return decisions, restrictions(after, probability, now, policy)


def restrictions(
    positions: Mapping[Key, Position],
    probability: Mapping[Key, Mapping[int, float]],
    now: datetime,
    policy: Policy,
) -> dict[Key, Restriction]:
    """What every side must obey, its opposite side taken into account."""
    return {
        (symbol, side): restrict(
            position,
            positions.get((symbol, _opposite(side))),
            probability[symbol, side],
            now,
            policy,
        )
        for (symbol, side), position in positions.items()
    }


def advance_book(
    positions: Mapping[Key, Position],
    evidence: Mapping[Key, Evidence],
    now: datetime,
    policy: Policy,
) -> dict[Key, Decision]:
    """The step itself, on bare numbers; what :func:`step_book` and the fold over history share.

    Evidence of sides that are not in the book is not looked at.
    """
    observed = {
        key: observe(position, evidence[key], now, policy) for key, position in positions.items()
    }
    floors = book_floors({key: seen.own.tier for key, seen in observed.items()}, policy.book)
    today = utc_day(now)
    decisions: dict[Key, Decision] = {}
    # The lower side first: with one change left today it is the higher side that holds.
    for key in sorted(positions, key=lambda key: positions[key].ruled.tier):
        before = positions[key]
        twin = (key[0], _opposite(key[1]))
        other = decisions[twin].after if twin in decisions else positions.get(twin)
        spent = 0 if other is None else other.transitions_on(today)
        book = floors.get(key, NO_FLOOR)
        after = settle(before, observed[key], now, policy, book=book, spent=spent)
        decisions[key] = Decision(before, evidence[key], now, book, spent, after)
    return decisions


def book_floors(own: Mapping[Key, Tier], rules: BookRules) -> dict[Key, Floor]:
    """What the book imposes on each side; sides that are not named are free.

    Parameters
    ----------
    own : mapping of (symbol, side) to Tier
        Where each side's own score puts it. Tiers that were imposed do not count, else the book
        would hold itself up for ever.

    Examples
    --------
    >>> rules = BookRules(core_symbols=frozenset("ABC"), core_needed=3, company_at=Tier.T2,
    ...                   company_tier=Tier.T3, whole_book_at=Tier.T3, whole_book_tier=Tier.T2)
    >>> own = {(symbol, "long"): Tier.T2 for symbol in "ABC"} | {("D", "long"): Tier.T0}
    >>> {symbol: floor.tier.name for (symbol, _), floor in book_floors(own, rules).items()}
    {'A': 'T3', 'B': 'T3', 'C': 'T3', 'D': 'T2'}
    """
    floors: dict[Key, Floor] = {}
    for side in SIDES:
        if _core_at(own, rules, rules.company_at, (side,)) >= rules.core_needed:
            for key, tier in own.items():
                if key[1] == side and tier >= rules.company_at:
                    floors[key] = Floor(rules.company_tier, Rule.COMPANY)
    together = {key: max(tier, floors.get(key, NO_FLOOR).tier) for key, tier in own.items()}
    if _core_at(together, rules, rules.whole_book_at, SIDES) >= rules.core_needed:
        for key in own:
            if floors.get(key, NO_FLOOR).tier < rules.whole_book_tier:
                floors[key] = Floor(rules.whole_book_tier, Rule.BOOK)
    return floors


def _core_at(tiers: Mapping[Key, Tier], rules: BookRules, at: Tier, sides: tuple[Side, ...]) -> int:
    """How many core symbols have one of the sides at that tier or higher."""
    return len(
        {
            symbol
            for (symbol, side), tier in tiers.items()
            if tier >= at and side in sides and symbol in rules.core_symbols
        }
    )


def _opposite(side: Side) -> Side:
    return "short" if side == "long" else "long"
