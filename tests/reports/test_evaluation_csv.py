import csv
import io

from liqwarn.reports.evaluation_csv import evaluation_csv


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_part_is_a_file_with_full_precision(document):
    document["results"][0]["pr_auc"] = 0.12345678901234567
    files = evaluation_csv(document)

    assert sorted(files) == [
        "ablation.csv", "alarm_budget.csv", "by_symbol.csv", "by_year.csv", "placebo.csv",
        "results.csv", "robustness.csv", "severe.csv", "utility.csv",
    ]  # fmt: skip
    assert float(read(files["results.csv"])[0]["pr_auc"]) == 0.12345678901234567
    assert [len(read(files[f"{part}.csv"])) for part in ("results", "severe")] == [48, 4]


def test_nested_figures_are_columns_and_curves_are_not(document):
    row = read(evaluation_csv(document)["results.csv"])[0]

    assert {"event_recall.0.05", "event_recall_ci.0.05.low", "pr_auc_ci.high"} <= set(row)
    assert {"delta_pr_auc_vs_har.mean", "delta_pr_auc_vs_har.ci.low"} <= set(row)
    assert not [name for name in row if name.startswith(("molchan.", "reliability"))]
    paths = read(evaluation_csv(document)["robustness.csv"])[3]["path_pr_auc"]
    assert paths == "0.05 0.06 0.055 0.02 0.058"


def test_what_was_not_measured_has_no_file():
    assert evaluation_csv({"results": [], "severe": None}) == {}
