import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from liqwarn.models.metrics import (
    brier,
    brier_skill,
    calibration_line,
    expected_calibration_error,
    log_odds,
    molchan_curve,
    molchan_skill,
    reliability_bins,
)
from liqwarn.models.ranking import roc_auc


def drawn(seed, n=2000, *, slope=1.0, intercept=0.0):
    """Outcomes and forecasts whose true calibration line is known."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1.5, 1.2, n)
    truth = 1.0 / (1.0 + np.exp(-(slope * x + intercept)))
    return (rng.random(n) < truth).astype(float), 1.0 / (1.0 + np.exp(-x))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_brier_is_that_of_scikit_learn(seed):
    y, p = drawn(seed, 200)

    assert brier(y, p) == pytest.approx(brier_score_loss(y, p), rel=1e-12)


def test_brier_skill_is_the_share_of_the_reference_that_is_gone():
    y = np.array([1.0, 0.0, 0.0, 0.0])
    reference, better = np.full(4, 0.25), np.array([0.75, 0.25, 0.0, 0.0])

    assert brier(y, reference) == pytest.approx(0.1875)
    assert brier_skill(y, better, reference) == pytest.approx(1.0 - 0.03125 / 0.1875)
    assert brier_skill(y, reference, reference) == 0.0
    assert brier_skill(y, 1.0 - y, reference) < 0.0
    assert np.isnan(brier_skill(y, better, y))


def test_log_odds_are_finite_and_turn_back():
    p = np.array([0.0, 1e-4, 0.5, 0.9, 1.0])
    x = log_odds(p)

    assert np.isfinite(x).all()
    assert x[2] == 0.0
    assert 1.0 / (1.0 + np.exp(-x)) == pytest.approx(p, abs=2e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_calibration_line_is_an_unpenalised_logistic_regression(seed):
    y, p = drawn(seed, slope=0.6, intercept=-0.4)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(log_odds(p)[:, None], y)
    slope, intercept = calibration_line(y, p)

    assert slope == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-5)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.3), (1.6, -0.5)])
def test_the_calibration_line_finds_the_truth(slope, intercept):
    y, p = drawn(5, 100_000, slope=slope, intercept=intercept)

    assert calibration_line(y, p) == pytest.approx((slope, intercept), abs=0.05)


def test_no_line_through_one_outcome_or_one_forecast():
    p = np.array([0.1, 0.2, 0.3])

    assert np.isnan(calibration_line(np.zeros(3), p)).all()
    assert np.isnan(calibration_line(np.array([0.0, 1.0, 0.0]), np.full(3, 0.2))).all()


def test_reliability_bins_hold_equally_many_rows():
    p = np.array([0.9, 0.1, 0.2, 0.8, 0.3])
    y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    bins = reliability_bins(y, p, n_bins=2)

    assert bins["n"] == [3.0, 2.0]
    assert bins["predicted"] == pytest.approx([0.2, 0.85])
    assert bins["observed"] == pytest.approx([1 / 3, 1.0])
    assert expected_calibration_error(y, p, n_bins=2) == pytest.approx(
        (3 * (1 / 3 - 0.2) + 2 * 0.15) / 5
    )


def test_more_bins_than_rows_leave_none_empty():
    assert reliability_bins(np.array([1.0, 0.0]), np.array([0.7, 0.2]))["n"] == [1.0, 1.0]


def test_a_calibrated_forecast_has_a_small_error_and_a_timid_one_has_not():
    y, p = drawn(9, 50_000)

    assert expected_calibration_error(y, p) < 0.01
    assert expected_calibration_error(y, np.full_like(p, y.mean())) < 0.01
    assert expected_calibration_error(y, p / 2) > 0.05


def test_the_molchan_curve_by_hand():
    y = np.array([1.0, 0.0, 1.0, 0.0])
    score = np.array([0.9, 0.8, 0.7, 0.1])
    curve = molchan_curve(y, score, n_points=5)

    assert curve["alarm_time"] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert curve["miss_rate"] == [1.0, 0.5, 0.5, 0.0, 0.0]
    assert molchan_skill(curve) == pytest.approx(1.0 - 2.0 * (0.1875 + 0.125 + 0.0625))


def test_tied_scores_raise_their_alarms_together():
    curve = molchan_curve(np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4), n_points=5)

    assert curve["miss_rate"] == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])
    assert molchan_skill(curve) == pytest.approx(0.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), rounded=st.integers(1, 4))
def test_molchan_skill_is_roc_auc_less_what_the_onsets_themselves_take(seed, rounded):
    y, p = drawn(seed, 400)
    y[0] = 1.0
    p = p.round(rounded)
    skill = molchan_skill(molchan_curve(y, p, n_points=4001))

    # the alarm covers positive rows too: area = base / 2 + (1 - base) * (1 - AUC)
    expected = (1.0 - y.mean()) * (2.0 * roc_auc(y, p) - 1.0)
    assert skill == pytest.approx(expected, abs=1e-3)
    assert molchan_skill(molchan_curve(y, -p, n_points=4001)) == pytest.approx(-expected, abs=1e-3)
