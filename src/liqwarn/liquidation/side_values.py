"""What is read off the coins near the price: one number a reading, compiled for batch and live."""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.windows.arguments import compiled, inlined

__all__ = ["EDGES", "WHATS", "side_values"]

_STEP: Final = 0.0025
EDGES: Final[FloatArray] = np.arange(1.0, 43.0) * _STEP
"""Log distances from the price at which maps are read: 0.25 % to 10.5 %."""

WHATS: Final = (
    "within_1",
    "within_2",
    "within_3",
    "within_5",
    "within_10",
    "nearest",
    "mean_distance",
    "doubt",
    "peak",
)
"""Readings of a side, in the order of :func:`side_values`."""

_BANDS: Final = (3, 7, 11, 19, 39)  # edges at 1, 2, 3, 5 and 10 %
_NEAREST, _MEAN, _DOUBT, _PEAK = range(5, 9)
_MIDDLE: Final[FloatArray] = EDGES - _STEP / 2.0
_FAR: Final = 40  # edges within 10 %
_FIVE: Final = 19
_HEAVY: Final = 0.01  # share of open interest
_PERCENT: Final = 4  # edges in a move of 1 %


@compiled
def side_values(within: FloatArray, square: FloatArray, stock: FloatArray) -> FloatArray:
    """Readings of both sides at every bar.

    Parameters
    ----------
    within, square : ndarray of shape (n_bars, 2, n_edges)
        Weighted mean of the coins within each of :data:`EDGES`, and of their squares.
    stock : ndarray of shape (n_bars,)
        Open interest, coins.

    Returns
    -------
    ndarray of shape (2, 9, n_bars)
        By side and reading, see :data:`WHATS`; all NaN where `within` is.

    Examples
    --------
    >>> near = np.full((1, 2, 42), 5.0)
    >>> values = side_values(near, near**2, np.array([100.0]))
    >>> values[0, WHATS.index("nearest"), 0].round(5), values[0, WHATS.index("peak"), 0]
    (np.float64(0.00125), np.float64(5.0))
    """
    values = np.empty((2, len(WHATS), stock.size))
    for bar in range(stock.size):
        for side in range(2):
            coins, out = within[bar, side], values[side, :, bar]
            for k, edge in enumerate(_BANDS):
                out[k] = coins[edge]
            out[_NEAREST] = _nearest(coins, _HEAVY * stock[bar])
            out[_MEAN] = _moment(coins) / coins[_FAR - 1]
            out[_DOUBT] = _doubt(coins[_FIVE], square[bar, side, _FIVE])
            out[_PEAK] = _peak(coins)
    return values


@inlined
def _nearest(coins: FloatArray, heavy: float) -> float:
    """Distance to the nearest step that holds so much; NaN where there is none."""
    before = 0.0
    for edge in range(coins.size):
        if coins[edge] - before >= heavy:
            return float(_MIDDLE[edge])
        before = coins[edge]
    return np.nan


@inlined
def _moment(coins: FloatArray) -> float:
    """Coins of each step times its distance, within 10 %, added in eight interleaved sums."""
    sums = np.zeros(8)
    before = 0.0
    for edge in range(_FAR):
        sums[edge % 8] += (coins[edge] - before) * _MIDDLE[edge]
        before = coins[edge]
    near = (sums[0] + sums[1]) + (sums[2] + sums[3])
    return float(near + ((sums[4] + sums[5]) + (sums[6] + sums[7])))


@inlined
def _doubt(mean: float, square: float) -> float:
    """Standard deviation over mean."""
    if not mean > 0.0:
        return np.nan
    return float(np.sqrt(max(square - mean**2, 0.0)) / mean)


@inlined
def _peak(coins: FloatArray) -> float:
    """Most coins in any move of 1 %."""
    peak = coins[_PERCENT - 1] - 0.0
    for edge in range(_PERCENT, _FAR):
        inside = coins[edge] - coins[edge - _PERCENT]
        peak = max(peak, inside)
    return float(peak)
