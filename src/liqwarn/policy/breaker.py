"""The circuit breaker: a pure fold, ``step(position, score, now) -> (position, restriction)``.

It reads no clock and does no I/O, so any decision of the past can be replayed bit for bit.

A step has two halves, because the rules of the book need every symbol's first half:
:func:`observe` moves a side by its own score alone; :func:`settle` adds what holds beyond the
score (data quality, expiry, the book, humans) and says which tier is in force.

Both move on the ladder in the same way: up at once, any number of tiers; down one tier at a time,
below the tier's exit, after its minimum stay. The stay counts from the last moment the tier had a
reason to be, which makes the fold monotone: without the daily cap, a history with higher scores
never ends up looser.

The cap gives that up between histories, never within a step. It holds up a side that flapped until
the next UTC day, so a history that was uniformly higher and calmer, and has changes left, may relax
sooner than a lower one that spent them. From any one position the worse score never ends lower.
All of this speaks of tiers; limits follow them, but for the timed window of `block_opposite_adds`.
"""

from datetime import UTC, date, datetime
from math import isnan
from operator import itemgetter
from typing import NamedTuple

from liqwarn.decisions import Restriction, RiskScore, Tier
from liqwarn.policy.position import Hold, Override, Position, Rule
from liqwarn.policy.restriction import restrict
from liqwarn.policy.tiers import Policy

__all__ = [
    "NO_FLOOR",
    "Evidence",
    "Floor",
    "Observed",
    "evidence_from",
    "evidence_of",
    "no_evidence",
    "observe",
    "settle",
    "step",
    "utc_day",
]


class Floor(NamedTuple):
    """The least tier some rule asks for."""

    tier: Tier
    rule: Rule


NO_FLOOR = Floor(Tier.T0, Rule.CALM)


class Evidence(NamedTuple):
    """What one score says, as plain numbers; NaN where it says nothing.

    `quantile` is NaN while too little history is known to rank the probability: then it counts as
    the highest, so that missing history never reads as calm.
    """

    as_of: datetime
    probability: float
    quantile: float
    base_rate: float
    in_progress: bool
    degraded: bool
    usable: bool


class Observed(NamedTuple):
    """A side after the first half of a step."""

    own: Hold
    wants: Floor
    evidence: Evidence
    quiet_since: datetime | None
    expired_since: datetime | None


def evidence_from(
    as_of: datetime,
    numbers: tuple[float, float, float],
    quality: str,
    *,
    in_progress: bool,
) -> Evidence:
    """What the ladder looks at, from bare numbers: here alone it is said what counts as good.

    Parameters
    ----------
    numbers : (float, float, float)
        4-h probability, its quantile, base rate; NaN where there is none.
    quality : str
        Of the bar.

    >>> evidence_from(datetime(2024, 8, 5, tzinfo=UTC), (0.1, float("nan"), 0.01), "ok",
    ...               in_progress=False)[-2:]
    (True, True)
    """
    probability, quantile, base_rate = numbers
    return Evidence(
        as_of,
        probability,
        quantile,
        base_rate,
        in_progress,
        quality != "ok" or isnan(quantile),
        quality in ("ok", "degraded") and not isnan(probability),
    )


def evidence_of(score: RiskScore) -> Evidence:
    """The numbers of a score that the ladder looks at; the primary horizon is 4 h."""
    nan = float("nan")
    quantile = nan if score.quantile is None else score.quantile
    numbers = score.probability.get(4, nan), quantile, score.base_rate
    return evidence_from(score.as_of, numbers, score.quality, in_progress=score.in_progress)


def no_evidence(as_of: datetime) -> Evidence:
    """What silence says: nothing, which is never calm."""
    nan = float("nan")
    return Evidence(
        as_of=as_of,
        probability=nan,
        quantile=nan,
        base_rate=nan,
        in_progress=False,
        degraded=True,
        usable=False,
    )


def utc_day(now: datetime) -> date:
    """The UTC day of a moment."""
    return (now if now.tzinfo is UTC else now.astimezone(UTC)).date()


def step(
    position: Position,
    score: RiskScore,
    now: datetime,
    policy: Policy,
    *,
    book: Floor = NO_FLOOR,
    spent: int = 0,
) -> tuple[Position, Restriction]:
    """One decision for one side, taken by itself.

    Parameters
    ----------
    position : Position
        Where the side stood.
    score : RiskScore
        Its newest score; one without a probability when price or open interest is missing. One
        as of later than `now` counts as expired.
    now : datetime
        The moment of the decision. A clock that jumps back only ever holds longer.
    book : Floor
        What the rest of the book imposes, see :mod:`liqwarn.policy.book`.
    spent : int
        Changes of the opposite side today: the daily cap is per symbol.

    Returns
    -------
    (Position, Restriction)
        The restriction leaves out what the opposite side adds;
        :func:`liqwarn.policy.book.step_book` has it.
    """
    observed = observe(position, evidence_of(score), now, policy)
    after = settle(position, observed, now, policy, book=book, spent=spent)
    return after, restrict(after, None, score.probability, now, policy)


def observe(position: Position, evidence: Evidence, now: datetime, policy: Policy) -> Observed:
    """The first half of a step: what the side's own score says."""
    expired_since = _expired_since(position, evidence, now)
    quiet_since = _quiet_since(position, evidence, now, known=expired_since is None)
    wants = _wanted(evidence, policy)
    seen = Observed(position.own, wants, evidence, quiet_since, expired_since)
    own, _ = _move(position.own, wants, seen, now, policy)
    if own is position.own:
        return seen
    return Observed(own, wants, evidence, quiet_since, expired_since)


