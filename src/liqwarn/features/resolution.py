"""Closed coarse bars: made from base bars, and seen from them.

A coarse cell is ``ratio`` base bars long and anchored to the epoch: cell ``N`` holds the base
bars that close after the close of cell ``N - 1`` and not after its own. A base bar sees the last
cell that has closed, never the one it is part of.
"""

from datetime import timedelta
from typing import Final, Literal

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray

__all__ = ["Resolution", "cells_of", "coarsen", "first_coarse_cell", "seen_from_base"]

Resolution = Literal["base", "1h", "8h"]

_LENGTH: Final = {"base": timedelta(0), "1h": timedelta(hours=1), "8h": timedelta(hours=8)}


def cells_of(resolution: Resolution, bar: timedelta) -> int:
    """Base bars in one cell of a resolution; 1 where the panel's own bar is as coarse.

    Raises
    ------
    FrameError
        When the bar does not divide the cell.

    Examples
    --------
    >>> cells_of("8h", timedelta(minutes=30)), cells_of("1h", timedelta(hours=4))
    (16, 1)
    """
    length = _LENGTH[resolution]
    if bar >= length:
        return 1
    if length % bar:
        raise FrameError(f"bars of {bar} do not fill a cell of {length}, expected a divisor of it")
    return length // bar


def first_coarse_cell(first_bar: int, ratio: int) -> int:
    """Absolute number of the coarse cell that base bar `first_bar` belongs to."""
    return (first_bar - 1) // ratio + 1


def coarsen(values: FloatArray, how: str, ratio: int, first_bar: int) -> FloatArray:
    """Closed coarse cells of a field.

    Parameters
    ----------
    values : ndarray of shape (n_symbols, n_bars)
        Base bars.
    how : {"open", "high", "low", "close", "sum", "last"}
        As in :class:`liqwarn.frames.FieldSpec`. ``sum``, ``high`` and ``low`` are NaN where any
        base bar of the cell is missing; ``open`` takes the first, ``close`` and ``last`` the last.
    ratio : int
        Base bars in a cell.
    first_bar : int
        Absolute number of the first base bar.

    Returns
    -------
    ndarray of shape (n_symbols, n_cells)
        From the cell of `first_bar` (NaN or partial history in it counts as missing) to the last
        one that has closed; a cell still open is not there.

    Examples
    --------
    >>> coarsen(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]), "sum", 2, first_bar=2)
    array([[nan, 5., 9.]])
    """
    n_symbols, n_bars = values.shape
    missing = (first_bar - 1) % ratio
    n_cells = (missing + n_bars) // ratio
    whole = np.full((n_symbols, n_cells * ratio), np.nan)
    whole[:, missing:] = values[:, : n_cells * ratio - missing] if n_cells else 0.0
    cells = whole.reshape(n_symbols, n_cells, ratio)
    if how == "open":
        return np.ascontiguousarray(cells[:, :, 0])
    if how in ("close", "last"):
        return np.ascontiguousarray(cells[:, :, -1])
    reduce = {"sum": np.add, "high": np.maximum, "low": np.minimum}[how]
    result = cells[:, :, 0].copy()
    for position in range(1, ratio):  # one fixed order of adding, whatever the number of cells
        reduce(result, cells[:, :, position], out=result)
    return result


def seen_from_base(cells: FloatArray, ratio: int, first_bar: int, n_bars: int) -> FloatArray:
    """What each base bar sees of coarse cells: the last one closed at or before its close.

    NaN before the first cell has closed.

    >>> seen_from_base(np.array([[10.0, 20.0]]), 2, first_bar=1, n_bars=5)
    array([[nan, 10., 10., 20., 20.]])
    """
    bars = np.arange(first_bar, first_bar + n_bars)
    at = bars // ratio - first_coarse_cell(first_bar, ratio)
    seen = np.full((len(cells), n_bars), np.nan)
    seen[:, at >= 0] = cells[:, at[at >= 0]]
    return seen
