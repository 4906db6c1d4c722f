import copy

import pytest

from liqwarn.reports.evaluation_page import evaluation_markdown


def test_every_side_and_horizon_has_its_tables_beside_every_baseline(evaluation):
    text = evaluation_markdown(evaluation)

    for side in ("Long", "Short"):
        for horizon in (1, 4, 24):
            assert f"## {side} side, {horizon} h ahead" in text
    for model in ("**liqwarn**", "B0 ", "B1 ", "B2 ", "B3 ", "B4 ", "B5 ", "B6 "):
        assert text.count(f"| {model}") == 3 * 6
    assert "Test span: 2023-02-01 00:00 to 2024-08-05 03:00 UTC." in text


def test_the_summary_says_better_tie_and_worse(evaluation):
    for row in evaluation["results"]:
        if row["model"] == "liqwarn" and row["horizon_h"] == 1:
            row["delta_pr_auc_vs_har"] = {"mean": 0.0, "ci": [-0.01, 0.01]}
        if row["model"] == "liqwarn" and row["horizon_h"] == 24:
            row["delta_pr_auc_vs_har"] = {"mean": -0.02, "ci": [-0.03, -0.01]}
    text = evaluation_markdown(evaluation)

    assert "- **long, 4 h**: Better than the HAR baseline" in text
    assert "- **long, 1 h**: A tie with the HAR baseline" in text
    assert "- **long, 24 h**: Worse than the HAR baseline" in text


def test_the_time_truly_spent_in_alarm_is_said(evaluation):
    assert "at 5 % time in alarm (in truth 6.1 %" in evaluation_markdown(evaluation)


def test_few_events_are_said_beside_the_figures(evaluation):
    for row in evaluation["results"]:
        row["events"] = 12

    assert evaluation_markdown(evaluation).count("Only 12 events") == 6 + 6


def test_a_placebo_with_skill_is_a_warning_on_top_of_its_table(evaluation):
    evaluation["placebo"][0]["roc_auc_ci"] = [0.55, 0.6]
    text = evaluation_markdown(evaluation)

    assert "**WARNING: 1 of 4 placebo runs show skill." in text
    assert "No placebo shows skill." not in text


def test_a_placebo_that_could_not_be_judged_is_no_proof(evaluation):
    evaluation["placebo"][0] |= {"pr_auc_ci": [None, None], "roc_auc_ci": None}

    assert "No placebo shows skill." not in evaluation_markdown(evaluation)


def emptied(node, filler):
    if isinstance(node, dict):
        keep = ("side", "symbol", "model", "horizon_h", "panel", "family", "kind")
        return {k: v if k in keep else emptied(v, filler) for k, v in node.items()}
    if isinstance(node, list):
        return [emptied(v, filler) for v in node]
    return filler


@pytest.mark.parametrize("filler", [None, float("nan"), float("inf")], ids=str)
def test_no_figure_at_all_still_makes_a_page(evaluation, filler):
    text = evaluation_markdown(emptied(copy.deepcopy(evaluation), filler))

    assert "nan" not in text.lower()
    assert "None" not in text
    assert "Not measured against the HAR baseline." in text
    assert "No placebo shows skill." not in text


@pytest.mark.parametrize("evaluation", [{}, {"panel": "p", "results": [], "ablation": None}])
def test_an_empty_evaluation_claims_nothing(evaluation):
    text = evaluation_markdown(evaluation)

    assert "nothing can be said about skill" in text
    assert "No placebo was run." in text


def test_every_symbol_is_shown_by_itself_unless_there_is_only_one(evaluation):
    assert evaluation_markdown(evaluation).count("| DOGEUSDT |") == 2
    evaluation["n_symbols"] = 1

    assert "## By symbol" not in evaluation_markdown(evaluation)


def test_a_missing_liqwarn_is_said(evaluation):
    evaluation["results"] = [r for r in evaluation["results"] if r["model"] != "liqwarn"]

    assert "liqwarn was not evaluated" in evaluation_markdown(evaluation)
