"""What a model has to beat: climatology, volatility, and the rules people use by hand.

Each is a scorer (`fit`, `raw`); :class:`liqwarn.models.calibration.Calibrated` turns its scores
into probabilities inside the training block. A column that a panel lacks counts as missing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray, TimeArray, epoch_seconds
from liqwarn.models.calibration import Scorer
from liqwarn.models.design import Design
from liqwarn.models.logistic import fit_logistic, linear
from liqwarn.models.metrics import log_odds
from liqwarn.models.rows import Rows
from liqwarn.models.volatility import HAR_COLUMNS, har_of

__all__ = [
    "BASELINES",
    "HAR_COLUMNS",
    "CrowdingRule",
    "HourOfWeek",
    "Logistic",
    "all_columns",
    "cluster_columns",
    "har_columns",
    "last_hour_columns",
    "persistence_columns",
]

Columns = Callable[[Rows, int], FloatArray]


class HourOfWeek:
    """B0: the rate of each hour of the week in training, drawn towards the overall rate.

    Parameters
    ----------
    weight : float
        Rows of overall rate added to each hour.
    """

    def __init__(self, weight: float = 200.0) -> None:
        self.weight = weight

    def fit(self, rows: Rows) -> Self:
        """Count onsets by hour of the week."""
        hours = _hour_of_week(rows.times)
        known = np.isfinite(rows.y)
        overall = np.where(known, rows.y, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        self.rate_ = np.empty((168, *rows.y.shape[1:]))
        for hour in range(168):
            at = hours == hour
            hits = np.where(known[at], rows.y[at], 0.0).sum(axis=0) + self.weight * overall
            self.rate_[hour] = hits / (known[at].sum(axis=0) + self.weight)
        return self

    def raw(self, rows: Rows) -> FloatArray:
        """Log-odds of the hour's rate."""
        return log_odds(self.rate_[_hour_of_week(rows.times)])


def _hour_of_week(times: TimeArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    hours: np.ndarray[tuple[int], np.dtype[np.int64]] = epoch_seconds(times) // 3600 % 168
    return hours


class CrowdingRule:
    """B3: funding and open interest both high against their past; the weaker of the two speaks.

    Positive funding crowds the long side, negative funding the short side.
    """

    def fit(self, rows: Rows) -> Self:
        """Remember the horizons; a rule learns nothing."""
        self.n_horizons_ = len(rows.horizons_h)
        return self

    def raw(self, rows: Rows) -> FloatArray:
        """The smaller of the two z-scores, 0 where either is missing."""
        interest = rows.column("oi_z_7d")
        funding = rows.column("funding_z_60d")
        both = [np.minimum(sign * funding, interest) for sign in (1.0, -1.0)]
        scores = np.nan_to_num(np.stack(both, axis=1), nan=0.0, posinf=0.0, neginf=0.0)
        return np.repeat(scores[:, :, None], self.n_horizons_, axis=2)


class Logistic:
    """Logistic regression a side and horizon, on columns chosen for the side.

    Parameters
    ----------
    columns : callable
        ``columns(rows, side) -> (n_rows, n_columns)``.
    ridge : float
        Penalty on the summed loss, in units of standardised columns.
    """

    def __init__(self, columns: Columns, ridge: float = 1.0) -> None:
        self.columns = columns
        self.ridge = ridge

    def fit(self, rows: Rows) -> Self:
        """Fit every side and horizon that has outcomes of both kinds."""
        self.designs_: list[Design] = []
        self.theta_: list[list[FloatArray | None]] = []
        for side in range(len(SIDES)):
            X = self.columns(rows, side)
            self.designs_.append(Design().fit(X))
            Z = self.designs_[side].transform(X)
            self.theta_.append(
                [self._fit_one(Z, rows.outcome(side, h)) for h in range(len(rows.horizons_h))]
            )
        return self

    def _fit_one(self, Z: FloatArray, y: FloatArray) -> FloatArray | None:
        known = np.isfinite(y)
        if not known.any() or np.ptp(y[known]) == 0:
            return None
        return fit_logistic(Z[known], y[known], ridge=self.ridge)

    def raw(self, rows: Rows) -> FloatArray:
        """Log-odds; NaN where there was nothing to learn."""
        if not hasattr(self, "theta_"):
            raise ModelError("this baseline is not fitted")
        out = np.full((len(rows), len(SIDES), len(rows.horizons_h)), np.nan)
        for side, thetas in enumerate(self.theta_):
            Z = self.designs_[side].transform(self.columns(rows, side))
            for h, theta in enumerate(thetas):
                if theta is not None:
                    out[:, side, h] = linear(Z, theta)
        return out


def _stacked(*columns: FloatArray) -> FloatArray:
    return np.column_stack(columns)


def _log(x: FloatArray) -> FloatArray:
    """Logarithm, NaN where there is none."""
    return np.log(np.where(x > 0, x, np.nan))


def persistence_columns(rows: Rows, side: int) -> FloatArray:  # noqa: ARG001  same for both sides
    """B1: yesterday's volatility."""
    return _stacked(_log(rows.column("rv_1d")))


def har_columns(rows: Rows, side: int) -> FloatArray:  # noqa: ARG001  same for both sides
    """B2: realised volatility over five windows."""
    return har_of(rows.names, rows.X)


def last_hour_columns(rows: Rows, side: int) -> FloatArray:
    """B4: open interest lost in the last hour and the side's liquidations in it."""
    share = rows.column(f"liq_{SIDES[side]}_share_1h")
    return _stacked(np.maximum(-rows.column("oi_change_1h"), 0.0), np.log1p(1e4 * share))


def cluster_columns(rows: Rows, side: int) -> FloatArray:
    """B5: how near the side's closest liquidation cluster is."""
    return _stacked(np.log1p(np.maximum(rows.column(f"cluster_dist_{SIDES[side]}_pct"), 0.0)))


def all_columns(rows: Rows, side: int) -> FloatArray:  # noqa: ARG001  same for both sides
    """B6: every feature."""
    return rows.X


BASELINES: Final[Mapping[str, Callable[[], Scorer]]] = MappingProxyType(
    {
        "B0": HourOfWeek,
        "B1": partial(Logistic, persistence_columns),
        "B2": partial(Logistic, har_columns),
        "B3": CrowdingRule,
        "B4": partial(Logistic, last_hour_columns),
        "B5": partial(Logistic, cluster_columns),
        "B6": partial(Logistic, all_columns, ridge=100.0),
    }
)
"""Every baseline by its name in the reports."""
