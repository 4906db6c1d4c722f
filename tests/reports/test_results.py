from liqwarn.reports.results import (
    cells,
    of_budget,
    ratio_to_har,
    result_of,
    results_of,
    rows_of,
    sides_of,
)


def test_liqwarn_comes_first_and_the_baselines_in_order(evaluation):
    shuffled = {"results": list(reversed(evaluation["results"]))}
    names = [row["model"] for row in results_of(shuffled, "long", 4)]

    assert names == ["liqwarn", "B0", "B1", "B2", "B3", "B4", "B5", "B6"]


def test_an_unknown_model_comes_last():
    rows = [{"side": "long", "horizon_h": 4, "model": m} for m in ("mystery", "B2")]

    assert [r["model"] for r in results_of({"results": rows}, "long", 4)] == ["B2", "mystery"]


def test_cells_are_in_reading_order(evaluation):
    expected = [(side, h) for side in ("long", "short") for h in (1, 4, 24)]

    assert cells(evaluation) == expected


def test_what_is_missing_is_none_or_empty():
    assert result_of({}, "long", 4) is None
    assert rows_of({"ablation": None}, "ablation") == []
    assert of_budget({"0.01": None}, "0.01") is None
    assert of_budget({"0.01": 0.3}, "0.02") is None


def test_only_sides_with_rows_are_listed():
    assert sides_of([{"side": "short"}]) == ["short"]
    assert sides_of([{}, {"side": "up"}]) == []


def test_rows_that_are_no_rows_are_left_out():
    assert rows_of({"severe": [None, {"side": "long"}, 3]}, "severe") == [{"side": "long"}]


def test_the_ratio_to_har_is_taken_as_measured_or_worked_out_without_an_interval():
    rows = [
        {"side": "long", "horizon_h": 4, "model": "liqwarn", "pr_auc": 0.06},
        {"side": "long", "horizon_h": 4, "model": "B2", "pr_auc": 0.0},
    ]
    assert ratio_to_har({"results": rows}, "long", 4) == {"mean": None, "ci": None}
    rows[0]["ratio_pr_auc_vs_har"] = {"mean": 1.5, "ci": [1.1, 2.0]}
    assert ratio_to_har({"results": rows}, "long", 4) == {"mean": 1.5, "ci": [1.1, 2.0]}
