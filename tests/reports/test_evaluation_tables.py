import pytest

from liqwarn.reports.evaluation_section import Section, markdown_of
from liqwarn.reports.evaluation_tables import (
    calibration_table,
    compact_table,
    delta_text,
    false_alarm_table,
    model_name,
    recall_text,
    skill_table,
    warning_table,
)
from liqwarn.reports.results import results_of

EMPTY = {"side": "long", "horizon_h": 4, "model": "liqwarn"}


def tables(evaluation):
    rows = results_of(evaluation, "long", 4)
    return [
        skill_table(evaluation, "long", 4),
        warning_table(rows),
        false_alarm_table(rows),
        calibration_table(rows),
        compact_table(evaluation, "long"),
    ]


@pytest.mark.parametrize("which", range(5))
def test_every_row_has_every_column(document, which):
    table = tables(document)[which]

    assert {len(line.cells) for line in table.rows} == {len(table.header)}
    assert len(table.rows) == (6 if which == 4 else 8)


@pytest.mark.parametrize("which", range(4))
def test_missing_figures_print_as_dashes(which):
    line = tables({"results": [EMPTY]})[which].rows[0]

    assert line.cells[0] == "liqwarn"
    assert set(line.cells[1:]) == {"–"}
    assert line.ours


def test_har_is_the_reference_of_the_paired_figures(document):
    rows = skill_table(document, "long", 4).rows

    assert [line.cells[0] for line in rows if "reference" in line.cells] == [
        "B2 HAR volatility logistic"
    ]
    assert delta_text({"model": "B6", "delta_pr_auc_vs_har": None}) == "–"


def test_the_other_horizons_show_liqwarn_har_and_the_best_of_the_rest(document):
    lines = compact_table(document, "long").rows

    assert [line.cells[:2] for line in lines[:3]] == [
        ("1 h", "liqwarn"),
        ("1 h", "B2 HAR volatility logistic"),
        ("1 h", "B6 logistic on all features"),
    ]
    assert "4 h" not in {line.cells[0] for line in lines}


def test_har_is_shown_once_though_it_be_the_best_of_all(document):
    for row in document["results"]:
        row["pr_auc"] = 0.9 if row["model"] == "B2" else row["pr_auc"]
    names = [line.cells[1] for line in compact_table(document, "long").rows[:3]]

    assert names == ["liqwarn", "B2 HAR volatility logistic", "B6 logistic on all features"]


def test_a_recall_has_its_interval_however_its_budget_was_written():
    row = {"event_recall": {"0.1": 0.5}, "event_recall_ci": {"0.10": [0.4, 0.6]}}

    assert recall_text(row, "0.10") == "50 % [40, 60]"
    assert recall_text({}, "0.10") == "–"


def test_negative_slopes_have_a_true_minus(document):
    for row in document["results"]:
        row["calibration_slope"] = row["molchan_skill"] = -2.07
    text = markdown_of(Section(key="k", title="T", tables=tuple(tables(document))))

    assert "−2.07" in text
    assert "-2.07" not in text


def test_an_unknown_model_keeps_its_name():
    assert (model_name({"model": "B9"}), model_name({})) == ("B9", "–")
