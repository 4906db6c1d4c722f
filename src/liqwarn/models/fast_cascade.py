"""The model for live: the bits of :class:`~liqwarn.models.cascade.CascadeModel`, made for few rows.

Every tree of every stage, horizon and seed is walked in one call. Logarithms and exponentials stay
numpy's, since a compiled one may differ in its last bit; all other arithmetic is the model's own,
in its order.
"""

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.boosting import ONSET, STAGES, BoosterKey
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.forest import Forest
from liqwarn.models.hazard import within_horizons
from liqwarn.models.logistic import sigmoid
from liqwarn.models.mirror import mirror_of
from liqwarn.models.volatility import HAR_COLUMNS, VolatilityBase
from liqwarn.windows.arguments import compiled

__all__ = ["FastCascade"]


class FastCascade:
    """Scores rows as a fitted model does, bit for bit.

    Parameters
    ----------
    model : CascadeModel
        Fitted or loaded. What it learns later is not seen here.

    Attributes
    ----------
    names_ : tuple of str
        Features, the columns of every `X`.
    horizons_h_ : tuple of int
    """

    def __init__(self, model: CascadeModel) -> None:
        if not hasattr(model, "trees_"):
            raise ModelError("this model is not fitted")
        trees = model.trees_
        self.names_ = model.names_
        self.horizons_h_ = model.horizons_h_
        self._keys: list[BoosterKey] = sorted(trees.boosters_)
        texts = [trees.boosters_[key].model_to_string() for key in self._keys]
        self._forest = Forest(texts) if texts else None
        self._mirror = mirror_of(self.names_)
        self._base = _Base(trees.base_, self.names_)
        slopes = np.array([[platt.slope for platt in row] for row in model.platts_])
        self._asked = slopes != 0.0
        self._slopes = np.where(self._asked, slopes, 1.0)
        self._intercepts = np.array([[platt.intercept for platt in row] for row in model.platts_])
        self.raw(np.empty((0, len(self.names_))))  # compiled here, not at the first live bar

    def raw(self, X: FloatArray) -> FloatArray:
        """Log-odds of the intervals' hazards before calibration.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            In the order of `names_`.

        Returns
        -------
        ndarray of shape (n_rows, 2, n_horizons)
            NaN where there was nothing to learn.

        Raises
        ------
        ModelError
            When the rows have another number of features.
        """
        if X.ndim != 2 or X.shape[1] != len(self.names_):
            raise ModelError(f"rows have shape {X.shape}, expected {len(self.names_)} columns")
        rows = np.ascontiguousarray(X, dtype=np.float64)
        score = np.tile(self._base.of(rows), len(SIDES))
        for added in self._stages(np.concatenate([rows, self._mirror.turned(rows)])):
            score += added
        by_side = score.reshape(len(self.horizons_h_), len(SIDES), len(rows))
        return np.ascontiguousarray(by_side.transpose(2, 1, 0))

    def _stages(self, both: FloatArray) -> FloatArray:
        """What each stage adds, shape (n_stages, n_horizons, n_rows of both sides)."""
        parts = np.zeros((len(STAGES), len(self.horizons_h_), len(both)))
        scores = self._forest.raw(both) if self._forest else np.empty((0, len(both)))
        for h, hours in enumerate(self.horizons_h_):
            if (ONSET, hours, 0) not in self._keys:
                parts[:, h] = np.nan
                continue
            for s, stage in enumerate(STAGES):
                found = [k for k, key in enumerate(self._keys) if key[:2] == (stage, hours)]
                if len(found) == 1:
                    parts[s, h] = scores[found[0]]
                elif found:
                    parts[s, h] = np.sum(scores[found], axis=0) / len(found)
        return parts

    def calibrated(self, raw: FloatArray) -> FloatArray:
        """Probabilities within the horizons of raw scores, the same shape."""
        moved = np.where(self._asked, self._slopes * raw, 0.0)
        return within_horizons(sigmoid(moved + self._intercepts))

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Probability of an onset of each side within each horizon, shape (n_rows, 2, n_horizons).

        NaN for a horizon the bars are too long for.
        """
        return self.calibrated(self.raw(X))


class _Base:
    """The volatility baseline's log-odds of a side."""

    def __init__(self, base: VolatilityBase, names: tuple[str, ...]) -> None:
        design = base.design_
        where = {name: k for k, name in enumerate(names)}
        columns = [where.get(HAR_COLUMNS[k], -1) for k in design.kept_]
        self._columns = np.array(columns, dtype=np.intp)
        self._lost = self._columns < 0
        self._flagged = design.flagged_
        self._learned = np.array([design.median_, design.mean_, design.scale_])
        self._theta = np.array(base.theta_).reshape(len(base.theta_), -1)

    def of(self, X: FloatArray) -> FloatArray:
        """Shape (n_horizons, n_rows)."""
        used = np.where(self._lost, np.nan, X[:, self._columns])
        logs = np.log(np.where(used > 0, used, np.nan))
        out = np.empty((len(self._theta), len(X)))
        _linear(logs, self._learned, self._flagged, self._theta, out)
        half: FloatArray = out - np.log(2.0)
        return half


@compiled
def _linear(
    logs: FloatArray,
    learned: FloatArray,
    flagged: NDArray[np.intp],
    theta: FloatArray,
    out: FloatArray,
) -> None:
    """The regressions of a design's columns, added up in the order of the columns."""
    n = logs.shape[1]
    z = np.empty(n + flagged.size)
    for row in range(logs.shape[0]):
        for k in range(n):
            value = logs[row, k] if np.isfinite(logs[row, k]) else learned[0, k]
            z[k] = min(max((value - learned[1, k]) / learned[2, k], -5.0), 5.0)
        for k in range(flagged.size):
            z[n + k] = 0.0 if np.isfinite(logs[row, flagged[k]]) else 1.0
        for h in range(theta.shape[0]):
            total = theta[h, theta.shape[1] - 1]
            for k in range(z.size):
                total += z[k] * theta[h, k]
            out[h, row] = total
