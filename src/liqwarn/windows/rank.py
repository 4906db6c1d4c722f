"""Rank of the last value among those of its trailing window. Exact."""

import numpy as np

from liqwarn.windows.arguments import FloatArray, compiled, plane
from liqwarn.windows.blocks import Plan, load_row, plan_blocks

__all__ = ["rolling_rank"]


@compiled
def _ranks(x: FloatArray, plan: Plan, out: FloatArray) -> None:
    """Compare every bar with the last: no branch, so several comparisons an instruction."""
    padded = np.empty(plan.size)
    for row in range(x.shape[0]):
        load_row(x[row], plan.before, padded)
        count = 0
        for t in range(plan.n_bars):
            now = plan.before + t
            last = padded[now]
            count += int(not np.isnan(last)) - int(not np.isnan(padded[now - plan.window]))
            bars = padded[now + 1 - plan.window : now + 1]
            below, upto = 0, 0
            for k in range(bars.size):
                below += 1 if bars[k] < last else 0
                upto += 1 if bars[k] <= last else 0
            known = not np.isnan(last) and count >= plan.min_count
            out[row, t] = 0.5 * (below + upto) / count if known else np.nan


def rolling_rank(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Mid-rank of the last value among the window's finite ones, strictly between 0 and 1.

    The share below it plus half the share equal to it, itself included. NaN where the last value
    is missing. Parameters and errors are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_rank(np.array([[5.0, 1.0, 3.0, 3.0]]), 3, first_bar=0).round(4)
    array([[   nan,    nan, 0.5   , 0.6667]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _ranks(source, plan_blocks(source.shape[1], window, first_bar, min_count), out)
    return out
