"""Features as a logistic regression needs them: no gaps, one scale, no outliers."""

from typing import Final, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray

__all__ = ["Design"]

_LEARNED: Final = {
    "kept_": np.intp,
    "flagged_": np.intp,
    "median_": np.float64,
    "mean_": np.float64,
    "scale_": np.float64,
}


class Design:
    """Fill, flag and standardise columns by what the training rows showed.

    A gap becomes the training median, with an indicator column beside it; columns that were empty
    or constant in training are left out, and of equal indicators one is kept. Values are clipped to
    five standard deviations.

    Attributes
    ----------
    kept_ : ndarray of int
        Columns used.
    flagged_ : ndarray of int
        Positions in `kept_` of the columns whose gaps have an indicator.
    median_, mean_, scale_ : ndarray of float64
        Of the columns used.
    """

    def fit(self, X: FloatArray) -> Self:
        """Learn medians, means and scales."""
        X = np.where(np.isfinite(X), X, np.nan)
        gaps = np.isnan(X)
        usable = np.flatnonzero(~gaps.all(axis=0))
        median = np.nanmedian(X[:, usable], axis=0)
        filled = np.where(gaps[:, usable], median, X[:, usable])
        scale = filled.std(axis=0)
        varies = scale > 1e-12 * np.maximum(1.0, np.abs(median))
        self.kept_ = usable[varies]
        self.median_ = median[varies]
        self.mean_ = filled[:, varies].mean(axis=0)
        self.scale_ = scale[varies]
        missing = gaps[:, self.kept_]
        some = np.flatnonzero(missing.any(axis=0))
        _, first = np.unique(missing[:, some], axis=1, return_index=True)
        self.flagged_ = some[np.sort(first)]
        return self

    def transform(self, X: FloatArray) -> FloatArray:
        """Standardised columns, then indicators, shape (n_rows, n_kept + n_flagged)."""
        if not hasattr(self, "kept_"):
            raise ModelError("this design is not fitted")
        used = X[:, self.kept_]
        gaps = ~np.isfinite(used)
        filled = np.where(gaps, self.median_, used)
        scaled = np.clip((filled - self.mean_) / self.scale_, -5.0, 5.0)
        return np.column_stack([scaled, gaps[:, self.flagged_].astype(np.float64)])

    def to_dict(self) -> dict[str, list[float]]:
        """Everything learned, as JSON can say it."""
        return {name: getattr(self, name).tolist() for name in _LEARNED}

    @classmethod
    def from_dict(cls, raw: dict[str, list[float]]) -> "Design":
        """Read back what `to_dict` gave."""
        design = cls()
        for name, kind in _LEARNED.items():
            setattr(design, name, np.array(raw[name], dtype=kind))
        return design
