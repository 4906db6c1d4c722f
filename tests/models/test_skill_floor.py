"""A symbol is disabled by what is known to be poor, and enabled by a hand or a new champion."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from liqwarn.models.skill_floor import LiveSkill, Standing, enable, judge_symbols

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
POOR = LiveSkill(champion="7", onsets=10, skill=0.3, low=0.2, high=0.49)
OFF = judge_symbols({}, {"SOL": POOR}, "7", NOW)["SOL"]


def test_a_symbol_known_to_be_poor_is_disabled_with_figures():
    assert not OFF.enabled
    assert (OFF.champion, OFF.since) == ("7", NOW)
    assert (
        OFF.reason == "live ROC-AUC 0.300 [0.200, 0.490] on 10 onsets lies below the floor of 0.5"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"onsets": 9},
        {"high": 0.5},
        {"high": float("nan")},
        {"skill": 0.9, "low": 0.8, "high": 0.95},
        {"champion": "6"},
    ],
)
def test_what_is_good_uncertain_or_of_another_champion_is_left_alone(change):
    found = judge_symbols({}, {"SOL": replace(POOR, **change)}, "7", NOW)

    assert found["SOL"] == Standing(enabled=True, champion="7", since=NOW)


def test_a_floor_of_its_own():
    fair = replace(POOR, skill=0.55, low=0.5, high=0.59)

    assert judge_symbols({}, {"SOL": fair}, "7", NOW)["SOL"].enabled
    assert not judge_symbols({}, {"SOL": fair}, "7", NOW, floors={"SOL": 0.6})["SOL"].enabled


def test_it_stays_disabled_when_its_skill_comes_back_or_its_record_is_gone():
    good = replace(POOR, skill=0.9, low=0.8, high=0.95)

    assert judge_symbols({"SOL": OFF}, {"SOL": good}, "7", LATER)["SOL"] == OFF
    assert judge_symbols({"SOL": OFF}, {}, "7", LATER)["SOL"] == OFF


def test_the_next_champion_is_given_its_chance_and_judged_by_its_own_record():
    again = judge_symbols({"SOL": OFF}, {"SOL": POOR}, "8", LATER)["SOL"]

    assert again.enabled
    assert again.reason == "champion 8 in place of 7"
    assert not judge_symbols({"SOL": again}, {"SOL": replace(POOR, champion="8")}, "8", LATER)[
        "SOL"
    ].enabled


def test_a_hand_enables_it_until_the_next_champion():
    by_hand = enable(OFF, "Ada", "venue was down", LATER)

    kept = judge_symbols({"SOL": by_hand}, {"SOL": POOR}, "7", LATER)["SOL"]

    assert kept == by_hand
    assert kept.reason == "enabled by Ada: venue was down"
    after = judge_symbols({"SOL": kept}, {"SOL": replace(POOR, champion="8")}, "8", LATER)
    assert not after["SOL"].enabled


def test_judging_twice_changes_nothing():
    once = judge_symbols({"BTC": OFF}, {"SOL": POOR}, "7", NOW)

    assert judge_symbols(once, {"SOL": POOR}, "7", LATER) == once
