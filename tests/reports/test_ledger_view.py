"""The ledger's section of the page: whole, inside its panels, escaped, and plain when empty."""

import re
import runpy
from pathlib import Path

import pytest

from liqwarn.reports.environment import environment
from liqwarn.reports.ledger_view import ledger_view

LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_documents.py")))
EVIL = "<script>alert(1)</script>\"'&"


@pytest.fixture
def account():
    return LEDGERS["make_account"]()


def section(account):
    """The section made with an account; the rest of the page takes its time."""
    template = environment().get_template("ledger.html.j2")
    return template.render(ledger=ledger_view(account))


def spoilt(part):
    """Every text replaced by one that would run if it were not escaped."""
    if isinstance(part, dict):
        kept = {name: part[name] for name in ("side", "window", "model", "scope") if name in part}
        return {name: spoilt(value) for name, value in part.items()} | kept
    if isinstance(part, list):
        return [spoilt(value) for value in part]
    return EVIL if isinstance(part, str) else part


def test_no_ledger_is_said():
    assert ledger_view(None) is None
    assert "<strong>There is no ledger.</strong>" in section(None)
    assert "<table" not in section(None)


def test_a_ledger_without_outcomes_says_so_and_shows_no_figure():
    text = section(LEDGERS["new_account"]())

    assert "No outcome is known yet: nothing can be said of the skill of these flags." in text
    assert "No event yet, so none missed." in text
    assert "Drift has not been measured." in text
    assert "PR-AUC" not in text
    assert "<svg" not in text


def test_few_onsets_are_said_before_any_figure(account):
    account["skill"] = [{**row, "onsets": 4} for row in account["skill"]]
    text = section(account)

    assert text.index("only 4 onsets, too few to lean on") < text.index('class="panels"')


def test_alarms_come_first_and_those_to_act_on_before_the_rest(account):
    text = section(account)

    assert text.index("Act on this") < text.index('class="lead"')
    assert text.index("skill all long") < text.index("drift inputs")
    assert "Watch this" in section(account | {"alarms": account["alarms"][:1]})
    assert "No alarm." in section(account | {"alarms": []})


def test_the_headline_stands_beside_the_base_rate(account):
    long, short = ledger_view(account).panels

    assert (long.side, short.side) == ("long", "short")
    assert long.facts[0] == ("PR-AUC, base rate", "0.064 [0.048, 0.080], 1.12 %")
    assert long.facts[1] == ("Events caught", "34 of 48: 71 % [55, 83]")
    assert [row.name for row in long.rows] == [
        "since the first, 48 onsets", "90 days, 24 onsets", "30 days, 6 onsets",
        "issued in time, 40 onsets",
    ]  # fmt: skip
    for row in (*long.rows, *short.rows):
        assert 0 <= row.low <= row.dot <= row.low + row.width <= 100
        assert row.base < row.low


def test_every_miss_is_in_the_page():
    text = section(LEDGERS["make_account"](missed=1234))
    table = text.split("<h3>What was missed</h3>")[1].split("</table>")[0]

    assert "All 1,234, the newest first." in text
    assert table.count("<tr>") == 1234 + 1


def test_drift_is_worst_first_and_its_grade_is_a_word(account):
    rows = ledger_view(account).drift

    assert [row.grade for row in rows][:6] == ["moderate"] * 2 + ["large"] * 2 + ["moderate"] * 2
    assert rows[2].cells[0] == "feature_29"
    assert section(account).count('class="grade-large"') == 2
    assert "(43,488 rows) against what the model was trained on, 2025-01-01" in section(account)
    assert "so a large PSI alone is no drift" in section(account)


def test_weeks_without_a_ranking_have_no_chart_of_it(account):
    account["weekly"] = [{**row, "pr_auc": None} for row in account["weekly"]]
    text = section(account)

    assert "No week has enough onsets for a PR-AUC, so none is drawn." in text
    assert text.count("<svg") == 6


def test_a_note_says_why_figures_are_missing(account):
    for row in account["skill"]:
        row["note"] = "too few onsets: 3, expected 10"

    assert section(account).count("too few onsets: 3, expected 10") == 2


def test_a_grade_that_is_none_of_ours_is_unknown(account):
    account["drift"]["inputs"] = [{"feature": "a", "grade": EVIL}]

    assert ledger_view(account).drift[-1].grade == "unknown"


def test_a_symbol_that_is_not_scored_has_its_reason(account):
    assert ledger_view(account).standings[1][1:] == (
        "no", "2025-09-01 00:00", "4", "live ROC-AUC 0.310 [0.200, 0.440] lies below the floor",
    )  # fmt: skip


def test_foreign_text_is_escaped(account):
    text = section(spoilt(account))

    assert "alert(1)" in text
    assert "<script" not in text


@pytest.mark.parametrize("part", sorted(LEDGERS["make_account"]()))
@pytest.mark.parametrize("odd", [None, 3, "text", [None], {}, float("nan")])
def test_a_part_that_is_odd_leaves_the_rest_standing(account, part, odd):
    text = section(account | {part: odd})

    assert "<h3>What was missed</h3>" in text
    assert not re.search(r"\bnan\b|\bNone\b|\bNaT\b", text)
