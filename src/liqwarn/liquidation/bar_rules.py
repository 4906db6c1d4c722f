"""What one bar says to a liquidation map, number by number, compiled.

The rules that batch and live maps share, whether the bars are many of one perpetual or one each of
several. For a handful of bars NumPy would spend a hundred times longer on calls than on numbers.
Logarithms are left to NumPy: it takes them all at once, in the same way for one number and for
many. Every array has shape (n_bars,) unless it says otherwise.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.windows.arguments import compiled, inlined

__all__ = [
    "believed_stock",
    "fill_prices",
    "fill_ratios",
    "frozen",
    "jumps",
    "one_step_path",
    "priced_bars",
    "three_step_path",
]

_PLASTIC: Final = 0.7548776662466927

_GOLDEN: Final = 0.6180339887498949


def frozen(x: NDArray[Any]) -> NDArray[Any]:
    """A read-only contiguous view: one compiled signature for whatever is handed in."""
    flags = x.flags
    if flags.c_contiguous and not flags.writeable:
        return x
    view = np.ascontiguousarray(x).view()
    view.flags.writeable = False
    return view


@compiled
def priced_bars(low: FloatArray, high: FloatArray, close: FloatArray) -> BoolArray:
    """Which bars have a price that can be: finite, ordered, the close not far outside."""
    priced = np.empty(low.size, np.bool_)
    for k in range(low.size):
        ordered = low[k] > 0.0 and low[k] <= high[k] and np.isfinite(high[k])
        near = close[k] >= 0.5 * low[k] and 0.5 * close[k] <= high[k]
        priced[k] = ordered and near
    return priced


@compiled
def believed_stock(priced: BoolArray, open_interest: FloatArray) -> FloatArray:
    """Open interest where it can be believed, NaN elsewhere."""
    stock = np.empty(priced.size)
    for k in range(priced.size):
        known = priced[k] and np.isfinite(open_interest[k]) and open_interest[k] > 0.0
        stock[k] = open_interest[k] if known else np.nan
    return stock


@inlined
def _opened(first: float, last: float) -> float:
    """The open, the close before where there is none."""
    return first if np.isfinite(first) and first > 0.0 else last


@inlined
def _cut(x: float, low: float, high: float) -> float:
    above = low if x < low else x
    return high if above > high else above


@compiled
def fill_ratios(
    prices: tuple[FloatArray, FloatArray, FloatArray],
    stock: FloatArray,
    before: tuple[FloatArray, FloatArray],
    priced: BoolArray,
    out: FloatArray,
) -> None:
    """Open over the last close, and open interest over what it was: to be taken the logarithm of.

    Parameters
    ----------
    prices : tuple of ndarray
        Open, low, high.
    stock : ndarray
        Open interest that can be believed.
    before : tuple of ndarray
        Close and open interest last known.
    priced : ndarray of bool
    out : ndarray of shape (2, n_bars)
        NaN where a bar has no price.
    """
    first, low, high = prices
    close, earlier = before
    for k in range(priced.size):
        out[0, k] = out[1, k] = np.nan
        if priced[k]:
            out[0, k] = _cut(_opened(first[k], close[k]), low[k], high[k]) / close[k]
            out[1, k] = stock[k] / earlier[k]


@compiled
def jumps(logs: FloatArray, split: float, migration: float) -> FloatArray:
    """Log ratios that no market makes, shape (2, n_bars); 0 where a market may have made them."""
    found = np.zeros(logs.shape)
    for k in range(logs.shape[1]):
        if abs(logs[0, k]) > split:
            found[0, k] = logs[0, k]
        if abs(logs[1, k]) > migration:
            found[1, k] = logs[1, k]
    return found


@compiled
def fill_prices(
    prices: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    last: FloatArray,
    priced: BoolArray,
    out: FloatArray,
) -> None:
    """Low, high, close and start of each bar: to be taken the logarithm of.

    Parameters
    ----------
    prices : tuple of ndarray
        Open, low, high, close.
    last : ndarray
        Close last known.
    priced : ndarray of bool
    out : ndarray of shape (4, n_bars)
        NaN where a bar has no price.
    """
    first, low, high, close = prices
    for k in range(priced.size):
        out[0, k] = out[1, k] = out[2, k] = out[3, k] = np.nan
        if priced[k]:
            start = _opened(first[k], last[k])
            out[0, k], out[1, k], out[2, k] = low[k], high[k], close[k]
            out[3, k] = start if np.isfinite(start) else close[k]


@inlined
def _held(stock: float, volume: float) -> float:
    """Coins to hold: unknown where nothing was traded."""
    return np.nan if volume == 0.0 else stock


@inlined
def _crowded(crowding: float) -> float:
    return 0.0 if np.isnan(crowding) else _cut(crowding, -1.0, 1.0)


@compiled
def one_step_path(
    at: FloatArray,
    number: NDArray[np.int64],
    stock: FloatArray,
    volume: FloatArray,
    crowding: FloatArray,
) -> FloatArray:
    """The kernel's path, one step a bar: shape (6, n_bars).

    Parameters
    ----------
    at : ndarray of shape (4, n_bars)
        Coordinates of low, high, close and start.
    number : ndarray of int64
    stock, volume, crowding : ndarray
    """
    path = np.empty((6, number.size))
    for k in range(number.size):
        low, high, close = at[0, k], at[1, k], at[2, k]
        path[0, k], path[1, k], path[2, k] = low, high, close
        path[3, k] = low + (high - low) * (number[k] * _GOLDEN % 1.0)
        path[4, k], path[5, k] = _held(stock[k], volume[k]), _crowded(crowding[k])
    return path


@compiled
def three_step_path(
    at: FloatArray,
    number: NDArray[np.int64],
    stocks: tuple[FloatArray, FloatArray],
    volume: FloatArray,
    crowding: FloatArray,
) -> FloatArray:
    """The same with three steps a bar, from its start to one end, the other, and its close.

    Parameters
    ----------
    stocks : tuple of ndarray
        Open interest after the bar, and as last known before it: what the first two steps hold.

    Returns
    -------
    ndarray of shape (6, 3 * n_bars)
    """
    stock, earlier = stocks
    path = np.empty((6, 3 * number.size))
    for k in range(number.size):
        low, high, close = at[0, k], at[1, k], at[2, k]
        start = _cut(at[3, k], low, high)
        falls = close < start
        begin = start
        for step in range(3):
            up = falls == (step == 0)
            end = (high if up else low) if step < 2 else _cut(close, low, high)
            column = 3 * k + step
            share = (3 * number[k] + step) * _PLASTIC % 1.0
            path[0, column] = begin if begin < end else end
            path[1, column] = end if begin < end else begin
            path[2, column] = end
            path[3, column] = begin + (end - begin) * share
            held = _held(stock[k], volume[k])
            path[4, column] = earlier[k] if step < 2 and np.isfinite(held) else held
            path[5, column] = _crowded(crowding[k])
            begin = end
    return path
