"""Intervals by resampling calendar weeks, jointly across symbols.

Rows of one week share weather: volatility, news, the same cascades in several symbols. Whole weeks
are drawn with replacement, all symbols of a week together. Every model of a comparison is measured
on the same draws, so differences are paired.
"""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray, TimeArray, epoch_seconds
from liqwarn.models.ranking import IntArray

__all__ = ["draw_weights", "interval", "week_codes"]

WEEK_S: Final = 7 * 24 * 3600
MONDAY_S: Final = 4 * 24 * 3600  # 1970-01-01 was a Thursday


def week_codes(times: TimeArray) -> tuple[IntArray, int]:
    """Calendar week (from Monday, UTC) of each row, numbered from 0, and how many there are.

    Examples
    --------
    >>> week_codes(np.array(["2024-01-07", "2024-01-08", "2024-03-01"], dtype="datetime64[s]"))
    (array([0, 1, 2]), 3)
    """
    weeks = (epoch_seconds(times) - MONDAY_S) // WEEK_S
    found, codes = np.unique(weeks, return_inverse=True)
    return codes.astype(np.int64), len(found)


def draw_weights(n_weeks: int, n_resamples: int, seed: int) -> FloatArray:
    """How often each week is drawn in each resample, shape (n_resamples, n_weeks)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_weeks, np.full(n_weeks, 1.0 / n_weeks), size=n_resamples).astype(
        np.float64
    )


def interval(samples: FloatArray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval; NaN samples (a resample without events) are left out.

    Examples
    --------
    >>> interval(np.arange(101.0), level=0.5)
    (25.0, 75.0)
    """
    finite = samples[np.isfinite(samples)]
    if not finite.size:
        return float("nan"), float("nan")
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(finite, [tail, 100.0 - tail])
    return float(low), float(high)
