"""The model for live: the bits of :class:`~liqwarn.models.cascade.CascadeModel`, made for few rows.

Every tree of every stage, horizon and seed is walked in one call. Logarithms and exponentials stay
numpy's, since a compiled one may differ in its last bit; all other arithmetic is the model's own,
in its order.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.boosting import ONSET, STAGES, BoosterKey
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.forest import Forest
from liqwarn.models.mirror import mirror_of
from liqwarn.models.volatility import HAR_COLUMNS, VolatilityBase
from liqwarn.windows.arguments import compiled

__all__ = ["FastCascade"]

_LOG_2: Final = np.log(2.0)


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
        intercepts = np.array([[platt.intercept for platt in row] for row in model.platts_])
        self._platts = np.stack([slopes, intercepts])
        self._found = self._models()
        # compiled here, not at the first live bar
        self.calibrated(self.raw(np.empty((0, len(self.names_)))))

    def _models(self) -> list[list[list[int]]]:
        """Which models make a stage at a horizon; at one that has no onset, none do of any."""
        return [
            [
                [k for k, key in enumerate(self._keys) if key[:2] == (stage, hours)]
                if (ONSET, hours, 0) in self._keys
                else []
                for hours in self.horizons_h_
            ]
            for stage in STAGES
        ]

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
        base = self._base.of(rows)
        score = np.concatenate([base, base], axis=1)
        both = np.concatenate([rows, self._mirror.turned(rows)])
        scores = self._forest.raw(both) if self._forest else np.empty((0, len(both)))
        for stage in self._found:
            for h, found in enumerate(stage):
                score[h] += self._added(scores, h, found)
        by_side = score.reshape(len(self.horizons_h_), len(SIDES), len(rows))
        return np.ascontiguousarray(by_side.transpose(2, 1, 0))

    def _added(self, scores: FloatArray, h: int, found: list[int]) -> FloatArray | float:
        """What a stage adds at a horizon."""
        if len(found) == 1:
            alone: FloatArray = scores[found[0]]
            return alone
        if found:
            return np.asarray(np.sum(scores[found], axis=0) / len(found))
        return 0.0 if (ONSET, self.horizons_h_[h], 0) in self._keys else np.nan

    def calibrated(self, raw: FloatArray) -> FloatArray:
        """Probabilities within the horizons of raw scores, the same shape."""
        moved, out = np.empty(raw.shape), np.empty(raw.shape)
        _moved(raw, self._platts, moved)
        # by numpy's own exponential: a compiled one may differ in its last bit
        _within(moved, np.exp(-np.abs(moved)), out)
        return out

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
        self._flagged = design.flagged_
        self._learned = np.array([design.median_, design.mean_, design.scale_])
        self._theta = np.array(base.theta_).reshape(len(base.theta_), -1)

    def of(self, X: FloatArray) -> FloatArray:
        """Shape (n_horizons, n_rows)."""
        used = np.empty((len(X), self._columns.size))
        _positive(X, self._columns, used)
        out = np.empty((len(self._theta), len(X)))
        _linear(np.log(used), self._learned, self._flagged, self._theta, out)
        half: FloatArray = out - _LOG_2
        return half


@compiled
def _positive(X: FloatArray, columns: NDArray[np.intp], out: FloatArray) -> None:
    """Some columns; NaN where a value is not above 0, or the column is none."""
    for row in range(X.shape[0]):
        for k in range(columns.size):
            value = X[row, columns[k]] if columns[k] >= 0 else np.nan
            out[row, k] = value if value > 0.0 else np.nan


@compiled
def _moved(raw: FloatArray, platts: FloatArray, out: FloatArray) -> None:
    """Scores of shape (n_rows, 2, n_horizons), each moved as its own calibration does."""
    for row in range(raw.shape[0]):
        for side in range(raw.shape[1]):
            for h in range(raw.shape[2]):
                slope = platts[0, side, h]
                asked = slope * raw[row, side, h] if slope != 0.0 else 0.0
                out[row, side, h] = asked + platts[1, side, h]


@compiled
def _within(moved: FloatArray, small: FloatArray, out: FloatArray) -> None:
    """:func:`~liqwarn.models.hazard.within_horizons` of the sigmoid of the scores.

    `small` is ``exp(-abs(moved))``.
    """
    for row in range(moved.shape[0]):
        for side in range(moved.shape[1]):
            spared = 1.0
            for h in range(moved.shape[2]):
                tiny = small[row, side, h]
                hazard = (1.0 if moved[row, side, h] >= 0.0 else tiny) / (1.0 + tiny)
                known = np.isfinite(hazard)
                spared *= 1.0 - hazard if known else 1.0
                out[row, side, h] = 1.0 - spared if known else np.nan


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
