"""Order statistics over trailing windows: rank of the last value, quantiles. Exact."""

import numpy as np

from liqwarn.errors import FrameError
from liqwarn.windows.arguments import FloatArray, check_window, compiled, plane
from liqwarn.windows.blocks import load_row

__all__ = ["rolling_quantile", "rolling_rank"]


@compiled
def _rank(x: FloatArray, out: FloatArray, window: int, min_count: int) -> None:
    n_bars = x.shape[1]
    padded = np.empty(n_bars + window - 1)
    for row in range(x.shape[0]):
        load_row(x[row], window - 1, padded)
        n = 0
        for t in range(n_bars):
            bars = padded[t : t + window]
            last = bars[window - 1]
            n += last == last
            twice = 0
            for k in range(window):
                twice += (bars[k] < last) + (bars[k] <= last)
            known = last == last and n >= min_count
            # every value up to the last, ties (itself among them) by half
            out[row, t] = 0.5 * twice / n if known else np.nan
            n -= bars[0] == bars[0]


@compiled
def _place(ordered: FloatArray, n: int, value: float) -> int:
    """How many of the first `n` ordered values are below `value`."""
    low = 0
    while n > 0:
        half = n // 2
        if ordered[low + half] < value:
            low += half + 1
            n -= half + 1
        else:
            n = half
    return low


@compiled
def _interpolate(ordered: FloatArray, n: int, q: float) -> float:
    """Quantile by linear interpolation, step for step as numpy's."""
    place = q * (n - 1)
    low = int(place)
    if low >= n - 1:
        return ordered[n - 1]
    weight = place - low
    step = ordered[low + 1] - ordered[low]
    if weight >= 0.5:
        return ordered[low + 1] - step * (1.0 - weight)
    return ordered[low] + step * weight


@compiled
def _quantile(x: FloatArray, out: FloatArray, window: int, min_count: int, q: float) -> None:
    n_bars = x.shape[1]
    padded = np.empty(n_bars + window - 1)
    ordered = np.empty(window + 1)
    for row in range(x.shape[0]):
        load_row(x[row], window - 1, padded)
        n = 0
        for t in range(n_bars):
            last = padded[t + window - 1]
            if last == last:
                at = _place(ordered, n, last)
                for k in range(n, at, -1):
                    ordered[k] = ordered[k - 1]
                ordered[at] = last
                n += 1
            out[row, t] = _interpolate(ordered, n, q) if n >= min_count else np.nan
            first = padded[t]
            if first == first:
                n -= 1
                for k in range(_place(ordered, n, first), n):
                    ordered[k] = ordered[k + 1]


def rolling_rank(
    x: FloatArray, window: int, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Mid-rank of the last value among the window's finite ones, strictly between 0 and 1.

    The share below it plus half the share equal to it, itself included. NaN where the last value
    is missing. Parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    >>> rolling_rank(np.array([[5.0, 1.0, 3.0, 3.0]]), 3, first_bar=0).round(4)
    array([[   nan,    nan, 0.5   , 0.6667]])
    """
    source = plane(x)
    out = np.empty(source.shape)
    _rank(source, out, window, check_window(window, first_bar, min_count))
    return out


def rolling_quantile(
    x: FloatArray, window: int, q: float, *, first_bar: int, min_count: int | None = None
) -> FloatArray:
    """Quantile `q` of the window's finite values, linearly interpolated as numpy does.

    Other parameters are those of :func:`~liqwarn.windows.moments.rolling_sum`.

    Raises
    ------
    FrameError
        Unless ``0 <= q <= 1``.

    >>> rolling_quantile(np.array([[5.0, 1.0, 3.0, 3.0]]), 3, 0.75, first_bar=0)
    array([[nan, nan,  4.,  3.]])
    """
    if not 0.0 <= q <= 1.0:
        raise FrameError(f"q is {q}, expected 0 to 1")
    source = plane(x)
    out = np.empty(source.shape)
    _quantile(source, out, window, check_window(window, first_bar, min_count), float(q))
    return out
