"""The walk-forward: skill where it was planted, none in noise, and never a look ahead."""

import pickle
import runpy
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.baselines import BASELINES
from liqwarn.models.evaluation import (
    PRIMARY_H,
    EvaluationPlan,
    default_makers,
    evaluation_document,
    out_of_sample,
    primary,
    walk_for_gate,
    walk_forward,
)
from liqwarn.models.results import HAR, MODEL
from liqwarn.models.splits import EMBARGO, WalkForward

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, events_of, SMALL = (synthetic[k] for k in ("rows_of", "events_of", "SMALL"))
FEBRUARY = datetime(2024, 2, 15, tzinfo=UTC)
PLAN = EvaluationPlan(
    splitter=WalkForward(period="month", test_from=FEBRUARY),
    settings=SMALL,
    n_bootstrap=200,
)
ONCE = WalkForward(period="none", test_from=FEBRUARY)
TINY = replace(PLAN, settings=replace(SMALL, milder_trees=3, onset_trees=3), n_bootstrap=20)


class Spy:
    """A forecaster that remembers what trained it and what it was asked."""

    def __init__(self, log):
        self.log = log

    def fit(self, rows):
        self.training_p_ = np.full(rows.y.shape, 0.5)
        self.log.append({"train": rows})
        return self

    def predict_proba(self, rows):
        self.log[-1]["test"] = rows
        return np.full(rows.y.shape, 0.5)


def spied(rows, plan):
    log = []
    found, n_train = out_of_sample(rows, plan, {"spy": lambda _: Spy(log)})
    return log, found, n_train


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=120)


@pytest.fixture(scope="module")
def evaluation(rows):
    return walk_forward(rows, events_of(rows), PLAN)


def result(evaluation, side, horizon_h, model=MODEL):
    keys = {"side": side, "horizon_h": horizon_h, "model": model}
    return next(row for row in evaluation.results if keys.items() <= row.items())


@pytest.mark.parametrize("side", ["long", "short"])
@pytest.mark.parametrize("horizon_h", [4, 24])
def test_planted_skill_is_found_beyond_har(evaluation, side, horizon_h):
    row = result(evaluation, side, horizon_h)

    assert row["delta_pr_auc_vs_har"]["ci"][0] > 0
    assert row["roc_auc"] > 0.7
    assert row["brier_skill_vs_har"] > 0
    assert 0.7 < row["calibration_slope"] < 1.4


@pytest.mark.parametrize("side", ["long", "short"])
def test_volatility_that_knows_nothing_is_said_to_know_nothing(evaluation, side):
    assert abs(result(evaluation, side, 24, "B2")["roc_auc"] - 0.5) < 0.06


def test_the_walk_for_the_gate_is_the_same_of_the_model_and_har_alone(evaluation, rows):
    walk = walk_for_gate(rows, PLAN)

    assert (set(walk.found.p), walk.n_train) == ({MODEL, HAR}, evaluation.n_train)
    for name in (MODEL, HAR):
        np.testing.assert_array_equal(walk.found.p[name], evaluation.found.p[name])
        np.testing.assert_array_equal(walk.found.alarms[name], evaluation.found.alarms[name])
    assert walk.results == ()


def test_no_skill_is_found_in_noise():
    noise = rows_of(seed=11, days=120, skill=0.0)

    found = walk_forward(noise, events_of(noise), replace(PLAN, splitter=ONCE))

    for row in found.results:
        if row["model"] == MODEL:
            assert row["delta_pr_auc_vs_har"]["ci"][0] <= 0
            assert abs(row["roc_auc"] - 0.5) < 0.1


def test_every_model_gives_every_test_row_coherent_probabilities(evaluation):
    assert list(evaluation.found.p) == [MODEL, *BASELINES]
    for p in evaluation.found.p.values():
        assert p.shape == evaluation.found.rows.y.shape
        assert ((p >= 0) & (p <= 1)).all()
        assert (np.diff(p, axis=2) >= 0).all()


