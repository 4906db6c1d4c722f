"""The evaluation document: exactly what others rely on, beside every baseline, and its files."""

import csv
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pandas as pd
import pytest

from liqwarn.config import load_policy
from liqwarn.errors import ConfigError
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.evaluate import EvaluationOrder, evaluate, labelled_rows, write_evaluation

MODELS = {"liqwarn", "B0", "B1", "B2", "B3", "B4", "B5", "B6"}
BUDGETS = {"0.01", "0.02", "0.05", "0.10"}
NUMBERS = (
    "base_rate",
    "pr_auc",
    "roc_auc",
    "brier",
    "brier_skill_vs_har",
    "calibration_slope",
    "calibration_intercept",
    "ece",
)
FROM = datetime(2022, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def order(small, given_market):
    return EvaluationOrder(
        test_from=FROM,
        retrain="none",
        trial_retrain="none",
        n_bootstrap=50,
        trial_seeds=1,
        ablation_seeds=1,
        settings=replace(small, milder_trees=3),
        policy=load_policy(given_market.policy_file),
    )


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def document(thin, order, told):
    return evaluate(thin, (), order, engine=Engine(), on_progress=lambda *step: told.append(step))


@pytest.fixture(scope="module")
def written(document, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation")
    write_evaluation(document, folder)
    return folder, orjson.loads((folder / "evaluation.json").read_bytes())


def number_or_null(value):
    return value is None or (isinstance(value, float) and math.isfinite(value))


def test_the_file_has_the_agreed_top_level(written):
    _, found = written

    assert {
        "panel", "market", "bar_minutes", "version", "test", "n_symbols", "results", "by_symbol",
        "severe", "alarm_budget", "utility", "robustness", "ablation", "placebo", "novelty",
    } <= set(found)  # fmt: skip
    assert (found["market"], found["bar_minutes"]) == ("simulated", 60.0)
    assert found["panel"] == "demo"
    assert found["n_symbols"] == 2
    assert set(found["test"]) == {"from", "to"}
    assert datetime.fromisoformat(found["test"]["from"]) >= FROM
    assert datetime.fromisoformat(found["test"]["to"]) <= FROM + timedelta(days=91)


def test_there_is_a_result_for_every_side_horizon_and_model(written):
    _, found = written
    keys = [(row["side"], row["horizon_h"], row["model"]) for row in found["results"]]

    assert len(set(keys)) == len(keys)
    assert set(keys) == {
        (side, h, model) for side in ("long", "short") for h in (1, 4, 24) for model in MODELS
    }


def test_every_result_has_the_agreed_keys_and_types(written):
    for row in written[1]["results"]:
        assert isinstance(row["n"], int)
        assert isinstance(row["events"], int)
        assert all(number_or_null(row[name]) for name in NUMBERS), row
        for name in ("event_recall", "false_alarms_per_symbol_week"):
            assert set(row[name]) == BUDGETS
            assert all(number_or_null(value) for value in row[name].values())
        assert set(row["lead_minutes"]) == {"median", "q25", "q75", "share_ge_15"}
        assert set(row["delta_pr_auc_vs_har"]) == {"mean", "ci"}
        for low, high in (row["pr_auc_ci"], row["delta_pr_auc_vs_har"]["ci"]):
            assert low <= high
        assert row["pr_auc_ci"][0] <= row["pr_auc"] + 0.5


def test_har_against_itself_is_zero(written):
    for row in written[1]["results"]:
        if row["model"] == "B2":
            assert row["delta_pr_auc_vs_har"] == {"mean": 0.0, "ci": [0.0, 0.0]}
            assert row["brier_skill_vs_har"] == 0.0


def test_every_family_is_left_out_in_turn_and_both_placebos_run(written, thin):
    _, found = written

    assert {row["family"] for row in found["ablation"]} == set(thin.matrix.families.values())
    assert {row["kind"] for row in found["placebo"]} == {
        "shuffled_features", "shifted_labels", "planted_leak",
    }  # fmt: skip


def test_every_trial_is_there_with_something_to_say(written):
    _, found = written

    assert {row["variant"] for row in found["robustness"]} == {
        "thresholds_minus_33", "thresholds_plus_33", "price_only", "combinatorial",
    }  # fmt: skip
    assert {row["kind"] for row in found["alarm_budget"]} == {"frozen", "controlled"}
    assert {row["strategy"] for row in found["utility"]} == {
        "unrestricted", "breaker", "volatility_target",
    }  # fmt: skip
    assert 0.0 <= found["novelty"]["share_novel"] <= 1.0
    assert {row["fault"] for row in found["novelty"]["injected"]} > {"none", "price × 1000"}


def test_the_page_the_plots_and_the_tables_lie_beside_it(written):
    folder, _ = written

    assert {p.name for p in folder.iterdir()} == {
        "evaluation.json", "evaluation.md", "evaluation.html", "tables", "recall.png",
        "reliability.png", "molchan.png", "pr_auc_long.png", "pr_auc_short.png",
    }  # fmt: skip
    for name in ("evaluation.md", "evaluation.html"):
        assert "liqwarn" in (folder / name).read_text()
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    with (folder / "tables" / "results.csv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 2 * 3 * len(MODELS)


def test_an_interrupted_evaluation_goes_on_and_says_the_same(thin, order, tmp_path):
    quick = replace(order, trials=False, folds=tmp_path)

    def stop(stage, done, _total):
        if stage == "walk-forward" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(thin, (), quick, engine=Engine(), on_progress=stop)
    (kept,) = tmp_path.glob("*.npz")
    written = kept.stat().st_mtime_ns

    again = evaluate(thin, (), quick, engine=Engine())

    assert kept.stat().st_mtime_ns == written
    afresh = evaluate(thin, (), replace(quick, folds=None), engine=Engine())
    assert orjson.dumps(again) == orjson.dumps(afresh)


def test_every_stage_says_when_it_is_done(document, told):
    last = {stage: (done, total) for stage, done, total in told}

    assert {"walk-forward", "measuring", "ablation"} <= {stage.split(",")[0] for stage in last}
    assert all(done == total for done, total in last.values())


def test_it_is_the_same_twice(thin, order):
    quick = replace(order, trials=False)

    one, two = (evaluate(thin, (), quick, engine=Engine()) for _ in range(2))

    assert orjson.dumps(one, option=orjson.OPT_SERIALIZE_NUMPY) == orjson.dumps(
        two, option=orjson.OPT_SERIALIZE_NUMPY
    )
    assert one["ablation"] == one["placebo"] == one["robustness"] == []


def test_a_panel_without_open_interest_is_refused_with_the_reason(build, order):
    def without(table, _symbol):
        return table.assign(open_interest=np.nan).iloc[: 24 * 30]

    with pytest.raises(ConfigError, match=r"panel 'demo' has no row.*labels need open interest"):
        evaluate(build(without), (), order, engine=Engine())


def test_a_train_panel_with_other_bars_is_refused_before_anything_is_fitted(thin, order):
    other = replace(thin, matrix=replace(
        thin.matrix,
        bar=timedelta(hours=4),
        times=thin.matrix.times[3::4],
        values=thin.matrix.values[:, 3::4],
    ))  # fmt: skip

    with pytest.raises(ConfigError, match="train panel 'demo' has bars of 4:00:00, expected 1:00"):
        evaluate(thin, (other,), order, engine=Engine())


def test_an_order_is_handed_on_whole(small):
    order = EvaluationOrder(seed=3, threads=2, n_bootstrap=7, settings=small, retrain="month")

    plan = order.plan(())

    assert (plan.seed, plan.threads, plan.n_bootstrap, plan.settings) == (3, 2, 7, small)
    assert (plan.splitter.period, plan.trial_splitter.period) == ("month", "year")


def test_labelled_rows_are_those_with_an_outcome(study):
    rows = labelled_rows(study)

    assert len(rows) == len(pd.unique(pd.Series(zip(rows.symbols, rows.times, strict=True))))
    assert np.isfinite(rows.y).any(axis=(1, 2)).all()
