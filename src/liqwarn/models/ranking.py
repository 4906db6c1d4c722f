"""PR-AUC and ROC-AUC of weighted rows, fast enough for thousands of resamples.

Rows are sorted by score once; a resample only changes the weights of calendar weeks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.windows.arguments import compiled

__all__ = ["Ranked", "pr_auc", "rank_rows", "roc_auc", "weighted_pr_auc", "weighted_roc_auc"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """Rows from the highest score to the lowest.

    Attributes
    ----------
    y : ndarray of float64, shape (n_rows,)
        Outcomes, 0 or 1.
    last_of_tie : ndarray of bool, shape (n_rows,)
        Whether the next row has a lower score: tied rows are taken together.
    group : ndarray of int64, shape (n_rows,)
        Resampling group of the row, its calendar week.
    """

    y: FloatArray
    last_of_tie: NDArray[np.bool_]
    group: IntArray


def rank_rows(y: FloatArray, score: FloatArray, group: IntArray | None = None) -> Ranked:
    """Sort rows by score.

    Raises
    ------
    ModelError
        When there are no rows, an outcome is not 0 or 1, or a score is not finite.
    """
    if not y.size or not np.isin(y, (0.0, 1.0)).all():
        raise ModelError(f"{y.size} outcomes, expected at least one and each 0 or 1")
    if not np.isfinite(score).all():
        raise ModelError(
            f"{int((~np.isfinite(score)).sum())} of {score.size} scores are not finite"
        )
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    groups = np.zeros(y.size, dtype=np.int64) if group is None else group[order].astype(np.int64)
    return Ranked(y=y[order].astype(np.float64), last_of_tie=last, group=groups)


@compiled
def _pr_auc(
    y: FloatArray, last: NDArray[np.bool_], group: IntArray, weights: FloatArray, out: FloatArray
) -> None:
    for b in range(weights.shape[0]):
        w = weights[b]
        hits = 0.0
        shown = 0.0
        counted = 0.0
        area = 0.0
        for i in range(y.size):
            shown += w[group[i]]
            hits += w[group[i]] * y[i]
            if last[i] and hits > counted:
                area += (hits - counted) * hits / shown
                counted = hits
        out[b] = area / hits if hits > 0.0 else np.nan


@compiled
def _roc_auc(
    y: FloatArray, last: NDArray[np.bool_], group: IntArray, weights: FloatArray, out: FloatArray
) -> None:
    for b in range(weights.shape[0]):
        w = weights[b]
        above = 0.0
        hits = 0.0
        misses = 0.0
        tied_hits = 0.0
        tied_misses = 0.0
        for i in range(y.size):
            tied_hits += w[group[i]] * y[i]
            tied_misses += w[group[i]] * (1.0 - y[i])
            if last[i]:
                above += tied_misses * (hits + 0.5 * tied_hits)
                hits += tied_hits
                misses += tied_misses
                tied_hits = 0.0
                tied_misses = 0.0
        known = hits > 0.0 and misses > 0.0
        out[b] = above / (hits * misses) if known else np.nan


def weighted_pr_auc(ranked: Ranked, weights: FloatArray) -> FloatArray:
    """Average precision for each row of group weights, shape (n_resamples, n_groups).

    NaN where no positive row has weight.
    """
    out = np.empty(len(weights))
    _pr_auc(ranked.y, ranked.last_of_tie, ranked.group, weights, out)
    return out


def weighted_roc_auc(ranked: Ranked, weights: FloatArray) -> FloatArray:
    """Area under the ROC curve for each row of group weights; NaN where one class is absent."""
    out = np.empty(len(weights))
    _roc_auc(ranked.y, ranked.last_of_tie, ranked.group, weights, out)
    return out


def pr_auc(y: FloatArray, score: FloatArray) -> float:
    """Average precision: the mean precision at each positive row, ties taken together.

    Examples
    --------
    >>> pr_auc(np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.8, 0.7])) == (1 + 2 / 3) / 2
    True
    """
    return float(weighted_pr_auc(rank_rows(y, score), np.ones((1, 1)))[0])


def roc_auc(y: FloatArray, score: FloatArray) -> float:
    """Chance that a positive row scores above a negative one; ties count half.

    Examples
    --------
    >>> roc_auc(np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.1]))
    0.75
    """
    return float(weighted_roc_auc(rank_rows(y, score), np.ones((1, 1)))[0])
