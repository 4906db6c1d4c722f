"""From raw scores to probabilities: Platt's two numbers, fitted on scores of unseen rows.

A scorer learns the hazard of each interval between the horizons (:mod:`liqwarn.models.hazard`); it
is the hazards that are calibrated, and the probabilities within the horizons follow from them.

Inside a training block, expanding inner folds (purged, in order of time) score rows their model has
not seen. Those out-of-fold scores fit the calibration and freeze the alarm thresholds; the model
itself is then fitted on the whole block.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.hazard import at_risk, within_horizons
from liqwarn.models.logistic import fit_logistic, sigmoid
from liqwarn.models.metrics import log_odds
from liqwarn.models.rows import Rows
from liqwarn.models.splits import Fold, InnerFolds

__all__ = [
    "Calibrated",
    "Platt",
    "Scorer",
    "apply",
    "base_rates",
    "calibrate",
    "fit_platt",
    "hazards",
    "out_of_fold",
    "primary_horizon",
]

FEW: Final = 10


class Scorer(Protocol):
    """A model before calibration."""

    def fit(self, rows: Rows) -> Self:
        """Learn from rows that are at risk; outcomes that are NaN are to be left out."""

    def raw(self, rows: Rows) -> FloatArray:
        """Log-odds of hazards, shape (n_rows, 2, n_horizons); higher is riskier.

        Of each interval between the horizons. NaN where there was nothing to learn.
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


def out_of_fold(make: Callable[[], Scorer], rows: Rows, inner: InnerFolds) -> FloatArray:
    """Raw scores of rows by models that saw only earlier, purged rows; NaN where there is none."""
    raw = np.full(rows.y.shape, np.nan)
    for fold in inner.split(rows.times, rows.end):
        raw[fold.test] = _unseen(make, rows, fold)
    return raw


def _unseen(make: Callable[[], Scorer], rows: Rows, fold: Fold) -> FloatArray:
    """Raw scores of a fold's test rows."""
    return make().fit(rows.take(fold.train)).raw(rows.take(fold.test))


def _fits(
    make: Callable[[], Scorer], rows: Rows, inner: InnerFolds, workers: int
) -> tuple[Scorer, FloatArray]:
    """The scorer of all rows, and raw scores of rows by models of earlier ones.

    The fits share nothing, so they run side by side, the longest first; the bits are the same.
    """
    if workers == 1:
        raw = out_of_fold(make, rows, inner)
        return make().fit(rows), raw
    raw = np.full(rows.y.shape, np.nan)
    folds = list(inner.split(rows.times, rows.end))
    with ThreadPoolExecutor(workers) as pool:
        whole = pool.submit(lambda: make().fit(rows))
        parts = [pool.submit(_unseen, make, rows, fold) for fold in reversed(folds)]
        for fold, part in zip(reversed(folds), parts, strict=True):
            raw[fold.test] = part.result()
        return whole.result(), raw


def base_rates(rows: Rows) -> FloatArray:
    """Share of positive rows among the known ones, shape (2, n_horizons); NaN where none is."""
    known = np.isfinite(rows.y)
    hits = np.where(known, rows.y, 0.0).sum(axis=0)
    counts = known.sum(axis=0)
    return np.where(counts > 0, hits / np.maximum(counts, 1), np.nan)


def calibrate(raw: FloatArray, rows: Rows) -> list[list[Platt]]:
    """One calibration a side and interval, from out-of-fold scores of rows at risk."""
    rates = base_rates(rows)
    return [
        [
            fit_platt(raw[:, side, h], rows.outcome(side, h), float(rates[side, h]))
            for h in range(raw.shape[2])
        ]
        for side in range(raw.shape[1])
    ]


def hazards(platts: list[list[Platt]], raw: FloatArray) -> FloatArray:
    """Calibrated hazards of raw scores, shape (n_rows, 2, n_horizons)."""
    out = np.empty(raw.shape)
    for side, row in enumerate(platts):
        for h, platt in enumerate(row):
            out[:, side, h] = platt(raw[:, side, h])
    return out


def apply(platts: list[list[Platt]], raw: FloatArray) -> FloatArray:
    """Probabilities within the horizons of raw scores, shape (n_rows, 2, n_horizons)."""
    return within_horizons(hazards(platts, raw))


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
    workers : int
        Fits that run at once, each in a thread of its own.

    Attributes
    ----------
    scorer_ : Scorer
        Fitted on every row.
    platts_ : list of list of Platt
        By side and interval.
    training_p_ : ndarray of float64, shape (n_rows, 2, n_horizons)
        Out-of-fold probabilities of the training rows, NaN for the earliest ones.
    """

    def __init__(
        self, make: Callable[[], Scorer], inner: InnerFolds | None = None, *, workers: int = 1
    ) -> None:
        self.make = make
        self.inner = inner
        self.workers = workers

    def fit(self, rows: Rows) -> Self:
        """Learn scores and calibration from one training block."""
        intervals = at_risk(rows)
        scorer, raw = _fits(self.make, intervals, self.inner or InnerFolds(), self.workers)
        self.platts_ = calibrate(raw, intervals)
        self.training_p_ = np.where(np.isfinite(raw), apply(self.platts_, raw), np.nan)
        self.scorer_ = scorer
        return self

    def predict_proba(self, rows: Rows) -> FloatArray:
        """Probabilities within the horizons, shape (n_rows, 2, n_horizons)."""
        if not hasattr(self, "scorer_"):
            raise ModelError("this model is not fitted")
        return apply(self.platts_, self.scorer_.raw(rows))
