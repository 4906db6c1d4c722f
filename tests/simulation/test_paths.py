import numpy as np
import pytest

from liqwarn.simulation.paths import Purpose, decay, half_life_noise, stream


def test_streams_differ_by_seed_and_by_purpose():
    draws = {stream(s, p).random() for s in (1, 2) for p in Purpose}
    assert len(draws) == 2 * len(Purpose)


def test_half_life_noise_is_stationary_and_forgets_at_its_half_life():
    shocks = np.random.default_rng(1).standard_normal((4, 50_000))
    noise = half_life_noise(shocks, 10.0)
    assert noise.std() == pytest.approx(1.0, abs=0.05)
    assert np.mean(noise[:, 10:] * noise[:, :-10]) == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(noise[:, 0], shocks[:, 0])


def test_decay_halves():
    assert decay(3.0, 3.0) == 0.5
