"""Calibration: Platt's two numbers, from out-of-fold scores and nothing else."""

import runpy
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LogisticRegression

from liqwarn.errors import ModelError
from liqwarn.models.boosting import BoostedTrees
from liqwarn.models.calibration import (
    Calibrated,
    Platt,
    apply,
    base_rates,
    fit_platt,
    hazards,
    out_of_fold,
    primary_horizon,
)
from liqwarn.models.splits import EMBARGO, InnerFolds

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of, SMALL = synthetic["rows_of"], synthetic["SMALL"]
trees = partial(BoostedTrees, SMALL)


class Spy:
    """A scorer that remembers what it was shown."""

    seen: list = []  # noqa: RUF012  one list for every spy, on purpose

    def fit(self, rows):
        self.until = rows.end.max()
        self.trained = set(rows.times.tolist())
        return self

    def raw(self, rows):
        Spy.seen.append((self.until, self.trained, rows.times))
        return np.repeat(rows.column("basis")[:, None, None], 6, axis=1).reshape(-1, 2, 3)


class Memory:
    """Knows every outcome it was trained on by heart and nothing of any other row."""

    def fit(self, rows):
        self.outcomes = dict(zip(rows.X[:, 0].tolist(), rows.y, strict=True))
        return self

    def raw(self, rows):
        nothing = np.zeros(rows.y.shape[1:])
        known = [self.outcomes.get(x, nothing) for x in rows.X[:, 0].tolist()]
        return 5.0 * np.stack(known) + 0.01 * rows.column("oi_z_7d")[:, None, None]


def scores(seed, n=3000, slope=0.7, intercept=-2.0):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=n) * 2
    y = (rng.random(n) < 1 / (1 + np.exp(-(slope * raw + intercept)))).astype(np.float64)
    return raw, y


def test_platt_equals_scikit_learns_logistic():
    raw, y = scores(1)
    other = LogisticRegression(C=1e9, tol=1e-10).fit(raw[:, None], y)

    found = fit_platt(raw, y, 0.1)

    assert found.slope == pytest.approx(other.coef_[0, 0], rel=1e-4)
    assert found.intercept == pytest.approx(other.intercept_[0], rel=1e-4)
    np.testing.assert_allclose(found(raw), other.predict_proba(raw[:, None])[:, 1], atol=1e-5)


def test_rows_without_score_or_outcome_are_left_out():
    raw, y = scores(2)
    expected = fit_platt(raw[200:], y[200:], 0.1)
    raw[:100] = np.nan
    y[100:200] = np.nan

    assert fit_platt(raw, y, 0.1) == expected


def test_few_onsets_move_the_level_only():
    raw = np.linspace(-3.0, 3.0, 500)
    y = np.zeros(500)
    y[[10, 400, 450]] = 1.0

    found = fit_platt(raw, y, 0.5)

    assert found.slope == 1.0
    assert found(raw).mean() == pytest.approx(3 / 500)


@pytest.mark.parametrize(
    ("raw", "y"),
    [
        (np.full(50, np.nan), np.ones(50)),
        (np.linspace(0, 1, 50), np.zeros(50)),
        (np.empty(0), np.empty(0)),
    ],
)
def test_without_evidence_the_answer_is_the_base_rate(raw, y):
    found = fit_platt(raw, y, 0.03)

    assert float(found(np.array([7.0]))[0]) == pytest.approx(0.03)


def test_scores_that_do_not_differ_give_the_observed_rate():
    y = np.array([1.0] * 20 + [0.0] * 60)

    assert float(fit_platt(np.ones(80), y, 0.9)(np.ones(1))[0]) == pytest.approx(0.25)


def test_a_ranking_is_never_turned_over():
    raw, y = scores(3, slope=-0.7)

    found = fit_platt(raw, y, 0.9)

    assert found.slope == 0.0
    assert float(found(np.array([3.0]))[0]) == pytest.approx(y.mean())


@given(raw=arrays(np.float64, (4, 2, 3), elements=st.floats(-30, 30)))
def test_probabilities_follow_from_calibrated_hazards(raw):
    platts = [[Platt(0.8, -1.0), Platt(1.2, 0.0), Platt(1.0, 0.5)] for _ in range(2)]

    hazard, p = hazards(platts, raw), apply(platts, raw)

    np.testing.assert_array_equal(hazard[:, 1, 2], Platt(1.0, 0.5)(raw[:, 1, 2]))
    np.testing.assert_array_equal(p[..., 0], 1.0 - (1.0 - hazard[..., 0]))
    assert (np.diff(p, axis=-1) >= 0).all()
    assert (p >= hazard - 1e-15).all()


def test_the_primary_horizon_is_four_hours():
    assert primary_horizon((1, 4, 24)) == 1
    assert primary_horizon((4, 24)) == 0
    assert primary_horizon((1, 2, 3)) == 1
    assert primary_horizon((4,)) == 0


def test_base_rates_are_of_the_known_rows():
    rows = rows_of(days=5)
    y = rows.y.copy()
    y[:, 0, 0] = np.nan
    y[:10, 1, 2] = np.nan

    found = base_rates(replace(rows, y=y))

    assert np.isnan(found[0, 0])
    assert found[1, 2] == y[10:, 1, 2].mean()
    assert found[0, 1] == y[:, 0, 1].mean()


