"""Blocks of one window's length, aligned to the absolute bar number.

A window that ends in a block is the block's bars so far (*ahead* of the boundary) and the last
bars of the block before (*behind* it). Sums ahead run from the boundary forwards, sums behind run
from it backwards, so neither ever sees a bar outside the window, wherever the array starts.
"""

import numpy as np

from liqwarn.windows.arguments import FloatArray, compiled

__all__ = ["edges", "fill_counts", "load_block"]


@compiled
def load_block(row: FloatArray, start: int, block: FloatArray) -> int:
    """Copy the bars from column `start` on; NaN for missing ones. Returns how many are finite."""
    low = max(0, -start)
    high = max(low, min(block.size, row.size - start))
    block[:low] = np.nan
    block[high:] = np.nan
    source = row[start + low : start + high]
    target = block[low:high]
    n_finite = 0
    for k in range(target.size):
        value = source[k] + 0.0  # -0.0 becomes 0.0
        finite = value - value == 0.0
        target[k] = value if finite else np.nan
        n_finite += finite
    return n_finite


@compiled
def edges(block: FloatArray, n_finite: int) -> tuple[int, int]:
    """Positions of the first and the last finite value; (size, -1) when there is none."""
    if n_finite == 0:
        return block.size, -1
    first = 0
    while np.isnan(block[first]):
        first += 1
    last = block.size - 1
    while np.isnan(block[last]):
        last -= 1
    return first, last


@compiled
def fill_counts(block: FloatArray, ahead: FloatArray, behind: FloatArray) -> None:
    """Finite values in ``block[: k + 1]`` and in ``block[k:]``."""
    size = block.size
    forwards = 0.0
    backwards = 0.0
    behind[size] = 0.0
    for k in range(size):
        forwards += block[k] == block[k]
        backwards += block[size - 1 - k] == block[size - 1 - k]
        ahead[k] = forwards
        behind[size - 1 - k] = backwards
