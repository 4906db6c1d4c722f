"""Each rule raises its alarm, and only on what is known."""

from datetime import UTC, datetime, timedelta

import pytest

from liqwarn.decisions import iso_utc
from liqwarn.models.ledger_alarms import decay_alarms

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def skill(**other):
    row = {
        "scope": "all", "side": "long", "window": "90d", "model": "7", "onsets": 14,
        "roc_auc": {"value": 0.7, "low": 0.6, "high": 0.8}, "time_in_alarm": 0.05,
        "false_alarms_per_week": 1.2,
    }  # fmt: skip
    return row | other


def inputs(n_large=0, n=20, missing=0.0):
    return [
        {"feature": f"f{k}", "psi": float(k), "grade": "large" if k < n_large else "none",
         "missing_reference": 0.0, "missing_recent": missing if k == 0 else 0.0}
        for k in range(n)
    ]  # fmt: skip


def account(**other):
    drift = {"inputs": inputs(), "scores": [], "calibration": []}
    told = {"generated_at": iso_utc(NOW), "as_of": iso_utc(NOW - timedelta(hours=1))}
    return told | {"champion": {"version": "7"}, "skill": [skill()], "drift": drift} | other


def rules(given, **how):
    return [(a.rule, a.subject, a.severity) for a in decay_alarms(given, **how)]


def drift(**other):
    return account()["drift"] | other


OFF = {"side": "short", "grade": "large", "slope": 0.4, "low": 0.3, "high": 0.6,
       "expected": 0.02, "observed": 0.01}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        ({}, []),
        ({"skill": [skill(roc_auc={"value": 0.4, "low": 0.3, "high": 0.49})]},
         [("skill", "all long", "act")]),
        ({"skill": [skill(roc_auc={"value": 0.4, "low": 0.3, "high": 0.5})]}, []),
        ({"skill": [skill(roc_auc={"value": None, "low": None, "high": None})]}, []),
        ({"skill": [skill(model="6", roc_auc={"value": 0.4, "low": 0.3, "high": 0.49})]}, []),
        ({"champion": {"version": "7", "shown": [{"side": "long", "low": 0.85}]}},
         [("skill", "all long", "warn")]),
        ({"drift": drift(calibration=[OFF])}, [("calibration", "short", "act")]),
        ({"drift": drift(calibration=[OFF | {"grade": "moderate"}])}, []),
        ({"drift": drift(inputs=inputs(n_large=2))}, [("drift", "inputs", "warn")]),
        ({"drift": drift(inputs=inputs(n_large=1))}, []),
        ({"drift": drift(inputs=inputs(n_large=5))}, [("drift", "inputs", "act")]),
        ({"drift": drift(inputs=inputs(missing=0.3))}, [("missing", "inputs", "warn")]),
        ({"drift": drift(inputs=inputs(missing=0.2))}, []),
        ({"skill": [skill(window="30d", time_in_alarm=0.15)]}, [("false alarms", "long", "warn")]),
        ({"skill": [skill(window="30d", time_in_alarm=0.3)]}, [("false alarms", "long", "act")]),
        ({"as_of": iso_utc(NOW - timedelta(days=3))}, [("unsettled", "panel", "warn")]),
        ({"as_of": iso_utc(NOW - timedelta(days=8))}, [("unsettled", "panel", "act")]),
    ],
)  # fmt: skip
def test_each_rule_alone(given, raised):
    assert rules(account(**given)) == raised


def test_an_account_that_grew_old_alarms_when_it_is_read():
    assert rules(account(), now=NOW + timedelta(days=4)) == [("unsettled", "panel", "warn")]


def test_an_alarm_that_stands_keeps_its_beginning():
    given = account(as_of=iso_utc(NOW - timedelta(days=3)))
    first = decay_alarms(given)
    later = decay_alarms(
        given, before=[one.to_dict() for one in first], now=NOW + timedelta(days=1)
    )

    assert first[0].since == later[0].since == iso_utc(NOW)
    assert first[0].text == (
        "nothing was settled after 2026-04-28 00:00 UTC, 3.0 days ago, expected 2 at most"
    )
