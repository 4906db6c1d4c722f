"""Sums, means, standard deviations and z-scores over trailing windows.

Each part of a window is summed around the value next to the block's start, so that neither a large
level nor a jump cancels: the error of a variance is relative to the variance, and a variance is 0
when, and only when, the window is constant.

Blocks without a missing bar take a short cut. It does the same arithmetic in the same order as
the general way, so the bits do not depend on which one was taken.
"""

from typing import Final

import numpy as np

from liqwarn.windows.arguments import FloatArray, check_window, compiled, plane
from liqwarn.windows.blocks import Plan, complete_until, load_row, neighbours, plan_blocks

__all__ = [
    "MEAN",
    "STD",
    "SUM",
    "ZSCORE",
    "join_parts",
    "moment_of",
    "rolling_count",
    "rolling_mean",
    "rolling_std",
    "rolling_sum",
    "rolling_zscore",
]

SUM: Final = 0
MEAN: Final = 1
STD: Final = 2
ZSCORE: Final = 3


@compiled
def _scan(padded: FloatArray, start: int, origins: tuple[float, float], parts: FloatArray) -> None:
    """Count, sum and sum of squares ahead (rows 0 to 2) and behind (rows 3 to 5) of `start`."""
    window = parts.shape[1]
    parts[3:, window - 1] = 0.0
    for side in range(2):
        count = 0.0
        total = 0.0
        squares = 0.0
        for k in range(side, window):
            value = padded[start - k if side else start + k] - origins[side]
            known = not np.isnan(value)
            value = value if known else 0.0
            count += known
            total += value
            squares += value * value
            at = window - 1 - k if side else k
            parts[3 * side, at] = count
            parts[3 * side + 1, at] = total
            parts[3 * side + 2, at] = squares


@compiled
def _behind(padded: FloatArray, start: int, kind: int, window: int) -> FloatArray:
    """Count, sum and sum of squares of the bars behind `start`."""
    parts = np.empty((6, window))
    tail = padded[start - 1] if kind != SUM else 0.0
    _scan(padded, start, (0.0, tail), parts)
    return parts[3:]


@compiled
def _complete_means(
    padded: FloatArray, span: tuple[int, int], plan: Plan, kind: int, out: FloatArray
) -> None:
    window, one = np.uint64(plan.window), np.uint64(1)
    last = window - one
    behind, following = np.zeros(plan.window + 1), np.zeros(plan.window + 1)
    behind[1:] = _behind(padded, span[0], kind, plan.window)[1]
    n = float(plan.window) if kind == MEAN else 1.0
    for start in range(np.uint64(span[0]), np.uint64(span[1]), window):
        head = padded[start] if kind == MEAN else 0.0
        tail = padded[start + last] if kind == MEAN else 0.0
        shift = padded[start - one] - head if kind == MEAN else 0.0
        ahead, backwards = 0.0, 0.0
        at = start - np.uint64(plan.before)
        for k in range(np.uint64(0), window):
            ahead += padded[start + k] - head
            pushed = float(last - k) * shift
            out[at + k] = head + (ahead + (behind[k + one] + pushed)) / n
            # two independent chains of additions in one loop hide each other's latency
            backwards += padded[start + last - k] - tail
            following[last - k] = backwards
        behind, following = following, behind


@compiled
def _complete_spreads(
    padded: FloatArray, span: tuple[int, int], plan: Plan, kind: int, out: FloatArray
) -> None:
    window, one = np.uint64(plan.window), np.uint64(1)
    last = window - one
    behind, following = np.zeros((2, plan.window + 1)), np.zeros((2, plan.window + 1))
    behind[:, 1:] = _behind(padded, span[0], kind, plan.window)[1:]
    n = float(plan.window)
    for start in range(np.uint64(span[0]), np.uint64(span[1]), window):
        head, tail = padded[start], padded[start + last]
        shift = padded[start - one] - head
        ahead, ahead_squares, backwards, backwards_squares = 0.0, 0.0, 0.0, 0.0
        at = start - np.uint64(plan.before)
        for k in range(np.uint64(0), window):
            value = padded[start + k] - head
            ahead += value
            ahead_squares += value * value
            pushed = float(last - k) * shift
            part = behind[0, k + one]
            total = ahead + (part + pushed)
            squares = ahead_squares + (behind[1, k + one] + shift * (part + part + pushed))
            spread = n * squares - total * total
            if kind == STD:
                out[at + k] = np.sqrt(max(spread, 0.0) / (n * (n - 1.0)))
            else:
                z = (n * value - total) * np.sqrt((n - 1.0) / n / spread)
                out[at + k] = z if spread > 0.0 else np.nan
            value = padded[start + last - k] - tail
            backwards += value
            backwards_squares += value * value
            following[0, last - k] = backwards
            following[1, last - k] = backwards_squares
        behind, following = following, behind


@compiled
def join_parts(part: FloatArray, shift: float) -> tuple[float, float, float]:
    """Count, sum and sum of squares of a whole window, around its head if it has one."""
    ahead, behind = part[0], part[3]
    pushed = behind * shift if ahead > 0.0 and behind > 0.0 else 0.0
    total = part[1] + (part[4] + pushed)
    if pushed == 0.0:
        return ahead + behind, total, part[2] + part[5]
    return ahead + behind, total, part[2] + (part[5] + shift * (part[4] + part[4] + pushed))


