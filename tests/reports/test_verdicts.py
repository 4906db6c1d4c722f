import pytest

from liqwarn.reports.verdicts import (
    ablation_verdict,
    few_events,
    has_placebo_skill,
    placebo_alarm,
    placebo_sentences,
    placebo_verdict,
    verdict,
    verdict_sentence,
)


@pytest.mark.parametrize(
    ("ci", "expected"),
    [
        ([0.001, 0.02], "better"),
        ([-0.001, 0.02], "tie"),
        ([0.0, 0.02], "tie"),
        ([-0.02, 0.0], "tie"),
        ([-0.02, -0.001], "worse"),
        ([None, 0.02], "not measured"),
        ([float("nan"), float("nan")], "not measured"),
        (None, "not measured"),
    ],
)
def test_only_an_interval_clear_of_zero_decides(ci, expected):
    assert verdict({"mean": 0.01, "ci": ci}) == expected


def test_a_tie_is_called_a_tie_however_large_the_mean():
    said = verdict_sentence({"delta_pr_auc_vs_har": {"mean": 0.5, "ci": [-0.1, 1.1]}})

    assert said.startswith("A tie with the HAR baseline")


def test_a_worse_result_is_said_to_be_worse():
    said = verdict_sentence({"delta_pr_auc_vs_har": {"mean": -0.02, "ci": [-0.03, -0.01]}})

    assert said.startswith("Worse than the HAR baseline (ΔPR-AUC −0.020")


@pytest.mark.parametrize(("events", "warns"), [(29, True), (30, False), (None, True)])
def test_few_events_come_with_a_caveat(events, warns):
    assert bool(few_events({"events": events})) is warns


@pytest.mark.parametrize(
    ("ci", "expected"),
    [([0.001, 0.003], "adds skill"), ([-0.1, 0.1], "adds nothing"), ([-2, -1], "does harm")],
)
def test_ablation(ci, expected):
    assert ablation_verdict({"delta_pr_auc": {"mean": 0.0, "ci": ci}}) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"pr_auc_ci": [0.02, 0.03], "base_rate": 0.01}, True),
        ({"pr_auc_ci": [0.005, 0.03], "base_rate": 0.01}, False),
        ({"roc_auc_ci": [0.51, 0.6], "pr_auc_ci": [0.005, 0.03], "base_rate": 0.01}, True),
        ({"roc_auc_ci": [0.45, 0.6]}, False),
        ({}, None),
        ({"roc_auc_ci": [0.5, 0.5], "pr_auc_ci": [0.02, 0.03], "base_rate": 0.01}, None),
        ({"roc_auc_ci": [0.5, 0.6]}, False),
    ],
)
def test_a_placebo_with_skill_is_seen(row, expected):
    assert has_placebo_skill(row) is expected


def test_a_placebo_with_skill_is_a_warning():
    said = placebo_verdict({"pr_auc": 0.025, "pr_auc_ci": [0.02, 0.03], "base_rate": 0.01})

    assert said.startswith("WARNING")


LEAK = {"kind": "planted_leak"}
FOUND, BLIND = LEAK | {"roc_auc_ci": [0.6, 0.7]}, LEAK | {"roc_auc_ci": [0.48, 0.7]}
CLEAN, CONSTANT = {"roc_auc_ci": [0.45, 0.55]}, {"roc_auc_ci": [0.5, 0.5]}
SKILLED = {"roc_auc_ci": [0.51, 0.55]}
SHIFTED = {"kind": "shifted_labels", "roc_auc_ci": [0.51, 0.55]}


def beside_har(*ends):
    return {"delta_pr_auc_vs_har": {"mean": 0.01, "ci": list(ends)}}


AS_HAR = SHIFTED | beside_har(-0.01, 0.01)


@pytest.mark.parametrize(
    ("row", "begins", "alarms"),
    [
        (FOUND, "found, as it must be", False),
        (BLIND, "WARNING: not found; the harness is blind", True),
        (LEAK | {"roc_auc_ci": [0.5, 0.5]}, "a constant forecast", False),
        (LEAK, "not measured", False),
        (CLEAN, "no skill, as it must be", False),
        (CONSTANT, "a constant forecast: says nothing", False),
        (SKILLED, "WARNING: a placebo shows skill", True),
        ({}, "not measured", False),
        (AS_HAR, "no skill beyond HAR, as it must be", False),
        (SHIFTED | beside_har(-0.02, -0.01), "no skill beyond HAR, as it must be", False),
        (SHIFTED | beside_har(0.001, 0.02), "WARNING: a placebo shows skill", True),
        (SHIFTED, "not measured", False),
        (SHIFTED | {"roc_auc_ci": [0.49, 0.55]}, "no skill, as it must be", False),
        (SHIFTED | CLEAN | beside_har(0.001, 0.02), "no skill, as it must be", False),
        (SKILLED | beside_har(-0.01, 0.01), "WARNING: a placebo shows skill", True),
        (CONSTANT | {"says_nothing": False}, "no skill, as it must be", False),
        (SKILLED | {"says_nothing": False}, "WARNING: a placebo shows skill", True),
        (SKILLED | {"says_nothing": True}, "a constant forecast: says nothing", False),
        (CLEAN | {"says_nothing": True}, "a constant forecast: says nothing", False),
        (CONSTANT | {"says_nothing": None}, "a constant forecast: says nothing", False),
        (BLIND | {"says_nothing": True}, "a constant forecast: says nothing", False),
    ],
)
def test_what_a_run_says_of_the_harness(row, begins, alarms):
    assert placebo_verdict(row).startswith(begins)
    assert placebo_alarm(row) is alarms


def test_a_control_is_judged_by_chance_alone():
    """HAR does not see the leak: what is found is found, as good as HAR or not."""
    row = FOUND | beside_har(-0.1, 0.2)

    assert placebo_verdict(row) == "found, as it must be"


@pytest.mark.parametrize(
    ("rows", "warned", "said"),
    [
        ([CLEAN, AS_HAR, FOUND], "", "No placebo shows skill. Every planted leak was found."),
        ([CLEAN, CONSTANT], "", "1 of 2 placebo runs say nothing; the others show no skill."),
        ([CONSTANT], "", "No placebo run could be judged."),
        ([SKILLED, CLEAN], "WARNING: 1 of 2 placebo runs show skill.", "1 of 2 placebo runs show"),
        ([CLEAN, BLIND], "WARNING: 1 of 1 planted leaks were not found.", "No placebo shows skill"),
        ([FOUND], "", "No placebo was run. Every planted leak was found."),
        ([CLEAN, LEAK], "", "No placebo shows skill. 0 of 1 planted leaks were found."),
    ],
)
def test_all_runs_together(rows, warned, said):
    warning, sentence = placebo_sentences(rows)

    assert warning.startswith(warned)
    assert bool(warning) is bool(warned)
    assert sentence.startswith(said)
