"""Boosted trees: repeatable to the bit, honest about what they could not learn."""

import runpy
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES
from liqwarn.models.boosting import MILDER, ONSET, STAGES, BoostedTrees, BoostSettings
from liqwarn.models.mirror import mirror_of
from liqwarn.models.ranking import roc_auc

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]
KEEN = replace(SMALL, l2=0.0, feature_frac=1.0)  # there is always a split that gains something


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


def test_one_booster_a_stage_horizon_and_seed(rows):
    trees = BoostedTrees(replace(KEEN, milder_trees=7, onset_trees=5)).fit(rows)

    assert set(trees.boosters_) == set(product(STAGES, rows.horizons_h, (0,)))
    assert trees.boosters_[MILDER, 4, 0].num_trees() == 7
    assert trees.boosters_[ONSET, 4, 0].num_trees() == 5


def test_a_market_turned_upside_down_has_the_other_sides_score(rows, trees):
    upside_down = mirror_of(rows.names).turned(rows.X)

    raw = trees.raw(rows)

    np.testing.assert_array_equal(trees.raw_of(upside_down), raw[:, ::-1])
    assert not np.array_equal(raw[:, 0], raw[:, 1])


def test_one_side_learns_from_the_events_of_the_other(rows):
    """The long side's outcomes are unknown: its skill is the short side's in a mirror."""
    y, milder = rows.y.copy(), rows.milder.copy()
    y[:, 0], milder[:, 0] = np.nan, np.nan
    one_sided = rows.with_outcomes(y, milder)

    class Even:
        """A start that knows nothing; the real one asks for both sides."""

        def raw_of(self, names, X):
            return np.full((len(X), len(rows.horizons_h)), -2.0)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("liqwarn.models.boosting.VolatilityBase.fit", lambda *_: Even())
        raw = BoostedTrees(SMALL).fit(one_sided).raw(rows)

    assert roc_auc(rows.outcome(0, 2), raw[:, 0, 2]) > 0.7


def test_the_first_trees_learn_milder_onsets_and_the_others_start_from_them(rows):
    """With outcomes that tell nothing themselves, only the milder ones can teach the column."""
    noise = rows_of(days=40, skill=0.0)
    taught = replace(noise, X=rows.X, milder=rows.milder)

    for given, least, most in ((taught, 0.7, 1.0), (replace(noise, X=rows.X), 0.0, 0.62)):
        trees = BoostedTrees(replace(SMALL, onset_trees=1)).fit(given)
        assert least < roc_auc(rows.outcome(0, 2), trees.raw(rows)[:, 0, 2]) < most


def test_without_milder_outcomes_the_onsets_teach_alone(rows):
    unknown = rows.with_outcomes(rows.y, np.full(rows.y.shape, np.nan))

    trees = BoostedTrees(SMALL).fit(unknown)

    assert {stage for stage, _, _ in trees.boosters_} == {ONSET}
    assert roc_auc(rows.outcome(0, 1), trees.raw(rows)[:, 0, 1]) > 0.7
    assert trees.contributions(rows.X[:5], "short", 4).any()


def test_the_same_seed_gives_the_same_bits_and_another_does_not(rows, trees):
    again = BoostedTrees(SMALL, seed=3).fit(rows).raw(rows)
    other = BoostedTrees(SMALL, seed=4).fit(rows).raw(rows)

    np.testing.assert_array_equal(again, trees.raw(rows))
    assert not np.array_equal(other, again)


def test_the_milder_stage_averages_its_seeds(rows):
    single = [BoostedTrees(SMALL, seed=k).fit(rows).boosters_[MILDER, 4, 0] for k in (0, 1)]

    both = BoostedTrees(replace(SMALL, seeds=2)).fit(rows).boosters_

    for k in (0, 1):
        np.testing.assert_array_equal(both[MILDER, 4, k].predict(rows.X), single[k].predict(rows.X))


