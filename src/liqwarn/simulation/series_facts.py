"""Statistics of one series that the stylised facts are made of; NaN is left out everywhere."""

import numpy as np

from liqwarn.frames import FloatArray

__all__ = ["autocorrelation", "log_change", "moving_mean", "present", "quantile_pct", "tail_index"]

FEWEST_IN_TAIL = 15


def log_change(plane: FloatArray) -> FloatArray:
    """Change of the logarithm from the bar before, along the last axis; NaN at the first bar.

    Examples
    --------
    >>> log_change(np.array([1.0, np.e, 1.0])).tolist()
    [nan, 1.0, -1.0]
    """
    return np.diff(np.log(plane), axis=-1, prepend=np.nan)


def present(values: FloatArray) -> FloatArray:
    """The finite values, in order."""
    return values[np.isfinite(values)]


def autocorrelation(values: FloatArray, steps: int) -> float:
    """Autocorrelation at a lag of so many bars; NaN of a series that is constant or too short.

    Examples
    --------
    >>> autocorrelation(np.array([1.0, -1.0] * 50), 2)
    1.0
    """
    centred = values - np.nanmean(values)
    products, power = present(centred[steps:] * centred[:-steps]), np.nanmean(centred**2)
    if not products.size or power <= 0.0:
        return float("nan")
    return float(products.mean() / power)


def moving_mean(values: FloatArray, bars: int) -> FloatArray:
    """Means over so many bars, one for each full window: ``n - bars + 1`` of them.

    Examples
    --------
    >>> moving_mean(np.array([1.0, 3.0, 5.0]), 2).tolist()
    [2.0, 4.0]
    """
    return np.convolve(values, np.full(bars, 1.0 / bars), mode="valid")


def quantile_pct(values: FloatArray, q: float) -> float:
    """A quantile in per cent; NaN of nothing."""
    seen = present(values)
    return 100.0 * float(np.quantile(seen, q)) if seen.size else float("nan")


def tail_index(sizes: FloatArray, share: float = 0.01) -> float:
    """Hill's estimate of the exponent of the tail, over the largest `share` of all sizes.

    Small is heavy: the fourth moment is infinite below 4. NaN where the tail holds fewer than 15
    sizes or reaches down to zero.

    Examples
    --------
    >>> pareto = (1.0 - (np.arange(100_000) + 0.5) / 100_000) ** (-1.0 / 3.0)
    >>> round(tail_index(pareto), 2)
    3.0
    """
    seen = np.sort(present(sizes))
    count = int(share * seen.size)
    if count < FEWEST_IN_TAIL or seen[-count] <= 0.0:
        return float("nan")
    excess = np.log(seen[-count + 1 :] / seen[-count])
    return float(1.0 / excess.mean()) if excess.any() else float("nan")
