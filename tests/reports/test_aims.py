import pytest

from liqwarn.reports.aims import aims

RATIO, ROC, RECALL_5, RECALL_10, EARLY, LEAD, SLOPE, ECE, PLACEBO, LEAK = range(10)


def judged(document, which, **changes):
    for row in document["results"]:
        if (row["side"], row["horizon_h"], row["model"]) == ("long", 4, "liqwarn"):
            row.update(changes)
    return aims(document, "long")[which].status


@pytest.mark.parametrize(
    ("mean", "ci", "expected"),
    [
        (2.0, [1.01, 4.0], "reached"),
        (2.6, [1.0, 4.0], "missed"),
        (2.6, [0.8, 4.0], "missed"),
        (1.99, [1.5, 3.0], "missed"),
        (2.6, None, "not measured"),
        (1.2, None, "missed"),
    ],
)
def test_the_ratio_needs_its_figure_and_its_whole_interval(document, mean, ci, expected):
    assert judged(document, RATIO, ratio_pr_auc_vs_har={"mean": mean, "ci": ci}) == expected


@pytest.mark.parametrize(
    ("which", "key", "value", "expected"),
    [
        (ROC, "roc_auc", 0.82, "reached"),
        (ROC, "roc_auc", 0.8199, "missed"),
        (SLOPE, "calibration_slope", 0.9, "reached"),
        (SLOPE, "calibration_slope", 1.11, "missed"),
        (SLOPE, "calibration_slope", -1.0, "missed"),
        (ECE, "ece", 0.01, "reached"),
        (ECE, "ece", 0.0101, "missed"),
        (ECE, "ece", float("nan"), "not measured"),
    ],
)
def test_other_marks_go_by_their_figure(document, which, key, value, expected):
    assert judged(document, which, **{key: value}) == expected


@pytest.mark.parametrize(
    ("recall", "spent", "expected"),
    [
        (0.60, 0.055, "reached"),
        (0.59, 0.05, "missed"),
        (0.90, 0.0551, "missed"),
        (0.90, None, "not measured"),
        (None, 0.05, "not measured"),
    ],
)
def test_a_recall_counts_only_for_the_alarm_time_it_was_promised(document, recall, spent, expected):
    changes = {"event_recall": {"0.05": recall}, "alarm_time": {"0.05": spent}}

    assert judged(document, RECALL_5, **changes) == expected


def test_recall_at_ten_percent_has_its_own_mark(document):
    changes = {"event_recall": {"0.1": 0.74, "0.05": 0.74}, "alarm_time": {"0.1": 0.1, "0.05": 0}}

    assert judged(document, RECALL_10, **changes) == "missed"
    assert aims(document, "long")[RECALL_5].status == "reached"


def test_early_warnings_are_a_share_of_all_events(document):
    changes = {"lead_minutes": {"share_ge_15": 0.6}, "alarm_time": {"0.05": 0.05}}

    assert judged(document, EARLY, **changes) == "reached"


@pytest.mark.parametrize(
    ("bar", "median", "expected"),
    [(60, 60, "reached"), (60, 59, "missed"), (5, 30, "reached"), (None, 59, "missed")],
)
def test_the_mark_for_lead_time_depends_on_the_bar(document, bar, median, expected):
    document["bar_minutes"] = bar

    assert judged(document, LEAD, lead_minutes={"median": median}) == expected


def test_bars_longer_than_an_hour_have_no_mark_for_lead_time(document):
    document["bar_minutes"] = 60
    hourly = [aim.what for aim in aims(document, "long")]
    document["bar_minutes"] = 240
    longer = [aim.what for aim in aims(document, "long")]

    assert [what for what in hourly if what not in longer] == [hourly[EARLY], hourly[LEAD]]
    assert "15 min ahead" in hourly[EARLY]


def test_placebos_and_the_planted_leak_are_marks_too(document):
    found = aims(document, "long")
    assert (found[PLACEBO].status, found[LEAK].status) == ("not measured", "reached")
    assert found[PLACEBO].measured == "1 of 2 without skill, 1 not judged"

    for row in document["placebo"]:
        if row["kind"] == "shifted_labels":
            row["roc_auc_ci"] = [0.45, 0.55]
    assert aims(document, "long")[PLACEBO].status == "reached"

    for row in document["placebo"]:
        row["roc_auc_ci"] = [0.45, 0.6] if row["kind"] == "planted_leak" else [0.51, 0.6]
    found = aims(document, "long")
    assert (found[PLACEBO].status, found[LEAK].status) == ("missed", "missed")


def test_nothing_measured_is_nothing_reached():
    assert {aim.status for aim in aims({}, "short")} == {"not measured"}
