"""Seeded building blocks of exogenous paths: independent streams, and mean-reverting noise."""

from enum import IntEnum

import numpy as np
from scipy.signal import lfilter

from liqwarn.frames import FloatArray

__all__ = ["Purpose", "decay", "half_life_noise", "stream"]


class Purpose(IntEnum):
    """One independent stream for each use, so that a new use leaves the others as they were."""

    VOLATILITY = 0
    FACTORS = 1
    JUMPS = 2
    HOLDERS = 3
    POSITIONING = 4
    LIQUIDITY = 5
    TRADING = 6
    FLOWS = 7
    ACCOUNTS = 8
    VENUES = 9
    WICKS = 10
    PRINTS = 11


def stream(seed: int, purpose: Purpose) -> np.random.Generator:
    """The generator of a purpose: counter-based, equal for equal arguments.

    >>> a, b = stream(7, Purpose.JUMPS), stream(7, Purpose.JUMPS)
    >>> bool(a.random() == b.random())
    True
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, int(purpose)))))


def decay(half_life: float, elapsed: float = 1.0) -> float:
    """Factor that is left after `elapsed`, in units of the half-life.

    >>> decay(2.0, 4.0)
    0.25
    """
    return float(2.0 ** (-elapsed / half_life))


def half_life_noise(shocks: FloatArray, half_life: float) -> FloatArray:
    """Stationary autoregression of unit variance driven by unit normals, along the last axis.

    Parameters
    ----------
    shocks : ndarray of float64, shape (..., n)
        Independent standard normals; the first one is the first value.
    half_life : float
        In steps of the axis.
    """
    left = decay(half_life)
    driven = shocks * np.sqrt(1.0 - left * left)
    driven[..., 0] = shocks[..., 0]
    return np.asarray(lfilter([1.0], [1.0, -left], driven, axis=-1), dtype=np.float64)