@compiled
def moment_of(sums: tuple[float, float, float], kind: int, origin: float, last: float) -> float:
    """The moment of a window from its count, sum and sum of squares around `origin`."""
    n, total, squares = sums
    if kind == SUM:
        return total
    if kind == MEAN:
        return origin + total / n
    spread = n * squares - total * total
    if kind == STD:
        return float(np.sqrt(max(spread, 0.0) / (n * (n - 1.0))))
    if spread > 0.0:
        return float((n * (last - origin) - total) * np.sqrt((n - 1.0) / n / spread))
    return np.nan


@compiled
def _moments(
    padded: FloatArray, span: tuple[int, int], plan: Plan, kind: int, out: FloatArray
) -> None:
    """The general way: any bar may be missing, and a block may lie partly outside the row."""
    window = plan.window
    parts = np.empty((6, window))
    for start in range(span[0], span[1], window):
        head, tail = neighbours(padded, start, window) if kind != SUM else (0.0, 0.0)
        _scan(padded, start, (head, tail), parts)
        low = max(0, plan.before - start)
        high = min(window, plan.before + plan.n_bars - start)
        for k in range(low, high):
            sums = join_parts(parts[:, k], tail - head)
            origin = head if parts[0, k] > 0.0 else tail
            value = moment_of(sums, kind, origin, padded[start + k])
            out[start + k - plan.before] = value if sums[0] >= plan.min_count else np.nan


@compiled
def _roll(x: FloatArray, plan: Plan, kind: int, out: FloatArray) -> None:
    padded = np.empty(plan.size)
    for row in range(x.shape[0]):
        complete = load_row(x[row], plan.before, padded)
        start = plan.window
        while start < plan.size:
            end = complete_until(padded, start, plan, complete)
            if end == start:
                end += plan.window
                _moments(padded, (start, end), plan, kind, out[row])
            elif kind <= MEAN:
                _complete_means(padded, (start, end), plan, kind, out[row])
            else:
                _complete_spreads(padded, (start, end), plan, kind, out[row])
            start = end


def _rolled(
    x: FloatArray, window: int, first_bar: int, min_count: int | None, kind: int
) -> FloatArray:
    source = plane(x)
    out = np.empty(source.shape)
    _roll(source, plan_blocks(source.shape[1], window, first_bar, min_count), kind, out)
    return out


def rolling_count(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """How many values of the trailing window are finite.

    Parameters are those of :func:`rolling_sum`, but without `min_count` every count is given.

    >>> rolling_count(np.array([[1.0, np.nan, 3.0, 4.0]]), 3, first_bar=0)
    array([[1., 1., 2., 2.]])
    """
    source = plane(x)
    check_window(window, first_bar, min_count)
    counts = np.cumsum(np.isfinite(source), axis=1, dtype=np.float64)
    counts[:, window:] -= counts[:, :-window].copy()
    if min_count is not None:
        counts[counts < min_count] = np.nan
    return counts


def rolling_sum(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Sum of the finite values of the trailing window, in the unit of `x`.

    Whole numbers are summed exactly, and a sum of non-negative values is never negative.

    Parameters
    ----------
    x : ndarray of float64, shape (n_symbols, n_bars)
        NaN and ±inf are missing, as are bars before column 0.
    window : int
        Bars, the current one included.
    first_bar : int
        Absolute number of column 0.
    min_count : int, optional
        NaN where fewer values are finite; the whole window by default.

    Raises
    ------
    FrameError
        When `x` is not float64 with two axes, or a number is out of range.

    >>> rolling_sum(np.array([[1.0, 2.0, 3.0, 4.0]]), 2, first_bar=0)
    array([[nan,  3.,  5.,  7.]])
    """
    return _rolled(x, window, first_bar, min_count, SUM)


def rolling_mean(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Mean of the finite values of the trailing window, in the unit of `x`.

    Parameters and errors are those of :func:`rolling_sum`.

    >>> rolling_mean(np.array([[1.0, 2.0, 3.0, 4.0]]), 2, first_bar=7)
    array([[nan, 1.5, 2.5, 3.5]])
    """
    return _rolled(x, window, first_bar, min_count, MEAN)


def rolling_std(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Sample standard deviation (``ddof=1``) of the trailing window, in the unit of `x`.

    0 exactly for a constant window, NaN for a single value. Parameters and errors are those of
    :func:`rolling_sum`.

    >>> rolling_std(np.array([[1.0, 2.0, 3.0, 3.0, 3.0]]), 3, first_bar=0).round(6)
    array([[     nan,      nan, 1.     , 0.57735, 0.     ]])
    """
    return _rolled(x, window, first_bar, min_count, STD)


def rolling_zscore(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Distance of the last value from the window's mean, in sample standard deviations.

    NaN where the last value is missing or the window is constant. Parameters and errors are those
    of :func:`rolling_sum`.

    >>> rolling_zscore(np.array([[1.0, 2.0, 3.0, 3.0, 3.0]]), 3, first_bar=0).round(6)
    array([[     nan,      nan, 1.     , 0.57735,      nan]])
    """
    return _rolled(x, window, first_bar, min_count, ZSCORE)