def test_every_result_is_there(evaluation):
    assert len(evaluation.results) == 2 * 3 * (1 + len(BASELINES))
    assert {row["symbol"] for row in evaluation.by_symbol} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    assert len(evaluation.n_train) == 3
    assert sorted(evaluation.n_train) == list(evaluation.n_train)


def test_a_test_row_is_scored_by_a_model_of_purged_earlier_rows(rows):
    log, found, n_train = spied(rows, PLAN)

    assert len(log) == 3
    for fold in log:
        start = fold["test"].times.min()
        assert fold["train"].end.max() <= start - np.timedelta64(EMBARGO)
        assert fold["train"].times.max() < start
        # and nothing that may train is left out
        known = rows.end <= start - np.timedelta64(EMBARGO)
        assert len(fold["train"]) == known.sum()
    assert n_train == tuple(len(fold["train"]) for fold in log)
    np.testing.assert_array_equal(found.fold, np.repeat([0, 1, 2], [len(f["test"]) for f in log]))


def test_every_row_from_the_first_test_on_is_tested_once(rows):
    _, found, _ = spied(rows, PLAN)

    expected = rows.times >= np.datetime64("2024-02-15")
    np.testing.assert_array_equal(found.rows.X, rows.X[expected])
    np.testing.assert_array_equal(found.rows.times, rows.times[expected])


def test_rows_of_other_panels_train_and_are_never_tested(rows):
    other = rows_of(5, days=180, symbols=("DOGE", "BTC"), start="2023-11-01")

    log, found, _ = spied(rows, replace(PLAN, extra=(other,)))

    assert set(np.unique(found.rows.symbols)) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    for fold in log:
        train = fold["train"]
        assert "DOGE" in train.symbols
        assert train.end.max() <= fold["test"].times.min() - np.timedelta64(EMBARGO)
        # an hour of an asset that the tested panel has is the tested panel's
        assert train.times[train.symbols == "BTC"].max() <= np.datetime64("2024-01-01")
        assert (train.times[train.symbols == "BTCUSDT"] > np.datetime64("2024-01-01")).all()


def test_later_rows_never_change_what_was_said_before(rows):
    cut = np.datetime64("2024-04-01")
    later = rows.times >= cut
    changed = replace(rows, X=rows.X.copy(), y=rows.y.copy())
    changed.X[later] *= -1.0
    changed.y[later] = 1.0 - changed.y[later]
    makers = {k: v for k, v in default_makers(TINY).items() if k in (MODEL, "B0", "B6")}

    before, _ = out_of_sample(rows, TINY, makers)
    after, _ = out_of_sample(changed, TINY, makers)

    early = before.rows.times < cut
    for name in makers:
        np.testing.assert_array_equal(after.p[name][early], before.p[name][early])
        np.testing.assert_array_equal(after.alarms[name][early], before.alarms[name][early])
        assert not np.array_equal(after.p[name][~early], before.p[name][~early]) or name == "B0"


def test_the_same_seed_gives_the_same_document(rows):
    plan = replace(TINY, splitter=ONCE)

    first, again = (evaluation_document("p", walk_forward(rows, (), plan)) for _ in range(2))

    np.testing.assert_equal(first, again)


def backwards(task, items):
    """The folds from the last to the first, each on a copy that went through bytes."""
    tasks = [pickle.loads(pickle.dumps(item)) for item in items]
    done = [pickle.loads(pickle.dumps(task(item))) for item in reversed(tasks)]
    return iter(done[::-1])


