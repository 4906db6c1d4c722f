"""Standard deviations of long windows that move one cell at a time, for live series.

:mod:`liqwarn.windows.last` adds up a window's cells anew for each bar; over thirty days of short
bars that is thousands of additions a symbol. Here the part ahead of the block's start is carried
on, and of the part behind it every 64th sum is kept, from which at most 63 additions, in the order
of the kernels over whole rows, lead to the one that is asked for. The same bits.
"""

from typing import Final, NamedTuple

import numpy as np

from liqwarn.windows.arguments import FloatArray, compiled
from liqwarn.windows.moments import STD, join_parts, moment_of

__all__ = ["SlidingSpreads", "empty_spreads", "next_std"]

_EVERY: Final = 64


class SlidingSpreads(NamedTuple):
    """Windows of one length, a row each; mutable, of one owner."""

    cells: FloatArray
    """Shape (n_rows, window), by bar number modulo the window: this block's, then older ones."""
    ahead: FloatArray
    """Shape (n_rows, 3): count, sum and sum of squares ahead of the block's start."""
    behind: FloatArray
    """Shape (n_rows, 3, n_marks): the same behind it, of 0, 64, 128 ... cells."""
    origins: FloatArray
    """Shape (n_rows, 2): the known values next to the start, ahead and behind; NaN without."""


def empty_spreads(n_rows: int, window: int) -> SlidingSpreads:
    """Windows that hold nothing yet.

    >>> empty_spreads(2, 100).behind.shape
    (2, 3, 2)
    """
    return SlidingSpreads(
        cells=np.full((n_rows, window), np.nan),
        ahead=np.zeros((n_rows, 3)),
        behind=np.zeros((n_rows, 3, 1 + (window - 1) // _EVERY)),
        origins=np.full((n_rows, 2), np.nan),
    )


@compiled
def _turn(spreads: SlidingSpreads, row: int) -> None:
    """Begin a block: all cells are of the block before."""
    cells, window = spreads.cells[row], spreads.cells.shape[1]
    tail = np.nan
    for k in range(1, window + 1):
        tail = cells[window - k]
        if not np.isnan(tail):
            break
    spreads.origins[row, 0] = np.nan
    spreads.origins[row, 1] = tail
    spreads.ahead[row] = 0.0
    count, total, squares = 0.0, 0.0, 0.0
    for k in range(1, window):
        value = cells[window - k] - tail
        known = not np.isnan(value)
        value = value if known else 0.0
        count += known
        total += value
        squares += value * value
        if k % _EVERY == 0:
            mark = spreads.behind[row, :, k // _EVERY]
            mark[0], mark[1], mark[2] = count, total, squares


@compiled
def _behind(spreads: SlidingSpreads, row: int, n: int, part: FloatArray) -> None:
    """Count, sum and sum of squares of the `n` cells behind the start, into ``part[3:]``."""
    window = spreads.cells.shape[1]
    tail = spreads.origins[row, 1]
    mark = n // _EVERY
    count, total = spreads.behind[row, 0, mark], spreads.behind[row, 1, mark]
    squares = spreads.behind[row, 2, mark]
    for k in range(mark * _EVERY + 1, n + 1):
        value = spreads.cells[row, window - k] - tail
        known = not np.isnan(value)
        value = value if known else 0.0
        count += known
        total += value
        squares += value * value
    part[3], part[4], part[5] = count, total, squares


@compiled
def next_std(spreads: SlidingSpreads, row: int, bar: int, value: float, least: int) -> float:
    """Take the value of the next bar and give the window's sample standard deviation.

    Bit for bit that of :func:`~liqwarn.windows.moments.rolling_std`. Bars must come one by one.

    Parameters
    ----------
    spreads : SlidingSpreads
        Changed in place.
    row : int
    bar : int
        Absolute number.
    value : float
        NaN and ±inf are missing.
    least : int
        NaN where fewer values are known.
    """
    window = spreads.cells.shape[1]
    at = bar % window
    if at == 0:
        _turn(spreads, row)
    known = value + 0.0 if value - value == 0.0 else np.nan
    spreads.cells[row, at] = known
    if np.isnan(spreads.origins[row, 0]):
        spreads.origins[row, 0] = known
    head, tail = spreads.origins[row, 0], spreads.origins[row, 1]
    if not np.isnan(known):
        spreads.ahead[row, 0] += 1.0
        spreads.ahead[row, 1] += known - head
        spreads.ahead[row, 2] += (known - head) * (known - head)
    part = np.empty(6)
    for k in range(3):
        part[k] = spreads.ahead[row, k]
    _behind(spreads, row, window - 1 - at, part)
    sums = join_parts(part, tail - head)
    return moment_of(sums, STD, head, known) if sums[0] >= least else np.nan
