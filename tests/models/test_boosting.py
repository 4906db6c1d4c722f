"""Boosted trees: repeatable to the bit, honest about what they could not learn."""

import runpy
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.boosting import EITHER, STAGES, BoostedTrees, BoostSettings
from liqwarn.models.ranking import roc_auc

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=40)


@pytest.fixture(scope="module")
def trees(rows):
    return BoostedTrees(SMALL, seed=3).fit(rows)


def test_planted_skill_is_learnt(trees):
    later = rows_of(seed=7, days=40)

    raw = trees.raw(later)

    for side in range(2):
        assert roc_auc(later.outcome(side, 1), raw[:, side, 1]) > 0.7


def test_one_booster_a_stage_horizon_and_seed(rows, trees):
    assert set(trees.boosters_) == set(product(STAGES, rows.horizons_h, (0,)))
    assert trees.boosters_[EITHER, 4, 0].num_trees() == SMALL.trees
    assert trees.boosters_["long", 4, 0].num_trees() == SMALL.side_trees


def test_the_same_seed_gives_the_same_bits_and_another_does_not(rows, trees):
    again = BoostedTrees(SMALL, seed=3).fit(rows).raw(rows)
    other = BoostedTrees(SMALL, seed=4).fit(rows).raw(rows)

    np.testing.assert_array_equal(again, trees.raw(rows))
    assert not np.array_equal(other, again)


def test_the_either_stage_averages_its_seeds(rows):
    single = [BoostedTrees(SMALL, seed=k).fit(rows).boosters_[EITHER, 4, 0] for k in (0, 1)]

    both = BoostedTrees(replace(SMALL, seeds=2)).fit(rows).boosters_

    for k in (0, 1):
        np.testing.assert_array_equal(both[EITHER, 4, k].predict(rows.X), single[k].predict(rows.X))


def test_one_row_scores_as_it_does_among_many(rows, trees):
    many = trees.raw(rows)

    for k in (0, 17, len(rows) - 1):
        np.testing.assert_array_equal(trees.raw_of(rows.X[k : k + 1])[0], many[k])


@pytest.mark.parametrize("seeds", [1, 2])
def test_contributions_and_a_constant_add_up_to_the_score(rows, seeds):
    trees = BoostedTrees(replace(SMALL, seeds=seeds)).fit(rows)

    found = trees.contributions(rows.X[:50], "short", 4)

    assert found.shape == (50, len(rows.names))
    rest = trees.raw(rows)[:50, 1, 1] - found.sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-9)


def test_without_trees_the_score_is_the_volatility_baseline(rows):
    bare = BoostedTrees(replace(SMALL, trees=1, side_trees=1, learning_rate=1e-12)).fit(rows)

    base = bare.base_.raw_of(rows.names, rows.X)[:, 1] - np.log(2.0)

    np.testing.assert_allclose(bare.raw(rows)[:, 0, 1], base, atol=1e-9)


def test_outcomes_of_one_kind_teach_nothing(rows):
    y = rows.y.copy()
    y[:, 0] = 0.0
    y[:, 1, 0] = np.nan

    trees = BoostedTrees(SMALL).fit(replace(rows, y=y))

    learnt = {(stage, hours) for stage, hours, _ in trees.boosters_}
    assert learnt == {(EITHER, 4), ("short", 4), (EITHER, 24), ("short", 24)}
    raw = trees.raw(rows)
    assert np.isnan(raw[:, 0]).all()
    assert np.isnan(raw[:, 1, 0]).all()
    assert np.isfinite(raw[:, 1, 1:]).all()
    assert not trees.contributions(rows.X[:3], "long", 4).any()


def test_a_row_without_an_outcome_teaches_nothing(rows):
    """Half the outcomes unknown: no leaf takes their rows for rows without an onset."""
    y = rows.y.copy()
    y[::2] = np.nan
    thinned = replace(rows, y=y)

    raw = BoostedTrees(replace(SMALL, row_frac=1.0)).fit(thinned).raw(rows)

    rate = np.nanmean(y[:, 0, 2])
    predicted = float((1 / (1 + np.exp(-raw[1::2, 0, 2]))).mean())
    assert predicted == pytest.approx(rate, rel=0.1)


def test_missing_features_are_scored(rows, trees):
    assert np.isfinite(trees.raw_of(np.full((2, len(rows.names)), np.nan))).all()


def test_settings_speak_to_lightgbm_in_its_words():
    found = BoostSettings(trees=7, leaves=4, row_frac=1.0).parameters(seed=5, threads=2)

    assert found["num_leaves"] == 4
    assert found["bagging_freq"] == 0
    assert (found["seed"], found["num_threads"]) == (5, 2)
    assert found["deterministic"] is True


def test_unfitted_trees_say_so():
    with pytest.raises(ModelError, match="these trees are not fitted"):
        BoostedTrees().raw_of(np.zeros((1, 1)))
