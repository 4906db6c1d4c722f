"""Reading a ledger's account: in a fixed order, and whatever it lacks."""

import runpy
from pathlib import Path

import pytest

from liqwarn.reports.ledger_rows import (
    FEW_ONSETS,
    alarm_rows,
    caught_text,
    counts_sentence,
    drift_rows,
    few_outcomes,
    figure,
    miss_rows,
    no_miss_text,
    part_of,
    skill_rows,
    week_rows,
)

LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_documents.py")))


@pytest.fixture
def account():
    return LEDGERS["make_account"]()


def test_skill_is_in_one_order_whatever_the_file_has(account):
    account["skill"].reverse()
    at = [(row["scope"], row["side"]) for row in skill_rows(account)]

    assert at == [
        (scope, side) for scope in ("all", "BTCUSDT", "DOGEUSDT") for side in ("long", "short")
    ]


def test_one_model_or_another_horizon_is_not_mixed_in(account):
    one = account["skill"][0]
    account["skill"] = [{**one, "model": "4"}, {**one, "horizon_h": 24}, one]

    assert skill_rows(account) == [one]


def test_the_worst_drift_is_first_and_nothing_is_left_out(account):
    rows = drift_rows(account, "inputs")

    assert [row["feature"] for row in rows[:3]] == ["feature_29", "feature_28", "feature_27"]
    assert len(rows) == 30


def test_alarms_to_act_on_and_the_newest_miss_are_first(account):
    assert [row["severity"] for row in alarm_rows(account)] == ["act", "warn"]
    onsets = [row["onset"] for row in miss_rows(account)]
    assert onsets == sorted(onsets, reverse=True)
    assert len(onsets) == 22


def test_few_onsets_are_said_and_enough_are_not(account):
    assert few_outcomes(skill_rows(account)) == ""
    thin = [{**row, "onsets": FEW_ONSETS - 1} for row in skill_rows(account)]
    assert few_outcomes(thin).count("only 29 onsets, too few to lean on") == 2
    none = [{**row, "onsets": 0} for row in skill_rows(account)]
    assert "Short: no onset yet, so ranking and recall cannot be measured." in few_outcomes(none)


def test_nothing_known_is_said():
    told = few_outcomes(skill_rows(LEDGERS["new_account"]()))

    assert told == "No outcome is known yet: nothing can be said of the skill of these flags."


@pytest.mark.parametrize("odd", [None, 3, "text", [], [1, None], {"a": 1}, {"skill": 2}])
def test_what_is_odd_counts_as_empty(odd):
    for part in ("skill", "misses", "alarms", "drift", "counts"):
        account = {part: odd}
        assert part_of(account, part) in ({}, odd)
        assert (skill_rows(account), miss_rows(account), alarm_rows(account)) == ([], [], [])
        assert (week_rows(account), no_miss_text(account)[:12]) == ([], "No event yet")
        assert drift_rows(account, "inputs") == []
        assert counts_sentence(account).startswith("–")


def test_a_figure_needs_both_ends_for_an_interval():
    assert figure({"value": 0.5, "low": None, "high": 0.6}) == "0.500"
    assert figure({"value": None, "low": 0.4, "high": 0.6}) == "–"
    assert caught_text({"recall": {"value": 1.0, "caught": 1, "events": 1}}) == "1 of 1: 100 %"


def test_an_onset_without_any_flag_is_listed_and_counted_apart(account):
    onset = {"symbol": "BTCUSDT", "side": "long", "onset": "2099-01-01T00:00:00Z", "severity": 3.0}
    before = len(miss_rows(account))
    assert "no flag" not in counts_sentence(account)
    account["uncovered"] = [onset]
    account["counts"]["uncovered"] = 1

    assert miss_rows(account)[0] == {**onset, "tier": "no flag"}
    assert len(miss_rows(account)) == before + 1
    assert "1 onsets came while no flag issued in time stood" in counts_sentence(account)
