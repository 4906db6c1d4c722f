"""Windows carried from bar to bar: a window's newest value in a few additions.

A window's parts are sums that run ahead from the start of the current block, and behind from it
backwards (:mod:`liqwarn.windows.moments`). The first grows by a cell a bar and is kept. The second
is made when a block begins and loses its last addition with every bar: it is kept after every few
of its cells, and taken up at the nearest. The additions are those of
:func:`liqwarn.windows.last.last_value`, in its order, and so are the bits.
"""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.windows.arguments import inlined
from liqwarn.windows.last import KINDS
from liqwarn.windows.moments import SUM, join_parts, moment_of

__all__ = ["CARRIED", "carried_value", "room_of"]

_MAX: Final = KINDS["max"]
_MIN: Final = KINDS["min"]

CARRIED: Final = (*range(SUM, _MIN + 1),)
"""Kinds of windows that can be carried: moments and extremes."""

_EVERY: Final = 8
_NUMBER: Final = 0  # of the newest cell
_HEAD: Final = 1  # origin of the part ahead
_PARTS: Final = 2  # count, sum and sum of squares ahead; the same behind, of the newest cell
_TAIL: Final = 8  # origin of the part behind
_BEHIND: Final = 9  # the part behind, after every few of its cells


def room_of(cells: int) -> int:
    """Numbers that a window of so many cells carries, of one symbol; they begin as NaN.

    >>> room_of(24)
    18
    """
    return _BEHIND + 3 * ((cells - 1) // _EVERY + 1)


@inlined
def _added(
    sums: tuple[float, float, float, float], cell: float, kind: int
) -> tuple[float, float, float, float]:
    """Origin, count, sum and sum of squares with one cell more; of extremes the sum is the largest.

    The origin is the first finite cell; that of a plain sum is 0.
    """
    origin, count, total, squares = sums
    value = cell + 0.0 if cell - cell == 0.0 else np.nan
    if kind >= _MAX:
        value = value if kind == _MAX else -value
        count += not np.isnan(value)
        return origin, count, value if value > total else total, squares
    origin = value if np.isnan(origin) else origin
    value -= origin
    known = not np.isnan(value)
    value = value if known else 0.0
    return origin, count + known, total + value, squares + value * value


@inlined
def _nothing(kind: int) -> tuple[float, float, float, float]:
    origin = 0.0 if kind == SUM else np.nan
    return origin, 0.0, -np.inf if kind >= _MAX else 0.0, 0.0


@inlined
def _begin(cells: FloatArray, until: tuple[int, int], kind: int, held: FloatArray, at: int) -> None:
    """Nothing ahead, and all that the window holds of the part behind."""
    start, behind = until
    sums = _nothing(kind)
    held[at + _HEAD] = sums[0]
    _keep(held, at + _PARTS, sums)
    for k in range(behind + 1):
        if k > 0:
            sums = _added(sums, cells[start - k], kind)
        if k % _EVERY == 0:
            _keep(held, at + _BEHIND + 3 * (k // _EVERY), sums)
    held[at + _TAIL] = sums[0]


@inlined
def _keep(held: FloatArray, at: int, sums: tuple[float, float, float, float]) -> None:
    held[at], held[at + 1], held[at + 2] = sums[1], sums[2], sums[3]


@inlined
def _extend(cells: FloatArray, span: tuple[int, int], kind: int, held: FloatArray, at: int) -> None:
    """The part ahead with the cells of a span more."""
    parts = at + _PARTS
    sums = held[at + _HEAD], held[parts], held[parts + 1], held[parts + 2]
    for k in range(span[0], span[1]):
        sums = _added(sums, cells[k], kind)
    held[at + _HEAD] = sums[0]
    _keep(held, parts, sums)


@inlined
def _behind(
    cells: FloatArray, until: tuple[int, int], kind: int, held: FloatArray, at: int
) -> None:
    start, behind = until
    near = behind // _EVERY
    kept = at + _BEHIND + 3 * near
    sums = held[at + _TAIL], held[kept], held[kept + 1], held[kept + 2]
    for k in range(near * _EVERY + 1, behind + 1):
        sums = _added(sums, cells[start - k], kind)
    _keep(held, at + _PARTS + 3, sums)


@inlined
def _joined(held: FloatArray, at: int, last: float, kind: int, least: int) -> float:
    parts = held[at + _PARTS : at + _PARTS + 6]
    if kind >= _MAX:
        largest = max(parts[1], parts[4])
        known = parts[0] + parts[3] >= least
        return (largest if kind == _MAX else -largest) if known else np.nan
    head, tail = held[at + _HEAD], held[at + _TAIL]
    sums = join_parts(parts, tail - head)
    if not sums[0] >= least:
        return np.nan
    origin = head if parts[0] > 0.0 else tail
    return moment_of(sums, kind, origin, last + 0.0 if last - last == 0.0 else np.nan)


@inlined
def carried_value(
    cells: FloatArray,
    where: tuple[int, int],
    number: int,
    window: tuple[int, int, int],
    held: FloatArray,
) -> float:
    """The window's value at its newest cell: :func:`liqwarn.windows.last.last_value` of it.

    Parameters
    ----------
    cells, held : ndarray of float64
        Cells of many windows; what is carried of them, which is changed.
    where : (int, int)
        Where this window ends in `cells` (before that place), and where its
        :func:`room_of` numbers begin in `held`. Unless these are of the cell before, they are made
        anew.
    number : int
        Absolute number of the newest cell.
    window : (int, int, int)
        Kind, one of :data:`CARRIED`; cells in a window; how many must be finite.

    >>> held = np.full(room_of(3), np.nan)
    >>> carried_value(np.array([1.0, 2.0, 6.0]), (3, 0), 7, (KINDS["mean"], 3, 3), held)
    3.0
    """
    stop, at = where
    kind, size, least = window
    ahead = number % size + 1
    until = stop - ahead, size - ahead
    added = stop - 1
    if ahead == 1 or held[at + _NUMBER] != number - 1:
        _begin(cells, until, kind, held, at)
        added = until[0]
    _extend(cells, (added, stop), kind, held, at)
    _behind(cells, until, kind, held, at)
    held[at + _NUMBER] = number
    return _joined(held, at, cells[stop - 1], kind, least)
