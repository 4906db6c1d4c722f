"""Trees on top of a volatility baseline, of both sides as one, on milder events first.

Events are few, so each stage only has to learn what the one before it cannot know, from as many
events as there are:

1. a HAR logistic regression of *either* side's onset: volatility is most of the signal;
2. trees for *milder* onsets, started from half its odds: more events of the same kind;
3. trees for the onsets themselves, started from there.

The trees see every row twice, once as it is and once with up and down exchanged
(:mod:`liqwarn.models.mirror`), each with the outcome of the side that would be liquidated. They are
not told which side that is: what forces longs out forces shorts out in a mirror.

Trees are extremely randomised (Geurts, Ernst & Wehenkel, 2006): a random threshold a feature, so
that a slow feature cannot simply name the weeks in which the few events happened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import lightgbm as lgb
import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.mirror import mirror_of
from liqwarn.models.rows import Rows
from liqwarn.models.volatility import VolatilityBase

__all__ = ["MILDER", "ONSET", "STAGES", "BoostSettings", "BoostedTrees", "BoosterKey"]

MILDER: Final = "milder"
ONSET: Final = "onset"
STAGES: Final = (MILDER, ONSET)
BoosterKey = tuple[str, int, int]
"""Stage, horizon in hours, number of the seed."""

FIXED: Final[Mapping[str, Any]] = {
    "objective": "binary",
    "max_bin": 255,
    "feature_pre_filter": False,
    "extra_trees": True,
    "deterministic": True,
    "force_col_wise": True,  # the same bits as row-wise, in half the time where features are drawn
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostSettings:
    """How hard the trees may try; chosen inside the first training block of the BTC panel.

    Attributes
    ----------
    milder_trees, onset_trees : int
        Trees for milder onsets, and trees for the onsets themselves on top of them.
    learning_rate, leaves, min_rows, min_hessian, l2 : numbers
        LightGBM's ``learning_rate``, ``num_leaves``, ``min_data_in_leaf``,
        ``min_sum_hessian_in_leaf``, ``lambda_l2``.
    feature_frac, row_frac : float
        Share of features a tree sees, share of rows it is grown on.
    seeds : int
        Runs averaged.
    """

    milder_trees: int = 100
    onset_trees: int = 100
    learning_rate: float = 0.03
    leaves: int = 8
    min_rows: int = 100
    min_hessian: float = 1.0
    l2: float = 10.0
    feature_frac: float = 0.3
    row_frac: float = 0.7
    seeds: int = 1

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
    """Scorer of the three stages.

    The rows, as they are and turned over, are binned once for all stages, horizons and seeds: a row
    whose outcome is unknown for one of them has weight 0 there.

    Parameters
    ----------
    settings : BoostSettings or None
        None for the frozen defaults.
    seed : int
    threads : int
        LightGBM's threads. They meet after every split, so that more than one only pays on an idle
        machine: better run whole fits side by side; see :class:`~.calibration.Calibrated`.

    Attributes
    ----------
    base_ : VolatilityBase
    boosters_ : dict of BoosterKey to Booster
        Both sides' in one. Without milder onsets to learn from, only those of the onsets.
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
        """Grow the trees of every horizon that has outcomes of both kinds."""
        self.names_ = rows.names
        self.horizons_h_ = rows.horizons_h
        self.base_ = VolatilityBase().fit(rows)
        self.boosters_: dict[BoosterKey, lgb.Booster] = {}
        X = self._of_both_sides(rows.X)
        data = lgb.Dataset(
            X,
            feature_name=list(rows.names),
            params={**FIXED, "num_threads": self.threads},
            free_raw_data=False,
        ).construct()
        base = self._base(rows.X)
        for h, hours in enumerate(rows.horizons_h):
            onset, milder = (_stacked(y[:, :, h]) for y in (rows.y, rows.milder))
            if not _has_both(onset):
                continue
            start = np.tile(base[:, h], len(SIDES))
            if _has_both(milder):
                self._grow(data, (MILDER, hours), milder, start)
                start = start + self._mean(X, MILDER, hours)
            self._grow(data, (ONSET, hours), onset, start)
        return self

    def _of_both_sides(self, X: FloatArray) -> FloatArray:
        """The rows as the long side sees them, then as the short side does."""
        return np.concatenate([X, mirror_of(self.names_).turned(X)])

    def _base(self, X: FloatArray) -> FloatArray:
        """Log-odds of a side's onset from volatility alone: half the odds of either's."""
        half: FloatArray = self.base_.raw_of(self.names_, X) - np.log(2.0)
        return half

    def _grow(
        self, data: lgb.Dataset, stage: tuple[str, int], y: FloatArray, start: FloatArray
    ) -> None:
        settings = self.settings or BoostSettings()
        known = np.isfinite(y)
        data.set_label(np.where(known, y, 0.0))
        data.set_weight(known.astype(np.float64))
        data.set_init_score(np.ascontiguousarray(start))
        trees = settings.milder_trees if stage[0] == MILDER else settings.onset_trees
        for k in range(settings.seeds):
            parameters = settings.parameters(self.seed + k, self.threads)
            self.boosters_[*stage, k] = lgb.train(parameters, data, num_boost_round=trees)

    def raw(self, rows: Rows) -> FloatArray:
        """Log-odds, shape (n_rows, 2, n_horizons); NaN where there was nothing to learn."""
        return self.raw_of(rows.X)

    def raw_of(self, X: FloatArray) -> FloatArray:
        """Scores of rows in the order of `names_`; the same bits for one row as for many."""
        if not hasattr(self, "boosters_"):
            raise ModelError("these trees are not fitted")
        out = np.full((len(X), len(SIDES), len(self.horizons_h_)), np.nan)
        base, both = self._base(X), self._of_both_sides(X)
        for h, hours in enumerate(self.horizons_h_):
            if (ONSET, hours, 0) in self.boosters_:
                score = np.tile(base[:, h], len(SIDES))
                for stage in STAGES:
                    score = score + self._mean(both, stage, hours)
                out[:, :, h] = score.reshape(len(SIDES), -1).T
        return out

    def contributions(self, X: FloatArray, side: str, hours: int) -> FloatArray:
        """What each feature adds to a side's raw score, shape (n_rows, n_features); log-odds.

        Of the features as they are, whichever way the trees saw them. All 0 where there was nothing
        to learn.
        """
        if (ONSET, hours, 0) not in self.boosters_:
            return np.zeros((len(X), len(self.names_)))
        mirror = mirror_of(self.names_)
        seen = X if side == SIDES[0] else mirror.turned(X)
        found = np.zeros(X.shape)
        for stage in STAGES:
            found = found + self._mean(seen, stage, hours, contrib=True)
        trees = found if side == SIDES[0] else mirror.given_back(found)
        return self.base_.contributions(self.names_, X, self.horizons_h_.index(hours)) + trees

    def _mean(self, X: FloatArray, stage: str, hours: int, *, contrib: bool = False) -> FloatArray:
        """What a stage adds to the score, or each feature to that; 0 without its trees."""
        found = [self._predict(b, X, contrib=contrib) for b in self._of(stage, hours)]
        if not found:
            return np.zeros(X.shape if contrib else len(X))
        mean: FloatArray = np.sum(found, axis=0) / len(found)
        return mean

    def _predict(self, booster: lgb.Booster, X: FloatArray, *, contrib: bool) -> FloatArray:
        scores = np.asarray(
            booster.predict(X, raw_score=True, pred_contrib=contrib, num_threads=self.threads)
        )
        return scores[:, :-1] if contrib else scores  # the last column is the constant

    def _of(self, stage: str, hours: int) -> Iterator[lgb.Booster]:
        for key in sorted(self.boosters_):
            if key[:2] == (stage, hours):
                yield self.boosters_[key]


def _stacked(y: FloatArray) -> FloatArray:
    """Outcomes of shape (n_rows, 2), the long side's first and then the short side's."""
    return np.ascontiguousarray(y.T).ravel()


def _has_both(y: FloatArray) -> bool:
    known = y[np.isfinite(y)]
    return bool(known.size) and float(np.ptp(known)) > 0
