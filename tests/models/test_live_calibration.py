"""Calibration of issued probabilities: graded by intervals, silent where onsets are few."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.models.bootstrap import draw_weights, week_codes
from liqwarn.models.live_calibration import count_onsets, measure_calibration, slope_samples
from liqwarn.models.logistic import sigmoid
from liqwarn.models.metrics import calibration_line, log_odds

N = 24 * 7 * 40
TIMES = np.datetime64("2024-01-01", "s") + np.arange(N) * np.timedelta64(3600, "s")


@pytest.fixture
def forecast():
    rng = np.random.default_rng(0)
    p = sigmoid(rng.normal(-2.5, 1.0, N))
    return p, (rng.random(N) < p).astype(np.float64)


def test_what_is_calibrated_is_none_and_what_is_not_is_large(forecast):
    p, y = forecast
    timid, extreme = (sigmoid(log_odds(p) * k + b) for k, b in ((0.5, -1.2), (2.0, 2.5)))

    assert measure_calibration(y, p, TIMES, 50)["grade"] == "none"
    assert measure_calibration(y, timid, TIMES, 50)["grade"] == "large"
    assert measure_calibration(y, extreme, TIMES, 50)["grade"] == "large"


def test_a_level_twice_too_high_is_seen(forecast):
    p, y = forecast

    assert measure_calibration(y, p / 3.0, TIMES, 50)["grade"] == "large"


def test_few_onsets_say_nothing_of_the_slope(forecast):
    p, y = forecast
    found = measure_calibration(y, p, TIMES, 9)

    assert found["grade"] == "unknown"
    assert np.isnan(found["slope"])
    assert found["observed"] == y.mean()


def test_one_step_slopes_are_those_of_whole_fits(forecast):
    p, y = forecast
    weeks, n_weeks = week_codes(TIMES)
    weights = draw_weights(n_weeks, 20, 1)
    quick = slope_samples(y, p, weeks, weights)
    for k in range(3):
        times_drawn = weights[k][weeks].astype(int)
        whole, _ = calibration_line(np.repeat(y, times_drawn), np.repeat(p, times_drawn))
        assert quick[k] == pytest.approx(whole, abs=0.01)


def test_rows_before_one_onset_are_one_and_symbols_do_not_share_them():
    times = np.datetime64("2024-01-01", "s") + np.arange(12) * np.timedelta64(3600, "s")
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0], dtype=float)
    hours = timedelta(hours=4)

    assert count_onsets(y, np.zeros(12, int), times, hours) == 2
    assert count_onsets(y, np.array([0, 0, 1, 1] * 3), times, hours) == 4
    assert count_onsets(np.zeros(12), np.zeros(12, int), times, hours) == 0
