"""The ledger as metrics: what was settled is told, and never too many samples."""

import math
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from liqwarn.serving.ledger_families import (
    MOST_INPUTS,
    MOST_SYMBOLS,
    ledger_families,
    retrain_families,
)
from liqwarn.serving.ledger_file import LedgerReading
from liqwarn.serving.ledger_retrain import LastRuns, RunEnd
from liqwarn.serving.metric_families import tell_families

LEDGERS = runpy.run_path(str(Path(__file__).parents[1] / "reports" / "ledger_documents.py"))
SETTLED = datetime(2025, 10, 1, tzinfo=UTC)
NOW = datetime(2025, 10, 2, tzinfo=UTC)
MOST_SAMPLES = 1_600


def told(account):
    """Every family by name."""
    reading = LedgerReading(account=account, settled_at=None if account is None else SETTLED)
    return {family.name: family for family in ledger_families(reading, NOW)}


def value(families, name, *labels):
    (found,) = [value for at, value in families[name].samples if tuple(at) == labels]
    return found


def test_what_was_settled_is_told():
    found = told(LEDGERS["make_account"]())

    assert value(found, "ledger_age_seconds") == 86_400
    assert value(found, "ledger_pr_auc", "all", "long", "90d") == 0.064
    assert value(found, "ledger_recall", "BTCUSDT", "short", "90d") == pytest.approx(2 / 3)
    assert value(found, "ledger_false_alarms_per_week", "DOGEUSDT", "long", "90d") == 1.4
    assert value(found, "ledger_interval", "slope", "high", "long", "all") == 1.18
    assert value(found, "ledger_flags", "issued") == 61_234
    assert value(found, "ledger_alarms", "skill", "act") == 1
    assert value(found, "ledger_alarms", "calibration", "act") == 0
    assert value(found, "ledger_champion_info", "4") == 1
    assert value(found, "ledger_symbol_enabled", "DOGEUSDT") == 0
    assert value(found, "ledger_input_psi", "feature_29") == 0.29
    assert value(found, "ledger_score_psi", "short") == 0.14
    assert value(found, "ledger_inputs", "large") == 2
    assert value(found, "ledger_as_of_timestamp_seconds") == SETTLED.timestamp()


def test_onsets_that_no_flag_stood_before_are_told():
    account = LEDGERS["make_account"]()
    account["counts"]["uncovered"] = 3

    assert value(told(account), "ledger_uncovered_onsets") == 3


def test_without_an_account_the_age_is_unknown_and_nothing_else_is_told():
    found = told(None)

    assert math.isnan(value(found, "ledger_age_seconds"))
    assert math.isnan(value(found, "ledger_as_of_timestamp_seconds"))
    rest = {name for name, family in found.items() if family.samples}
    assert rest == {
        "ledger_age_seconds", "ledger_read_errors", "ledger_as_of_timestamp_seconds",
    }  # fmt: skip
    assert set(found) == set(told(LEDGERS["make_account"]()))


def test_what_cannot_be_measured_is_left_out():
    found = told(LEDGERS["new_account"]())

    assert found["ledger_pr_auc"].samples == []
    assert value(found, "ledger_onsets", "all", "long", "all") == 0


def test_a_market_of_a_thousand_symbols_is_bounded():
    symbols = tuple(f"S{n}USDT" for n in range(1_000))
    account = LEDGERS["make_account"](symbols=symbols)
    account["drift"]["inputs"] = [
        {"feature": f"f{n}", "psi": n / 100, "grade": "large"} for n in range(900)
    ]
    account["alarms"] = [{"rule": f"r{n}", "severity": "act"} for n in range(500)]
    found = told(account)

    assert sum(len(family.samples) for family in found.values()) <= MOST_SAMPLES
    assert len({at[0] for at, _ in found["ledger_pr_auc"].samples}) == MOST_SYMBOLS + 1
    assert len(found["ledger_symbol_enabled"].samples) == MOST_SYMBOLS
    psi = dict(found["ledger_input_psi"].samples)
    assert len(psi) == MOST_INPUTS
    assert min(psi.values()) == 8.8
    assert value(found, "ledger_alarms", "other", "act") == 500


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["scope", "side", "window", "model", "horizon_h", "pr_auc", "brier", "feature", "psi", "grade",
     "rule", "severity", "symbol", "enabled", "version"]
)  # fmt: skip
WORDS = st.sampled_from(["all", "long", "short", "90d", "any", "large", "act", "x" * 200])
ROWS = st.lists(st.dictionaries(KEYS, WORDS | ANYTHING, max_size=9) | ANYTHING, max_size=4)


@given(
    st.fixed_dictionaries(
        {
            "skill": ROWS | ANYTHING,
            "alarms": ROWS | ANYTHING,
            "standings": ROWS | ANYTHING,
            "counts": ANYTHING,
            "champion": st.dictionaries(KEYS, ANYTHING, max_size=2) | ANYTHING,
            "drift": st.fixed_dictionaries({"inputs": ROWS, "scores": ROWS}) | ANYTHING,
            "as_of": ANYTHING,
        }
    )
)
def test_whatever_an_account_holds_prometheus_can_read_it(account):
    registry = CollectorRegistry()
    reading = LedgerReading(account=account, settled_at=SETTLED)
    tell_families(registry, lambda: ledger_families(reading, NOW))
    text = generate_latest(registry).decode()
    samples = [line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"]

    assert len(samples) == len(set(samples))


def test_retraining_by_its_journal():
    done = RunEnd(step="finished", at=SETTLED, action="promoted", champion="4")
    found = {f.name: f for f in retrain_families(LastRuns(last=done, finished=done))}

    assert value(found, "retrain_journal_finished_timestamp_seconds") == SETTLED.timestamp()
    assert value(found, "retrain_journal_last_info", "finished", "promoted", "4") == 1
    none = {f.name: f for f in retrain_families(LastRuns())}
    assert math.isnan(value(none, "retrain_journal_finished_timestamp_seconds"))
    assert none["retrain_journal_last_info"].samples == []
