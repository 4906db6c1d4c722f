"""Least-squares slopes against time over trailing windows.

Places are counted from the block's start, negative behind it, so their sums are whole numbers and
exact; values are summed around the one next to the block's start, as in
:mod:`liqwarn.windows.moments`.
"""

import numpy as np

from liqwarn.windows.arguments import FloatArray, compiled, plane
from liqwarn.windows.blocks import Plan, complete_until, load_row, neighbours, plan_blocks

__all__ = ["rolling_slope", "slope_of"]


@compiled
def _scan(padded: FloatArray, start: int, origins: tuple[float, float], parts: FloatArray) -> None:
    """Count, Σv, Σp, Σpp, Σpv ahead (rows 0 to 4) and behind (rows 5 to 9) of `start`."""
    window = parts.shape[1]
    parts[5:, window - 1] = 0.0
    for side in range(2):
        count, values, places, squares, products = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(side, window):
            value = padded[start - k if side else start + k] - origins[side]
            known = 0.0 if np.isnan(value) else 1.0
            value = value if known else 0.0
            place = float(-k if side else k) * known
            count += known
            values += value
            places += place
            squares += place * place
            products += place * value
            at = window - 1 - k if side else k
            parts[5 * side, at] = count
            parts[5 * side + 1, at] = values
            parts[5 * side + 2, at] = places
            parts[5 * side + 3, at] = squares
            parts[5 * side + 4, at] = products


@compiled
def slope_of(parts: FloatArray, k: int, gap: float, min_count: int) -> float:
    """Slope of the window that ends at place `k`, from its parts.

    `gap` is how far the origin behind the block's start lies above the one ahead of it.
    """
    n = parts[0, k] + parts[5, k]
    shift = gap if parts[0, k] > 0.0 and parts[5, k] > 0.0 else 0.0
    values = parts[1, k] + (parts[6, k] + parts[5, k] * shift)
    products = parts[4, k] + (parts[9, k] + parts[7, k] * shift)
    places = parts[2, k] + parts[7, k]
    spread = n * (parts[3, k] + parts[8, k]) - places * places
    known = n >= min_count and spread > 0.0
    return float((n * products - places * values) / spread) if known else np.nan


@compiled
def _slopes(padded: FloatArray, span: tuple[int, int], plan: Plan, out: FloatArray) -> None:
    window = plan.window
    parts = np.empty((10, window))
    for start in range(span[0], span[1], window):
        head, tail = neighbours(padded, start, window)
        _scan(padded, start, (head, tail), parts)
        low = max(0, plan.before - start)
        high = min(window, plan.before + plan.n_bars - start)
        for k in range(low, high):
            out[start + k - plan.before] = slope_of(parts, k, tail - head, plan.min_count)


@compiled
def _complete_slopes(
    padded: FloatArray, span: tuple[int, int], plan: Plan, out: FloatArray
) -> None:
    window, one = np.uint64(plan.window), np.uint64(1)
    grid = np.empty((10, plan.window))
    _scan(np.zeros(2 * plan.window), plan.window, (0.0, 0.0), grid)
    n = float(plan.window)
    places = grid[2] + grid[7]
    spreads = n * (grid[3] + grid[8]) - places * places
    behind = np.zeros((2, plan.window))
    for start in range(np.uint64(span[0]), np.uint64(span[1]), window):
        head, tail = padded[start], padded[start - one]
        shift = tail - head
        values, products = 0.0, 0.0
        for k in range(one, window):
            at = window - one - k
            value = padded[start - k] - tail
            values += value
            products += -float(k) * value
            behind[0, at] = values + float(k) * shift
            behind[1, at] = products + grid[7, at] * shift
        values, products = 0.0, 0.0
        first = start - np.uint64(plan.before)
        for k in range(np.uint64(0), window):
            value = padded[start + k] - head
            values += value
            products += float(k) * value
            rise = n * (products + behind[1, k]) - places[k] * (values + behind[0, k])
            out[first + k] = rise / spreads[k] if spreads[k] > 0.0 else np.nan


@compiled
def _roll(x: FloatArray, plan: Plan, out: FloatArray) -> None:
    padded = np.empty(plan.size)
    for row in range(x.shape[0]):
        complete = load_row(x[row], plan.before, padded)
        start = plan.window
        while start < plan.size:
            end = complete_until(padded, start, plan, complete)
            if end == start:
                end += plan.window
                _slopes(padded, (start, end), plan, out[row])
            else:
                _complete_slopes(padded, (start, end), plan, out[row])
            start = end


def rolling_slope(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Least-squares slope of the window's finite values against time, in units of `x` per bar.

    NaN for a single value. Parameters and errors are those of
    :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_slope(np.array([[1.0, 3.0, 5.0, 5.0]]), 3, first_bar=0)
    array([[nan, nan,  2.,  1.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _roll(source, plan_blocks(source.shape[1], window, first_bar, min_count), out)
    return out
