"""Largest and smallest values of trailing windows, and how long ago they were. Exact."""

import numpy as np

from liqwarn.windows.arguments import FloatArray, check_window, compiled, plane
from liqwarn.windows.blocks import fill_counts, load_block

__all__ = ["bars_since_max", "bars_since_min", "rolling_max", "rolling_min"]


@compiled
def _scan(block: FloatArray, sign: float, ahead: FloatArray, behind: FloatArray) -> None:
    """Maxima of ``sign * block[: k + 1]`` and ``sign * block[k:]``; -inf where nothing is known."""
    last = block.size - 1
    forwards = -np.inf
    backwards = -np.inf
    behind[block.size] = -np.inf
    for k in range(block.size):
        u = sign * block[k]
        v = sign * block[last - k]
        forwards = u if u > forwards else forwards
        backwards = v if v > backwards else backwards
        ahead[k] = forwards
        behind[last - k] = backwards


@compiled
def _extremes(x: FloatArray, out: FloatArray, plan: tuple[int, int, int], sign: float) -> None:
    window, first_bar, min_count = plan
    block = np.empty(window)
    ahead = np.empty((2, window))
    current = np.empty((2, window + 1))
    previous = np.empty((2, window + 1))
    n_bars = x.shape[1]
    for row in range(x.shape[0]):
        previous[0] = 0.0
        previous[1] = -np.inf
        for start in range(-(first_bar % window), n_bars, window):
            load_block(x[row], start, block)
            fill_counts(block, ahead[0], current[0])
            _scan(block, sign, ahead[1], current[1])
            low = max(0, -start)
            high = min(window, n_bars - start)
            target = out[row, start + low : start + high]
            a = ahead[:, low:high]
            b = previous[:, low + 1 : high + 1]
            for k in range(target.size):
                largest = a[1, k] if a[1, k] > b[1, k] else b[1, k]
                known = a[0, k] + b[0, k] >= min_count
                target[k] = sign * largest if known else np.nan
            previous, current = current, previous


@compiled
def _ages(x: FloatArray, out: FloatArray, plan: tuple[int, int], sign: float) -> None:
    """Bars since the latest extreme, by a queue of the bars that may still become it."""
    window, min_count = plan
    n_bars = x.shape[1]
    padded = np.empty(n_bars + window - 1)
    queue = np.empty(padded.size, np.int64)
    for row in range(x.shape[0]):
        load_block(x[row], 1 - window, padded)
        head = 0
        end = 0
        n = 0
        for t in range(n_bars):
            now = t + window - 1
            last = sign * padded[now]
            if last == last:
                n += 1
                while end > head and sign * padded[queue[end - 1]] <= last:
                    end -= 1
                queue[end] = now
                end += 1
            if end > head and queue[head] < t:
                head += 1
            out[row, t] = now - queue[head] if n >= min_count else np.nan
            n -= padded[t] == padded[t]


def _extreme(
    x: FloatArray, window: int, first_bar: int, min_count: int | None, sign: float
) -> FloatArray:
    source = plane(x)
    out = np.empty(source.shape)
    least = check_window(window, first_bar, min_count)
    _extremes(source, out, (window, first_bar, least), sign)
    return out


def _age(
    x: FloatArray, window: int, first_bar: int, min_count: int | None, sign: float
) -> FloatArray:
    source = plane(x)
    out = np.empty(source.shape)
    _ages(source, out, (window, check_window(window, first_bar, min_count)), sign)
    return out


def rolling_max(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Largest finite value of the trailing window, in the unit of `x`.

    Parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_max(np.array([[1.0, 3.0, 2.0, 0.0]]), 2, first_bar=0)
    array([[nan,  3.,  3.,  2.]])
    """
    return _extreme(x, window, first_bar, min_count, 1.0)


def rolling_min(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Smallest finite value of the trailing window, in the unit of `x`.

    Parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_min(np.array([[1.0, 3.0, 2.0, 0.0]]), 2, first_bar=0)
    array([[nan,  1.,  2.,  0.]])
    """
    return _extreme(x, window, first_bar, min_count, -1.0)


def bars_since_max(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Bars since the window's largest value, the latest of equal ones: 0 to ``window - 1``.

    Parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> bars_since_max(np.array([[1.0, 3.0, 2.0, 3.0]]), 3, first_bar=0)
    array([[nan, nan,  1.,  0.]])
    """
    return _age(x, window, first_bar, min_count, 1.0)


def bars_since_min(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Bars since the window's smallest value, the latest of equal ones: 0 to ``window - 1``.

    Parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> bars_since_min(np.array([[1.0, 3.0, 2.0, 3.0]]), 3, first_bar=0)
    array([[nan, nan,  2.,  1.]])
    """
    return _age(x, window, first_bar, min_count, -1.0)
