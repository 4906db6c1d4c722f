"""The coarse cell that has not closed yet, made from base bars as they come."""

from collections.abc import Sequence

import numpy as np

from liqwarn.features.feature import CLOCK
from liqwarn.frames import ALL_FIELDS, FloatArray

__all__ = ["OpenCell"]


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
    >>> cell = OpenCell(["volume"], ratio=2, n_symbols=1)
    >>> cell.take(np.array([[2.0]]), 1), cell.take(np.array([[3.0]]), 2)
    (None, array([[5.]]))
    """

    def __init__(self, fields: Sequence[str], ratio: int, n_symbols: int) -> None:
        self._ratio = ratio
        how = np.array(["last" if name == CLOCK else ALL_FIELDS[name].how for name in fields])
        self._newest = np.flatnonzero(np.isin(how, ("close", "last")))
        self._sums, self._highs, self._lows = (
            np.flatnonzero(how == one) for one in ("sum", "high", "low")
        )
        self.held = np.full((len(fields), n_symbols), np.nan)

    def take(self, given: FloatArray, number: int) -> FloatArray | None:
        """Add base bar `number`; the cell's values if it closes with it, else None.

        Parameters
        ----------
        given : ndarray of float64, shape (n_fields, n_symbols)
            NaN is missing.
        """
        place = (number - 1) % self._ratio
        held = self.held
        if place == 0:
            held[:] = given
        else:
            held[self._newest] = given[self._newest]
            held[self._sums] += given[self._sums]
            held[self._highs] = np.maximum(held[self._highs], given[self._highs])
            held[self._lows] = np.minimum(held[self._lows], given[self._lows])
        return held if place == self._ratio - 1 else None
