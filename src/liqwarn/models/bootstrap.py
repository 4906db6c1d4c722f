"""Intervals by resampling calendar weeks, jointly across symbols.

Rows of one week share weather: volatility, news, the same cascades in several symbols. Whole weeks
are drawn with replacement, all symbols of a week together. Every model of a comparison is measured
on the same draws, so differences are paired.
"""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray, TimeArray, epoch_seconds
from liqwarn.models.ranking import IntArray

__all__ = [
    "draw_weights",
    "interval",
    "mean_of_runs",
    "mean_samples",
    "one_of_runs",
    "week_codes",
    "week_numbers",
    "week_positions",
]

WEEK_S: Final = 7 * 24 * 3600
MONDAY_S: Final = 4 * 24 * 3600  # 1970-01-01 was a Thursday


def week_numbers(times: TimeArray) -> IntArray:
    """Calendar week (from Monday, UTC) of each moment, counted from the epoch's.

    Examples
    --------
    >>> week_numbers(np.array(["1970-01-04", "1970-01-05"], dtype="datetime64[s]"))
    array([-1,  0])
    """
    return (epoch_seconds(times) - MONDAY_S) // WEEK_S


def week_positions(calendar: IntArray, times: TimeArray) -> IntArray:
    """Position in a calendar of weeks of each moment's week.

    Parameters
    ----------
    calendar : ndarray of int64, shape (n_weeks,)
        Week numbers, ascending.
    times : ndarray of datetime64[s], shape (n_moments,)
        A moment in a week that is not listed belongs to the last one before it, else to the first.
    """
    at = np.searchsorted(calendar, week_numbers(times), side="right") - 1
    return np.maximum(at, 0).astype(np.int64)


def week_codes(times: TimeArray) -> tuple[IntArray, int]:
    """Calendar week (from Monday, UTC) of each row, numbered from 0, and how many there are.

    Examples
    --------
    >>> week_codes(np.array(["2024-01-07", "2024-01-08", "2024-03-01"], dtype="datetime64[s]"))
    (array([0, 1, 2]), 3)
    """
    found, codes = np.unique(week_numbers(times), return_inverse=True)
    return codes.astype(np.int64), len(found)


def draw_weights(n_weeks: int, n_resamples: int, seed: int) -> FloatArray:
    """How often each week is drawn in each resample, shape (n_resamples, n_weeks)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_weeks, np.full(n_weeks, 1.0 / n_weeks), size=n_resamples).astype(
        np.float64
    )


def mean_samples(x: FloatArray, weeks: IntArray, weights: FloatArray) -> FloatArray:
    """Mean of `x` in every resample of weeks, shape (n_resamples,); NaN where none is drawn.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        Such as 1 for an event warned of and 0 for one missed.
    weeks : ndarray of int64, shape (n,)
        Position of each one's week.
    weights : ndarray of float64, shape (n_resamples, n_weeks)

    Examples
    --------
    >>> mean_samples(np.array([1.0, 0.0]), np.array([0, 1]), np.array([[3.0, 1.0], [0.0, 0.0]]))
    array([0.75,  nan])
    """
    n_weeks = weights.shape[1]
    total = weights @ np.bincount(weeks, weights=x, minlength=n_weeks)
    count = weights @ np.bincount(weeks, minlength=n_weeks).astype(np.float64)
    return np.where(count > 0, total / np.where(count > 0, count, 1.0), np.nan)


def one_of_runs(samples: FloatArray, seed: int) -> FloatArray:
    """For every resample of weeks one run, drawn at random: the chance of weeks and of a fit.

    Parameters
    ----------
    samples : ndarray of float64, shape (n_runs, n_resamples)
        The same statistic of several runs, such as fits from several seeds.

    Returns
    -------
    ndarray of float64, shape (n_resamples,)
    """
    n_runs, n_resamples = samples.shape
    drawn = np.random.default_rng(seed).integers(0, n_runs, n_resamples)
    return np.asarray(samples[drawn, np.arange(n_resamples)])


def mean_of_runs(samples: FloatArray, seed: int) -> FloatArray:
    """For every resample of weeks the mean of as many runs as there are, drawn with replacement.

    The uncertainty of the runs' mean, narrower than that of one run: what a placebo has to pass.

    Parameters
    ----------
    samples : ndarray of float64, shape (n_runs, n_resamples)

    Returns
    -------
    ndarray of float64, shape (n_resamples,)
    """
    n_runs, n_resamples = samples.shape
    drawn = np.random.default_rng(seed).integers(0, n_runs, (n_runs, n_resamples))
    return np.asarray(np.take_along_axis(samples, drawn, axis=0).mean(axis=0))


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
