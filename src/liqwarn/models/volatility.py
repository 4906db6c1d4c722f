"""The volatility baseline inside the model: HAR logistic regression of either side's onset."""

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.design import Design
from liqwarn.models.logistic import fit_logistic, linear
from liqwarn.models.rows import Rows, column_of

__all__ = ["HAR_COLUMNS", "VolatilityBase", "har_of"]

HAR_COLUMNS: Final = ("rv_1h", "rv_6h", "rv_1d", "rv_7d", "rv_30d")
RIDGE: Final = 1.0


def har_of(names: Sequence[str], X: FloatArray) -> FloatArray:
    """Logarithms of realised volatility over five windows (Corsi, 2009), shape (n_rows, 5).

    NaN where a column is missing or not positive.
    """
    columns = [np.ascontiguousarray(column_of(names, X, name)) for name in HAR_COLUMNS]
    return np.column_stack([np.log(np.where(x > 0, x, np.nan)) for x in columns])


class VolatilityBase:
    """Log-odds of an onset of either side, from volatility alone.

    Attributes
    ----------
    design_ : Design
    theta_ : list of ndarray of float64
        By horizon: coefficients and, last, the intercept. Only the intercept, the log-odds of an
        even chance, where there was nothing to learn.
    """

    def fit(self, rows: Rows) -> Self:
        """Fit one regression a horizon."""
        X = har_of(rows.names, rows.X)
        self.design_ = Design().fit(X)
        Z = self.design_.transform(X)
        self.theta_ = []
        for h in range(len(rows.horizons_h)):
            y = rows.either(h)
            known = np.isfinite(y)
            learnable = known.any() and np.ptp(y[known]) > 0
            theta = (
                fit_logistic(Z[known], y[known], ridge=RIDGE)
                if learnable
                else np.zeros(Z.shape[1] + 1)
            )
            self.theta_.append(theta)
        return self

    def raw_of(self, names: Sequence[str], X: FloatArray) -> FloatArray:
        """Log-odds, shape (n_rows, n_horizons)."""
        Z = self.design_.transform(har_of(names, X))
        return np.column_stack([linear(Z, theta) for theta in self.theta_])

    def contributions(self, names: Sequence[str], X: FloatArray, h: int) -> FloatArray:
        """What each feature adds to the log-odds of a horizon, shape (n_rows, n_features)."""
        Z = self.design_.transform(har_of(names, X))
        out = np.zeros((len(X), len(names)))
        sources = (*self.design_.kept_, *self.design_.kept_[self.design_.flagged_])
        for k, source in enumerate(sources):
            out[:, list(names).index(HAR_COLUMNS[source])] += Z[:, k] * self.theta_[h][k]
        return out

    def to_dict(self) -> dict[str, Any]:
        """Everything learned, as JSON can say it."""
        return {"design": self.design_.to_dict(), "theta": [t.tolist() for t in self.theta_]}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "VolatilityBase":
        """Read back what `to_dict` gave."""
        base = cls()
        base.design_ = Design.from_dict(raw["design"])
        base.theta_ = [np.array(theta, dtype=np.float64) for theta in raw["theta"]]
        return base
