from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.decisions import ModelStamp, Tier
from liqwarn.errors import AuditError
from liqwarn.frames import SIDES
from liqwarn.policy.audit_record import (
    Provenance,
    decision_from_dict,
    decision_to_dict,
    position_from_dict,
    position_to_dict,
)
from liqwarn.policy.book import Decision
from liqwarn.policy.breaker import Evidence, Floor
from liqwarn.policy.position import Hold, Override, Position, Rule

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
TIERS = st.sampled_from(Tier)
HOLDS = st.builds(Hold, TIERS, MOMENTS, MOMENTS)
OVERRIDES = st.builds(
    Override,
    tier=TIERS,
    names=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    reason=st.text(max_size=20),
    issued_at=MOMENTS,
    expires_at=st.none() | MOMENTS,
    granted_at=st.none() | TIERS,
    integrity=st.booleans(),
)
POSITIONS = st.builds(
    Position,
    symbol=st.text(max_size=12),
    side=st.sampled_from(SIDES),
    tier=TIERS,
    rule=st.sampled_from(Rule),
    own=HOLDS,
    ruled=HOLDS,
    wanted=TIERS,
    valid_for=st.timedeltas(timedelta(0), timedelta(days=9)),
    quiet_since=st.none() | MOMENTS,
    expired_since=st.none() | MOMENTS,
    day=st.dates(),
    transitions=st.integers(0, 100),
    sequence=st.integers(0, 2**53),
    floors=st.lists(OVERRIDES, max_size=2).map(tuple),
    ceiling=st.none() | OVERRIDES,
)
NUMBERS = st.floats(0, 1)
EVIDENCE = st.builds(
    Evidence,
    as_of=MOMENTS,
    probability=NUMBERS,
    quantile=NUMBERS,
    base_rate=NUMBERS,
    in_progress=st.booleans(),
    degraded=st.booleans(),
    usable=st.booleans(),
)
DECISIONS = st.builds(
    Decision,
    before=POSITIONS,
    evidence=EVIDENCE,
    now=MOMENTS,
    book=st.builds(Floor, TIERS, st.sampled_from(Rule)),
    spent=st.integers(0, 9),
    after=POSITIONS,
)
PROVENANCE = Provenance(
    inputs_sha256="i",
    features_sha256="f",
    raw_probability={4: 0.3},
    probability={1: 0.1, 4: 0.2},
    feed_ages_s={"open_interest": 60.0, "close": float("nan")},
    model=ModelStamp(version="3", sha256="m"),
)


@settings(max_examples=200, deadline=None)
@given(POSITIONS)
def test_a_position_survives_json(position):
    text = orjson.dumps(position_to_dict(position))
    assert position_from_dict(orjson.loads(text)) == position


@settings(max_examples=100, deadline=None)
@given(decision=DECISIONS)
def test_a_decision_survives_json(decision, policy):
    text = orjson.dumps(decision_to_dict(decision, PROVENANCE, policy))
    assert decision_from_dict(orjson.loads(text)) == decision


def test_a_line_says_what_an_auditor_asks(make_position, policy, start):
    position = make_position()
    nothing = Evidence(start, *[float("nan")] * 3, False, True, False)
    decision = Decision(position, nothing, start, Floor(Tier.T0, Rule.CALM), 0, position)
    line = decision_to_dict(decision, PROVENANCE, policy)
    assert {
        "now", "symbol", "side", "tier_before", "tier_after", "rule", "inputs_sha256",
        "features_sha256", "raw_probability", "probability", "feed_ages_s", "model", "policy",
        "override",
    } <= set(line)  # fmt: skip
    assert line["feed_ages_s"] == {"open_interest": 60.0, "close": None}
    again = decision_from_dict(line)
    assert again.evidence.probability != again.evidence.probability  # NaN stays NaN


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "liqwarn.audit/2"}, "schema is 'liqwarn.audit/2'"),
        ({"before": {}}, "unreadable decision: KeyError"),
        ({"book": {"tier": "T9", "rule": "calm"}}, "unreadable decision: KeyError 'T9'"),
        ({"now": "noon"}, "unreadable decision: ValueError"),
        ({"after": 3}, "unreadable decision: TypeError"),
    ],
)
def test_an_unreadable_line_is_an_audit_error(make_position, policy, start, *, change, message):
    position = make_position()
    evidence = Evidence(start, 0.1, 0.5, 0.01, False, False, True)
    decision = Decision(position, evidence, start, Floor(Tier.T0, Rule.CALM), 0, position)
    line = decision_to_dict(decision, PROVENANCE, policy)
    with pytest.raises(AuditError, match=message):
        decision_from_dict({**line, **change})
