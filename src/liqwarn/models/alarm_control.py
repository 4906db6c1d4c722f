"""Alarm thresholds that keep their budget: each false alarm raises one, each quiet row lowers it.

A threshold frozen in training spends more or less than its budget once scores drift. Here it moves
against its own errors, the quantile tracker of Angelopoulos, Candès and Tibshirani (2023, conformal
PID control; adaptive conformal inference of Gibbs and Candès, 2021, on the scale of the scores)::

    threshold += step * (false alarm - budget)        per row that no onset followed

Scores are log-odds held within ``±LIMIT``. An outcome is used only once it is known, rows later,
oldest first; rows that an onset followed, or whose outcome stays unknown, move nothing.

**The guarantee.** Whatever the scores and outcomes, an adversary's included, after N judged rows
without an onset, at most D of them waiting for their outcome at a time,

    |share in alarm - budget| <= (range + step * D * max(budget, 1 - budget)) / (step * N)

with ``range = 2 * LIMIT``. The left side is ``|last threshold - first| / (step * N)``, as the moves
add up; and the threshold cannot leave ``±LIMIT`` by more than ``step * D``: beyond it no row (or
every row) is in alarm, so only the D decisions under way can push it on. With D = 1 it is the
published bound.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray, TimeArray
from liqwarn.models.alarms import ALARM_BUDGETS
from liqwarn.models.metrics import log_odds

__all__ = [
    "LIMIT",
    "STEP",
    "AlarmState",
    "bounded_score",
    "decide",
    "deviation_bound",
    "learn",
    "run",
]

LIMIT: Final = 9.21
"""Log-odds beyond which scores count as the same: a probability of 1 in 10,000."""
STEP: Final = 0.02
"""Log-odds by which a false alarm raises its threshold; docs/alarm-budget.md has the choice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlarmState:
    """Where the thresholds of one symbol stand; the last axis is that of the budgets.

    Attributes
    ----------
    threshold : ndarray of float64, shape (..., n_budgets)
        Log-odds above which a score is an alarm.
    pending : tuple of ndarray of float64, shape (..., n_budgets)
        Alarms (1 or 0) of the rows whose outcome is not known yet, oldest first; NaN where the row
        had no score.
    """

    threshold: FloatArray
    pending: tuple[FloatArray, ...] = ()


def bounded_score(p: FloatArray) -> FloatArray:
    """Log-odds of probabilities, held within ``±LIMIT``; NaN stays.

    >>> bounded_score(np.array([0.0, 0.5, np.nan])).tolist()
    [-9.21, 0.0, nan]
    """
    return np.clip(log_odds(p), -LIMIT, LIMIT)


def decide(state: AlarmState, score: FloatArray) -> tuple[AlarmState, FloatArray]:
    """Judge one bar: a score above its threshold is an alarm.

    Parameters
    ----------
    score : ndarray of float64, shape (...)
        Of :func:`bounded_score`.

    Returns
    -------
    (AlarmState, ndarray of float64, shape (..., n_budgets))
        The state with the bar waiting for its outcome, and its alarms: 1, 0, NaN without a score.

    Examples
    --------
    >>> calm = AlarmState(threshold=np.array([0.0, -1.0]))
    >>> later, alarms = decide(calm, np.array(-0.5))
    >>> alarms.tolist(), learn(later, np.array(0.0), np.array([0.1, 0.2])).threshold.tolist()
    ([0.0, 1.0], [-0.002, -0.984])
    """
    alarms = np.where(np.isfinite(score)[..., None], score[..., None] > state.threshold, np.nan)
    return AlarmState(threshold=state.threshold, pending=(*state.pending, alarms)), alarms


def learn(
    state: AlarmState, onset: FloatArray, budgets: FloatArray, step: float = STEP
) -> AlarmState:
    """Take in the outcome of the oldest row that waits for it.

    Parameters
    ----------
    onset : ndarray of float64, shape (...)
        1 if an onset followed, 0 if none did, NaN if that cannot be known.
    budgets : ndarray of float64, shape (n_budgets,)

    Raises
    ------
    ModelError
        When no row waits.
    """
    if not state.pending:
        raise ModelError("an outcome came, but no row waits for one")
    alarm, *waiting = state.pending
    counts = (onset == 0.0)[..., None] & np.isfinite(alarm)
    moved = state.threshold + np.where(counts, step * (alarm - budgets), 0.0)
    return AlarmState(threshold=moved, pending=tuple(waiting))


def run(
    times: TimeArray,
    end: TimeArray,
    p: FloatArray,
    y: FloatArray,
    start: FloatArray,
    step: float = STEP,
) -> FloatArray:
    """Alarms of one symbol's rows, each outcome used from the bar on at which it was known.

    Parameters
    ----------
    times, end : ndarray of datetime64[s], shape (n_rows,)
        Bar closes in order, and when each row's outcome became known; in order, too.
    p, y : ndarray of float64, shape (n_rows, ...)
        Probabilities and outcomes, 0 or 1; NaN where there is none.
    start : ndarray of float64, shape (..., 4)
        First thresholds in log-odds, by budget; held within ``±LIMIT``.

    Returns
    -------
    ndarray of float64, shape (n_rows, ..., 4)
        1 alarm, 0 none, NaN without a probability.
    """
    if (np.diff(times) <= np.timedelta64(0, "s")).any() or (
        np.diff(end) < np.timedelta64(0, "s")
    ).any():
        raise ModelError("rows of one symbol are not in order of time")
    budgets = np.array(ALARM_BUDGETS)
    score = bounded_score(p)
    state = AlarmState(threshold=np.clip(start, -LIMIT, LIMIT))
    out = np.empty((*p.shape, budgets.size))
    known = np.searchsorted(end, times, side="right")  # how many outcomes are known at each row
    learned = 0
    for k in range(len(times)):
        while learned < min(known[k], k):
            state = learn(state, y[learned], budgets, step)
            learned += 1
        state, out[k] = decide(state, score[k])
    return out


def deviation_bound(judged: int, waiting: int, budget: float, step: float = STEP) -> float:
    """How far the share of onset-free rows in alarm can be from the budget, whatever happens.

    Parameters
    ----------
    judged : int
        Rows without an onset ahead whose outcome has been taken in.
    waiting : int
        Most such rows that waited for their outcome at any time.

    Examples
    --------
    >>> round(deviation_bound(30_000, 30, 0.05), 4)
    0.0317
    """
    if not judged:
        return float("inf")
    return (2.0 * LIMIT + step * waiting * max(budget, 1.0 - budget)) / (step * judged)
