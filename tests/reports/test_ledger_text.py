"""The ledger at a terminal: every line of it, once."""

import runpy
from pathlib import Path

import pytest

from liqwarn.reports.ledger_text import ledger_text

LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_documents.py")))

NEW = """\
made_up (simulated market): what became of its flags, as of 2025-10-01 00:00 UTC
4 flag sides issued: 0 with a known outcome, 0 while a cascade was running, 4 pending, 0 unknown. \
0 are of bars the model was trained on and count for no skill. 0 were issued after their time \
(replayed): skill of those in time is told apart. 0 flags came again otherwise and 0 outcomes were \
revised: the first counts.
Champion: none.
No outcome is known yet: nothing can be said of the skill of these flags.

No alarm.

No event yet, so none missed.

Drift has not been measured."""

SMALL = """\
made_up (simulated market): what became of its flags, as of 2025-10-01 00:00 UTC
61,234 flag sides issued: 52,110 with a known outcome, 900 while a cascade was running, 48 \
pending, 76 unknown. 1,000 are of bars the model was trained on and count for no skill. 8,000 \
were issued after their time (replayed): skill of those in time is told apart. 3 flags came \
again otherwise and 2 outcomes were revised: the first counts.
Champion: version 4 since 2025-08-01 03:00.

Alarms
  act   skill all long  2025-09-28 00:00  ROC-AUC of the last 90 days is 0.410 [0.330, 0.480]: \
worse than guessing
  warn  drift inputs    2025-09-20 00:00  9 of 30 inputs drifted far, most of all feature_29, \
feature_28

Skill at 4 h, since the first
An alarm is a flag at T2 or higher. An event is caught when an alarm of its symbol and side stood \
within the 4 h before its onset; an alarm is false when no onset follows within 4 h. Alarms less \
than 2 h apart are one. False alarms are counted per symbol and week.
  symbol  side   onsets  PR-AUC [95 %]         base rate  ROC-AUC [95 %]        \
Brier   Brier skill  slope [95 %]       caught                   false a week  in alarm
  all     long   48      0.064 [0.048, 0.080]  1.12 %     0.780 [0.710, 0.840]  \
0.0104  0.021        0.94 [0.71, 1.18]  34 of 48: 71 % [55, 83]  1.40          5.1 %
  all     short  48      0.051 [0.038, 0.064]  1.12 %     0.780 [0.710, 0.840]  \
0.0104  0.021        0.94 [0.71, 1.18]  34 of 48: 71 % [55, 83]  1.40          5.1 %

By week, the last 1; a week has too few onsets for a PR-AUC to mean much
  week        side   onsets  PR-AUC  Brier   caught  missed  false
  2025-06-02  long   1       0.050   0.0060  1       0       0
  2025-06-02  short  0       –       0.0040  0       0       2

Missed, all 1; nothing is ever taken off this list
  onset, UTC        symbol   side  severity  chance before  tier  model
  2025-06-01 00:00  BTCUSDT  long  1.50      0.40 %         T0    3

Drift: 10 of 30 inputs moderate or large, the worst first
  drift of       grade     PSI    KS     missing before  missing now
  feature_29     large     0.290  0.165  0.0 %           2.0 %"""


@pytest.fixture
def account():
    return LEDGERS["make_account"]()


def test_a_new_ledger_says_that_nothing_is_known():
    assert ledger_text(LEDGERS["new_account"]()) == NEW


def test_the_text_of_a_small_ledger():
    small = LEDGERS["make_account"](symbols=("BTCUSDT",), weeks=1, missed=1)
    small["timely_skill"] = []
    small["skill"] = [
        row for row in small["skill"] if (row["scope"], row["window"]) == ("all",) * 2
    ]

    assert ledger_text(small)[: len(SMALL)] == SMALL


@pytest.mark.parametrize(
    ("market", "said"),
    [("real", "(real market)"), ("simulated", "(simulated market)"), (None, "(market not said)")],
)
def test_the_market_is_said(account, market, said):
    assert said in ledger_text(account | {"market": market}).splitlines()[0]


def test_no_miss_is_left_out(account):
    text = ledger_text(LEDGERS["make_account"](missed=300))

    assert "Missed, all 300" in text
    assert text.count("  T0  ") + text.count("  T1  ") == 300


def test_shorter_windows_are_not_told_by_symbol(account):
    thirty = ledger_text(account).split("Skill at 4 h, 30 days")[1].split("\n\n")[0]

    assert "all " in thirty
    assert "BTCUSDT" not in thirty


def test_flags_in_time_are_told_apart_where_some_were_not(account):
    assert "Skill at 4 h, issued in time" in ledger_text(account)
    account["counts"]["replayed"] = 0
    assert "Skill at 4 h, issued in time" not in ledger_text(account)


def test_a_symbol_that_is_not_scored_is_named_with_its_reason(account):
    text = ledger_text(account)

    assert "Not scored, 1 of 2 symbols\n  DOGEUSDT  since 2025-09-01 00:00  live ROC-AUC" in text
    account["standings"][1]["enabled"] = True
    assert "All 2 symbols are scored." in ledger_text(account)


def test_without_drift_by_grade_the_largest_are_shown(account):
    for row in account["drift"]["inputs"]:
        row["grade"] = "none"
    text = ledger_text(account)

    assert "Drift: 0 of 30 inputs moderate or large, the worst first" in text
    assert "feature_29" in text


@pytest.mark.parametrize("document", [{}, {"skill": [{}], "weekly": [{}], "misses": [{}]}])
def test_what_is_missing_is_a_dash_or_left_out(document):
    assert ledger_text(document | {"drift": {"inputs": [{}]}, "alarms": [{}], "standings": [{}]})
