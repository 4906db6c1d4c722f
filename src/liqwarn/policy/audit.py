"""The audit log of decisions: a chained log, each line one decision and all it was made from.

So a decision can be made again by itself. Kept are every decision of the newest bar and every
change of tier in a history: all decisions of twelve symbols over two years of hours would be
0.8 GB, these are a few per cent of it, and a decision that changed nothing is made again by the
fold from the scores. How lines are chained is in :mod:`liqwarn.chained_log`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liqwarn.chained_log import Head, append_records, follow, read_head, records, verify
from liqwarn.errors import AuditError
from liqwarn.policy.audit_record import (
    Provenance,
    decision_from_dict,
    decision_to_dict,
    position_to_dict,
)
from liqwarn.policy.book import Decision
from liqwarn.policy.breaker import observe, settle
from liqwarn.policy.tiers import Policy

__all__ = ["Head", "ReplaySummary", "append", "follow", "read_head", "replay", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySummary:
    """What making all decisions again showed; `first_difference` is None when all are equal."""

    lines: int
    differences: int
    first_difference: str | None


def append(
    path: Path,
    head: Path,
    entries: Iterable[tuple[Decision, Provenance]],
    *,
    policy: Policy,
) -> Head:
    """Add decisions to a log, as :func:`liqwarn.chained_log.append_records` does.

    Raises
    ------
    AuditError
        When the log does not end as its head says: it was edited or cut.
    """
    made = (decision_to_dict(decision, provenance, policy) for decision, provenance in entries)
    return append_records(path, head, made)


def replay(path: Path, policy: Policy) -> ReplaySummary:
    """Make every decision of a log again and compare.

    Raises
    ------
    AuditError
        When a line cannot be read. Use :func:`verify` first: a replay does not check the chain.
    """
    lines, differences, first = 0, 0, None
    for number, record in records(path):
        try:
            difference = _difference(record, policy)
        except AuditError as error:
            raise AuditError(f"{path}: line {number}: {error}") from error
        lines = number
        if difference is not None:
            differences += 1
            first = first or f"{path}: line {number}: {difference}"
    return ReplaySummary(lines=lines, differences=differences, first_difference=first)


def _difference(record: dict[str, Any], policy: Policy) -> str | None:
    decision = decision_from_dict(record)
    stamp = record.get("policy")
    if stamp != {"version": policy.version, "sha256": policy.sha256}:
        return f"decided under policy {stamp}, replayed under {policy.version} {policy.sha256}"
    before, now = decision.before, decision.now
    seen = observe(before, decision.evidence, now, policy)
    after = settle(before, seen, now, policy, book=decision.book, spent=decision.spent)
    for name, again in position_to_dict(after).items():
        found = record["after"].get(name)
        if found != again:
            return (
                f"{before.symbol} {before.side} at {record['now']}: {name} was {found}, is {again}"
            )
    outside = {
        "tier_before": before.tier.name,
        "tier_after": after.tier.name,
        "rule": after.rule.value,
    }
    for name, again in outside.items():
        if record.get(name) != again:
            return f"{before.symbol} {before.side}: {name} was {record.get(name)}, is {again}"
    return None
