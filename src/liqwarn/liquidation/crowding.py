"""Which side of a perpetual is crowded: what its holders pay to stay, and who is in a hurry."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from liqwarn.frames import FloatArray

__all__ = ["crowding"]

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
    hours = np.asarray(funding_interval_h, np.float64)
    hours = np.where((hours > 0.0) & np.isfinite(hours), hours, _SETTLEMENT_H)
    with np.errstate(over="ignore"):
        signs = np.stack(
            np.broadcast_arrays(
                np.asarray(funding_rate, np.float64) * (_SETTLEMENT_H / hours) / _FUNDING,
                np.asarray(basis, np.float64) / _BASIS,
                np.asarray(takers, np.float64) / _TAKERS,
            )
        )
    known = np.isfinite(signs)
    total = np.where(known, np.tanh(signs), 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))
