"""What many paths say of one number: mean and percentiles, each with its 95 % interval."""

from collections.abc import Sequence
from typing import Final, TypedDict

import numpy as np
from scipy.stats import binom, norm

from liqwarn.frames import FloatArray
from liqwarn.liquidation.validation import wilson

__all__ = ["Chance", "Interval", "Spread", "chance_of", "mean_interval", "order_interval", "spread"]

LEVEL: Final = 0.95

Interval = Sequence[float] | None
"""Low and high end; None where there are too few paths for one."""


class Spread(TypedDict, total=False):
    """A number's distribution over paths; None where no path has one."""

    mean: float | None
    ci: Interval
    p05: float | None
    p50: float | None
    p95: float | None
    p95_ci: Interval
    p05_ci: Interval


class Chance(TypedDict):
    """A share of paths."""

    value: float | None
    ci: Interval


def mean_interval(values: FloatArray) -> Interval:
    """Normal interval of the mean of independent values.

    >>> low, high = mean_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> round(low, 3), round(high, 3)
    (1.235, 3.765)
    """
    if values.size < 2:
        return None
    half = float(norm.ppf(0.5 + LEVEL / 2.0)) * float(values.std(ddof=1)) / values.size**0.5
    middle = float(values.mean())
    return [middle - half, middle + half]


def order_interval(values: FloatArray, share: float) -> Interval:
    """Distribution-free interval of a percentile: two order statistics.

    The number of values below the true percentile is binomial, so those of the ranks that it lies
    between with 95 % enclose the percentile, whatever the distribution (Conover, *Practical
    Nonparametric Statistics*, 3.2).

    Parameters
    ----------
    values : ndarray
        Independent; none is NaN.
    share : float
        0.05 for the 5th percentile.

    Examples
    --------
    >>> order_interval(np.arange(1.0, 1001.0), 0.95)
    [936.0, 964.0]
    >>> order_interval(np.arange(1.0, 31.0), 0.95) is None  # no value is sure to lie above it
    True
    """
    tail = (1.0 - LEVEL) / 2.0
    low = int(binom.ppf(tail, values.size, share))
    high = int(binom.ppf(1.0 - tail, values.size, share)) + 1
    if low < 1 or high > values.size:
        return None
    ordered = np.partition(values, [low - 1, high - 1])
    return [float(ordered[low - 1]), float(ordered[high - 1])]


def spread(values: FloatArray, *, low_tail: bool = False) -> Spread:
    """The distribution of a number over paths.

    Parameters
    ----------
    values : ndarray, shape (n_paths,)
        NaN where a path does not have the number; such paths are left out.
    low_tail : bool
        Whether the bad end is the low one, so that the 5th percentile has its interval, too.

    Examples
    --------
    >>> found = spread(np.arange(101.0))
    >>> found["mean"], found["p05"], found["p95"], sorted(found)
    (50.0, 5.0, 95.0, ['ci', 'mean', 'p05', 'p50', 'p95', 'p95_ci'])
    >>> spread(np.array([np.nan]))["mean"] is None
    True
    """
    known = values[np.isfinite(values)]
    if not known.size:
        nothing = Spread(mean=None, ci=None, p05=None, p50=None, p95=None, p95_ci=None)
        return nothing | Spread(p05_ci=None) if low_tail else nothing
    p05, p50, p95 = (float(p) for p in np.percentile(known, [5.0, 50.0, 95.0]))
    found = Spread(
        mean=float(known.mean()),
        ci=mean_interval(known),
        p05=p05,
        p50=p50,
        p95=p95,
        p95_ci=order_interval(known, 0.95),
    )
    return found | Spread(p05_ci=order_interval(known, 0.05)) if low_tail else found


def chance_of(happened: Sequence[bool]) -> Chance:
    """The share of paths in which something happened, with Wilson's interval.

    >>> chance_of([True, False, False, False])["value"]
    0.25
    """
    n = len(happened)
    if not n:
        return Chance(value=None, ci=None)
    share = float(np.mean(happened))
    return Chance(value=share, ci=[round(end, 12) for end in wilson(share, n)])
