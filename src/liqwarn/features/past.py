"""What a feature sees of the market: series that end now.

A :class:`Past` is a series per symbol on a grid of cells (base bars, or closed 1 h or 8 h bars)
that can be combined and windowed, but not read. Every window ends at its own cell and a negative
lag is refused, so a feature written with it cannot look ahead. Windows are given in hours and
become whole cells, rounded down; a window shorter than one cell holds nothing (all NaN) and one
of more than :data:`MAX_CELLS` cells is an error, because live keeps no longer history.

Missing is NaN and spreads through arithmetic; so do a division by zero and the logarithm or root
of a negative number. A window is NaN where fewer than :data:`MIN_SHARE` of its cells are known.
"""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.features.arithmetic import (
    chosen,
    compared,
    filled,
    magnitude,
    mean_and_std,
    mean_of_others,
    quiet,
)
from liqwarn.frames import BoolArray, FloatArray
from liqwarn.windows import (
    lag,
    needed_bars,
    rolling_corr,
    rolling_max,
    rolling_mean,
    rolling_min,
    rolling_rank,
    rolling_run_length,
    rolling_slope,
    rolling_std,
    rolling_zscore,
)

__all__ = [
    "MAX_CELLS",
    "MIN_SHARE",
    "Past",
    "highest",
    "lowest",
    "maximum",
    "minimum",
    "reveal",
    "where",
]

MAX_CELLS: Final = 720
"""Longest window, in cells."""

MIN_SHARE: Final = 0.75
"""Share of a window's cells that must be known."""

_HOUR_S: Final = 3600.0

_SAME_OF_ONE: Final = (rolling_max, rolling_mean, rolling_min)
"""Kernels that give the value itself for a window of one cell."""


