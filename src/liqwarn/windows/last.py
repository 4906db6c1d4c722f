"""The newest value of a window alone, for live: the same bits as the last column of the kernels.

A live series keeps the cells of its longest window and asks for one value a bar. The arithmetic is
that of the kernels over whole rows: sums run ahead from the start of the current block and behind
from it backwards, and the parts are joined by the same functions.
"""

from typing import Final

import numpy as np

from liqwarn.windows.arguments import FloatArray, compiled
from liqwarn.windows.correlation import correlation_of
from liqwarn.windows.moments import MEAN, STD, SUM, ZSCORE, join_parts, moment_of
from liqwarn.windows.slope import slope_of

__all__ = ["KINDS", "last_corr", "last_value"]

_MAX: Final = 4
_MIN: Final = 5
_RANK: Final = 6
_SLOPE: Final = 7
_RUN: Final = 8

KINDS: Final = {
    "sum": SUM,
    "mean": MEAN,
    "std": STD,
    "zscore": ZSCORE,
    "max": _MAX,
    "min": _MIN,
    "rank": _RANK,
    "slope": _SLOPE,
    "run": _RUN,
}
"""Number of each window by its name."""


@compiled
def _known(value: float) -> float:
    return value + 0.0 if value - value == 0.0 else np.nan


@compiled
def _origin(cells: FloatArray, ahead: int) -> tuple[float, float]:
    """The finite values nearest to the block's start: ahead of it and behind it; NaN without."""
    size = cells.size
    head, tail = np.nan, np.nan
    for k in range(size - ahead, size):
        head = _known(cells[k])
        if not np.isnan(head):
            break
    for k in range(size - ahead - 1, -1, -1):
        tail = _known(cells[k])
        if not np.isnan(tail):
            break
    return head, tail


@compiled
def _last_moment(cells: FloatArray, ahead: int, kind: int, least: int) -> float:
    head, tail = _origin(cells, ahead) if kind != SUM else (0.0, 0.0)
    part = np.zeros(6)
    start = cells.size - ahead
    for side in range(2):
        origin = tail if side else head
        count, total, squares = 0.0, 0.0, 0.0
        for k in range(side, start + 1 if side else ahead):
            value = _known(cells[start - k if side else start + k]) - origin
            known = not np.isnan(value)
            value = value if known else 0.0
            count += known
            total += value
            squares += value * value
        part[3 * side], part[3 * side + 1], part[3 * side + 2] = count, total, squares
    sums = join_parts(part, tail - head)
    if not sums[0] >= least:
        return np.nan
    origin = head if part[0] > 0.0 else tail
    return moment_of(sums, kind, origin, _known(cells[cells.size - 1]))


@compiled
def _last_extreme(cells: FloatArray, sign: float, least: int) -> float:
    count, largest = 0, -np.inf
    for k in range(cells.size):
        value = sign * _known(cells[k])
        count += not np.isnan(value)
        largest = value if value > largest else largest
    return sign * largest if count >= least else np.nan


@compiled
def _last_rank(cells: FloatArray, least: int) -> float:
    last = _known(cells[cells.size - 1])
    count, below, upto = 0, 0, 0
    for k in range(cells.size):
        value = _known(cells[k])
        count += not np.isnan(value)
        below += 1 if value < last else 0
        upto += 1 if value <= last else 0
    known = not np.isnan(last) and count >= least
    return 0.5 * (below + upto) / count if known else np.nan


@compiled
def _last_slope(cells: FloatArray, ahead: int, least: int) -> float:
    head, tail = _origin(cells, ahead)
    part = np.zeros((10, 1))
    start = cells.size - ahead
    for side in range(2):
        count, values, places, squares, products = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(side, start + 1 if side else ahead):
            value = _known(cells[start - k if side else start + k]) - (tail if side else head)
            known = 0.0 if np.isnan(value) else 1.0
            value = value if known else 0.0
            place = float(-k if side else k) * known
            count += known
            values += value
            places += place
            squares += place * place
            products += place * value
        row = 5 * side
        part[row, 0], part[row + 1, 0], part[row + 2, 0] = count, values, places
        part[row + 3, 0], part[row + 4, 0] = squares, products
    return slope_of(part, 0, tail - head, least)


@compiled
def _last_run(cells: FloatArray, least: int) -> float:
    last = cells[cells.size - 1]
    if not np.isfinite(last):
        return np.nan
    count, run, unbroken = 0, 0, True
    for k in range(cells.size - 1, -1, -1):
        finite = np.isfinite(cells[k])
        count += finite
        unbroken = unbroken and finite and np.sign(cells[k]) == np.sign(last)
        run += unbroken
    return float(run) if count >= least else np.nan


@compiled
def last_value(cells: FloatArray, kind: int, ahead: int, least: int) -> float:
    """The window's value at its last cell.

    Parameters
    ----------
    cells : ndarray of float64, shape (window,)
        The window, oldest first; NaN and ±inf are missing, as are cells before the history.
    kind : int
        Of :data:`KINDS`.
    ahead : int
        Cells of the current block, the last one included: the last cell's absolute number modulo
        the window, plus 1.
    least : int
        NaN where fewer cells are finite.

    >>> last_value(np.array([1.0, 2.0, 6.0]), KINDS["mean"], 2, 3)
    3.0
    """
    if kind <= ZSCORE:
        return _last_moment(cells, ahead, kind, least)
    if kind == _SLOPE:
        return _last_slope(cells, ahead, least)
    if kind == _RANK:
        return _last_rank(cells, least)
    if kind == _RUN:
        return _last_run(cells, least)
    return _last_extreme(cells, 1.0 if kind == _MAX else -1.0, least)


@compiled
def last_corr(x: FloatArray, y: FloatArray, ahead: int, least: int) -> float:
    """Correlation of two windows at their last cell; parameters as in :func:`last_value`.

    >>> last_corr(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]), 3, 3)
    1.0
    """
    us, vs = np.empty(x.size), np.empty(x.size)
    for k in range(x.size):
        u, v = _known(x[k]), _known(y[k])
        paired = not (np.isnan(u) or np.isnan(v))
        us[k] = u if paired else np.nan
        vs[k] = v if paired else np.nan
    origins = np.empty((2, 2))
    origins[0, 0], origins[0, 1] = _origin(us, ahead)
    origins[1, 0], origins[1, 1] = _origin(vs, ahead)
    part = np.zeros((12, 1))
    start = x.size - ahead
    for side in range(2):
        count, su, sv, suu, svv, suv = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(side, start + 1 if side else ahead):
            at = start - k if side else start + k
            u, v = us[at] - origins[0, side], vs[at] - origins[1, side]
            if not np.isnan(u):
                count += 1.0
                su += u
                sv += v
                suu += u * u
                svv += v * v
                suv += u * v
        row = 6 * side
        part[row, 0], part[row + 1, 0], part[row + 2, 0] = count, su, sv
        part[row + 3, 0], part[row + 4, 0], part[row + 5, 0] = suu, svv, suv
    return correlation_of(part, 0, origins, least)
