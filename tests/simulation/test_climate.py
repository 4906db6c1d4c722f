"""Moods that price does not cause."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.simulation.climate import COMMON, draw_climate
from liqwarn.simulation.config import Liquidity, MarketConfig, Positioning

CONFIG = MarketConfig(n_bars=8_000)
CALM = np.ones((12, 8_000))


@pytest.fixture(scope="module")
def climate():
    return draw_climate(CONFIG, 5, CALM)


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not(climate):
    for one, same, other in zip(
        climate, draw_climate(CONFIG, 5, CALM), draw_climate(CONFIG, 6, CALM), strict=True
    ):
        assert one.shape == CALM.shape
        assert one.tobytes() == same.tobytes() != other.tobytes()


def test_spreads_are_those_asked_for(climate):
    people, book = CONFIG.positioning, CONFIG.liquidity
    assert climate.appetite.std() == pytest.approx(people.appetite_std, rel=0.2)
    assert climate.mood.mean() == pytest.approx(people.crowding_mean, abs=0.2)
    assert climate.mood.std() == pytest.approx(people.crowding_std, rel=0.2)
    assert climate.depth.std() == pytest.approx(book.regime_std, rel=0.2)
    assert climate.oi_noise.std() == pytest.approx(people.noise_std, rel=0.1)


def test_symbols_share_some_of_their_mood():
    config = replace(CONFIG, n_bars=40_000)
    mood = draw_climate(config, 5, np.ones((12, 40_000))).mood
    corr = np.corrcoef(mood)[np.triu_indices(12, 1)]
    assert corr.mean() == pytest.approx(COMMON, abs=0.12)


def test_active_times_have_less_depth_and_noisier_open_interest(climate):
    wild = draw_climate(CONFIG, 5, 4.0 * CALM)
    assert (wild.depth < climate.depth).all()
    np.testing.assert_allclose(wild.oi_noise, 2.0 * climate.oi_noise)
    np.testing.assert_array_equal(wild.mood, climate.mood)


@pytest.mark.parametrize("bar", [timedelta(minutes=15), timedelta(hours=4)])
def test_half_lives_are_hours_whatever_the_bar(bar):
    people = Positioning(crowding_half_life_h=12.0, appetite_half_life_h=12.0)
    config = replace(CONFIG, bar=bar, positioning=people, liquidity=Liquidity())
    mood = draw_climate(config, 5, CALM).mood
    lag = timedelta(hours=12) // bar
    centred = mood - people.crowding_mean
    found = (centred[:, lag:] * centred[:, :-lag]).mean() / (centred**2).mean()
    assert found == pytest.approx(0.5, abs=0.08)


def test_nothing_without_spread():
    still = Positioning(appetite_std=0.0, crowding_std=0.0, noise_std=0.0, crowding_mean=0.2)
    config = replace(CONFIG, positioning=still, liquidity=Liquidity(regime_std=0.0))
    climate = draw_climate(config, 5, CALM)
    assert not climate.appetite.any()
    assert not climate.oi_noise.any()
    assert not climate.depth.any()
    assert (climate.mood == 0.2).all()