def settle(
    position: Position,
    observed: Observed,
    now: datetime,
    policy: Policy,
    *,
    book: Floor = NO_FLOOR,
    spent: int = 0,
) -> Position:
    """The second half of a step: every rule together."""
    today = max(utc_day(now), position.day)
    transitions = position.transitions_on(today)
    asked = _highest(observed, now, policy, book)
    wants = _with_hands(position, asked, now) if position.floors else asked
    ruled, rule = _move(position.ruled, wants, observed, now, policy)
    if ruled.tier < position.ruled.tier and transitions + spent >= policy.max_transitions_per_day:
        ruled, rule = position.ruled, Rule.DAILY_CAP
    tier, ceiling = ruled.tier, _standing(position, observed, wants.tier, now)
    if ceiling is not None and ceiling.tier < tier:
        tier, rule = ceiling.tier, Rule.LOOSENED
    return Position(
        symbol=position.symbol,
        side=position.side,
        tier=tier,
        rule=rule,
        own=observed.own,
        ruled=ruled,
        wanted=asked.tier,
        valid_for=position.valid_for,
        quiet_since=observed.quiet_since,
        expired_since=observed.expired_since,
        day=today,
        transitions=transitions + (ruled.tier != position.ruled.tier),
        sequence=max(position.sequence + 1, int(now.timestamp())),
        floors=position.floors and tuple(f for f in position.floors if f.active(now)),
        ceiling=ceiling,
    )


def _standing(
    position: Position, observed: Observed, wanted: Tier, now: datetime
) -> Override | None:
    """A loosening, unless it ran out, or those who granted it knew less than is known now.

    That is: no score is usable any more, a cascade begins, or more is wanted than was then.
    """
    ceiling = position.ceiling
    if ceiling is None or not ceiling.active(now) or observed.expired_since is not None:
        return None
    if observed.evidence.in_progress and position.quiet_since is not None:
        return None
    return None if ceiling.granted_at is None or wanted > ceiling.granted_at else ceiling


def _expired_since(position: Position, evidence: Evidence, now: datetime) -> datetime | None:
    """Since when nothing is usable; a score of a bar that has not closed yet is not either."""
    good_until = evidence.as_of + position.valid_for
    if evidence.usable and evidence.as_of <= now < good_until:
        return None
    since = min(now, good_until)
    return since if position.expired_since is None else min(since, position.expired_since)


def _quiet_since(
    position: Position, evidence: Evidence, now: datetime, *, known: bool
) -> datetime | None:
    if evidence.in_progress or not known:
        return None
    return now if position.quiet_since is None else position.quiet_since


def _wanted(evidence: Evidence, policy: Policy) -> Floor:
    """The highest tier the score itself enters; written so that NaN counts as high."""
    if evidence.in_progress:
        return Floor(policy.cascade_tier, Rule.CASCADE)
    if isnan(evidence.probability):
        return NO_FLOOR
    wanted = NO_FLOOR
    for rung in policy.tiers[1:5]:
        enter = rung.enter
        if (
            enter is None
            or evidence.quantile < enter.quantile
            or evidence.probability < enter.base_multiple * evidence.base_rate
        ):
            break
        wanted = Floor(rung.tier, Rule.SCORE)
    return wanted


def _highest(observed: Observed, now: datetime, policy: Policy, book: Floor) -> Floor:
    """The strictest of all rules, hands left out; among equals the first named."""
    wants = observed.wants if observed.wants.tier >= book.tier else book
    since = observed.expired_since
    if since is not None:
        late = now - since >= policy.expired_after
        least = policy.expired_later_tier if late else policy.expired_tier
        if least > wants.tier:
            wants = Floor(least, Rule.EXPIRED)
    if observed.evidence.degraded and policy.degraded_tier > wants.tier:
        wants = Floor(policy.degraded_tier, Rule.QUALITY)
    return wants


def _with_hands(position: Position, asked: Floor, now: datetime) -> Floor:
    """The strictest with what was tightened by hand, which among equals is named first."""
    by_hand = [_by_hand(floor) for floor in position.floors if floor.active(now)]
    return max([*by_hand, asked], key=itemgetter(0))


def _by_hand(floor: Override) -> Floor:
    return Floor(floor.tier, Rule.INTEGRITY if floor.integrity else Rule.OPERATOR)


def _move(
    hold: Hold, wants: Floor, seen: Observed, now: datetime, policy: Policy
) -> tuple[Hold, Rule]:
    """Up at once to what is wanted; down one tier when everything allows it; else stay."""
    if wants.tier >= hold.tier:
        if wants.tier == Tier.T0:
            return hold, Rule.CALM
        entered = now if wants.tier > hold.tier else hold.entered
        return Hold(wants.tier, entered, now), wants.rule
    rung = policy.tiers[hold.tier]
    if seen.expired_since is not None:
        return hold, Rule.EXPIRED
    if now - hold.since < rung.dwell:
        return hold, Rule.DWELL
    quiet = seen.quiet_since is not None and now - seen.quiet_since >= rung.quiet
    below_exit = rung.exit_quantile is not None and seen.evidence.quantile < rung.exit_quantile
    if not (quiet and below_exit):
        return hold, Rule.EXIT
    return Hold(Tier(hold.tier - 1), now, now), Rule.RELAXED
