"""Features in robust deviations from their usual value, with the range that training showed."""

from collections.abc import Collection
from typing import Any, Final, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray

__all__ = ["FARTHEST", "RobustScale"]

FARTHEST: Final = 1e6
"""Deviations beyond which values count as the same; an infinite value is as far."""
LEAST_KNOWN: Final = 720
_NORMAL_90: Final = 3.289707  # width of the middle 90 per cent of a normal, in standard deviations
_TINY: Final = 1e-3
_LEARNED: Final = ("centre_", "scale_", "low_", "high_", "floor_")


class RobustScale:
    """Centre and scale columns by median and the middle nine tenths of what training showed.

    A column whose known values were all positive is taken in logarithms: a volatility of next to
    nothing is as far from the usual as a huge one. Columns known in fewer than 720 rows, or
    constant, are left out: there is nothing to compare with.

    Attributes
    ----------
    kept_ : ndarray of int
        Columns used.
    logged_ : ndarray of bool
        Which of them are taken in logarithms.
    centre_, scale_ : ndarray of float64
        Of the columns used, after the logarithm.
    low_, high_ : ndarray of float64
        Least and greatest training value, in deviations.
    floor_ : ndarray of float64
        What a logged column's value counts as at least: a thousandth of the least seen, where the
        logarithm ends. 0 for the others.
    """

    def fit(self, X: FloatArray) -> Self:
        """Learn from training rows; NaN and infinite values are left out."""
        finite = np.isfinite(X)
        known = finite.sum(axis=0) >= LEAST_KNOWN
        least = np.min(X, axis=0, initial=np.inf, where=finite)
        most = np.max(X, axis=0, initial=-np.inf, where=finite)
        self.kept_ = np.flatnonzero(known & (least < most))
        self.logged_ = least[self.kept_] > 0
        self.floor_ = np.where(self.logged_, _TINY * least[self.kept_], 0.0)
        values = self._logged(np.where(finite, X, np.nan)[:, self.kept_])
        shown = [np.percentile(x[np.isfinite(x)], (5.0, 50.0, 95.0)) for x in values.T]
        low, self.centre_, high = np.array(shown).reshape(-1, 3).T
        spread = np.nanstd(values, axis=0)  # of a column that hardly ever moves
        self.scale_ = np.where(high - low > 1e-9 * spread, (high - low) / _NORMAL_90, spread)
        deviations = (values - self.centre_) / self.scale_
        self.low_, self.high_ = np.nanmin(deviations, axis=0), np.nanmax(deviations, axis=0)
        return self

    def only(self, columns: Collection[int]) -> Self:
        """The same scale of some of its columns."""
        some = np.isin(self.kept_, sorted(columns))
        chosen = type(self)()
        for name in ("kept_", "logged_", *_LEARNED):
            setattr(chosen, name, getattr(self, name)[some])
        return chosen

    def transform(self, X: FloatArray) -> FloatArray:
        """Deviations of the columns used, shape (n_rows, n_kept); NaN where a value is missing.

        Element by element, so one row has the same bits as many.
        """
        if not hasattr(self, "kept_"):
            raise ModelError("this scale is not fitted")
        deviations = (self._logged(X[:, self.kept_]) - self.centre_) / self.scale_
        return np.asarray(np.clip(deviations, -FARTHEST, FARTHEST))

    def beyond(self, deviations: FloatArray) -> FloatArray:
        """How far outside anything in training, in deviations; 0 inside or where missing."""
        over = np.maximum(deviations - self.high_, self.low_ - deviations)
        return np.where(over > 0, over, 0.0)  # NaN is not above 0

    def _logged(self, values: FloatArray) -> FloatArray:
        out = values.copy()
        out[:, self.logged_] = np.log(np.maximum(values, self.floor_)[:, self.logged_])
        return out

    def to_dict(self) -> dict[str, Any]:
        """Everything learned, as JSON can say it."""
        learned = {name: getattr(self, name).tolist() for name in _LEARNED}
        return {"kept_": self.kept_.tolist(), "logged_": self.logged_.tolist(), **learned}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "RobustScale":
        """Read back what `to_dict` gave."""
        scale = cls()
        scale.kept_ = np.array(raw["kept_"], dtype=np.intp)
        scale.logged_ = np.array(raw["logged_"], dtype=np.bool_)
        for name in _LEARNED:
            setattr(scale, name, np.array(raw[name], dtype=np.float64))
        return scale
