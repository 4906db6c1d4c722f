"""The imperfect score: calibrated, no better than it should be, and ranked against pilots."""

from dataclasses import replace

import numpy as np
import pytest

from liqwarn.pipelines.loop_score import LoopScore, auc, fit_score, noise_of, run_free
from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.loop_events import SIGNALS
from liqwarn.simulation.loop_market import loop_config, prepare
from liqwarn.simulation.restraint import Obedience

CONFIG = replace(loop_config(40), specs=DEFAULT_SPECS[2:6])


@pytest.fixture(scope="module")
def pilot():
    return run_free(prepare(CONFIG, 7, Obedience()))


@pytest.fixture(scope="module")
def score(pilot):
    return fit_score([pilot], 0.75)


def test_noise_brings_the_ranking_down_to_the_target(pilot, score):
    perfect = fit_score([pilot], 1.0)
    assert (perfect.noise == 0.0).all()
    assert (score.noise > 0.0).all()
    assert score.base_rate == pytest.approx(perfect.base_rate)
    # What is left of the odds after the noise is trusted less.
    assert (score.platt[:, 0] < perfect.platt[:, 0]).all()


def test_probabilities_are_calibrated_in_the_mean(score):
    for side in range(2):
        assert score.ranked[side].mean() == pytest.approx(score.base_rate[side], rel=0.02)


def test_quantiles_rank_against_the_pilots(score):
    middle = np.array([[np.median(score.ranked[0]), np.median(score.ranked[1])]])
    np.testing.assert_allclose(score.quantile(middle), 0.5, atol=0.01)
    assert score.quantile(np.ones((1, 2))).tolist() == [[1.0, 1.0]]
    assert score.quantile(np.zeros((1, 2))).tolist() == [[0.0, 0.0]]


def test_more_fuel_and_more_volatility_are_more_risk(score):
    known = np.zeros((2, 2, len(SIGNALS)))
    known[1, :, :3] = 1.0
    calm, hot = score.probability(known, np.zeros((2, 2)))
    assert (hot > calm).all()


def test_noise_is_of_unit_size_lasts_for_hours_and_differs_by_stream():
    noise = noise_of(CONFIG, 3, 0)
    assert noise.std() == pytest.approx(1.0, abs=0.1)
    two_hours = (noise[:, :, 8:] * noise[:, :, :-8]).mean()
    assert two_hours == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(noise, noise_of(CONFIG, 3, 0))
    assert abs((noise * noise_of(CONFIG, 3, 1)).mean()) < 0.1


def test_auc_needs_both_outcomes():
    assert auc(np.array([0.0, 1.0]), np.array([0.1, 0.9])) == 1.0
    assert np.isnan(auc(np.zeros(3), np.arange(3.0)))


def test_a_score_is_a_value(score):
    assert isinstance(score, LoopScore)
    with pytest.raises(AttributeError, match="cannot assign"):
        score.noise = np.zeros(2)
