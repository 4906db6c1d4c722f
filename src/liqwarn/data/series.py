"""One field of one symbol from one source, and how it becomes bars, hours or coins.

Every function keeps, with each value, when it could first be known: a value made of several
records is known when the last of them is.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from liqwarn.data.records import IntArray
from liqwarn.frames import FloatArray

__all__ = ["How", "Series", "to_cells", "to_coins", "to_spacing", "to_typical"]

How = Literal["open", "high", "low", "close", "sum", "last"]

_LONGEST_HOURS: Final = 24.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Values by event time, without holes.

    Attributes
    ----------
    event, known : ndarray of int64, shape (n,)
        Seconds UTC: end of the interval or instant, sorted; first moment it could be known.
    value : ndarray of float64, shape (n,)
        Finite.
    """

    event: IntArray
    known: IntArray
    value: FloatArray

    def take(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Series":
        """The values selected by a mask or by sorted positions."""
        return Series(event=self.event[keep], known=self.known[keep], value=self.value[keep])


def to_cells(series: Series, how: How, step: int, cell: int, shift: int = 0) -> Series:
    """Intervals of `step` seconds joined into cells of `cell` seconds on the epoch's grid.

    With a `shift`, cells end that many seconds before the grid.

    A cell that its intervals do not cover completely is left out: half a sum is no sum.

    Examples
    --------
    >>> half_hours = Series(event=np.array([1800, 3600, 5400]), known=np.array([1800, 3700, 5400]),
    ...                     value=np.array([1.0, 2.0, 4.0]))
    >>> hours = to_cells(half_hours, "sum", 1800, 3600)
    >>> hours.event.tolist(), hours.known.tolist(), hours.value.tolist()
    ([3600], [3700], [3.0])
    """
    number = -(-(series.event + shift) // cell)
    if not number.size:
        return series
    first = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
    count = np.diff(np.append(first, number.size))
    last = first + count - 1
    joined = {"high": np.maximum.reduceat, "low": np.minimum.reduceat, "sum": np.add.reduceat}
    if how in joined:
        value = joined[how](series.value, first)
    else:
        value = series.value[first if how == "open" else last]
    cells = Series(
        event=number[first] * cell - shift,
        known=np.maximum.reduceat(series.known, first),
        value=value,
    )
    return cells.take(count * step == cell)


def to_spacing(series: Series) -> Series:
    """Whole hours since the previous record, such as the interval between two settlements.

    The first record has none, and neither has one after a hole of more than a day.

    >>> told = Series(event=np.array([0, 28801, 57600]), known=np.array([0, 28801, 57600]),
    ...               value=np.zeros(3))
    >>> to_spacing(told).value.tolist()
    [8.0, 8.0]
    """
    hours = np.round(np.diff(series.event) / 3_600.0)
    later = Series(event=series.event[1:], known=series.known[1:], value=hours)
    return later.take((hours >= 1.0) & (hours <= _LONGEST_HOURS))


def to_typical(high: Series, low: Series, close: Series) -> Series:
    """Mean of high, low and close where all three are there."""
    shared, i, j = np.intersect1d(high.event, low.event, assume_unique=True, return_indices=True)
    shared, ij, k = np.intersect1d(shared, close.event, assume_unique=True, return_indices=True)
    i, j = i[ij], j[ij]
    return Series(
        event=shared,
        known=np.maximum(np.maximum(high.known[i], low.known[j]), close.known[k]),
        value=(high.value[i] + low.value[j] + close.value[k]) / 3.0,
    )


def to_coins(usd: Series, price: Series, cell: int) -> Series:
    """USD divided by the price of the cell that ends with the value's interval.

    Where the value's end is not on the price's grid, by the price of the last cell before it.
    """
    if not price.event.size:
        return usd.take(np.zeros(usd.event.size, dtype=np.bool_))
    at = np.searchsorted(price.event, usd.event, side="right") - 1
    near = (at >= 0) & (usd.event - price.event[at] < cell)
    at = at[near]
    kept = usd.take(near)
    return Series(
        event=kept.event,
        known=np.maximum(kept.known, price.known[at]),
        value=kept.value / price.value[at],
    )
