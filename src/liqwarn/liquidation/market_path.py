"""Bars as the liquidation map walks them: steps of price, and the breaks between them.

A bar of more than :data:`LONG_BAR_S` is walked in three steps, from its open to the extreme
against its direction, across to the other, and to its close: positions opened at the one extreme
are liquidated at the other, and a bar's low and high alone would not say so. A shorter bar is one
step. What is opened in a step enters somewhere between its low and its high; a low-discrepancy
sequence over the absolute bar number says where, so that many bars fill the range evenly.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import BoolArray, FloatArray
from liqwarn.liquidation.bar_rules import (
    believed_stock,
    fill_prices,
    fill_ratios,
    frozen,
    jumps,
    one_step_path,
    priced_bars,
    three_step_path,
)
from liqwarn.liquidation.kernel import STEP

__all__ = [
    "LONG_BAR_S",
    "Bars",
    "Breaks",
    "before",
    "breaks_after",
    "find_breaks",
    "path_after",
    "steps_a_bar",
    "walk",
]

LONG_BAR_S: Final = 600
"""Seconds above which a bar is walked in three steps."""

_ARRAYS: Final = (
    "number",
    "open",
    "high",
    "low",
    "close",
    "open_interest",
    "volume",
    "crowding",
    "marked",
)
_SPLIT: Final = float(np.log(2.0))
_JUMP: Final = float(np.log(3.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Bars:
    """Consecutive bars of one perpetual on one venue; every array has shape (n_bars,), read-only.

    Attributes
    ----------
    bar_s : int
        Seconds of a bar.
    number : ndarray of int64
        Absolute number of each bar.
    open, high, low, close : ndarray of float64
        Quote per coin; a bar without a high, low or close is skipped, an unknown open is the
        close before it, and one outside low and high is moved to the nearer of the two.
    open_interest : ndarray of float64
        Coins at the bar's close; NaN, infinite, 0 and negative values are unknown, and so are
        those of a bar without a price.
    volume : ndarray of float64
        Coins; NaN is unknown. Nothing is opened or closed in a bar that traded nothing.
    crowding : ndarray of float64
        From -1 (shorts crowded) to 1 (longs), what is beyond is cut; NaN is 0.
    marked : ndarray of bool
        Whether the close is the venue's mark price rather than the last trade.
    """

    bar_s: int
    number: NDArray[np.int64]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    open_interest: FloatArray
    volume: FloatArray
    crowding: FloatArray
    marked: BoolArray

    def __post_init__(self) -> None:
        n_bars = self.close.shape
        for name in _ARRAYS:
            given = getattr(self, name)
            if given.shape != n_bars:
                raise FrameError(f"bars '{name}' has shape {given.shape}, expected {n_bars}")
            object.__setattr__(self, name, frozen(given))

    def between(self, start: int, stop: int) -> "Bars":
        """Bars ``start`` to ``stop`` by position, like a slice."""
        return self._cut(slice(start, stop))

    def take(self, rows: NDArray[np.int64]) -> "Bars":
        """Some of the bars, by position."""
        return self._cut(rows)

    def _cut(self, rows: slice | NDArray[np.int64]) -> "Bars":
        return Bars(
            bar_s=self.bar_s,
            number=self.number[rows],
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            open_interest=self.open_interest[rows],
            volume=self.volume[rows],
            crowding=self.crowding[rows],
            marked=self.marked[rows],
        )

    def priced(self) -> BoolArray:
        """Which bars have a price that can be.

        Finite, positive, low not above high; a close outside them (a mark price is not a trade)
        lies within half of the low and twice the high.
        """
        return self._priced

    @cached_property
    def _priced(self) -> BoolArray:
        return priced_bars(self.low, self.high, self.close)

    def stock(self) -> FloatArray:
        """Open interest where it can be believed, NaN elsewhere."""
        return self._stock

    @cached_property
    def _stock(self) -> FloatArray:
        return believed_stock(self.priced(), self.open_interest)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Breaks:
    """Where a series changes its unit or its contract; every array has shape (n_bars,).

    Attributes
    ----------
    shift : ndarray of float64
        Log ratio by which prices jumped between two bars: a split or a renamed symbol. 0 is none.
    rescale : ndarray of float64
        Log ratio by which open interest jumped: a migration or another unit. 0 is none.
    """

    shift: FloatArray
    rescale: FloatArray


def before(values: FloatArray, carried: float) -> FloatArray:
    """The last known value before each bar, `carried` from earlier ones.

    >>> before(np.array([1.0, np.nan, 3.0]), 7.0)
    array([7., 1., 1.])
    """
    whole = np.concatenate([[carried], values])[: len(values)]
    at = np.where(np.isfinite(whole), np.arange(len(whole)), 0)
    return np.asarray(whole[np.maximum.accumulate(at)])


def find_breaks(bars: Bars, last_close: float, last_stock: float) -> Breaks:
    """Jumps that no market makes.

    A price that opens at more than twice or less than half of where it closed has changed its
    unit; a fall inside a bar, however deep, is a fall. Where the open is not known, all of the bar
    must lie that far away. Open interest that more than triples or
    falls below a third in one bar has changed its unit or moved to another contract: the cohorts
    are rescaled, for nobody opened or closed them.
    """
    close = np.where(bars.priced(), bars.close, np.nan)
    return breaks_after(bars, before(close, last_close), before(bars.stock(), last_stock))


def breaks_after(bars: Bars, last: FloatArray, earlier: FloatArray) -> Breaks:
    """Jumps of each bar from the close and the open interest known before it.

    The bars may be one each of several perpetuals.
    """
    ratios = np.empty((2, len(bars.close)))
    prices = (bars.open, bars.low, bars.high)
    fill_ratios(prices, bars.stock(), (last, earlier), bars.priced(), ratios)
    shift, rescale = jumps(np.log(ratios), _SPLIT, _JUMP)
    return Breaks(shift=shift, rescale=rescale)


def steps_a_bar(bar_s: int) -> int:
    """Steps a bar is walked in.

    >>> steps_a_bar(300), steps_a_bar(3600)
    (1, 3)
    """
    return 3 if bar_s > LONG_BAR_S else 1


def walk(bars: Bars, last_close: float, last_stock: float) -> FloatArray:
    """The kernel's path over bars that all have a price: shape (6, n_steps).

    Parameters
    ----------
    last_close, last_stock : float
        Close and open interest before the first bar; NaN where there was none.

    Returns
    -------
    ndarray of float64
        Coordinates of low, high, close and entry, coins to hold, crowding. Coins are NaN, so that
        the step only sweeps, where open interest is unknown or nothing was traded.
    """
    return path_after(bars, before(bars.close, last_close), before(bars.stock(), last_stock))


def path_after(bars: Bars, last: FloatArray, earlier: FloatArray) -> FloatArray:
    """The path of each bar after the close and the open interest known before it.

    The bars may be one each of several perpetuals; what a bar without a price gives means nothing.
    """
    prices = np.empty((4, len(bars.close)))
    fill_prices((bars.open, bars.low, bars.high, bars.close), last, bars.priced(), prices)
    at, stock = np.log(prices) / STEP, bars.stock()
    if steps_a_bar(bars.bar_s) == 1:
        return one_step_path(at, bars.number, stock, bars.volume, bars.crowding)
    return three_step_path(at, bars.number, (stock, earlier), bars.volume, bars.crowding)
