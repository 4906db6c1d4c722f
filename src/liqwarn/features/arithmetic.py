"""Arithmetic on planes of cells in which missing is NaN, and infinite is missing."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from liqwarn.frames import BoolArray, FloatArray

__all__ = [
    "OPERATIONS",
    "across",
    "chosen",
    "compared",
    "filled",
    "magnitude",
    "mean_and_std",
    "mean_of_others",
    "quiet",
]


def quiet(function: Callable[..., Any], *values: FloatArray | float) -> FloatArray:
    """The function's result with NaN for what is not finite, and no warning.

    >>> quiet(np.divide, np.array([1.0, 0.0]), 0.0)
    array([nan, nan])
    """
    with np.errstate(all="ignore"):
        result: FloatArray = function(*values)
    result[~np.isfinite(result)] = np.nan
    return result


def compared(
    function: Callable[..., BoolArray], first: FloatArray, second: FloatArray | float
) -> FloatArray:
    """1.0 where the comparison holds, else 0.0; NaN where either is missing."""
    unknown = np.isnan(first) | np.isnan(second)
    return np.where(unknown, np.nan, function(first, second))


def chosen(condition: FloatArray, yes: FloatArray | float, no: FloatArray | float) -> FloatArray:
    """`yes` where the condition is not 0, else `no`; NaN where it is missing."""
    return np.where(np.isnan(condition), np.nan, np.where(condition != 0.0, yes, no))


def filled(values: FloatArray, other: FloatArray | float) -> FloatArray:
    """The values, and the other's where they are missing."""
    return np.where(np.isnan(values), other, values)


def magnitude(values: FloatArray) -> FloatArray:
    """Power of ten at or below; NaN where a value is not positive."""
    return np.where(values > 0.0, 10.0 ** np.floor(np.log10(values)), np.nan)


def mean_and_std(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation (ddof 1) of the known symbols of each cell.

    >>> mean_and_std(np.array([[1.0, np.nan], [3.0, 5.0]]))
    (array([2., 5.]), array([1.41421356, nan]))
    """
    total, count = _known_sum(values)
    mean = quiet(np.divide, total, count)
    gap = values - mean
    squares, _ = _known_sum(gap * gap)
    return mean, np.sqrt(squares / np.where(count > 1, count - 1, np.nan))


def mean_of_others(values: FloatArray) -> FloatArray:
    """Mean of the other known symbols; NaN where there is none or the own value is missing.

    >>> mean_of_others(np.array([[1.0], [3.0], [5.0]]))
    array([[4.], [3.], [2.]])
    """
    total, count = _known_sum(values)
    return (total - values) / np.where(count > 1, count - 1, np.nan)


def _known_sum(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum and count of the known symbols of each cell, added row by row.

    ``np.nansum`` adds in another order when there is one cell only, and the bits differ.
    """
    total = np.zeros(values.shape[1])
    count = np.zeros(values.shape[1])
    for row in values:
        known = ~np.isnan(row)
        total += np.where(known, row, 0.0)
        count += known
    return total, count


def across(kind: str, values: FloatArray, leader: int) -> FloatArray:
    """What the whole panel says to each symbol, shape (n_symbols, n_cells).

    Parameters
    ----------
    kind : {"leader", "mean", "std", "others"}
        The leader's row; mean or standard deviation of the known symbols; mean of the others.
    leader : int
        Row of the leader.
    """
    if kind == "others":
        return mean_of_others(values)
    mean_or_std = 0 if kind == "mean" else 1
    row = values[leader] if kind == "leader" else mean_and_std(values)[mean_or_std]
    return np.ascontiguousarray(np.broadcast_to(row, values.shape))


def _quietly(function: Callable[..., Any]) -> Callable[..., FloatArray]:
    return lambda *values: quiet(function, *values)


def _one_zero(function: Callable[..., FloatArray]) -> Callable[..., FloatArray]:
    """The function, with 0.0 for -0.0: which of the two is larger depends on the processor."""
    return lambda *values: function(*values) + 0.0


def _compares(function: Callable[..., BoolArray]) -> Callable[..., FloatArray]:
    return lambda *values: compared(function, *values)


OPERATIONS: Final[Mapping[str, Callable[..., FloatArray]]] = {
    "abs": _quietly(np.abs),
    "add": _quietly(np.add),
    "cos": _quietly(np.cos),
    "divide": _quietly(np.divide),
    "fill": _quietly(filled),
    "floor": _quietly(np.floor),
    "greater": _compares(np.greater),
    "greater_equal": _compares(np.greater_equal),
    "highest": _quietly(_one_zero(np.fmax)),
    "less": _compares(np.less),
    "less_equal": _compares(np.less_equal),
    "log": _quietly(np.log),
    "lowest": _quietly(_one_zero(np.fmin)),
    "magnitude": _quietly(magnitude),
    "maximum": _quietly(_one_zero(np.maximum)),
    "minimum": _quietly(_one_zero(np.minimum)),
    "mod": _quietly(np.mod),
    "multiply": _quietly(np.multiply),
    "negative": _quietly(np.negative),
    "sign": _quietly(np.sign),
    "sin": _quietly(np.sin),
    "sqrt": _quietly(np.sqrt),
    "subtract": _quietly(np.subtract),
    "where": _quietly(chosen),
}
"""What a feature can do to series, cell by cell."""
