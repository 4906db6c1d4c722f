import pytest

from liqwarn.reports.skill_view import skill_view


def test_the_four_hour_panels_come_first_side_beside_side(evaluation):
    view = skill_view(evaluation)
    order = [(p.side, p.horizon_h) for p in view.panels]

    assert order[:2] == [("long", 4), ("short", 4)]
    assert len(order) == 6
    assert all(len(p.rows) == 8 for p in view.panels)


def test_dots_and_intervals_stay_on_the_track(evaluation):
    for panel in skill_view(evaluation).panels:
        for row in panel.rows:
            assert 0 <= row.low <= row.dot <= row.low + row.width <= 100


@pytest.mark.parametrize("evaluation", [None, {}, {"results": []}])
def test_nothing_evaluated(evaluation):
    assert skill_view(evaluation) is None


def test_missing_figures_draw_no_dot():
    row = {"side": "long", "horizon_h": 4, "model": "liqwarn", "pr_auc": None, "base_rate": None}
    panel = skill_view({"results": [row]}).panels[0]

    assert (panel.verdict, panel.base, panel.rows[0].dot, panel.rows[0].low) == (
        "not measured", None, None, None,
    )  # fmt: skip


def test_a_placebo_with_skill_is_marked(evaluation):
    evaluation["placebo"][1]["roc_auc_ci"] = [0.55, 0.6]

    assert [row.warn for row in skill_view(evaluation).placebo] == [False, True, False, False]


def test_a_planted_leak_that_is_found_is_no_warning(document):
    assert not any(row.warn for row in skill_view(document).placebo)


def test_figures_have_a_true_minus(evaluation):
    for row in evaluation["results"]:
        row["calibration_slope"] = -2.07

    assert "−2.07" in skill_view(evaluation).panels[0].rows[0].cells
