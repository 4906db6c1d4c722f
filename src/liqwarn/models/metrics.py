"""How good probabilities are: sharpness, calibration, and the Molchan diagram."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.logistic import fit_logistic

__all__ = [
    "brier",
    "brier_skill",
    "calibration_line",
    "expected_calibration_error",
    "log_odds",
    "molchan_curve",
    "molchan_skill",
    "reliability_bins",
]

TINY: Final = 1e-9
Curve = Mapping[str, list[float]]


def log_odds(p: FloatArray) -> FloatArray:
    """``log(p / (1 - p))``, with p kept a billionth away from 0 and 1."""
    kept = np.clip(p, TINY, 1.0 - TINY)
    return np.log(kept) - np.log1p(-kept)


def brier(y: FloatArray, p: FloatArray) -> float:
    """Mean squared error of a probability.

    >>> brier(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    0.25
    """
    return float(np.mean((p - y) ** 2))


def brier_skill(y: FloatArray, p: FloatArray, reference: FloatArray) -> float:
    """Share of the reference's Brier score that is gone; negative is worse than it.

    >>> brier_skill(np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    1.0
    """
    worst = brier(y, reference)
    return 1.0 - brier(y, p) / worst if worst > 0 else float("nan")


def calibration_line(y: FloatArray, p: FloatArray) -> tuple[float, float]:
    """Slope and intercept of the outcome on the log-odds of the forecast (Cox, 1958).

    Unpenalised logistic regression; a calibrated forecast gives (1, 0). Slopes
    below 1 mean too extreme, above 1 too timid. NaN where only one outcome or one forecast occurs.
    """
    x = log_odds(p)
    if np.ptp(y) == 0 or np.ptp(x) < TINY:
        return float("nan"), float("nan")
    slope, intercept = fit_logistic(x[:, None], y)
    return float(slope), float(intercept)


def reliability_bins(y: FloatArray, p: FloatArray, n_bins: int = 10) -> Curve:
    """Mean forecast and observed rate in bins that hold equally many rows.

    Returns
    -------
    mapping of "predicted", "observed", "n" to one number a bin
    """
    order = np.argsort(p, kind="stable")
    bins = [part for part in np.array_split(order, n_bins) if part.size]
    return {
        "predicted": [float(p[part].mean()) for part in bins],
        "observed": [float(y[part].mean()) for part in bins],
        "n": [float(part.size) for part in bins],
    }


def expected_calibration_error(y: FloatArray, p: FloatArray, n_bins: int = 10) -> float:
    """Mean distance between forecast and observed rate over the reliability bins.

    >>> expected_calibration_error(np.array([1.0, 0.0]), np.array([0.9, 0.2]), n_bins=1)
    0.05
    """
    bins = reliability_bins(y, p, n_bins)
    gaps = np.abs(np.subtract(bins["predicted"], bins["observed"]))
    return round(float(np.average(gaps, weights=bins["n"])), 12)


def molchan_curve(y: FloatArray, score: FloatArray, n_points: int = 201) -> Curve:
    """Share of positive rows missed against share of rows in alarm (Molchan, 1990).

    Counted in rows, not events, so that an alarm which knows nothing lies on the diagonal.

    Returns
    -------
    mapping of "alarm_time" and "miss_rate" to `n_points` numbers from (0, 1) to (1, 0)
    """
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    alarm = np.append(0.0, (np.flatnonzero(last) + 1) / len(y))
    caught = np.append(0.0, np.cumsum(y[order])[last] / max(float(y.sum()), 1.0))
    grid = np.linspace(0.0, 1.0, n_points)
    miss = 1.0 - np.interp(grid, alarm, caught)
    return {"alarm_time": grid.tolist(), "miss_rate": miss.tolist()}


def molchan_skill(curve: Curve) -> float:
    """Area skill score: 1 sees everything, 0 guesses, -1 is always wrong (Zechar & Jordan, 2008).

    >>> molchan_skill({"alarm_time": [0.0, 1.0], "miss_rate": [1.0, 0.0]})
    0.0
    """
    area = float(np.trapezoid(curve["miss_rate"], curve["alarm_time"]))
    return 1.0 - 2.0 * area
