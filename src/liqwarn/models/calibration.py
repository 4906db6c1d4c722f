"""From raw scores to probabilities: Platt's two numbers, fitted on scores of unseen rows.

Inside a training block, expanding inner folds (purged, in order of time) score rows their model has
not seen. Those out-of-fold scores fit the calibration and freeze the alarm thresholds; the model
itself is then fitted on the whole block.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.logistic import fit_logistic, sigmoid
from liqwarn.models.metrics import log_odds
from liqwarn.models.rows import Rows
from liqwarn.models.splits import InnerFolds

__all__ = [
    "Calibrated",
    "Platt",
    "Scorer",
    "apply",
    "base_rates",
    "calibrate",
    "coherent",
    "fit_platt",
    "out_of_fold",
    "primary_horizon",
]

FEW: Final = 10


class Scorer(Protocol):
    """A model before calibration."""

    def fit(self, rows: Rows) -> Self:
        """Learn from rows; unknown outcomes are NaN and are to be left out."""

    def raw(self, rows: Rows) -> FloatArray:
        """Scores in log-odds, shape (n_rows, 2, n_horizons); higher is riskier.

        NaN for a side and horizon there was nothing to learn of.
        """


@dataclass(frozen=True, slots=True)
class Platt:
    """``p = sigmoid(slope * raw + intercept)``; with a slope of 0 scores are not asked for."""

    slope: float
    intercept: float

    def __call__(self, raw: FloatArray) -> FloatArray:
        """Probabilities of raw scores; NaN where a score is missing that the slope needs."""
        moved = self.slope * raw if self.slope else np.zeros(raw.shape)
        return sigmoid(moved + self.intercept)


def fit_platt(raw: FloatArray, y: FloatArray, base_rate: float) -> Platt:
    """Fit the calibration to scores of rows the model has not seen.

    With fewer than 10 positive (or negative) rows the slope stays 1 and only the level is matched;
    with none, or with scores that do not differ, the answer is the base rate. A negative slope
    would turn the ranking over for what is noise; it becomes the observed rate.

    Parameters
    ----------
    raw, y : ndarray of float64, shape (n_rows,)
        Rows with a NaN in either are left out.
    base_rate : float
        Rate over the whole training block, the last resort.
    """
    known = np.isfinite(raw) & np.isfinite(y)
    x, hit = raw[known], y[known]
    fewest = min(hit.sum(), (1.0 - hit).sum()) if hit.size else 0.0
    if fewest == 0 or np.ptp(x) < 1e-12:
        rate = float(hit.mean()) if fewest else base_rate
        return Platt(0.0, float(log_odds(np.array([rate]))[0]))
    if fewest < FEW:
        return Platt(1.0, _level(x, float(hit.mean())))
    slope, intercept = fit_logistic(x[:, None], hit)
    if slope <= 0:
        return Platt(0.0, float(log_odds(np.array([hit.mean()]))[0]))
    return Platt(float(slope), float(intercept))


def _level(x: FloatArray, rate: float) -> float:
    """Intercept at which the mean probability is `rate`, by bisection."""
    low, high = -60.0, 60.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        if float(sigmoid(x + middle).mean()) < rate:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def coherent(p: FloatArray, primary: int) -> FloatArray:
    """Probabilities that never fall as the horizon grows, the primary horizon untouched.

    Shorter horizons are capped by the next longer one, longer ones lifted to the next shorter.

    Examples
    --------
    >>> coherent(np.array([0.3, 0.2, 0.1]), primary=1).tolist()
    [0.2, 0.2, 0.2]
    """
    out = p.copy()
    for k in range(primary - 1, -1, -1):
        out[..., k] = np.minimum(out[..., k], out[..., k + 1])
    for k in range(primary + 1, p.shape[-1]):
        out[..., k] = np.maximum(out[..., k], out[..., k - 1])
    return out


def out_of_fold(make: Callable[[], Scorer], rows: Rows, inner: InnerFolds) -> FloatArray:
    """Raw scores of rows by models that saw only earlier, purged rows; NaN where there is none."""
    raw = np.full(rows.y.shape, np.nan)
    for train, test in inner.split(rows.times, rows.end):
        scorer = make().fit(rows.take(train))
        raw[test] = scorer.raw(rows.take(test))
    return raw


def base_rates(rows: Rows) -> FloatArray:
    """Share of positive rows among the known ones, shape (2, n_horizons); NaN where none is."""
    known = np.isfinite(rows.y)
    hits = np.where(known, rows.y, 0.0).sum(axis=0)
    counts = known.sum(axis=0)
    return np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)


def calibrate(raw: FloatArray, rows: Rows) -> list[list[Platt]]:
    """One calibration a side and horizon, from out-of-fold scores."""
    rates = base_rates(rows)
    return [
        [
            fit_platt(raw[:, side, h], rows.outcome(side, h), float(rates[side, h]))
            for h in range(raw.shape[2])
        ]
        for side in range(raw.shape[1])
    ]


def apply(platts: list[list[Platt]], raw: FloatArray, horizons_h: tuple[int, ...]) -> FloatArray:
    """Coherent probabilities of raw scores, shape (n_rows, 2, n_horizons)."""
    p = np.empty(raw.shape)
    for side, row in enumerate(platts):
        for h, platt in enumerate(row):
            p[:, side, h] = platt(raw[:, side, h])
    return coherent(p, primary_horizon(horizons_h))


def primary_horizon(horizons_h: tuple[int, ...]) -> int:
    """Position of the primary horizon, 4 h; the middle one where there is no such."""
    return horizons_h.index(4) if 4 in horizons_h else len(horizons_h) // 2


class Calibrated:
    """A scorer with its calibration: `fit`, `predict_proba`.

    Parameters
    ----------
    make : callable
        Makes an unfitted scorer.
    inner : InnerFolds or None
        Inner folds; None for the defaults.

    Attributes
    ----------
    scorer_ : Scorer
        Fitted on every row.
    platts_ : list of list of Platt
        By side and horizon.
    training_p_ : ndarray of float64, shape (n_rows, 2, n_horizons)
        Out-of-fold probabilities of the training rows, NaN for the earliest ones.
    """

    def __init__(self, make: Callable[[], Scorer], inner: InnerFolds | None = None) -> None:
        self.make = make
        self.inner = inner

    def fit(self, rows: Rows) -> Self:
        """Learn scores and calibration from one training block."""
        raw = out_of_fold(self.make, rows, self.inner or InnerFolds())
        self.platts_ = calibrate(raw, rows)
        p = apply(self.platts_, raw, rows.horizons_h)
        self.training_p_ = np.where(np.isfinite(raw), p, np.nan)
        self.scorer_ = self.make().fit(rows)
        return self

    def predict_proba(self, rows: Rows) -> FloatArray:
        """Coherent probabilities, shape (n_rows, 2, n_horizons)."""
        if not hasattr(self, "scorer_"):
            raise ModelError("this model is not fitted")
        return apply(self.platts_, self.scorer_.raw(rows), rows.horizons_h)
