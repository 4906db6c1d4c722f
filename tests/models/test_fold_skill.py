"""Skill by fold: each block measured on its own rows, by hand where that is short."""

import math
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.models.fold_skill import FOLD_METRICS, fold_skill
from liqwarn.models.folds import FoldResult, stacked
from liqwarn.models.metrics import brier_skill
from liqwarn.models.ranking import pr_auc
from liqwarn.models.rows import Rows


def block(first, y):
    """Four rows an hour apart; the short side never has an onset."""
    times = np.datetime64(first, "s") + np.arange(4) * np.timedelta64(3600, "s")
    outcome = np.zeros((4, 2, 1))
    outcome[:, 0, 0] = y
    return Rows(
        bar=timedelta(hours=1),
        symbols=np.full(4, "BTCUSDT"),
        times=times,
        end=times + np.timedelta64(4 * 3600, "s"),
        names=("x",),
        families={"x": "market"},
        X=np.zeros((4, 1)),
        horizons_h=(4,),
        y=outcome,
        milder=outcome,
    )


def result(p, har):
    planes = {name: np.repeat(np.array(v)[:, None, None], 2, axis=1) for name, v in
              (("liqwarn", p), ("B2", har))}  # fmt: skip
    return FoldResult(
        p=planes, thresholds={name: np.full((2, 1, 4), 0.5) for name in planes}, n_train=9
    )


@pytest.fixture(scope="module")
def rows():
    tests = [block("2024-01-01", [0, 1, 0, 0]), block("2024-04-01", [1, 0, 1, 0])]
    results = [
        result([0.1, 0.8, 0.2, 0.1], [0.3, 0.2, 0.3, 0.2]),
        result([0.1, 0.9, 0.2, 0.6], [0.5, 0.5, 0.5, 0.5]),
    ]
    return fold_skill(stacked(tests, results), (), (10, 20))


def test_there_is_a_row_for_every_fold_and_side(rows):
    assert [(r["fold"], r["side"], r["n_train"], r["n_test"]) for r in rows] == [
        (0, "long", 10, 4), (0, "short", 10, 4), (1, "long", 20, 4), (1, "short", 20, 4),
    ]  # fmt: skip
    assert (rows[0]["from"], rows[2]["to"]) == ("2024-01-01T00:00:00Z", "2024-04-01T03:00:00Z")


def test_each_fold_is_measured_on_its_own_rows(rows):
    good, bad = rows[0], rows[2]
    y, p, har = (np.array(v, float) for v in ([1, 0, 1, 0], [0.1, 0.9, 0.2, 0.6], [0.5] * 4))

    assert good["pr_auc"] == 1.0
    assert good["har_pr_auc"] < 1.0
    assert good["base_rate"] == 0.25
    assert bad["pr_auc"] == pr_auc(y, p)
    assert bad["brier_skill_vs_har"] == brier_skill(y, p, har) < 0


def test_a_side_without_an_onset_was_tested_and_has_no_skill(rows):
    assert all(math.isnan(rows[1][name]) for name in FOLD_METRICS)
    assert rows[1]["events"] == 0
