"""A fit that was kept scores the same bits as the one it came from."""

import runpy
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.baselines import BASELINES
from liqwarn.models.boosting import BoostedTrees, BoostSettings
from liqwarn.models.calibration import Calibrated
from liqwarn.models.folds import FoldTask, run_fold
from liqwarn.models.kept_fit import keep_fit, refit

rows_of = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))["rows_of"]
SETTINGS = BoostSettings(milder_trees=3, onset_trees=3, min_rows=5)


def trees(seed=0):
    return Calibrated(partial(BoostedTrees, SETTINGS, seed=seed))


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=30)


@pytest.fixture(scope="module")
def fitted(rows):
    return trees().fit(rows.take(slice(0, len(rows) // 2)))


def test_a_kept_fit_scores_the_same_bits(rows, fitted):
    again = refit(trees(), keep_fit(fitted))

    np.testing.assert_array_equal(again.predict_proba(rows), fitted.predict_proba(rows))
    assert keep_fit(again) == keep_fit(fitted)


def test_a_fold_with_kept_trees_gives_what_one_without_gives(rows):
    half = len(rows) // 2
    task = FoldTask(
        train=rows.take(slice(0, half)),
        test=rows.take(slice(half, None)),
        makers={"liqwarn": trees, "B0": lambda _: Calibrated(BASELINES["B0"])},
        seed=0,
    )
    first = run_fold(task)

    second = run_fold(
        FoldTask(train=task.train, test=task.test, makers=task.makers, seed=0, kept=first.kept)
    )

    assert list(first.kept) == list(second.kept) == ["liqwarn"]
    for name in first.p:
        np.testing.assert_array_equal(first.p[name], second.p[name])
        np.testing.assert_array_equal(first.thresholds[name], second.thresholds[name])


def test_baselines_are_not_kept(rows):
    assert keep_fit(Calibrated(BASELINES["B0"]).fit(rows)) is None
    assert keep_fit(BASELINES["B2"]()) is None


def without_schema(document):
    return {**document, "schema": "liqwarn.kept_fit/0"}


def without_trees(document):
    return {k: v for k, v in document.items() if k != "boosters"}


def with_spoilt_trees(document):
    return {**document, "boosters": [["onset", 4, 0, "tree"]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_schema, "has schema liqwarn.kept_fit/0, expected liqwarn.kept_fit/1"),
        (without_trees, "kept fit is incomplete"),
        (with_spoilt_trees, "kept fit is incomplete"),
    ],
)
def test_what_is_no_kept_fit_is_refused(fitted, change, message):
    document = orjson.loads(keep_fit(fitted))

    with pytest.raises(ModelError, match=message):
        refit(trees(), orjson.dumps(change(document)))


def test_only_trees_take_a_kept_fit(fitted):
    with pytest.raises(ModelError, match="is no model that is kept, expected calibrated trees"):
        refit(Calibrated(BASELINES["B0"]), keep_fit(fitted))
