import pytest

from liqwarn.reports.evaluation_budget import budget_section

ROW = {"side": "long", "horizon_h": 4, "model": "liqwarn", "budget": "0.05", "kind": "controlled"}


def line(**figures):
    return budget_section({"alarm_budget": [ROW | figures]}).tables[0].rows[0]


@pytest.mark.parametrize(
    ("ends", "expected", "tone"),
    [
        ([0.03, 0.05], "kept", "good"),
        ([0.051, 0.07], "overspent", "bad"),
        ([0.04, 0.06], "cannot tell", "quiet"),
        ([None, 0.06], "not measured", "quiet"),
        (None, "not measured", "quiet"),
    ],
)
def test_only_an_interval_on_one_side_of_the_budget_decides(ends, expected, tone):
    found = line(false_alarm_rate=0.045, false_alarm_rate_ci=ends)

    assert (found.cells[-1], found.tone) == (expected, tone)


@pytest.mark.parametrize("budget", [None, "soon", float("nan")])
def test_an_unreadable_budget_is_a_dash(budget):
    found = line(budget=budget, false_alarm_rate_ci=[0.0, 0.1])

    assert (found.cells[0], found.cells[-1]) == ("–", "not measured")


def test_rates_are_drawn_as_multiples_of_their_budget(document):
    chart = budget_section(document).charts[0]

    assert [mark.text for mark in chart.marks[:2]] == ["1.40×", "0.90×"]
    assert chart.marks[1].dot < chart.reference < chart.marks[0].dot
    assert all(len(mark.others) == 1 for mark in chart.marks)


def test_other_models_are_on_the_page_alone(document):
    tables = budget_section(document).tables

    assert [(len(table.rows), table.brief) for table in tables] == [(16, True), (16, False)]


def test_nothing_measured():
    assert budget_section({}).missing
