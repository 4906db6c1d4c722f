"""Where the trees start from: the HAR logistic of realised volatility.

Most of the risk of a cascade is volatility, and with a hundred onsets trees find it badly. So the
trees begin at the log-odds of the strongest baseline and learn only what it leaves unsaid; at worst
they add nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.baselines import HAR_COLUMNS, Logistic, har_columns
from liqwarn.models.design import Design
from liqwarn.models.rows import Rows

__all__ = ["VolatilityStart"]

_DESIGN: Final = ("kept_", "flagged_", "median_", "mean_", "scale_")


class VolatilityStart:
    """Log-odds of the HAR baseline, evaluated so that one row gives the same bits as many.

    Attributes
    ----------
    design_ : Design
    theta_ : list of list of ndarray or None
        Coefficients by side and horizon, the intercept last; None where there was nothing to learn.
    """

    def fit(self, rows: Rows) -> Self:
        """Fit every side and horizon that has outcomes of both kinds."""
        fitted = Logistic(har_columns).fit(rows)
        self.design_ = fitted.designs_[0]  # the columns are the same for both sides
        self.theta_ = fitted.theta_
        return self

    def raw_of(self, X: FloatArray, names: Sequence[str]) -> FloatArray:
        """Log-odds of feature rows, shape (n_rows, 2, n_horizons); 0 where nothing was learnt."""
        terms = self._terms(X, names)
        out = np.zeros((len(X), len(SIDES), len(self.theta_[0])))
        for side, thetas in enumerate(self.theta_):
            for h, theta in enumerate(thetas):
                if theta is not None:
                    total = np.full(len(X), theta[-1])
                    for k in range(terms.shape[1]):  # a matrix product's bits depend on the batch
                        total += terms[:, k] * theta[k]
                    out[:, side, h] = total
        return out

    def contributions(
        self, X: FloatArray, names: Sequence[str], side: int, h: int
    ) -> dict[str, FloatArray]:
        """What each volatility adds to the log-odds, against its training mean."""
        theta = self.theta_[side][h]
        if theta is None:
            return {}
        terms = self._terms(X, names)
        columns = [*self.design_.kept_, *self.design_.kept_[self.design_.flagged_]]
        out: dict[str, FloatArray] = {}
        for k, column in enumerate(columns):
            name = HAR_COLUMNS[column]
            if name in names:
                out[name] = out.get(name, np.zeros(len(X))) + terms[:, k] * theta[k]
        return out

    def _terms(self, X: FloatArray, names: Sequence[str]) -> FloatArray:
        if not hasattr(self, "design_"):
            raise ModelError("the volatility start is not fitted")
        where = {name: k for k, name in enumerate(names)}
        columns = np.full((len(X), len(HAR_COLUMNS)), np.nan)
        for k, name in enumerate(HAR_COLUMNS):
            if name in where:
                values = X[:, where[name]]
                columns[:, k] = np.log(np.where(values > 0, values, np.nan))
        return self.design_.transform(columns)

    def to_dict(self) -> dict[str, Any]:
        """The start as plain numbers, for JSON."""
        design = {name: getattr(self.design_, name).tolist() for name in _DESIGN}
        theta = [[None if t is None else t.tolist() for t in row] for row in self.theta_]
        return {"design": design, "theta": theta}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "VolatilityStart":
        """Read a start back; raises KeyError, TypeError or ValueError on what is none."""
        start = cls()
        start.design_ = Design()
        for name in _DESIGN:
            kind = np.intp if name in ("kept_", "flagged_") else np.float64
            setattr(start.design_, name, np.array(raw["design"][name], dtype=kind))
        start.theta_ = [
            [None if t is None else np.array(t, dtype=np.float64) for t in row]
            for row in raw["theta"]
        ]
        return start
