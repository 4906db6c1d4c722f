"""Whether issued probabilities keep what they promise, with intervals by calendar week."""

from datetime import timedelta
from typing import Any, Final, Literal

import numpy as np

from liqwarn.frames import FloatArray, TimeArray, epoch_seconds
from liqwarn.models.bootstrap import draw_weights, interval, mean_samples, week_codes
from liqwarn.models.logistic import sigmoid
from liqwarn.models.metrics import calibration_line, log_odds
from liqwarn.models.ranking import IntArray

__all__ = [
    "FEWEST_ONSETS",
    "FEWEST_WEEKS",
    "count_onsets",
    "enough",
    "measure_calibration",
    "slope_samples",
]

FEWEST_ONSETS: Final = 10
"""Onsets below which no figure of skill is told."""
FEWEST_WEEKS: Final = 4
"""Calendar weeks with an onset below which weeks cannot be resampled."""
SLOPE_FROM, SLOPE_TO = 0.8, 1.2
_RESAMPLES: Final = 500
_SEED: Final = 0
Grade = Literal["none", "moderate", "large", "unknown"]


def count_onsets(y: FloatArray, rows: IntArray, times: TimeArray, horizon: timedelta) -> int:
    """Onsets that outcomes speak of: runs of rows with one ahead, apart by more than the horizon.

    Parameters
    ----------
    y : ndarray of float64, shape (n_rows,)
    rows : ndarray of int64, shape (n_rows,)
        Number of each one's symbol.
    times : ndarray of datetime64[s], shape (n_rows,)
    """
    ahead = y == 1.0
    symbols, seconds = rows[ahead], epoch_seconds(times[ahead])
    order = np.lexsort((seconds, symbols))
    same = np.diff(symbols[order]) == 0
    near = np.diff(seconds[order]) <= horizon.total_seconds()
    return int(ahead.any()) + int((~(same & near)).sum())


def enough(y: FloatArray, weeks: IntArray, onsets: int) -> bool:
    """Whether there are onsets enough to say anything, in weeks enough, and calm beside them."""
    return (
        onsets >= FEWEST_ONSETS
        and np.unique(weeks[y == 1.0]).size >= FEWEST_WEEKS
        and bool((y == 0.0).any())
    )


def measure_calibration(
    y: FloatArray, p: FloatArray, times: TimeArray, onsets: int
) -> dict[str, Any]:
    """Calibration slope and observed against expected rate, graded.

    ``large``: the slope's interval lies wholly outside 0.8 to 1.2, or the interval of the observed
    rate wholly outside half to twice the expected one. ``moderate``: the slope itself is outside,
    or the expected rate outside the interval of the observed one. ``unknown``: too few onsets.

    Parameters
    ----------
    y, p : ndarray of float64, shape (n_rows,)
        Outcomes, 0 or 1, and probabilities.
    times : ndarray of datetime64[s], shape (n_rows,)
        Bar closes.
    onsets : int
        How many there were; rows before the same onset are one.
    """
    nothing = float("nan")
    told = {"slope": nothing, "low": nothing, "high": nothing}
    told |= {"expected": _mean(p), "observed": _mean(y)}
    told |= {"observed_low": nothing, "observed_high": nothing}
    weeks, n_weeks = week_codes(times)
    if not enough(y, weeks, onsets):
        return {**told, "onsets": onsets, "grade": "unknown"}
    weights = draw_weights(n_weeks, _RESAMPLES, _SEED)
    slope, _ = calibration_line(y, p)
    low, high = interval(slope_samples(y, p, weeks, weights))
    least, most = interval(mean_samples(y, weeks, weights))
    told |= {"slope": slope, "low": low, "high": high}
    told |= {"observed_low": least, "observed_high": most}
    return {**told, "onsets": onsets, "grade": _grade(told)}


def slope_samples(y: FloatArray, p: FloatArray, weeks: IntArray, weights: FloatArray) -> FloatArray:
    """Calibration slope in every resample of weeks, shape (n_resamples,).

    One Newton step away from the slope of all rows: a fit a resample would cost minutes on years of
    flags. NaN where the slope itself is.

    Parameters
    ----------
    weeks : ndarray of int64, shape (n_rows,)
        Position of each row's week.
    weights : ndarray of float64, shape (n_resamples, n_weeks)
    """
    slope, intercept = calibration_line(y, p)
    if not np.isfinite(slope):
        return np.full(len(weights), np.nan)
    x, n_weeks = log_odds(p), weights.shape[1]
    said = sigmoid(slope * x + intercept)
    pull, spread = y - said, said * (1.0 - said)

    def drawn(term: FloatArray) -> FloatArray:
        return np.asarray(weights @ np.bincount(weeks, weights=term, minlength=n_weeks))

    g0, g1 = drawn(pull), drawn(pull * x)
    h00, h01, h11 = drawn(spread), drawn(spread * x), drawn(spread * x * x)
    room = h00 * h11 - h01 * h01
    safe = np.where(room > 0.0, room, 1.0)
    return np.where(room > 0.0, slope + (h00 * g1 - h01 * g0) / safe, np.nan)


def _grade(told: dict[str, float]) -> Grade:
    outside = told["low"] > SLOPE_TO or told["high"] < SLOPE_FROM
    expected = told["expected"]
    far = told["observed_low"] > 2.0 * expected or told["observed_high"] < 0.5 * expected
    if outside or far:
        return "large"
    slope_fits = SLOPE_FROM <= told["slope"] <= SLOPE_TO
    level_fits = told["observed_low"] <= expected <= told["observed_high"]
    return "none" if slope_fits and level_fits else "moderate"


def _mean(x: FloatArray) -> float:
    return float(x.mean()) if x.size else float("nan")
