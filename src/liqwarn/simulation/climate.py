"""Slow moods that price does not cause: appetite for leverage, crowding, depth, noise."""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from liqwarn.frames import FloatArray
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.paths import Purpose, decay, half_life_noise, stream

__all__ = ["Climate", "draw_climate"]

COMMON = 0.5  # share of variance that symbols have in common
NOISE_HALF_LIFE_H = 14.0  # changes of open interest without cause come back


class Climate(NamedTuple):
    """Paths of shape (n_symbols, n_bars); a tuple, because compiled code reads it.

    Attributes
    ----------
    appetite : ndarray
        Log of the wanted open interest over its long-run level.
    mood : ndarray
        Crowding without the trend; positive: longs are crowded.
    depth : ndarray
        Log of calm depth over its long-run level.
    tilt : ndarray
        Log of calm bid depth over ask depth, halved.
    oi_noise : ndarray
        Change of log open interest without cause: that of a level that returns to its mean.
    """

    appetite: FloatArray
    mood: FloatArray
    depth: FloatArray
    tilt: FloatArray
    oi_noise: FloatArray


def draw_climate(config: MarketConfig, seed: int, activity: FloatArray) -> Climate:
    """Draw the moods of a market; depth is thinner and open interest noisier in active times."""
    people, book = config.positioning, config.liquidity
    rng, depth_rng = stream(seed, Purpose.POSITIONING), stream(seed, Purpose.LIQUIDITY)
    shape = activity.shape
    hours = 1.0 / config.bar_h
    appetite = _shared(rng, shape, people.appetite_half_life_h * hours)
    mood = _shared(rng, shape, people.crowding_half_life_h * hours)
    noise = rng.standard_t(6, size=shape) / np.sqrt(1.5) * np.sqrt(activity * config.bar_h)
    left = decay(NOISE_HALF_LIFE_H, config.bar_h)
    regime = _shared(depth_rng, shape, book.regime_half_life_h * hours)
    return Climate(
        appetite=people.appetite_std * appetite,
        mood=people.crowding_mean + people.crowding_std * mood,
        depth=book.regime_std * regime - 0.4 * np.log(activity),
        tilt=0.15 * _shared(depth_rng, shape, 12.0 * hours),
        oi_noise=people.noise_std * lfilter([1.0, -1.0], [1.0, -left], noise, axis=-1),
    )


def _shared(rng: np.random.Generator, shape: tuple[int, ...], half_life: float) -> FloatArray:
    noise = half_life_noise(rng.standard_normal((shape[0] + 1, shape[1])), half_life)
    return np.asarray(np.sqrt(COMMON) * noise[0] + np.sqrt(1.0 - COMMON) * noise[1:])