def test_out_of_fold_scores_come_from_models_of_purged_earlier_rows():
    rows = rows_of(days=20)
    Spy.seen.clear()

    raw = out_of_fold(Spy, rows, InnerFolds())

    assert len(Spy.seen) == 4
    for until, trained, times in Spy.seen:
        assert until <= times.min() - np.timedelta64(EMBARGO)
        assert max(trained) < times.min().item()
    scored = np.isfinite(raw[:, 0, 0])
    assert scored.mean() == pytest.approx(0.6, abs=0.02)
    assert rows.times[~scored].max() < rows.times[scored].min()


@settings(max_examples=6, deadline=None)
@given(cut=st.floats(0.45, 0.95), seed=st.integers(0, 1000))
def test_later_rows_never_change_earlier_out_of_fold_scores(cut, seed):
    rows = rows_of(days=20, symbols=("BTC", "ETH"))
    moment = rows.times[int(cut * len(rows))]
    later = rows.times >= moment
    rng = np.random.default_rng(seed)
    X, y = rows.X.copy(), rows.y.copy()
    X[later] = rng.normal(size=X[later].shape)
    y[later] = 1.0 - y[later]

    before = out_of_fold(trees, rows, InnerFolds())
    after = out_of_fold(trees, replace(rows, X=X, y=y), InnerFolds())

    assert np.isfinite(before[~later]).any()
    np.testing.assert_array_equal(after[~later], before[~later])
    assert not np.array_equal(after[later], before[later], equal_nan=True)


def test_calibration_never_sees_a_score_of_a_row_the_model_was_trained_on():
    """A model that knows its training by heart would look sure of itself in sample."""
    rows = rows_of(days=40, skill=0.0)

    model = Calibrated(Memory).fit(rows)

    in_sample = Memory().fit(rows).raw(rows)[:, 0, 2]
    assert fit_platt(in_sample, rows.outcome(0, 2), 0.1).slope > 2.0
    p = model.predict_proba(rows)[:, 0, 2]
    rate = rows.outcome(0, 2).mean()
    unseen = model.training_p_[:, 0, 2]
    assert np.nanmax(np.abs(unseen - rate)) < 0.1
    assert np.isfinite(p).all()


def test_probabilities_are_coherent_and_calibrated():
    model = Calibrated(trees).fit(rows_of(days=60))
    later = rows_of(seed=5, days=60)

    p = model.predict_proba(later)

    assert p.shape == later.y.shape
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p, axis=2) >= 0).all()
    np.testing.assert_allclose(p.mean(axis=0), later.y.mean(axis=0), rtol=0.35)


def test_a_horizon_shorter_than_a_bar_is_nan():
    rows = rows_of(days=200, bar=timedelta(hours=4))

    model = Calibrated(trees).fit(rows)
    p = model.predict_proba(rows)

    assert np.isnan(p[:, :, 0]).all()
    assert np.isfinite(p[:, :, 1:]).all()
    assert (p[:, :, 1] <= p[:, :, 2]).all()


def test_training_probabilities_are_nan_for_rows_never_scored_out_of_fold():
    model = Calibrated(trees).fit(rows_of(days=20))

    scored = np.isfinite(model.training_p_).all(axis=(1, 2))
    assert not scored[: len(scored) // 3].any()
    assert scored[len(scored) // 2 :].all()


@pytest.mark.parametrize("make", [trees, Spy], ids=["trees", "spy"])
def test_a_side_without_an_onset_in_training_gets_its_base_rate(make):
    rows = rows_of(days=20)
    y = rows.y.copy()
    y[:, 1] = 0.0

    model = Calibrated(make).fit(replace(rows, y=y))
    p = model.predict_proba(rows)

    assert np.isfinite(p).all()
    assert (p[:, 1] < 1e-6).all()
    assert np.isnan(model.training_p_[: len(rows) // 3]).all()


def test_every_side_and_interval_has_its_own_calibration():
    raw = np.zeros((1, 2, 2))
    platts = [[Platt(1.0, -3.0), Platt(1.0, -2.0)], [Platt(1.0, -1.0), Platt(1.0, 0.0)]]

    found = hazards(platts, raw)

    np.testing.assert_allclose(found[0], 1 / (1 + np.exp([[3.0, 2.0], [1.0, 0.0]])))


def test_fits_side_by_side_give_the_same_bits():
    rows = rows_of(days=40)
    alone, together = (Calibrated(trees, workers=n).fit(rows) for n in (1, 3))

    assert alone.platts_ == together.platts_
    np.testing.assert_array_equal(alone.training_p_, together.training_p_)
    np.testing.assert_array_equal(alone.predict_proba(rows), together.predict_proba(rows))


class Failing(Spy):
    """A scorer that cannot be fitted."""

    def fit(self, rows):
        raise ModelError(f"{len(rows)} rows are too many")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fit_that_fails_fails_the_whole(workers):
    with pytest.raises(ModelError, match="rows are too many"):
        Calibrated(Failing, workers=workers).fit(rows_of(days=20))


def test_an_unfitted_model_says_so():
    with pytest.raises(ModelError, match="this model is not fitted"):
        Calibrated(trees).predict_proba(rows_of(days=1))
