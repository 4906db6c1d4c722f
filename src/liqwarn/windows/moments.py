"""Sums, means, standard deviations and z-scores over trailing windows.

Each part of a window is summed around a value of its own, the one next to the block boundary, so
that neither a large level nor a jump cancels: the error of a variance is relative to the variance,
and a variance is 0 exactly when the window is constant.
"""

from typing import Final

import numpy as np

from liqwarn.windows.arguments import FloatArray, check_window, compiled, plane
from liqwarn.windows.blocks import edges, fill_counts, load_block

__all__ = ["rolling_count", "rolling_mean", "rolling_std", "rolling_sum", "rolling_zscore"]

COUNT: Final = 0
SUM: Final = 1
MEAN: Final = 2
STD: Final = 3
ZSCORE: Final = 4


@compiled
def _scan_sums(block: FloatArray, origins: tuple[float, float], parts: FloatArray) -> None:
    """Sums of ``block[: k + 1] - head`` to row 0 and of ``block[k:] - tail`` to row 1."""
    head, tail = origins
    last = block.size - 1
    forwards = 0.0
    backwards = 0.0
    for k in range(block.size):
        u = block[k] - head
        v = block[last - k] - tail
        forwards += u if u == u else 0.0
        backwards += v if v == v else 0.0
        parts[0, k] = forwards
        parts[1, last - k] = backwards


@compiled
def _scan_squares(block: FloatArray, origins: tuple[float, float], parts: FloatArray) -> None:
    """Sums of squares, laid out as in `_scan_sums`."""
    head, tail = origins
    last = block.size - 1
    forwards = 0.0
    backwards = 0.0
    for k in range(block.size):
        u = block[k] - head
        v = block[last - k] - tail
        forwards += u * u if u == u else 0.0
        backwards += v * v if v == v else 0.0
        parts[0, k] = forwards
        parts[1, last - k] = backwards


@compiled
def _write_sums(
    out: FloatArray,
    ahead: FloatArray,
    behind: FloatArray,
    around: tuple[float, float],
    min_count: int,
    kind: int,
) -> None:
    origin, shift = around
    for k in range(out.size):
        n = ahead[0, k] + behind[0, k]
        total = ahead[1, k] + (behind[1, k] + behind[0, k] * shift)
        if kind == MEAN:
            total = origin + total / n
        elif kind == COUNT:
            total = n
        out[k] = total if n >= min_count else np.nan


@compiled
def _write_spreads(
    out: FloatArray,
    ahead: FloatArray,
    behind: FloatArray,
    around: tuple[float, float],
    min_count: int,
    values: FloatArray,
) -> None:
    """Standard deviations, or z-scores where `values` holds the bars."""
    origin, shift = around
    for k in range(out.size):
        n = ahead[0, k] + behind[0, k]
        pushed = behind[0, k] * shift
        total = ahead[1, k] + (behind[1, k] + pushed)
        squares = ahead[2, k] + (behind[2, k] + shift * (2.0 * behind[1, k] + pushed))
        mean = total / n
        std = np.sqrt(max(squares - total * mean, 0.0) / (n - 1.0))
        result = std
        if values.size:
            result = (values[k] - origin - mean) / std if std > 0.0 else np.nan
        out[k] = result if n >= min_count else np.nan


