"""Blocks of one window's length, aligned to the absolute bar number.

A window that ends in a block is the block's bars so far (*ahead* of the block's start) and the
last bars of the block before (*behind* it). Sums ahead run forwards from the start, sums behind
run backwards from it, so neither ever holds a bar outside the window: the value is the same
wherever the array starts, and an infinity or a gap is forgotten as soon as it leaves the window.
"""

from typing import NamedTuple

import numpy as np

from liqwarn.windows.arguments import FloatArray, check_window, compiled

__all__ = ["Plan", "complete_until", "load_row", "neighbours", "plan_blocks"]


class Plan(NamedTuple):
    """Where a row lies among the blocks, once it is padded with missing bars to whole blocks."""

    window: int
    min_count: int
    before: int
    """Missing bars before column 0: one block, and the part of column 0's block before it."""
    n_bars: int
    size: int


def plan_blocks(n_bars: int, window: int, first_bar: int, min_count: int | None) -> Plan:
    """Check the arguments and lay the blocks."""
    least = check_window(window, first_bar, min_count)
    phase = first_bar % window
    n_blocks = 1 + max(1, -(-(phase + n_bars) // window))
    return Plan(window, least, window + phase, n_bars, n_blocks * window)


@compiled
def load_row(row: FloatArray, before: int, padded: FloatArray) -> bool:
    """Copy a row to ``padded[before:]``, NaN for what is missing. Whether every bar is finite."""
    padded[:before] = np.nan
    padded[before + row.size :] = np.nan
    inside = padded[before : before + row.size]
    n_finite = 0
    for t in range(row.size):
        finite = row[t] - row[t] == 0.0
        inside[t] = row[t] + 0.0 if finite else np.nan  # -0.0 becomes 0.0
        n_finite += finite
    return n_finite == row.size


@compiled
def complete_until(padded: FloatArray, start: int, plan: Plan, complete: bool) -> int:
    """End of the blocks from `start` on that have, with the block before, no missing bar.

    `start` itself when the first one has a gap; `complete` rows are not searched for any.
    """
    gap = start - plan.window
    if complete and gap >= plan.before:
        gap = plan.before + plan.n_bars
    while gap < plan.size and not np.isnan(padded[gap]):
        gap += 1
    return max(start, gap // plan.window * plan.window)


@compiled
def neighbours(padded: FloatArray, start: int, window: int) -> tuple[float, float]:
    """The finite values nearest to a block's start: the first in it, the last before it.

    NaN where a block has none. What a part of a window is summed around, since it is in the
    window whenever that part has any value.
    """
    head = padded[start]
    k = 1
    while np.isnan(head) and k < window:
        head = padded[start + k]
        k += 1
    tail = padded[start - 1]
    k = 2
    while np.isnan(tail) and k <= window:
        tail = padded[start - k]
        k += 1
    return head, tail
