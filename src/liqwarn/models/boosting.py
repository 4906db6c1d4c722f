"""Gradient-boosted trees: one LightGBM booster a side, horizon and seed, averaged over seeds.

All start from the log-odds of the volatility baseline, see :mod:`liqwarn.models.volatility`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import lightgbm as lgb
import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.rows import Rows
from liqwarn.models.volatility import VolatilityStart

__all__ = ["BoostSettings", "BoostedTrees"]

BoosterKey = tuple[int, int, int]  # side, horizon, seed: by position
FIXED: Final[Mapping[str, Any]] = {
    "objective": "binary",
    "max_bin": 255,
    "feature_pre_filter": False,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostSettings:
    """How hard the trees may try; chosen inside the first training block of the BTC panel.

    With about a hundred onsets a side there, little is affordable: stumps of four leaves, a fifth
    of the features a tree, three seeds averaged. The table of tries is in ``docs/evaluation.md``.

    Attributes
    ----------
    trees, learning_rate, leaves, min_rows, min_hessian, l2 : numbers
        LightGBM's ``num_iterations``, ``learning_rate``, ``num_leaves``, ``min_data_in_leaf``,
        ``min_sum_hessian_in_leaf``, ``lambda_l2``.
    feature_frac, row_frac : float
        Share of features a tree sees, share of rows it is grown on.
    seeds : int
        Boosters averaged.
    """

    trees: int = 100
    learning_rate: float = 0.03
    leaves: int = 4
    min_rows: int = 200
    min_hessian: float = 1.0
    l2: float = 10.0
    feature_frac: float = 0.2
    row_frac: float = 0.7
    seeds: int = 3

    def parameters(self, seed: int, threads: int) -> dict[str, Any]:
        """The same in LightGBM's words."""
        return {
            **FIXED,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows,
            "min_sum_hessian_in_leaf": self.min_hessian,
            "lambda_l2": self.l2,
            "feature_fraction": self.feature_frac,
            "bagging_fraction": self.row_frac,
            "bagging_freq": 1 if self.row_frac < 1 else 0,
            "seed": seed,
            "num_threads": threads,
        }


class BoostedTrees:
    """Scorer of boosted trees.

    The rows are binned once for all sides, horizons and seeds: a row whose outcome is unknown for
    one of them has weight 0 there.

    Parameters
    ----------
    settings : BoostSettings
    seed : int
    threads : int
        LightGBM's threads; more than one only pays on an idle machine.

    Attributes
    ----------
    start_ : VolatilityStart
    boosters_ : dict of (side, horizon, seed) positions to Booster
    names_ : tuple of str
    horizons_h_ : tuple of int
    """

    def __init__(
        self, settings: BoostSettings | None = None, *, seed: int = 0, threads: int = 1
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.threads = threads

    def fit(self, rows: Rows) -> Self:
        """Grow the trees of every side and horizon that has outcomes of both kinds."""
        settings = self.settings or BoostSettings()
        data = lgb.Dataset(
            rows.X,
            feature_name=list(rows.names),
            params={**FIXED, "num_threads": self.threads},
            free_raw_data=False,
        ).construct()
        self.names_ = rows.names
        self.horizons_h_ = rows.horizons_h
        self.start_ = VolatilityStart().fit(rows)
        start = self.start_.raw_of(rows.X, rows.names)
        self.boosters_: dict[BoosterKey, lgb.Booster] = {}
        for side in range(len(SIDES)):
            for h in range(len(rows.horizons_h)):
                y = rows.outcome(side, h)
                known = np.isfinite(y)
                if not known.any() or np.ptp(y[known]) == 0:
                    continue
                data.set_label(np.where(known, y, 0.0))
                data.set_weight(known.astype(np.float64))
                data.set_init_score(np.ascontiguousarray(start[:, side, h]))
                for k in range(settings.seeds):
                    parameters = settings.parameters(self.seed + k, self.threads)
                    self.boosters_[side, h, k] = lgb.train(
                        parameters, data, num_boost_round=settings.trees
                    )
        return self

    def raw(self, rows: Rows) -> FloatArray:
        """Mean log-odds over the seeds; NaN where there was nothing to learn."""
        return self.raw_of(rows.X)

    def raw_of(self, X: FloatArray) -> FloatArray:
        """Scores of feature rows in the order of `names_`, shape (n_rows, 2, n_horizons)."""
        if not hasattr(self, "boosters_"):
            raise ModelError("these trees are not fitted")
        start = self.start_.raw_of(X, self.names_)
        out = np.full((len(X), len(SIDES), len(self.horizons_h_)), np.nan)
        for side in range(out.shape[1]):
            for h in range(out.shape[2]):
                found = [self._predict(booster, X) for booster in self._of(side, h)]
                if found:
                    out[:, side, h] = start[:, side, h] + np.sum(found, axis=0) / len(found)
        return out

    def contributions(self, X: FloatArray, side: int, h: int) -> FloatArray:
        """What each feature adds to the raw score, shape (n_rows, n_features); log-odds."""
        found = [
            self._predict(booster, X, pred_contrib=True)[:, :-1] for booster in self._of(side, h)
        ]
        if not found:
            return np.zeros((len(X), len(self.names_)))
        mean: FloatArray = np.sum(found, axis=0) / len(found)
        for name, added in self.start_.contributions(X, self.names_, side, h).items():
            mean[:, self.names_.index(name)] += added
        return mean

    def _predict(
        self, booster: lgb.Booster, X: FloatArray, *, pred_contrib: bool = False
    ) -> FloatArray:
        return np.asarray(
            booster.predict(X, raw_score=True, pred_contrib=pred_contrib, num_threads=self.threads)
        )

    def _of(self, side: int, h: int) -> list[lgb.Booster]:
        keys = sorted(key for key in self.boosters_ if key[:2] == (side, h))
        return [self.boosters_[key] for key in keys]