def test_one_row_scores_as_it_does_among_many(rows, trees):
    many = trees.raw(rows)

    for k in (0, 17, len(rows) - 1):
        np.testing.assert_array_equal(trees.raw_of(rows.X[k : k + 1])[0], many[k])


@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize("side", [0, 1])
def test_contributions_and_a_constant_add_up_to_the_score(rows, seeds, side):
    trees = BoostedTrees(replace(SMALL, seeds=seeds)).fit(rows)

    found = trees.contributions(rows.X[:50], SIDES[side], 4)

    assert found.shape == (50, len(rows.names))
    rest = trees.raw(rows)[:50, side, 1] - found.sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-9)


def test_contributions_name_the_features_as_they_are(rows):
    """``low_dist`` tells of falls: for the short side it is ``high_dist`` that is named."""
    rng = np.random.default_rng(0)
    sided = np.column_stack([rows.X, rows.column("basis"), rng.normal(size=len(rows))])
    names = (*rows.names, "low_dist_pct_7d", "high_dist_pct_7d")
    families = {**rows.families, names[-2]: "levels", names[-1]: "levels"}
    both = replace(rows, names=names, families=families, X=sided).without(["basis"])
    y, milder = both.y.copy(), both.milder.copy()
    y[:, 1], milder[:, 1] = 0.0, 0.0  # only the long side has events

    trees = BoostedTrees(SMALL).fit(both.with_outcomes(y, milder))

    for side, named in (("long", "low_dist_pct_7d"), ("short", "high_dist_pct_7d")):
        strength = np.abs(trees.contributions(both.X[:200], side, 4)).mean(axis=0)
        assert both.names[int(strength.argmax())] == named


def test_without_trees_the_score_is_the_volatility_baseline(rows):
    bare = BoostedTrees(replace(SMALL, milder_trees=1, onset_trees=1, learning_rate=1e-12)).fit(
        rows
    )

    base = bare.base_.raw_of(rows.names, rows.X)[:, 1] - np.log(2.0)

    np.testing.assert_allclose(bare.raw(rows)[:, 0, 1], base, atol=1e-9)


def test_outcomes_of_one_kind_teach_nothing(rows):
    y = rows.y.copy()
    y[:, :, 0] = np.nan
    y[:, :, 1] = 0.0

    trees = BoostedTrees(SMALL).fit(replace(rows, y=y))

    assert {hours for _, hours, _ in trees.boosters_} == {24}
    raw = trees.raw(rows)
    assert np.isnan(raw[:, :, :2]).all()
    assert np.isfinite(raw[:, :, 2]).all()
    assert not trees.contributions(rows.X[:3], "long", 4).any()


def test_a_row_without_an_outcome_teaches_nothing(rows):
    """Half the outcomes unknown: no leaf takes their rows for rows without an onset."""
    y = rows.y.copy()
    y[::2] = np.nan
    thinned = rows.with_outcomes(y, np.where(np.isnan(y), np.nan, rows.milder))

    raw = BoostedTrees(replace(KEEN, row_frac=1.0)).fit(thinned).raw(rows)

    rate = np.nanmean(y[:, 0, 2])
    predicted = float((1 / (1 + np.exp(-raw[1::2, 0, 2]))).mean())
    assert predicted == pytest.approx(rate, rel=0.1)


def test_missing_features_are_scored(rows, trees):
    assert np.isfinite(trees.raw_of(np.full((2, len(rows.names)), np.nan))).all()


def test_settings_speak_to_lightgbm_in_its_words():
    found = BoostSettings(onset_trees=7, leaves=4, row_frac=1.0).parameters(seed=5, threads=2)

    assert found["num_leaves"] == 4
    assert found["bagging_freq"] == 0
    assert (found["seed"], found["num_threads"]) == (5, 2)
    assert found["deterministic"] is True


def test_unfitted_trees_say_so():
    with pytest.raises(ModelError, match="these trees are not fitted"):
        BoostedTrees().raw_of(np.zeros((1, 1)))
