"""What MLflow keeps of an evaluation: one run with pages and hashes, and one nested run a fold."""

from types import SimpleNamespace

import mlflow
import pytest

from liqwarn.models.fold_skill import FOLD_METRICS
from liqwarn.pipelines.track_evaluation import evaluation_record, fold_steps, track_evaluation


def fold(number, side, **told):
    return {
        "fold": number,
        "from": f"2024-0{number + 1}-01T00:00:00Z",
        "to": f"2024-0{number + 1}-28T00:00:00Z",
        "n_train": 100,
        "n_test": 10,
        "side": side,
        "events": 2,
        **dict.fromkeys(FOLD_METRICS, 0.5),
        **told,
    }


@pytest.fixture
def document():
    results = [
        {"side": side, "horizon_h": 4, "model": model, "pr_auc": p, "calibration_slope": 1.1}
        for side in ("long", "short")
        for model, p in (("liqwarn", 0.4), ("B2", 0.3))
    ]
    return {
        "panel": "demo",
        "market": "simulated",
        "test": {"from": "2024-01-01T00:00:00Z", "to": "2024-02-28T00:00:00Z"},
        "retrain": "quarter",
        "seed": 7,
        "policy_sha256": "p" * 64,
        "results": results,
        "by_fold": [
            fold(0, "long", pr_auc=0.1), fold(0, "short"),
            fold(1, "long", pr_auc=0.2, calibration_slope=float("nan")), fold(1, "short"),
        ],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    out = tmp_path / "out"
    (out / "tables").mkdir(parents=True)
    (out / "folds").mkdir()
    for name in ("evaluation.html", "evaluation.json", "skill.png", "tables/a.csv", "folds/x.npz"):
        (out / name).write_text("x")
    return out


def test_a_run_holds_pages_hashes_and_skill_over_the_folds(document, folder, settings):
    panel = SimpleNamespace(name="demo", market="simulated")
    market = SimpleNamespace(panel=panel, panel_sha256="c" * 64, data_sha256="d" * 64)

    run_id = track_evaluation(SimpleNamespace(market=market), document, folder, settings)

    client = mlflow.MlflowClient(settings.mlflow_uri, settings.mlflow_uri)
    run = client.get_run(run_id)
    experiment = client.get_experiment(run.info.experiment_id)
    inside = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'")
    assert experiment.name == "liqwarn-demo"
    assert experiment.tags["liqwarn.market"] == "simulated"
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "7"
    assert run.data.tags["panel_sha256"] == "c" * 64
    assert run.data.tags["data_sha256"] == "d" * 64
    assert run.data.tags["policy_sha256"] == "p" * 64
    assert not [name for name in run.data.tags if "git" in name]
    assert run.data.tags["mlflow.source.name"] == "liqwarn evaluate"  # and no line of a command
    assert run.info.run_name == "evaluate 2024-01-01 to 2024-02-28"
    (read,) = run.inputs.dataset_inputs
    assert (read.dataset.name, read.dataset.digest) == ("demo", "d" * 12)
    assert run.data.tags["mlflow.note.content"].startswith(
        "Out-of-sample PR-AUC at 4 h: long 0.400 (HAR 0.300), short 0.400 (HAR 0.300). "
    )
    assert "liqwarn.run" not in run.data.tags  # it has no key
    assert run.data.metrics["long_4h_pr_auc"] == 0.4
    assert run.data.metrics["long_4h_B2_pr_auc"] == 0.3
    curve = client.get_metric_history(run_id, "fold/long_4h_pr_auc")
    assert [(m.step, m.value) for m in curve] == [(0, 0.1), (1, 0.2)]
    slope = client.get_metric_history(run_id, "fold/long_4h_calibration_slope")
    assert [(m.step, m.value) for m in slope] == [(0, 0.5)]  # what does not exist is left out
    assert sorted(r.info.run_name for r in inside) == [
        "fold 0 from 2024-01-01", "fold 1 from 2024-02-01",
    ]  # fmt: skip
    assert {r.data.params["fold"]: r.data.metrics["long_4h_pr_auc"] for r in inside} == {
        "0": 0.1, "1": 0.2,
    }  # fmt: skip
    assert sorted(f.path for f in client.list_artifacts(run_id)) == [
        "evaluation.html", "evaluation.json", "skill.png", "tables",
    ]  # fmt: skip


def test_an_evaluation_of_an_earlier_version_has_no_folds(document, folder):
    del document["by_fold"]

    record = evaluation_record(document, folder, {})

    assert record.children == ()
    assert record.steps == {}


def test_curves_are_in_the_order_of_the_folds(document):
    turned = list(reversed(document["by_fold"]))

    assert fold_steps(turned)["fold/long_4h_pr_auc"] == [0.1, 0.2]
