from liqwarn.reports.results import cells, of_budget, result_of, results_of, rows_of


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
