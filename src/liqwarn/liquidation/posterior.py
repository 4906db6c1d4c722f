"""Which parameters a liquidation map may have: a cloud of candidates, weighed by past evidence.

The candidates are fixed before any data is seen and cover the prior evenly. After each month every
candidate's evidence is added up; from a refit on, the maps in force are the likeliest by the
months before it, each with its weight. The model is simpler than the market, so its likelihood is
too sure of itself: it is flattened until enough candidates carry it.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray
from liqwarn.liquidation.parameters import MapParameters

__all__ = ["PRIOR", "candidates", "heaviest", "posterior_weights"]

PRIOR: Final = {
    "median_leverage": (5.0, 60.0),
    "half_life_h": (4.0, 48.0),
    "leverage_spread": (0.6, 1.4),
    "age_power": (0.25, 1.25),
    "tilt": (0.0, 0.6),
    "spent": (0.0, 0.4),
}
"""Range of each parameter before any data; the first two evenly in their logarithm."""

_LOGARITHMIC: Final = ("median_leverage", "half_life_h")


def candidates(n_candidates: int, seed: int) -> tuple[MapParameters, ...]:
    """Parameters that cover the prior evenly (a scrambled Sobol sequence).

    Raises
    ------
    FrameError
        Unless their number is a power of two, for which the sequence is even.

    Examples
    --------
    >>> [round(one.half_life_h) for one in candidates(4, seed=0)]
    [44, 6, 22, 13]
    """
    if n_candidates < 1 or n_candidates & (n_candidates - 1):
        raise FrameError(f"{n_candidates} candidates, expected a power of two")
    from scipy.stats import qmc  # noqa: PLC0415  slow, and a restart does not need it

    points = qmc.Sobol(len(PRIOR), rng=np.random.default_rng(seed)).random(n_candidates)
    return tuple(_parameters(point) for point in points)


def _parameters(point: FloatArray) -> MapParameters:
    value = {
        name: low * (high / low) ** share if name in _LOGARITHMIC else low + (high - low) * share
        for share, (name, (low, high)) in zip(point.tolist(), PRIOR.items(), strict=True)
    }
    return replace(MapParameters(), **value)


def posterior_weights(log_likelihoods: FloatArray, n_effective: float) -> FloatArray:
    """Weights of the candidates: likelihood to the largest power ≤ 1 that leaves enough of them.

    Parameters
    ----------
    log_likelihoods : ndarray of shape (n_candidates,)
        Summed over all past evidence.
    n_effective : float
        Smallest effective number of candidates, ``1 / sum(weights**2)``.

    Returns
    -------
    ndarray of float64, shape (n_candidates,)
        Sum to 1.

    Examples
    --------
    >>> posterior_weights(np.zeros(4), 2.0)
    array([0.25, 0.25, 0.25, 0.25])
    >>> weights = posterior_weights(np.array([0.0, 0.0, 0.0, 500.0]), 2.0)
    >>> bool(1 / (weights**2).sum() >= 2.0), int(weights.argmax())
    (True, 3)
    """
    below = log_likelihoods - log_likelihoods.max()

    def at(power: float) -> FloatArray:
        weights = np.exp(power * below)
        return np.asarray(weights / weights.sum())

    low, high = 0.0, 1.0
    if 1.0 / (at(high) ** 2).sum() >= n_effective:
        return at(high)
    for _ in range(50):
        middle = (low + high) / 2.0
        enough = 1.0 / (at(middle) ** 2).sum() >= n_effective
        low, high = (middle, high) if enough else (low, middle)
    return at(low)


def heaviest(weights: FloatArray, count: int) -> tuple[int, ...]:
    """The candidates of largest weight, in ascending order; of equals the first.

    Drawing them at random instead would add the chance of the draw to every reading.

    Raises
    ------
    FrameError
        When there are fewer candidates.

    Examples
    --------
    >>> heaviest(np.array([0.05, 0.8, 0.15]), 2)
    (1, 2)
    """
    if count > len(weights):
        raise FrameError(f"{count} draws of {len(weights)} candidates, expected no more")
    return tuple(sorted(np.argsort(-weights, kind="stable")[:count].tolist()))
