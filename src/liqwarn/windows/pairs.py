"""Slopes against time and correlations of two series over trailing windows."""

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.windows.arguments import FloatArray, check_window, compiled, plane
from liqwarn.windows.blocks import edges, load_block

__all__ = ["rolling_corr", "rolling_slope"]


@compiled
def _scan(
    x: FloatArray, y: FloatArray, origin: tuple[float, float], step: int, sums: FloatArray
) -> None:
    """Running n, Σx, Σy, Σxx, Σyy, Σxy around `origin`; from the end when `step` is -1."""
    size = x.size
    n = 0.0
    sx = 0.0
    sy = 0.0
    sxx = 0.0
    syy = 0.0
    sxy = 0.0
    for i in range(size):
        k = i if step > 0 else size - 1 - i
        both = x[k] == x[k] and y[k] == y[k]
        u = x[k] - origin[0] if both else 0.0
        v = y[k] - origin[1] if both else 0.0
        n += 1.0 if both else 0.0
        sx += u
        sy += v
        sxx += u * u
        syy += v * v
        sxy += u * v
        sums[0, k] = n
        sums[1, k] = sx
        sums[2, k] = sy
        sums[3, k] = sxx
        sums[4, k] = syy
        sums[5, k] = sxy


@compiled
def _finish(
    ahead: FloatArray, behind: FloatArray, shift: tuple[float, float], min_count: int
) -> tuple[float, float, float]:
    """Centred Σxx, Σyy and Σxy of the window, or NaN when it holds too few pairs."""
    n_behind = behind[0]
    n = ahead[0] + n_behind
    if n < min_count:
        return np.nan, np.nan, np.nan
    dx, dy = shift
    sx = ahead[1] + (behind[1] + n_behind * dx)
    sy = ahead[2] + (behind[2] + n_behind * dy)
    sxx = ahead[3] + (behind[3] + dx * (2.0 * behind[1] + n_behind * dx))
    syy = ahead[4] + (behind[4] + dy * (2.0 * behind[2] + n_behind * dy))
    sxy = ahead[5] + (behind[5] + dx * behind[2] + dy * behind[1] + n_behind * dx * dy)
    return sxx - sx * sx / n, syy - sy * sy / n, sxy - sx * sy / n


@compiled
def _only_pairs(x: FloatArray, y: FloatArray) -> int:
    n = 0
    for k in range(x.size):
        if x[k] == x[k] and y[k] == y[k]:
            n += 1
        else:
            x[k] = np.nan
            y[k] = np.nan
    return n


@compiled
def _corr(x: FloatArray, y: FloatArray, out: FloatArray, plan: tuple[int, int, int]) -> None:
    window, first_bar, min_count = plan
    us = np.empty(window)
    vs = np.empty(window)
    ahead = np.empty((6, window))
    current = np.zeros((6, window + 1))
    previous = np.zeros((6, window + 1))
    n_bars = x.shape[1]
    for row in range(x.shape[0]):
        previous[:] = 0.0
        tail_before = (0.0, 0.0)
        for start in range(-(first_bar % window), n_bars, window):
            load_block(x[row], start, us)
            load_block(y[row], start, vs)
            n_pairs = _only_pairs(us, vs)
            first, last = edges(us, n_pairs)
            head = (us[first], vs[first]) if n_pairs else (0.0, 0.0)
            tail = (us[last], vs[last]) if n_pairs else (0.0, 0.0)
            _scan(us, vs, head, 1, ahead)
            _scan(us, vs, tail, -1, current[:, :window])
            for k in range(max(0, -start), min(window, n_bars - start)):
                shift = (0.0, 0.0)
                if k >= first and previous[0, 0] > 0.0:
                    shift = (tail_before[0] - head[0], tail_before[1] - head[1])
                sxx, syy, sxy = _finish(ahead[:, k], previous[:, k + 1], shift, min_count)
                known = sxx > 0.0 and syy > 0.0
                r = sxy / np.sqrt(sxx) / np.sqrt(syy) if known else np.nan
                out[row, start + k] = min(1.0, max(-1.0, r)) if known else np.nan
            tail_before = tail
            previous, current = current, previous


@compiled
def _slope(x: FloatArray, out: FloatArray, plan: tuple[int, int, int]) -> None:
    window, first_bar, min_count = plan
    vs = np.empty(window)
    ages = np.arange(float(window))
    before = ages - window
    ahead = np.empty((6, window))
    current = np.zeros((6, window + 1))
    previous = np.zeros((6, window + 1))
    n_bars = x.shape[1]
    for row in range(x.shape[0]):
        previous[:] = 0.0
        tail_before = 0.0
        for start in range(-(first_bar % window), n_bars, window):
            n_finite = load_block(x[row], start, vs)
            first, last = edges(vs, n_finite)
            head = vs[first] if n_finite else 0.0
            tail = vs[last] if n_finite else 0.0
            _scan(ages, vs, (0.0, head), 1, ahead)
            _scan(before, vs, (0.0, tail), -1, current[:, :window])
            for k in range(max(0, -start), min(window, n_bars - start)):
                shift = 0.0
                if k >= first and previous[0, 0] > 0.0:
                    shift = tail_before - head
                sxx, _, sxy = _finish(ahead[:, k], previous[:, k + 1], (0.0, shift), min_count)
                out[row, start + k] = sxy / sxx if sxx > 0.0 else np.nan
            tail_before = tail
            previous, current = current, previous


def rolling_slope(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Least-squares slope of the window's finite values against time, in units of `x` per bar.

    NaN for a single value. Parameters are those of
    :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_slope(np.array([[1.0, 3.0, 5.0, 5.0]]), 3, first_bar=0)
    array([[nan, nan,  2.,  1.]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    least = check_window(window, first_bar, min_count)
    _slope(source, out, (window, first_bar, least))
    return out


def rolling_corr(
    x: FloatArray, y: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Pearson correlation of the window's bars where both series are finite, in [-1, 1].

    NaN where either is constant. `y` has the shape of `x`; `min_count` counts pairs; other
    parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_corr(
    ...     np.array([[1.0, 2.0, 3.0, 3.0]]), np.array([[2.0, 4.0, 6.0, 0.0]]), 3, first_bar=0
    ... ).round(6)
    array([[      nan,       nan,  1.      , -0.188982]])
    """
    one, other = plane(x, "x"), plane(y, "y")
    if one.shape != other.shape:
        raise FrameError(f"y has shape {other.shape}, expected {one.shape} as x")
    out = np.empty(one.shape)
    least = check_window(window, first_bar, min_count)
    _corr(one, other, out, (window, first_bar, least))
    return out
