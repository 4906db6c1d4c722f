"""The coarse cell that has not closed yet, made from base bars as they come."""

from collections.abc import Iterable, Mapping

import numpy as np

from liqwarn.features.feature import CLOCK
from liqwarn.frames import ALL_FIELDS, FloatArray

__all__ = ["OpenCell"]

_REDUCE = {"sum": np.add, "high": np.maximum, "low": np.minimum}


class OpenCell:
    """What :func:`liqwarn.features.resolution.coarsen` makes of a cell, bar by bar.

    Parameters
    ----------
    fields : iterable of str
    ratio : int
        Base bars in a cell.
    n_symbols : int

    Examples
    --------
    >>> cell = OpenCell(["volume"], ratio=2, n_symbols=1)
    >>> cell.take({"volume": np.array([2.0])}, 1), cell.take({"volume": np.array([3.0])}, 2)
    (None, {'volume': array([5.])})
    """

    def __init__(self, fields: Iterable[str], ratio: int, n_symbols: int) -> None:
        self._ratio = ratio
        self._how = {name: "last" if name == CLOCK else ALL_FIELDS[name].how for name in fields}
        # a cell whose first bars were never seen stays missing
        self._held = {name: np.full(n_symbols, np.nan) for name in self._how}

    def take(self, given: Mapping[str, FloatArray], number: int) -> Mapping[str, FloatArray] | None:
        """Add base bar `number`; the cell's values if it closes with it, else None."""
        place = (number - 1) % self._ratio
        for name, how in self._how.items():
            values = given[name]
            if place == 0 or how in ("close", "last"):
                self._held[name] = values.copy()
            elif how in _REDUCE:
                _REDUCE[how](self._held[name], values, out=self._held[name])
        return dict(self._held) if place == self._ratio - 1 else None
