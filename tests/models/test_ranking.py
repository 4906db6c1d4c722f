import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from liqwarn.errors import ModelError
from liqwarn.models.ranking import (
    pr_auc,
    rank_rows,
    roc_auc,
    weighted_pr_auc,
    weighted_roc_auc,
)


@st.composite
def scored(draw):
    """Outcomes with both classes, scores with many ties or none, and a week for each row."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.integers(2, 80))
    y = (rng.random(n) < draw(st.floats(0.02, 0.98))).astype(float)
    y[:2] = 1.0, 0.0
    order = rng.permutation(n)
    score = rng.random(n).round(draw(st.sampled_from([0, 1, 2, 15])))
    return y[order], score, rng.integers(0, 6, n)


@settings(max_examples=100, deadline=None)
@given(rows=scored())
def test_both_areas_are_those_of_scikit_learn(rows):
    y, score, _ = rows

    assert pr_auc(y, score) == pytest.approx(average_precision_score(y, score), rel=1e-12)
    assert roc_auc(y, score) == pytest.approx(roc_auc_score(y, score), rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(rows=scored(), seed=st.integers(0, 10**6))
def test_weights_of_weeks_repeat_their_rows(rows, seed):
    y, score, week = rows
    counts = np.random.default_rng(seed).multinomial(6, np.full(6, 1 / 6), size=5)
    ranked = rank_rows(y, score, week)
    pr = weighted_pr_auc(ranked, counts.astype(float))
    roc = weighted_roc_auc(ranked, counts.astype(float))

    for b, count in enumerate(counts):
        repeated = np.repeat(np.arange(len(y)), count[week])
        many, shown = y[repeated], score[repeated]
        if many.sum() == 0:
            assert np.isnan(pr[b])
        else:
            assert pr[b] == pytest.approx(pr_auc(many, shown), rel=1e-12)
        if many.sum() in (0, len(many)):
            assert np.isnan(roc[b])
        else:
            assert roc[b] == pytest.approx(roc_auc(many, shown), rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(rows=scored(), seed=st.integers(0, 10**6))
def test_weights_may_be_fractions(rows, seed):
    y, score, week = rows
    weights = np.random.default_rng(seed).uniform(0.1, 3.0, (1, 6))
    each = weights[0][week]
    ranked = rank_rows(y, score, week)

    assert weighted_pr_auc(ranked, weights)[0] == pytest.approx(
        average_precision_score(y, score, sample_weight=each), rel=1e-9
    )
    assert weighted_roc_auc(ranked, weights)[0] == pytest.approx(
        roc_auc_score(y, score, sample_weight=each), rel=1e-9
    )


@settings(max_examples=30, deadline=None)
@given(rows=scored(), seed=st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(rows, seed):
    y, score, _ = rows
    order = np.random.default_rng(seed).permutation(len(y))

    assert pr_auc(y[order], score[order]) == pr_auc(y, score)
    assert roc_auc(y[order], score[order]) == roc_auc(y, score)


def test_ties_are_taken_together():
    y = np.array([1.0, 0.0, 1.0, 0.0])

    assert pr_auc(y, np.zeros(4)) == 0.5
    assert roc_auc(y, np.zeros(4)) == 0.5
    # the tied pair gives one hit at a precision of 2 in 3
    assert pr_auc(y, np.array([0.9, 0.5, 0.5, 0.1])) == pytest.approx((1.0 + 2 / 3) / 2)
    assert roc_auc(y, np.array([0.9, 0.5, 0.5, 0.1])) == pytest.approx((2 + 0.5 + 1) / 4)


def test_one_class_has_no_ranking():
    score = np.array([0.3, 0.2])

    assert np.isnan(pr_auc(np.zeros(2), score))
    assert pr_auc(np.ones(2), score) == 1.0
    assert np.isnan(roc_auc(np.zeros(2), score))
    assert np.isnan(roc_auc(np.ones(2), score))


def test_rows_are_ranked_from_the_highest_score():
    ranked = rank_rows(np.array([0.0, 1.0, 0.0]), np.array([0.2, 0.9, 0.2]), np.array([7, 8, 9]))

    assert ranked.y.tolist() == [1.0, 0.0, 0.0]
    assert ranked.last_of_tie.tolist() == [True, False, True]
    assert ranked.group.tolist() == [8, 7, 9]


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([], [], "0 outcomes, expected at least one and each 0 or 1"),
        ([0.0, 0.5], [0.1, 0.2], "2 outcomes, expected"),
        ([0.0, np.nan], [0.1, 0.2], "2 outcomes, expected"),
        ([0.0, 1.0, 1.0], [0.1, np.nan, np.inf], "2 of 3 scores are not finite"),
    ],
)
def test_what_cannot_be_ranked(y, score, message):
    with pytest.raises(ModelError, match=message):
        rank_rows(np.array(y), np.array(score))