@compiled
def _roll(x: FloatArray, out: FloatArray, plan: tuple[int, int, int], kind: int) -> None:
    window, first_bar, min_count = plan
    block = np.empty(window)
    nothing = np.empty(0)
    ahead = np.empty((3, window))
    current = np.empty((3, window + 1))
    previous = np.empty((3, window + 1))
    parts = np.empty((2, window))
    n_bars = x.shape[1]
    for row in range(x.shape[0]):
        previous[:] = 0.0
        tail_before = np.nan
        for start in range(-(first_bar % window), n_bars, window):
            n_finite = load_block(x[row], start, block)
            first, last = edges(block, n_finite)
            shifted = n_finite > 0 and kind >= MEAN
            head = block[first] if shifted else 0.0
            tail = block[last] if shifted else 0.0
            fill_counts(block, ahead[0], current[0])
            _scan_sums(block, (head, tail), parts)
            ahead[1] = parts[0]
            current[1, :window] = parts[1]
            current[1, window] = 0.0
            if kind >= STD:
                _scan_squares(block, (head, tail), parts)
                ahead[2] = parts[0]
                current[2, :window] = parts[1]
                current[2, window] = 0.0
            low = max(0, -start)
            high = min(window, n_bars - start)
            middle = min(max(low, first), high)
            for part in range(2):
                begin = low if part == 0 else middle
                end = middle if part == 0 else high
                target = out[row, start + begin : start + end]
                # before the block's first finite value only the bars behind it speak
                origin = tail_before if part == 0 else head
                shift = tail_before - head if part == 1 and previous[0, 0] > 0.0 else 0.0
                if kind < MEAN:
                    origin = 0.0
                    shift = 0.0
                a = ahead[:, begin:end]
                b = previous[:, begin + 1 : end + 1]
                if kind < STD:
                    _write_sums(target, a, b, (origin, shift), min_count, kind)
                else:
                    values = block[begin:end] if kind == ZSCORE else nothing
                    _write_spreads(target, a, b, (origin, shift), min_count, values)
            tail_before = tail
            previous, current = current, previous


def _rolled(
    x: FloatArray, window: int, first_bar: int, min_count: int | None, kind: int
) -> FloatArray:
    source = plane(x)
    out = np.empty(source.shape)
    _roll(source, out, (window, first_bar, check_window(window, first_bar, min_count)), kind)
    return out


def rolling_count(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """How many values of the trailing window are finite.

    Parameters
    ----------
    x : ndarray of float64, shape (n_symbols, n_bars)
    window : int
        Bars, the current one included.
    first_bar : int
        Absolute number of column 0.
    min_count : int, optional
        NaN where fewer are finite; unlike elsewhere the default is no lower limit.

    >>> rolling_count(np.array([[1.0, np.nan, 3.0, 4.0]]), 3, first_bar=0)
    array([[1., 1., 2., 2.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    least = 0 if min_count is None else min_count
    check_window(window, first_bar, min_count)
    _roll(source, out, (window, first_bar, least), COUNT)
    return out


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

    >>> rolling_sum(np.array([[1.0, 2.0, 3.0, 4.0]]), 2, first_bar=0)
    array([[nan,  3.,  5.,  7.]])
    """
    return _rolled(x, window, first_bar, min_count, SUM)


def rolling_mean(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Mean of the finite values of the trailing window, in the unit of `x`.

    Parameters are those of :func:`rolling_sum`.

    >>> rolling_mean(np.array([[1.0, 2.0, 3.0, 4.0]]), 2, first_bar=7)
    array([[nan, 1.5, 2.5, 3.5]])
    """
    return _rolled(x, window, first_bar, min_count, MEAN)


def rolling_std(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Sample standard deviation (``ddof=1``) of the trailing window, in the unit of `x`.

    Exactly 0 for a constant window, NaN for a single value. Parameters are those of
    :func:`rolling_sum`.

    >>> rolling_std(np.array([[1.0, 2.0, 3.0, 3.0, 3.0]]), 3, first_bar=0).round(6)
    array([[     nan,      nan, 1.     , 0.57735, 0.     ]])
    """
    return _rolled(x, window, first_bar, min_count, STD)


def rolling_zscore(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Distance of the last value from the window's mean, in sample standard deviations.

    NaN where the last value is missing or the window is constant. Parameters are those of
    :func:`rolling_sum`.

    >>> rolling_zscore(np.array([[1.0, 2.0, 3.0, 3.0, 3.0]]), 3, first_bar=0).round(6)
    array([[     nan,      nan, 1.     , 0.57735,      nan]])
    """
    return _rolled(x, window, first_bar, min_count, ZSCORE)
