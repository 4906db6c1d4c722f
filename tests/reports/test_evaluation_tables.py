from liqwarn.reports.evaluation_tables import (
    ablation_table,
    calibration_table,
    markdown_table,
    skill_table,
    warning_table,
)

EMPTY = {"side": "long", "horizon_h": 4, "model": "liqwarn"}


def widths(table):
    return {line.replace("\\|", "").count("|") for line in table.splitlines()}


def test_every_row_has_every_column(evaluation):
    rows = evaluation["results"][:8]

    for make in (skill_table, warning_table, calibration_table):
        assert len(widths(make(rows))) == 1
        assert len(make(rows).splitlines()) == 10


def test_missing_figures_print_as_dashes():
    line = skill_table([EMPTY]).splitlines()[-1]

    assert line == "| **liqwarn** | – | – | – | – – | – | – | – | – | – |"


def test_missing_lead_times_print_as_dashes():
    assert "| – | – | – |" in warning_table([EMPTY | {"lead_minutes": None, "event_recall": None}])


def test_har_is_the_reference_of_the_paired_difference(evaluation):
    lines = skill_table(evaluation["results"][:8]).splitlines()

    assert [line for line in lines if "reference" in line] == [
        line for line in lines if line.startswith("| B2 ")
    ]


def test_a_family_that_covers_zero_adds_nothing():
    row = {"family": "flows", "side": "long", "horizon_h": 4}
    table = ablation_table([row | {"delta_pr_auc": {"mean": 0.001, "ci": [-0.001, 0.003]}}])

    assert "adds nothing" in table


def test_a_line_break_cannot_break_a_table():
    assert markdown_table(["a", "b"], [["x\ny", "z"]]).splitlines()[-1] == "| x y | z |"
