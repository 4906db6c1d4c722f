"""One view of time ahead for all horizons: the hazard of each interval between them.

The horizons 1, 4 and 24 h cut the time ahead into (0, 1], (1, 4] and (4, 24] h. What is learned and
calibrated is the *hazard* of an interval: the chance of an onset in it, given none before it (Cox,
1972; Allison, 1982). The chance of an onset within a horizon follows,

    P(H_k) = 1 - (1 - h_1) (1 - h_2) ... (1 - h_k),

so it can never fall as the horizon grows, whatever was learned.
"""

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.rows import Rows

__all__ = ["at_risk", "hazard_weights", "interval_outcomes", "within_horizons"]


def interval_outcomes(y: FloatArray) -> FloatArray:
    """Whether an onset falls in each interval, of those rows that reach it without one.

    Parameters
    ----------
    y : ndarray of float64, shape (..., n_horizons)
        1 if an onset follows within each horizon, ascending; NaN where it is not known. A horizon
        the bars are too long for is NaN throughout; the next interval begins before it.

    Returns
    -------
    ndarray of the same shape
        NaN also where an onset came in an earlier interval: no longer at risk.

    Examples
    --------
    >>> interval_outcomes(np.array([[0.0, 1.0, 1.0], [0.0, 0.0, np.nan]]))
    array([[ 0.,  1., nan],
           [ 0.,  0., nan]])
    """
    out = np.empty(y.shape)
    happened = np.zeros(y.shape[:-1], dtype=bool)
    for k in range(y.shape[-1]):
        out[..., k] = np.where(happened, np.nan, y[..., k])
        happened = happened | (y[..., k] == 1.0)
    return out


def at_risk(rows: Rows) -> Rows:
    """The same rows with the outcomes of intervals for those of horizons."""
    return rows.with_outcomes(interval_outcomes(rows.y), interval_outcomes(rows.milder))


def within_horizons(hazard: FloatArray) -> FloatArray:
    """Chance of an onset within each horizon, from the hazards of the intervals.

    Parameters
    ----------
    hazard : ndarray of float64, shape (..., n_horizons)
        NaN for a horizon the bars are too long for: it is NaN in the answer, and passed over.

    Examples
    --------
    >>> within_horizons(np.array([0.5, 0.5, 0.0])).tolist()
    [0.5, 0.75, 0.75]
    """
    known = np.isfinite(hazard)
    spared = np.cumprod(np.where(known, 1.0 - hazard, 1.0), axis=-1)
    return np.where(known, 1.0 - spared, np.nan)


def hazard_weights(hazard: FloatArray) -> FloatArray:
    """How far the log-odds of an onset within the last horizon move with those of each hazard.

    ``d logit(P) / d logit(h_k) = h_k / P``: the share of an interval in the risk.

    Parameters
    ----------
    hazard : ndarray of float64, shape (..., n_intervals)
        Up to the horizon asked about; NaN is passed over.

    Returns
    -------
    ndarray of the same shape
        0 where the hazard is not known or there is no risk at all.

    Examples
    --------
    >>> hazard_weights(np.array([0.5, 0.5])).round(3).tolist()
    [0.667, 0.667]
    """
    known = np.nan_to_num(hazard, nan=0.0)
    risk = 1.0 - np.prod(1.0 - known, axis=-1, keepdims=True)
    return np.where(risk > 0.0, known / np.where(risk > 0.0, risk, 1.0), 0.0)
