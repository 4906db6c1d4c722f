"""The cells of a ledger's rows: as many as their heads, and dashes for what is missing."""

import runpy
from pathlib import Path

import pytest

from liqwarn.reports.ledger_cells import (
    CALIBRATION_HEAD,
    DRIFT_HEAD,
    LEDGER_HEADS,
    MISS_HEAD,
    SKILL_HEAD,
    STANDING_HEAD,
    WEEK_HEAD,
    alarm_cells,
    calibration_cells,
    drift_cells,
    miss_cells,
    skill_cells,
    standing_cells,
    week_cells,
)

LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_documents.py")))
WRITERS = (
    (skill_cells, SKILL_HEAD),
    (week_cells, WEEK_HEAD),
    (miss_cells, MISS_HEAD),
    (lambda row: drift_cells(row, "rv_1h"), DRIFT_HEAD),
    (calibration_cells, CALIBRATION_HEAD),
    (standing_cells, STANDING_HEAD),
)


@pytest.mark.parametrize(("write", "head"), WRITERS)
def test_an_empty_row_is_dashes_under_every_head(write, head):
    cells = write({})

    assert len(cells) == len(head)
    assert set(cells) <= {"–", "unknown", "rv_1h", ""}


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), "text", [], {}, True])
def test_what_is_no_number_is_a_dash(odd):
    row = dict.fromkeys(("pr_auc", "brier", "onsets", "recall", "psi", "slope", "severity"), odd)

    for write, _ in WRITERS:
        assert not {"nan", "inf"} & set(" ".join(write(row)).split())


def test_a_miss_and_a_standing_in_full():
    account = LEDGERS["make_account"]()

    assert miss_cells(account["misses"][1]) == (
        "2025-07-02 01:00", "DOGEUSDT", "short", "1.75", "0.50 %", "T1", "4",
    )  # fmt: skip
    assert standing_cells(account["standings"][1])[:4] == (
        "DOGEUSDT", "no", "2025-09-01 00:00", "4",
    )  # fmt: skip
    assert standing_cells({"symbol": "A", "enabled": True})[1] == "yes"


def test_an_alarm_says_what_since_when_and_why():
    assert alarm_cells(LEDGERS["ALARMS"][1]) == (
        "act",
        "skill all long",
        "2025-09-28 00:00",
        "ROC-AUC of the last 90 days is 0.410 [0.330, 0.480]: worse than guessing",
    )
    assert alarm_cells({}) == ("–", "–", "–", "")


def test_every_head_has_a_name():
    assert set(LEDGER_HEADS.values()) == {head for _, head in WRITERS}
