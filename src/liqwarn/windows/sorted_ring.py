"""Order statistics of a window that moves one cell at a time, for live series.

A ring keeps the window's values by slot, and beside them the slots in order of their values. Slots
of two bytes move four times faster than values, and equal values are told apart by their slot, so
that any cell is found by halving. Exact: the order is that of a sort, whatever came before.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.windows.arguments import FloatArray, compiled

__all__ = [
    "SortedRings",
    "count_upto",
    "empty_rings",
    "put_value",
    "quantile_of",
    "settle",
    "sorted_rings",
    "unsettle",
]

_TWO_BYTES: Final = 1 << 16


class SortedRings(NamedTuple):
    """Rings of one length, each with its order; mutable, of one owner."""

    values: FloatArray
    """Shape (n_rings, window), by slot; NaN where nothing is held."""
    order: NDArray[Any]
    """Shape (n_rings, window): slots of the values held, ascending; unsigned whole numbers."""
    held: NDArray[np.int64]
    """Shape (n_rings,): how many values each ring holds; -1 while they are only gathered."""


def empty_rings(n_rings: int, window: int) -> SortedRings:
    """Rings that hold nothing yet.

    >>> empty_rings(2, 3).held
    array([0, 0])
    """
    return sorted_rings(np.full((n_rings, window), np.nan))


def sorted_rings(values: FloatArray) -> SortedRings:
    """Rings that hold the finite ones of the given values, shape (n_rings, window), by slot.

    >>> sorted_rings(np.array([[3.0, np.nan, 1.0]])).order[0, :2]
    array([2, 0], dtype=uint16)
    """
    known = np.ascontiguousarray(np.where(np.isfinite(values), values, np.nan) + 0.0)
    kind = np.uint16 if known.shape[1] <= _TWO_BYTES else np.uint32
    order = np.argsort(known, axis=1, kind="stable").astype(kind)
    return SortedRings(known, order, np.isfinite(known).sum(axis=1).astype(np.int64))


def unsettle(rings: SortedRings, rows: slice) -> None:
    """Let rings only gather values, without their order: a history is sorted once, at its end."""
    rings.held[rows] = -1


def settle(rings: SortedRings, rows: slice) -> None:
    """Put what rings have gathered in order.

    >>> rings = empty_rings(1, 3)
    >>> unsettle(rings, slice(0, 1))
    >>> put_value(rings, 0, 2, 5.0)
    >>> settle(rings, slice(0, 1))
    >>> rings.held[0], quantile_of(rings, 0, 0.5, 1, False)
    (np.int64(1), 5.0)
    """
    found = sorted_rings(rings.values[rows])
    rings.order[rows] = found.order
    rings.held[rows] = found.held


@compiled
def _place(rings: SortedRings, row: int, value: float, slot: int) -> int:
    """How many of the values held come before a value at a slot; equal ones by their slots."""
    low, high = 0, rings.held[row]
    while low < high:
        middle = (low + high) >> 1
        at = np.int64(rings.order[row, middle])
        found = rings.values[row, at]
        if found < value or (found == value and at < slot):
            low = middle + 1
        else:
            high = middle
    return int(low)


@compiled
def _shift_down(order: NDArray[Any], start: int, end: int) -> None:
    one = np.uint64(1)  # unsigned, or the loop would look for negative places and copy one by one
    for k in range(np.uint64(start), np.uint64(end)):
        order[k] = order[k + one]


@compiled
def _shift_up(order: NDArray[Any], start: int, end: int) -> None:
    last, one = np.uint64(end), np.uint64(1)
    for k in range(np.uint64(end - start)):
        order[last - k] = order[last - k - one]


@compiled
def put_value(rings: SortedRings, row: int, slot: int, value: float) -> None:
    """Put a value into a slot, in the place of what was there; NaN and ±inf only take it away."""
    new = value + 0.0 if value - value == 0.0 else np.nan
    old = rings.values[row, slot]
    if rings.held[row] < 0:
        rings.values[row, slot] = new
        return
    before, after = not np.isnan(old), not np.isnan(new)
    source = _place(rings, row, old, slot) if before else rings.held[row]
    target = _place(rings, row, new, slot) if after else rings.held[row]
    if source < target:
        target -= 1
        _shift_down(rings.order[row], source, target)
    else:
        _shift_up(rings.order[row], target, source)
    if after:
        rings.order[row, target] = slot
    rings.held[row] += np.int64(after) - np.int64(before)
    rings.values[row, slot] = new


@compiled
def count_upto(rings: SortedRings, row: int, value: float) -> tuple[int, int]:
    """How many of the values held are below a value, and how many are below or equal.

    >>> count_upto(sorted_rings(np.array([[3.0, 1.0, 1.0]])), 0, 1.0)
    (0, 2)
    """
    return _place(rings, row, value, -1), _place(rings, row, value, rings.values.shape[1])


@compiled
def quantile_of(rings: SortedRings, row: int, q: float, least: int, negated: bool) -> float:
    """Quantile of the values held, or of their negatives; NaN where fewer than `least` are.

    Bit for bit the value of :func:`~liqwarn.windows.quantile.rolling_quantile`.

    >>> quantile_of(sorted_rings(np.array([[5.0, 1.0, 3.0]])), 0, 0.75, 3, False)
    4.0
    """
    held = rings.held[row]
    if held < least:
        return np.nan
    place = q * (held - 1)
    low = int(place)
    weight = place - low
    sign, step = (-1.0, -1) if negated else (1.0, 1)
    at = held - 1 - low if negated else low
    lower = sign * rings.values[row, np.int64(rings.order[row, at])] + 0.0
    if weight == 0.0:
        return float(lower)
    upper = sign * rings.values[row, np.int64(rings.order[row, at + step])] + 0.0
    if weight >= 0.5:
        return float(upper - (upper - lower) * (1.0 - weight))
    return float(lower + (upper - lower) * weight)
