"""Decisions as lines of the audit log, and back, without losing a bit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isnan
from typing import Any, Final

from liqwarn.decisions import ModelStamp, Tier, iso_utc
from liqwarn.errors import AuditError
from liqwarn.policy.book import Decision
from liqwarn.policy.breaker import Evidence, Floor
from liqwarn.policy.position import Hold, Override, Position, Rule
from liqwarn.policy.tiers import Policy

__all__ = [
    "AUDIT_SCHEMA",
    "Provenance",
    "decision_from_dict",
    "decision_to_dict",
    "position_from_dict",
    "position_to_dict",
]

AUDIT_SCHEMA: Final = "liqwarn.audit/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a decision's score came from: what the breaker does not need and an auditor does.

    Attributes
    ----------
    inputs_sha256 : str
        Hash of the market data scored: the store's manifest, or the rows themselves.
    features_sha256 : str
        Hash of the row of features.
    raw_probability : mapping of hours ahead to float
        Before calibration: log-odds of the hazard of the interval that ends there.
    probability : mapping of hours ahead to float
        Calibrated chance of an onset within.
    feed_ages_s : mapping of field to seconds
        How old each feed's newest value was.
    model : ModelStamp
    """

    inputs_sha256: str
    features_sha256: str
    raw_probability: Mapping[int, float]
    probability: Mapping[int, float]
    feed_ages_s: Mapping[str, float]
    model: ModelStamp


def decision_to_dict(decision: Decision, provenance: Provenance, policy: Policy) -> dict[str, Any]:
    """A decision with its provenance, as plain JSON values; NaN becomes null."""
    before, after = decision.before, decision.after
    return {
        "schema": AUDIT_SCHEMA,
        "now": iso_utc(decision.now),
        "symbol": before.symbol,
        "side": before.side,
        "tier_before": before.tier.name,
        "tier_after": after.tier.name,
        "rule": after.rule.value,
        "inputs_sha256": provenance.inputs_sha256,
        "features_sha256": provenance.features_sha256,
        "raw_probability": {str(h): _number(p) for h, p in provenance.raw_probability.items()},
        "probability": {str(h): _number(p) for h, p in provenance.probability.items()},
        "feed_ages_s": {name: _number(age) for name, age in provenance.feed_ages_s.items()},
        "model": {"version": provenance.model.version, "sha256": provenance.model.sha256},
        "policy": {"version": policy.version, "sha256": policy.sha256},
        "override": [_override_to_dict(o) for o in (*after.floors, after.ceiling) if o],
        "evidence": _evidence_to_dict(decision.evidence),
        "book": {"tier": decision.book.tier.name, "rule": decision.book.rule.value},
        "spent": decision.spent,
        "before": position_to_dict(before),
        "after": position_to_dict(after),
    }


def decision_from_dict(raw: Mapping[str, Any]) -> Decision:
    """Read a line's decision back.

    Raises
    ------
    AuditError
        When the schema is another one, or a key is missing or unreadable.
    """
    if raw.get("schema") != AUDIT_SCHEMA:
        raise AuditError(f"schema is {raw.get('schema')!r}, expected {AUDIT_SCHEMA!r}")
    try:
        return Decision(
            before=position_from_dict(raw["before"]),
            evidence=_evidence_from_dict(raw["evidence"]),
            now=datetime.fromisoformat(raw["now"]),
            book=Floor(Tier[raw["book"]["tier"]], Rule(raw["book"]["rule"])),
            spent=raw["spent"],
            after=position_from_dict(raw["after"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AuditError(f"unreadable decision: {type(error).__name__} {error}") from error


def position_to_dict(position: Position) -> dict[str, Any]:
    """A position as plain JSON values; what a snapshot keeps, too."""
    return {
        "symbol": position.symbol,
        "side": position.side,
        "tier": position.tier.name,
        "rule": position.rule.value,
        "own": _hold_to_dict(position.own),
        "ruled": _hold_to_dict(position.ruled),
        "wanted": position.wanted.name,
        "valid_for_s": position.valid_for.total_seconds(),
        "quiet_since": _moment(position.quiet_since),
        "expired_since": _moment(position.expired_since),
        "day": position.day.isoformat(),
        "transitions": position.transitions,
        "sequence": position.sequence,
        "floors": [_override_to_dict(floor) for floor in position.floors],
        "ceiling": None if position.ceiling is None else _override_to_dict(position.ceiling),
    }


def position_from_dict(raw: Mapping[str, Any]) -> Position:
    """Read a position back; raises KeyError, TypeError or ValueError on what is none."""
    return Position(
        symbol=raw["symbol"],
        side=raw["side"],
        tier=Tier[raw["tier"]],
        rule=Rule(raw["rule"]),
        own=_hold_from_dict(raw["own"]),
        ruled=_hold_from_dict(raw["ruled"]),
        wanted=Tier[raw["wanted"]],
        valid_for=timedelta(seconds=raw["valid_for_s"]),
        quiet_since=_read_moment(raw["quiet_since"]),
        expired_since=_read_moment(raw["expired_since"]),
        day=date.fromisoformat(raw["day"]),
        transitions=raw["transitions"],
        sequence=raw["sequence"],
        floors=tuple(_override_from_dict(floor) for floor in raw["floors"]),
        ceiling=None if raw["ceiling"] is None else _override_from_dict(raw["ceiling"]),
    )


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)


def _read_number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _hold_to_dict(hold: Hold) -> dict[str, str]:
    return {"tier": hold.tier.name, "entered": iso_utc(hold.entered), "since": iso_utc(hold.since)}


def _hold_from_dict(raw: Mapping[str, str]) -> Hold:
    entered, since = (datetime.fromisoformat(raw[name]) for name in ("entered", "since"))
    return Hold(Tier[raw["tier"]], entered, since)


def _evidence_to_dict(evidence: Evidence) -> dict[str, Any]:
    return {
        "as_of": iso_utc(evidence.as_of),
        "probability": _number(evidence.probability),
        "quantile": _number(evidence.quantile),
        "base_rate": _number(evidence.base_rate),
        "in_progress": evidence.in_progress,
        "degraded": evidence.degraded,
        "usable": evidence.usable,
    }


def _evidence_from_dict(raw: Mapping[str, Any]) -> Evidence:
    return Evidence(
        as_of=datetime.fromisoformat(raw["as_of"]),
        probability=_read_number(raw["probability"]),
        quantile=_read_number(raw["quantile"]),
        base_rate=_read_number(raw["base_rate"]),
        in_progress=raw["in_progress"],
        degraded=raw["degraded"],
        usable=raw["usable"],
    )


def _override_to_dict(override: Override) -> dict[str, Any]:
    return {
        "tier": override.tier.name,
        "names": list(override.names),
        "reason": override.reason,
        "issued_at": iso_utc(override.issued_at),
        "expires_at": _moment(override.expires_at),
        "granted_at": None if override.granted_at is None else override.granted_at.name,
        "integrity": override.integrity,
    }


def _override_from_dict(raw: Mapping[str, Any]) -> Override:
    return Override(
        tier=Tier[raw["tier"]],
        names=tuple(raw["names"]),
        reason=raw["reason"],
        issued_at=datetime.fromisoformat(raw["issued_at"]),
        expires_at=_read_moment(raw["expires_at"]),
        granted_at=None if raw["granted_at"] is None else Tier[raw["granted_at"]],
        integrity=raw["integrity"],
    )
