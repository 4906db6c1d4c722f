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

_GOLDEN: Final = 0.6180339887498949
_PLASTIC: Final = 0.7548776662466927
_SPLIT: Final = float(np.log(2.0))
_JUMP: Final = float(np.log(3.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Bars:
    """Consecutive bars of one perpetual on one venue; every array has shape (n_bars,).

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
        for name in (
            "number",
            "open",
            "high",
            "low",
            "open_interest",
            "volume",
            "crowding",
            "marked",
        ):
            found = getattr(self, name).shape
            if found != n_bars:
                raise FrameError(f"bars '{name}' has shape {found}, expected {n_bars}")

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
        with np.errstate(invalid="ignore"):
            ordered = (self.low > 0.0) & (self.low <= self.high) & np.isfinite(self.high)
            near = (self.close >= 0.5 * self.low) & (0.5 * self.close <= self.high)
        return np.asarray(ordered & near)

    def stock(self) -> FloatArray:
        """Open interest where it can be believed, NaN elsewhere."""
        return self._stock

    @cached_property
    def _stock(self) -> FloatArray:
        with np.errstate(invalid="ignore"):
            known = self.priced() & np.isfinite(self.open_interest) & (self.open_interest > 0.0)
        return np.where(known, self.open_interest, np.nan)


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
    priced = bars.priced()
    low, high = (np.where(priced, x, np.nan) for x in (bars.low, bars.high))
    with np.errstate(invalid="ignore"):
        gap = np.log(_cut(_opened(bars, last), low, high) / last)
        jump = np.log(bars.stock() / earlier)
        shift = np.where(np.abs(gap) > _SPLIT, gap, 0.0)
        rescale = np.where(np.abs(jump) > _JUMP, jump, 0.0)
    return Breaks(shift=shift, rescale=rescale)


def _opened(bars: Bars, last: FloatArray) -> FloatArray:
    """Opens, the close before where there is none."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(bars.open) & (bars.open > 0.0)
    return np.where(known, bars.open, last)


def _cut(x: FloatArray, low: FloatArray | float, high: FloatArray | float) -> FloatArray:
    """Like ``np.clip``, for one bar in a fifth of its time."""
    return np.minimum(np.maximum(x, low), high)


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


@np.errstate(divide="ignore", invalid="ignore")  # a bar without a price may hold any number
def path_after(bars: Bars, last: FloatArray, earlier: FloatArray) -> FloatArray:
    """The path of each bar after the close and the open interest known before it.

    The bars may be one each of several perpetuals; what a bar without a price gives means nothing.
    """
    stock = np.where(bars.volume == 0.0, np.nan, bars.stock())
    crowding = _cut(np.where(np.isnan(bars.crowding), 0.0, bars.crowding), -1.0, 1.0)
    low, high, close = (np.log(x) / STEP for x in (bars.low, bars.high, bars.close))
    number = bars.number
    if steps_a_bar(bars.bar_s) == 1:
        entry = low + (high - low) * (number * _GOLDEN % 1.0)
        return np.stack([low, high, close, entry, stock, crowding])
    opened = _opened(bars, last)
    start = np.log(np.where(np.isfinite(opened), opened, bars.close)) / STEP
    start = _cut(start, low, high)
    falls = close < start
    first, second = np.where(falls, high, low), np.where(falls, low, high)
    begin = np.stack([start, first, second], axis=1)
    end = np.stack([first, second, _cut(close, low, high)], axis=1)
    step = 3 * number[:, None] + np.arange(3)
    entry = begin + (end - begin) * (step * _PLASTIC % 1.0)
    held_before = np.where(np.isfinite(stock), earlier, np.nan)
    held = np.stack([held_before, held_before, stock], axis=1)
    path = [np.minimum(begin, end), np.maximum(begin, end), end, entry, held]
    path.append(np.repeat(crowding[:, None], 3, axis=1))
    return np.stack([one.ravel() for one in path])
