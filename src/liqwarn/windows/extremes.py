"""Largest and smallest values of trailing windows, and how long ago they were. Exact."""

import numpy as np

from liqwarn.windows.arguments import FloatArray, compiled, plane
from liqwarn.windows.blocks import Plan, complete_until, load_row, plan_blocks

__all__ = ["bars_since_max", "bars_since_min", "rolling_max", "rolling_min"]


@compiled
def _scan(padded: FloatArray, start: int, sign: float, parts: FloatArray) -> None:
    """Count and maximum ahead (rows 0 and 1) and behind (rows 2 and 3) of `start`."""
    window = parts.shape[1]
    parts[2, window - 1] = 0.0
    parts[3, window - 1] = -np.inf
    for side in range(2):
        count = 0.0
        largest = -np.inf
        for k in range(side, window):
            value = sign * padded[start - k if side else start + k]
            count += not np.isnan(value)
            largest = value if value > largest else largest
            at = window - 1 - k if side else k
            parts[2 * side, at] = count
            parts[2 * side + 1, at] = largest


@compiled
def _complete_extremes(
    padded: FloatArray, span: tuple[int, int], plan: Plan, sign: float, out: FloatArray
) -> None:
    window, one = np.uint64(plan.window), np.uint64(1)
    last = window - one
    parts = np.empty((4, plan.window))
    _scan(padded, span[0], sign, parts)
    behind, following = np.full(plan.window + 1, -np.inf), np.full(plan.window + 1, -np.inf)
    behind[1:] = parts[3]
    for start in range(np.uint64(span[0]), np.uint64(span[1]), window):
        ahead, backwards = -np.inf, -np.inf
        at = start - np.uint64(plan.before)
        for k in range(np.uint64(0), window):
            value = sign * padded[start + k]
            ahead = value if value > ahead else ahead
            earlier = behind[k + one]
            out[at + k] = sign * (ahead if ahead > earlier else earlier)
            # two independent chains of comparisons in one loop hide each other's latency
            value = sign * padded[start + last - k]
            backwards = value if value > backwards else backwards
            following[last - k] = backwards
        behind, following = following, behind


@compiled
def _extremes(
    padded: FloatArray, span: tuple[int, int], plan: Plan, sign: float, out: FloatArray
) -> None:
    parts = np.empty((4, plan.window))
    for start in range(span[0], span[1], plan.window):
        _scan(padded, start, sign, parts)
        low = max(0, plan.before - start)
        high = min(plan.window, plan.before + plan.n_bars - start)
        for k in range(low, high):
            known = parts[0, k] + parts[2, k] >= plan.min_count
            largest = sign * max(parts[1, k], parts[3, k])
            out[start + k - plan.before] = largest if known else np.nan


@compiled
def _roll(x: FloatArray, plan: Plan, sign: float, out: FloatArray) -> None:
    padded = np.empty(plan.size)
    for row in range(x.shape[0]):
        complete = load_row(x[row], plan.before, padded)
        start = plan.window
        while start < plan.size:
            end = complete_until(padded, start, plan, complete)
            if end == start:
                end += plan.window
                _extremes(padded, (start, end), plan, sign, out[row])
            else:
                _complete_extremes(padded, (start, end), plan, sign, out[row])
            start = end


@compiled
def _ages(x: FloatArray, plan: Plan, sign: float, out: FloatArray) -> None:
    """Bars since the latest extreme, by a queue of the bars that may still become it."""
    padded = np.empty(plan.size)
    queue = np.empty(plan.size, np.int64)
    for row in range(x.shape[0]):
        load_row(x[row], plan.before, padded)
        head, end, count = 0, 0, 0
        for now in range(plan.before, plan.before + plan.n_bars):
            last = sign * padded[now]
            if not np.isnan(last):
                count += 1
                while end > head and sign * padded[queue[end - 1]] <= last:
                    end -= 1
                queue[end] = now
                end += 1
            gone = now - plan.window
            count -= not np.isnan(padded[gone])
            if end > head and queue[head] == gone:
                head += 1
            known = count >= plan.min_count
            out[row, now - plan.before] = now - queue[head] if known else np.nan


def rolling_max(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Largest finite value of the trailing window, in the unit of `x`.

    Parameters and errors are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_max(np.array([[1.0, 3.0, 2.0, 0.0]]), 2, first_bar=0)
    array([[nan,  3.,  3.,  2.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _roll(source, plan_blocks(source.shape[1], window, first_bar, min_count), 1.0, out)
    return out


def rolling_min(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Smallest finite value of the trailing window, in the unit of `x`.

    Parameters and errors are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_min(np.array([[1.0, 3.0, 2.0, 0.0]]), 2, first_bar=0)
    array([[nan,  1.,  2.,  0.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _roll(source, plan_blocks(source.shape[1], window, first_bar, min_count), -1.0, out)
    return out


def bars_since_max(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Bars since the window's largest value, the latest of equal ones: 0 to ``window - 1``.

    Parameters and errors are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> bars_since_max(np.array([[1.0, 3.0, 2.0, 3.0]]), 3, first_bar=0)
    array([[nan, nan,  1.,  0.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _ages(source, plan_blocks(source.shape[1], window, first_bar, min_count), 1.0, out)
    return out


def bars_since_min(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Bars since the window's smallest value, the latest of equal ones: 0 to ``window - 1``.

    Parameters and errors are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> bars_since_min(np.array([[1.0, 3.0, 2.0, 3.0]]), 3, first_bar=0)
    array([[nan, nan,  2.,  1.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _ages(source, plan_blocks(source.shape[1], window, first_bar, min_count), -1.0, out)
    return out
