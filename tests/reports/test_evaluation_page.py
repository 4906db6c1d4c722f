import re

import pytest

from liqwarn.reports.evaluation_page import evaluation_markdown, reading_markdown


def test_the_answer_and_the_marks_come_before_the_tables(document):
    headings = re.findall(r"^#+ .*", evaluation_markdown(document), re.MULTILINE)

    assert headings[:4] == [
        "# Evaluation of simulated_10",
        "## In short",
        "## Marks aimed at",
        "## Skill against the baselines",
    ]
    assert headings[-1] == "## How to read this page"


def test_every_model_stands_in_the_full_tables_of_both_sides(document):
    text = evaluation_markdown(document)

    for model in ("**liqwarn**", "B0 hour", "B1 vol", "B3 fund", "B4 last", "B5 clus"):
        assert text.count(f"\n| {model}") == 6
    assert "Test span: 2023-02-01 00:00 to 2024-08-05 03:00 UTC." in text


def test_the_page_of_a_panel_stays_compact(document):
    document["n_symbols"] = 1

    assert len(evaluation_markdown(document, reading=False).splitlines()) < 300


def test_the_summary_says_better_tie_and_worse(document):
    for row in document["results"]:
        if row["model"] == "liqwarn" and row["side"] == "short":
            row["delta_pr_auc_vs_har"] = {"mean": 0.01, "ci": [-0.01, 0.03]}
    text = evaluation_markdown(document)

    assert "- **long**: Better than the HAR baseline" in text
    assert "- **short**: A tie with the HAR baseline: the interval covers 0" in text


def test_the_time_truly_spent_in_alarm_is_said(document):
    assert "warned of at 5 % time in alarm (in truth 6.1 %)" in evaluation_markdown(document)


def test_a_placebo_with_skill_is_a_warning_on_top_of_its_table(document):
    document["placebo"][0]["roc_auc_ci"] = [0.55, 0.6]
    text = evaluation_markdown(document)

    assert "**WARNING: 1 of 4 placebo runs show skill." in text
    assert "No placebo shows skill." not in text


def test_what_was_not_measured_is_listed(evaluation):
    text = evaluation_markdown(evaluation)
    listed = text.split("## Not measured in this run")[1].split("##")[0]

    assert listed.count("\n- ") == 5
    assert "- The policy was not replayed on a book." in listed
    assert "## Policy utility" not in text


@pytest.mark.parametrize("filler", [None, float("nan"), float("inf"), "x", {}], ids=str)
def test_no_figure_at_all_still_makes_a_page(document, emptied, filler):
    text = evaluation_markdown(emptied(document, filler))

    assert not re.search(r"\bnan\b|\binf\b|\bNone\b", text, re.IGNORECASE)
    assert "Not measured against the HAR baseline." in text
    assert "No placebo shows skill." not in text
    assert "| reached |" not in text


@pytest.mark.parametrize("evaluation", [{}, {"panel": "p", "results": [], "ablation": None}])
def test_an_empty_evaluation_claims_nothing(evaluation):
    text = evaluation_markdown(evaluation)

    assert "nothing can be said about skill" in text
    assert "- No placebo was run." in text


def test_no_minus_is_a_hyphen(document):
    for row in document["results"]:
        row["calibration_slope"] = row["molchan_skill"] = row["brier_skill_vs_har"] = -2.07

    assert not re.search(r"(?<![\w-])-\d", evaluation_markdown(document))


def test_how_to_read_it_can_be_said_once_for_several(document):
    assert reading_markdown() not in evaluation_markdown(document, reading=False)
    assert evaluation_markdown(document).endswith(reading_markdown() + "\n")