class Past:
    """An immutable series per symbol that can only be looked back on.

    Parameters
    ----------
    values : ndarray of float64, shape (n_symbols, n_cells)
        C-contiguous; NaN is missing and so is ±inf.
    cell : timedelta
        Length of a cell.
    first_cell : int
        Absolute number of the first cell, the anchor of all windows.
    lookback : int
        Cells of history, its own included, that make a value exact.
    leader : int, optional
        Row of the market's leader where the series holds the whole panel; None (the default)
        forbids everything across symbols.

    Examples
    --------
    >>> price = Past(np.array([[1.0, 2.0, 4.0, 8.0]]), cell=timedelta(hours=1), first_cell=0)
    >>> reveal(price / price.lag(2))
    array([[nan, nan,  4.,  4.]])
    >>> reveal(price.mean(2)), price.mean(2).lookback
    (array([[nan, 1.5, 3. , 6. ]]), 4)
    """

    __slots__ = ("_cell", "_first_cell", "_leader", "_lookback", "_values")

    def __init__(
        self,
        values: FloatArray,
        *,
        cell: timedelta,
        first_cell: int,
        lookback: int = 1,
        leader: int | None = None,
    ) -> None:
        self._values = values.view()
        self._values.flags.writeable = False
        self._cell = cell
        self._first_cell = first_cell
        self._lookback = lookback
        self._leader = leader

    def __repr__(self) -> str:
        return f"Past(shape={self._values.shape}, cell={self._cell}, lookback={self._lookback})"

    @property
    def lookback(self) -> int:
        """Cells of history, its own included, that make a value exact."""
        return self._lookback

    @property
    def cell_hours(self) -> float:
        """Length of a cell in hours, to turn "per cell" into "per hour"."""
        return self._cell.total_seconds() / _HOUR_S

    # arithmetic

    def __add__(self, other: "Past | float") -> "Past":
        return _combine(np.add, self, other)

    __radd__ = __add__

    def __sub__(self, other: "Past | float") -> "Past":
        return _combine(np.subtract, self, other)

    def __rsub__(self, other: float) -> "Past":
        return _combine(lambda mine: other - mine, self)

    def __mul__(self, other: "Past | float") -> "Past":
        return _combine(np.multiply, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: "Past | float") -> "Past":
        return _combine(np.divide, self, other)

    def __rtruediv__(self, other: float) -> "Past":
        return _combine(lambda mine: other / mine, self)

    def __mod__(self, other: "Past | float") -> "Past":
        return _combine(np.mod, self, other)

    def __neg__(self) -> "Past":
        return _combine(np.negative, self)

    def __abs__(self) -> "Past":
        return _combine(np.abs, self)

    def __lt__(self, other: "Past | float") -> "Past":
        return _compare(np.less, self, other)

    def __le__(self, other: "Past | float") -> "Past":
        return _compare(np.less_equal, self, other)

    def __gt__(self, other: "Past | float") -> "Past":
        return _compare(np.greater, self, other)

    def __ge__(self, other: "Past | float") -> "Past":
        return _compare(np.greater_equal, self, other)

    def log(self) -> "Past":
        """Natural logarithm."""
        return _combine(np.log, self)

    def sqrt(self) -> "Past":
        """Square root."""
        return _combine(np.sqrt, self)

    def sign(self) -> "Past":
        """-1, 0 or 1."""
        return _combine(np.sign, self)

    def floor(self) -> "Past":
        """Largest whole number that is not above."""
        return _combine(np.floor, self)

    def sin(self) -> "Past":
        """Sine of an angle in radians."""
        return _combine(np.sin, self)

    def cos(self) -> "Past":
        """Cosine of an angle in radians."""
        return _combine(np.cos, self)

    def magnitude(self) -> "Past":
        """Power of ten at or below: 10,000 for 42,137."""
        return _combine(magnitude, self)

    def fill(self, other: "Past | float") -> "Past":
        """The other's value where this one is missing."""
        return _combine(filled, self, other)

    # trailing windows

    def lag(self, hours: float) -> "Past":
        """The value that many hours ago."""
        cells = self._cells(hours)
        return self._shift(cells) if cells else self._nothing()

    def previous(self) -> "Past":
        """The value of the cell before."""
        return self._shift(1)

    def mean(self, hours: float) -> "Past":
        """Mean of the known cells of the window."""
        return self._window(rolling_mean, hours)

    def total(self, hours: float) -> "Past":
        """Sum over the window; an unknown cell counts as the mean of the known ones."""
        return self.mean(hours) * float(self._cells(hours))

    def std(self, hours: float) -> "Past":
        """Standard deviation (ddof 1)."""
        return self._window(rolling_std, hours)

    def zscore(self, hours: float) -> "Past":
        """Standard deviations from the window's mean; NaN where the window is constant."""
        return self._window(rolling_zscore, hours)

    def max(self, hours: float) -> "Past":
        """Largest value of the window."""
        return self._window(rolling_max, hours)

    def min(self, hours: float) -> "Past":
        """Smallest value of the window."""
        return self._window(rolling_min, hours)

    def rank(self, hours: float) -> "Past":
        """Rank of the last value in its window, between 0 and 1; ties take the middle."""
        return self._window(rolling_rank, hours)

    def slope(self, hours: float) -> "Past":
        """Least-squares slope per hour."""
        return self._window(rolling_slope, hours) / self.cell_hours

    def run_hours(self, hours: float) -> "Past":
        """Hours for which the series has had the sign it has now, at most the window."""
        return self._window(rolling_run_length, hours) * self.cell_hours

    def corr(self, other: "Past", hours: float) -> "Past":
        """Correlation with another series; NaN where either is constant."""
        _, lookback = _aligned(self, (other,))
        both = self._derive(self._values, lookback)
        return both._window(lambda x, *a, **k: rolling_corr(x, other._values, *a, **k), hours)

    # across symbols

    def leader(self) -> "Past":
        """The leader's series, for every symbol."""
        return self._everywhere(self._values[self._whole_panel()])

    def cross_mean(self) -> "Past":
        """Mean of the known symbols, the same for every symbol; of a 0/1 series, the share."""
        self._whole_panel()
        return self._everywhere(mean_and_std(self._values)[0])

    def cross_std(self) -> "Past":
        """Standard deviation (ddof 1) of the known symbols; NaN where fewer than two are known."""
        self._whole_panel()
        return self._everywhere(mean_and_std(self._values)[1])

    def others_mean(self) -> "Past":
        """Mean of the other known symbols; NaN where there is none, or its own value is missing."""
        self._whole_panel()
        return self._derive(mean_of_others(self._values), self._lookback)

    # how it is done

    def _derive(self, values: FloatArray, lookback: int) -> "Past":
        return Past(
            values,
            cell=self._cell,
            first_cell=self._first_cell,
            lookback=lookback,
            leader=self._leader,
        )

    def _nothing(self) -> "Past":
        return self._derive(np.full(self._values.shape, np.nan), self._lookback)

    def _everywhere(self, row: FloatArray) -> "Past":
        whole = np.ascontiguousarray(np.broadcast_to(row, self._values.shape))
        return self._derive(whole, self._lookback)

    def _whole_panel(self) -> int:
        if self._leader is None:
            raise FrameError(
                "this series holds some of the panel's symbols, expected all of them: "
                "declare the feature with cross_section=True"
            )
        return self._leader

    def _cells(self, hours: float) -> int:
        if hours <= 0:
            raise FrameError(f"a window of {hours} h looks ahead, expected more than 0 h")
        cells = int(hours * _HOUR_S // self._cell.total_seconds())
        if cells > MAX_CELLS:
            raise FrameError(
                f"{hours} h are {cells} cells of {self._cell}, expected at most {MAX_CELLS}: "
                "declare a coarser resolution"
            )
        return cells

    def _shift(self, cells: int) -> "Past":
        return self._derive(lag(self._values, cells), self._lookback + cells)

    def _window(self, kernel: Callable[..., FloatArray], hours: float) -> "Past":
        cells = self._cells(hours)
        if cells == 0:
            return self._nothing()
        if cells == 1 and kernel in _SAME_OF_ONE:
            return self
        values = kernel(
            self._values,
            cells,
            first_bar=self._first_cell,
            min_count=math.ceil(cells * MIN_SHARE),
        )
        return self._derive(values, self._lookback + needed_bars(cells) - 1)


def reveal(past: Past) -> FloatArray:
    """The numbers of a series: for the builder and for tests, never for a feature."""
    return past._values


def where(condition: Past, yes: "Past | float", no: "Past | float") -> Past:
    """One value where the condition holds (non-zero), else the other; NaN where it is unknown.

    >>> x = Past(np.array([[-1.0, 2.0, np.nan]]), cell=timedelta(hours=1), first_cell=0)
    >>> reveal(where(x > 0, x, 0.0))
    array([[ 0.,  2., nan]])
    """
    return _combine(chosen, condition, yes, no)


def maximum(first: Past, second: "Past | float") -> Past:
    """The larger of two; NaN where either is missing."""
    return _combine(np.maximum, first, second)


def minimum(first: Past, second: "Past | float") -> Past:
    """The smaller of two; NaN where either is missing."""
    return _combine(np.minimum, first, second)


def highest(*series: Past) -> Past:
    """The largest known value; NaN where all are missing."""
    return _combine(lambda *all_: np.fmax.reduce(all_), *series)


def lowest(*series: Past) -> Past:
    """The smallest known value; NaN where all are missing."""
    return _combine(lambda *all_: np.fmin.reduce(all_), *series)


def _combine(function: Callable[..., Any], first: Past, *others: "Past | float") -> Past:
    values, lookback = _aligned(first, others)
    return first._derive(quiet(function, *values), lookback)


def _compare(function: Callable[..., BoolArray], first: Past, second: "Past | float") -> Past:
    values, lookback = _aligned(first, (second,))
    return first._derive(compared(function, first._values, values[1]), lookback)


def _aligned(
    first: Past, others: "tuple[Past | float, ...]"
) -> tuple[list[FloatArray | float], int]:
    values: list[FloatArray | float] = [first._values]
    lookback = first._lookback
    for other in others:
        if not isinstance(other, Past):
            values.append(float(other))
            continue
        grid, expected = _grid(other), _grid(first)
        if grid != expected:
            raise FrameError(f"series on the grid {grid} cannot meet one on {expected}")
        values.append(other._values)
        lookback = max(lookback, other._lookback)
    return values, lookback


def _grid(past: Past) -> tuple[str, int, tuple[int, ...]]:
    return str(past._cell), past._first_cell, past._values.shape
