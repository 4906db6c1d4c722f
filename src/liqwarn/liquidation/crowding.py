"""Which side of a perpetual is crowded: what its holders pay to stay, and who is in a hurry."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from liqwarn.frames import FloatArray
from liqwarn.liquidation.bar_rules import frozen
from liqwarn.windows.arguments import compiled

__all__ = ["crowding", "crowding_of"]

_FUNDING: Final = 5.0e-4  # fraction of notional per 8 h
_BASIS: Final = 1.0e-3  # (mark − index) / index
_TAKERS: Final = 0.1  # (buys − sells) / (buys + sells)
_SETTLEMENT_H: Final = 8.0


def crowding(
    funding_rate: ArrayLike, funding_interval_h: ArrayLike, basis: ArrayLike, takers: ArrayLike
) -> FloatArray:
    """How crowded a side is, from -1 (shorts) over 0 to 1 (longs).

    The mean of what is known of three signs of crowding, each through ``tanh`` of its own scale.
    Only the level of now is used, so nothing before the data began matters.

    Parameters
    ----------
    funding_rate : array_like
        Fraction of notional per settlement; positive when longs pay.
    funding_interval_h : array_like
        Hours between settlements; 8 where it is not known.
    basis : array_like
        (mark − index) / index.
    takers : array_like
        (buys − sells) / (buys + sells) of takers. What is not finite is not known, in all four.

    Returns
    -------
    ndarray of float64
        0 where nothing is known.

    Examples
    --------
    >>> crowding([1e-4, np.nan], 8.0, [5e-4, np.nan], np.nan).round(3)
    array([0.33, 0.  ])
    """
    given = (funding_rate, funding_interval_h, basis, takers)
    arrays = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in given))
    flat = [frozen(one.reshape(-1)) for one in arrays]
    return crowding_of((flat[0], flat[1]), flat[2], flat[3]).reshape(arrays[0].shape)


def crowding_of(
    funding: tuple[FloatArray, FloatArray], basis: FloatArray, takers: FloatArray
) -> FloatArray:
    """The same of arrays that are all of one shape, (n,): funding is its rate and its interval."""
    return _mean_known(np.tanh(_signs(funding, basis, takers)))


@compiled
def _signs(
    funding: tuple[FloatArray, FloatArray], basis: FloatArray, takers: FloatArray
) -> FloatArray:
    """Each sign over its scale; NaN where it is not known."""
    rate, hours = funding
    signs = np.empty((3, rate.size))
    for k in range(rate.size):
        interval = hours[k] if hours[k] > 0.0 and np.isfinite(hours[k]) else _SETTLEMENT_H
        signs[0, k] = rate[k] * (_SETTLEMENT_H / interval) / _FUNDING
        signs[1, k] = basis[k] / _BASIS
        signs[2, k] = takers[k] / _TAKERS
        for sign in range(3):
            if not np.isfinite(signs[sign, k]):
                signs[sign, k] = np.nan
    return signs


@compiled
def _mean_known(signs: FloatArray) -> FloatArray:
    mean = np.zeros(signs.shape[1])
    for k in range(mean.size):
        known = 0
        for sign in range(3):
            if not np.isnan(signs[sign, k]):
                mean[k] += signs[sign, k]
                known += 1
        mean[k] /= max(known, 1)
    return mean