def elsewhere(task, items):
    """The folds in another process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return iter(list(pool.map(task, items)))


@pytest.mark.parametrize("map_folds", [backwards, elsewhere])
def test_folds_give_the_same_wherever_they_run(rows, map_folds):
    makers = {k: v for k, v in default_makers(TINY).items() if k in (MODEL, "B0", "B2")}

    here, n_here = out_of_sample(rows, TINY, makers)
    there, n_there = out_of_sample(rows, TINY, makers, map_folds=map_folds)

    assert n_there == n_here
    for name in makers:
        np.testing.assert_array_equal(there.p[name], here.p[name])
        np.testing.assert_array_equal(there.alarms[name], here.alarms[name])


def test_on_bars_of_four_hours_one_hour_is_not_spoken_of():
    rows = rows_of(days=200, bar=timedelta(hours=4))

    found = walk_forward(rows, (), replace(TINY, splitter=ONCE))

    assert {row["horizon_h"] for row in found.results} == {4, 24}
    assert all(np.isnan(p[:, :, 0]).all() for p in found.found.p.values())
    assert all(np.isfinite(p[:, :, 1:]).all() for p in found.found.p.values())


def test_a_side_whose_first_onset_is_in_the_test_is_measured(rows):
    y = rows.y.copy()
    y[rows.times < np.datetime64("2024-03-20"), 1] = 0.0

    found = walk_forward(replace(rows, y=y), (), replace(TINY, splitter=ONCE))

    row = result(found, "short", 4)
    assert np.isfinite([row["pr_auc"], row["brier"], row["roc_auc"]]).all()


def test_progress_is_told_from_nothing_to_all(rows):
    told = []

    walk_forward(rows.take(slice(0, 4500)), (), TINY, on_progress=lambda *step: told.append(step))

    folds = [step for step in told if step[0] == "walk-forward"]
    assert folds == [("walk-forward", k, 2) for k in range(3)]
    assert told[-1] == ("measuring", 6, 6)


def test_the_document_is_the_contracts(evaluation):
    document = evaluation_document("btc", evaluation, ablation=[{"family": "x"}])

    assert set(document) == {
        "panel",
        "test",
        "n_symbols",
        "results",
        "by_symbol",
        "by_year",
        "severe",
        "robustness",
        "ablation",
        "placebo",
    }
    assert document["panel"] == "btc"
    assert document["test"] == {"from": "2024-02-15T00:00:00Z", "to": "2024-04-30T00:00:00Z"}
    assert document["n_symbols"] == 3
    assert document["ablation"] == [{"family": "x"}]
    assert document["placebo"] == []


def test_a_document_takes_whatever_else_was_found(evaluation):
    rows = ({"side": side} for side in ("long", "short"))

    document = evaluation_document("btc", evaluation, novelty={"share_novel": 0.1}, utility=rows)

    assert document["novelty"] == {"share_novel": 0.1}
    assert document["utility"] == [{"side": "long"}, {"side": "short"}]
    with pytest.raises(ModelError, match=r"parts \['results', 'test'\] are the evaluation's own"):
        evaluation_document("btc", evaluation, test=(), results=())


def test_trials_are_about_one_interval_up_to_the_primary_horizon(rows):
    near = primary(rows)

    assert near.horizons_h == (PRIMARY_H,)
    np.testing.assert_array_equal(near.outcome(0, 0), rows.outcome(0, 1))


def test_nothing_to_train_on_is_an_error(rows):
    plan = replace(PLAN, splitter=WalkForward(test_from=datetime(2024, 1, 1, 6, tzinfo=UTC)))

    with pytest.raises(ModelError, match="no outcome is known a day before 2024-01-01T06"):
        spied(rows, plan)


def test_rows_that_end_before_the_test_are_an_error(rows):
    plan = replace(PLAN, splitter=WalkForward(test_from=datetime(2025, 1, 1, tzinfo=UTC)))

    with pytest.raises(ModelError, match="testing starts 2025-01-01T00:00:00, but the rows end"):
        spied(rows, plan)


def test_a_test_without_any_onset_is_an_error(rows):
    y = rows.y.copy()
    y[rows.times >= np.datetime64("2024-02-15")] = 0.0
    short = replace(rows, y=y)

    with pytest.raises(ModelError, match="test rows hold no onset of either side: nothing to"):
        walk_forward(short, (), replace(TINY, splitter=ONCE))
