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
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import reduce
from typing import Final

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.features.arithmetic import OPERATIONS, across
from liqwarn.frames import FloatArray
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
    "WINDOWS",
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

_SAME_OF_ONE: Final = ("max", "mean", "min")
"""Windows that give the value itself where they are one cell long."""

WINDOWS: Final[Mapping[str, Callable[..., FloatArray]]] = {
    "max": rolling_max,
    "mean": rolling_mean,
    "min": rolling_min,
    "rank": rolling_rank,
    "run": rolling_run_length,
    "slope": rolling_slope,
    "std": rolling_std,
    "zscore": rolling_zscore,
}
"""Kernels of the trailing windows, by the names of :data:`liqwarn.windows.last.KINDS`."""


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
        return self._apply("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: "Past | float") -> "Past":
        return self._apply("subtract", self, other)

    def __rsub__(self, other: float) -> "Past":
        return self._apply("subtract", other, self)

    def __mul__(self, other: "Past | float") -> "Past":
        return self._apply("multiply", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: "Past | float") -> "Past":
        return self._apply("divide", self, other)

    def __rtruediv__(self, other: float) -> "Past":
        return self._apply("divide", other, self)

    def __mod__(self, other: "Past | float") -> "Past":
        return self._apply("mod", self, other)

    def __neg__(self) -> "Past":
        return self._apply("negative", self)

    def __abs__(self) -> "Past":
        return self._apply("abs", self)

    def __lt__(self, other: "Past | float") -> "Past":
        return self._apply("less", self, other)

    def __le__(self, other: "Past | float") -> "Past":
        return self._apply("less_equal", self, other)

    def __gt__(self, other: "Past | float") -> "Past":
        return self._apply("greater", self, other)

    def __ge__(self, other: "Past | float") -> "Past":
        return self._apply("greater_equal", self, other)

    def log(self) -> "Past":
        """Natural logarithm."""
        return self._apply("log", self)

    def sqrt(self) -> "Past":
        """Square root."""
        return self._apply("sqrt", self)

    def sign(self) -> "Past":
        """-1, 0 or 1."""
        return self._apply("sign", self)

    def floor(self) -> "Past":
        """Largest whole number that is not above."""
        return self._apply("floor", self)

    def sin(self) -> "Past":
        """Sine of an angle in radians."""
        return self._apply("sin", self)

    def cos(self) -> "Past":
        """Cosine of an angle in radians."""
        return self._apply("cos", self)

    def magnitude(self) -> "Past":
        """Power of ten at or below: 10,000 for 42,137."""
        return self._apply("magnitude", self)

    def fill(self, other: "Past | float") -> "Past":
        """The other's value where this one is missing."""
        return self._apply("fill", self, other)

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
        return self._window("mean", hours)

    def total(self, hours: float) -> "Past":
        """Sum over the window; an unknown cell counts as the mean of the known ones."""
        return self.mean(hours) * float(self._cells(hours))

    def std(self, hours: float) -> "Past":
        """Standard deviation (ddof 1)."""
        return self._window("std", hours)

    def zscore(self, hours: float) -> "Past":
        """Standard deviations from the window's mean; NaN where the window is constant."""
        return self._window("zscore", hours)

    def max(self, hours: float) -> "Past":
        """Largest value of the window."""
        return self._window("max", hours)

    def min(self, hours: float) -> "Past":
        """Smallest value of the window."""
        return self._window("min", hours)

    def rank(self, hours: float) -> "Past":
        """Rank of the last value in its window, between 0 and 1; ties take the middle."""
        return self._window("rank", hours)

    def slope(self, hours: float) -> "Past":
        """Least-squares slope per hour."""
        return self._window("slope", hours) / self.cell_hours

    def run_hours(self, hours: float) -> "Past":
        """Hours for which the series has had the sign it has now, at most the window."""
        return self._window("run", hours) * self.cell_hours

    def corr(self, other: "Past", hours: float) -> "Past":
        """Correlation with another series; NaN where either is constant."""
        self._same_grid(other)
        cells = self._cells(hours)
        return self._roll_with(other, cells) if cells else self._nothing()

    # across symbols

    def leader(self) -> "Past":
        """The leader's series, for every symbol."""
        return self._across("leader")

    def cross_mean(self) -> "Past":
        """Mean of the known symbols, the same for every symbol; of a 0/1 series, the share."""
        return self._across("mean")

    def cross_std(self) -> "Past":
        """Standard deviation (ddof 1) of the known symbols; NaN where fewer than two are known."""
        return self._across("std")

    def others_mean(self) -> "Past":
        """Mean of the other known symbols; NaN where there is none, or its own value is missing."""
        return self._across("others")

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

    def _window(self, kind: str, hours: float) -> "Past":
        cells = self._cells(hours)
        if cells == 0:
            return self._nothing()
        if cells == 1 and kind in _SAME_OF_ONE:
            return self
        return self._roll(kind, cells)

    def _same_grid(self, other: "Past") -> None:
        grid, expected = _grid(other), _grid(self)
        if grid != expected:
            raise FrameError(f"series on the grid {grid} cannot meet one on {expected}")

    # what there is to compute; a sketch of a feature writes these down instead

    def _apply(self, name: str, *operands: "Past | float") -> "Past":
        """An operation of :data:`liqwarn.features.arithmetic.OPERATIONS`, cell by cell."""
        series = [operand for operand in operands if isinstance(operand, Past)]
        for other in series:
            self._same_grid(other)
        values = [o._values if isinstance(o, Past) else float(o) for o in operands]
        return self._derive(OPERATIONS[name](*values), max(one._lookback for one in series))

    def _shift(self, cells: int) -> "Past":
        return self._derive(lag(self._values, cells), self._lookback + cells)

    def _roll(self, kind: str, cells: int) -> "Past":
        least = math.ceil(cells * MIN_SHARE)
        values = WINDOWS[kind](self._values, cells, first_bar=self._first_cell, min_count=least)
        return self._derive(values, self._lookback + needed_bars(cells) - 1)

    def _roll_with(self, other: "Past", cells: int) -> "Past":
        least = math.ceil(cells * MIN_SHARE)
        values = rolling_corr(
            self._values, other._values, cells, first_bar=self._first_cell, min_count=least
        )
        both = max(self._lookback, other._lookback)
        return self._derive(values, both + needed_bars(cells) - 1)

    def _across(self, kind: str) -> "Past":
        if self._leader is None:
            raise FrameError(
                "this series holds some of the panel's symbols, expected all of them: "
                "declare the feature with cross_section=True"
            )
        return self._derive(across(kind, self._values, self._leader), self._lookback)


def reveal(past: Past) -> FloatArray:
    """The numbers of a series: for the builder and for tests, never for a feature."""
    return past._values


def where(condition: Past, yes: "Past | float", no: "Past | float") -> Past:
    """One value where the condition holds (non-zero), else the other; NaN where it is unknown.

    >>> x = Past(np.array([[-1.0, 2.0, np.nan]]), cell=timedelta(hours=1), first_cell=0)
    >>> reveal(where(x > 0, x, 0.0))
    array([[ 0.,  2., nan]])
    """
    return condition._apply("where", condition, yes, no)


def maximum(first: Past, second: "Past | float") -> Past:
    """The larger of two; NaN where either is missing."""
    return first._apply("maximum", first, second)


def minimum(first: Past, second: "Past | float") -> Past:
    """The smaller of two; NaN where either is missing."""
    return first._apply("minimum", first, second)


def highest(first: Past, *others: Past) -> Past:
    """The largest known value; NaN where all are missing."""
    return reduce(lambda one, other: one._apply("highest", one, other), others, first)


def lowest(first: Past, *others: Past) -> Past:
    """The smallest known value; NaN where all are missing."""
    return reduce(lambda one, other: one._apply("lowest", one, other), others, first)


def _grid(past: Past) -> tuple[str, int, tuple[int, ...]]:
    return str(past._cell), past._first_cell, past._values.shape
