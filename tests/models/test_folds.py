"""One fold: trained on the past, thresholds frozen there, test rows only scored."""

import pickle
import runpy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from liqwarn.models.alarms import ALARM_BUDGETS
from liqwarn.models.evaluation import EvaluationPlan, default_makers
from liqwarn.models.folds import FoldResult, FoldTask, run_fold, stacked

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]


class Fake:
    """Says what it was given: its seed, its training rows, its test rows."""

    def __init__(self, level, seed):
        self.level, self.seed = level, seed

    def fit(self, rows):
        shape = rows.y.shape
        self.training_p_ = np.linspace(0.0, 1.0, shape[0])[:, None, None] * np.ones(shape)
        self.n_rows = len(rows)
        return self

    def predict_proba(self, rows):
        return np.full(rows.y.shape, self.level + self.seed / 100)


@pytest.fixture(scope="module")
def task():
    rows = rows_of(days=10)
    half = len(rows) // 2
    makers = {"low": partial(Fake, 0.2), "high": partial(Fake, 0.97)}
    return FoldTask(
        train=rows.take(slice(0, half)), test=rows.take(slice(half, None)), makers=makers, seed=3
    )


def test_every_model_scores_every_test_row_with_the_folds_seed(task):
    result = run_fold(task)

    assert list(result.p) == ["low", "high"]
    assert result.p["low"].shape == task.test.y.shape
    assert (result.p["low"] == 0.23).all()
    assert result.n_train == len(task.train)


def test_thresholds_are_quantiles_of_the_training_probabilities(task):
    thresholds = run_fold(task).thresholds["low"]

    assert thresholds.shape == (2, 3, len(ALARM_BUDGETS))
    np.testing.assert_allclose(thresholds[0, 1], [0.99, 0.98, 0.95, 0.90], atol=1e-9)


def test_training_rows_without_an_outcome_set_no_threshold(task):
    y = task.train.y.copy()
    late = len(y) // 2
    y[late:, 1] = np.nan

    found = run_fold(replace(task, train=replace(task.train, y=y))).thresholds["low"]

    assert (found[1] < 0.5).all()
    assert (found[0] >= 0.9).all()


def test_test_outcomes_are_never_looked_at(task):
    other = replace(task, test=replace(task.test, y=1.0 - task.test.y))

    first, second = run_fold(task), run_fold(other)

    for name in task.makers:
        np.testing.assert_array_equal(first.p[name], second.p[name])
        np.testing.assert_array_equal(first.thresholds[name], second.thresholds[name])


def test_folds_are_put_one_after_the_other():
    rows = rows_of(days=3)
    tests = [rows.take(slice(0, 50)), rows.take(slice(50, 120))]
    p = [np.full(t.y.shape, level) for t, level in zip(tests, (0.2, 0.4), strict=True)]
    limits = [np.full((2, 3, 4), limit) for limit in (0.1, 0.4)]
    results = [
        FoldResult(p={"m": one}, thresholds={"m": limit}, n_train=1)
        for one, limit in zip(p, limits, strict=True)
    ]

    found = stacked(tests, results)

    np.testing.assert_array_equal(found.fold, [0] * 50 + [1] * 70)
    np.testing.assert_array_equal(found.rows.X, rows.X[:120])
    np.testing.assert_array_equal(found.rows.times, rows.times[:120])
    assert found.p["m"][49, 0, 0] == 0.2
    assert found.alarms["m"][:50].all()
    assert not found.alarms["m"][50:].any()  # an alarm is above its threshold, not at it


def test_a_task_and_its_result_survive_a_trip_to_another_process():
    rows = rows_of(days=25)
    plan = EvaluationPlan(settings=replace(SMALL, milder_trees=3, onset_trees=3))
    half = len(rows) // 2
    task = FoldTask(
        train=rows.take(slice(0, half)),
        test=rows.take(slice(half, None)),
        makers=default_makers(plan),
        seed=1,
    )

    here = run_fold(task)
    there = pickle.loads(pickle.dumps(run_fold(pickle.loads(pickle.dumps(task)))))

    for name in task.makers:
        np.testing.assert_array_equal(there.p[name], here.p[name])
        np.testing.assert_array_equal(there.thresholds[name], here.thresholds[name])
