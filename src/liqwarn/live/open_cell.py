"""The coarse cell that has not closed yet, made from base bars as they come."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.features.feature import CLOCK
from liqwarn.frames import ALL_FIELDS, FloatArray
from liqwarn.windows.arguments import compiled

__all__ = ["OpenCell"]

_OPEN, _HIGH, _LOW, _NEWEST, _SUM = range(5)
_HOWS: Final = {
    "open": _OPEN,
    "high": _HIGH,
    "low": _LOW,
    "close": _NEWEST,
    "last": _NEWEST,
    "sum": _SUM,
}


class OpenCell:
    """What :func:`liqwarn.features.resolution.coarsen` makes of a cell, bar by bar.

    Parameters
    ----------
    fields : sequence of str
    ratio : int
        Base bars in a cell.
    n_symbols : int

    Attributes
    ----------
    held : ndarray of float64, shape (n_fields, n_symbols)
        The cell so far. One whose first bars were never seen stays missing where they matter.

    Examples
    --------
    >>> cell, rows = OpenCell(["volume"], ratio=2, n_symbols=1), np.array([0])
    >>> cell.take(np.array([[2.0]]), rows, 1), cell.take(np.array([[3.0]]), rows, 2)
    (None, array([[5.]]))
    """

    def __init__(self, fields: Sequence[str], ratio: int, n_symbols: int) -> None:
        self._ratio = ratio
        how = ["last" if name == CLOCK else ALL_FIELDS[name].how for name in fields]
        self._how = np.array([_HOWS[one] for one in how], dtype=np.int64)
        self.held = np.full((len(fields), n_symbols), np.nan)

    def take(self, given: FloatArray, rows: NDArray[np.int64], number: int) -> FloatArray | None:
        """Add base bar `number`; the cell's values if it closes with it, else None.

        Parameters
        ----------
        given : ndarray of float64, shape (n_rows, n_symbols)
            NaN and ±inf are missing.
        rows : ndarray of int64, shape (n_fields,)
            The row of each field.
        """
        place = (number - 1) % self._ratio
        _take(self.held, self._how, given, rows, place == 0)
        return self.held if place == self._ratio - 1 else None


@compiled
def _take(
    held: FloatArray,
    how: NDArray[np.int64],
    given: FloatArray,
    rows: NDArray[np.int64],
    first: bool,
) -> None:
    for k in range(how.size):
        for s in range(held.shape[1]):
            value, before = given[rows[k], s], held[k, s]
            if not np.isfinite(value):
                value = np.nan
            if first or how[k] == _NEWEST:
                held[k, s] = value
            elif how[k] != _OPEN:
                held[k, s] = _joined(how[k], before, value)


@compiled
def _joined(how: int, before: float, value: float) -> float:
    if how == _SUM:
        return before + value
    if np.isnan(value) or np.isnan(before):
        return np.nan
    return max(before, value) if how == _HIGH else min(before, value)
