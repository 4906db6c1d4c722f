"""The model: calibrated, coherent probabilities of a cascade onset, per side and horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Self, cast

import lightgbm as lgb
import numpy as np
import orjson

from liqwarn.errors import ModelError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.booster_text import check_booster_text
from liqwarn.models.boosting import ONSET, BoostedTrees, BoosterKey, BoostSettings
from liqwarn.models.calibration import (
    Calibrated,
    Platt,
    apply,
    base_rates,
    hazards,
    primary_horizon,
)
from liqwarn.models.hazard import hazard_weights
from liqwarn.models.model_files import read_folder, write_folder
from liqwarn.models.novelty import Novelty
from liqwarn.models.rows import Rows
from liqwarn.models.volatility import VolatilityBase

__all__ = ["CascadeModel", "Driver"]

Driver = tuple[str, float]


class CascadeModel:
    """Boosted trees of an interval's hazard, calibrated a side on out-of-fold scores.

    Parameters
    ----------
    settings : BoostSettings or None
        None for the frozen defaults.
    seed : int
        Of every random choice; the same seed and rows give the same model.
    threads : int
        Fits that run side by side, and LightGBM's threads where many rows are scored.

    Attributes
    ----------
    names_ : tuple of str
        Features, in the order the trees read them.
    horizons_h_ : tuple of int
    trees_ : BoostedTrees
    platts_ : list of list of Platt
        By side and interval between the horizons.
    novelty_ : Novelty
        Says which rows are unlike training.
    base_rate_ : ndarray of float64, shape (2, n_horizons)
        Share of positive rows in training; NaN where a horizon is not defined.
    trained_until_ : datetime64[s]
        When the last training outcome became known: no earlier row is a test of this model.
    sha256_ : str
        Of the manifest, once saved or loaded.
    training_p_ : ndarray of float64, shape (n_rows, 2, n_horizons)
        Out-of-fold probabilities of the training rows, only after `fit`.
    """

    def __init__(
        self, settings: BoostSettings | None = None, *, seed: int = 0, threads: int = 1
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.threads = threads

    def fit(self, rows: Rows) -> Self:
        """Learn trees and calibration from one training block."""
        calibrated = Calibrated(self._trees, workers=self.threads).fit(rows)
        self.platts_ = calibrated.platts_
        self.training_p_ = calibrated.training_p_
        self.base_rate_ = base_rates(rows)
        self.novelty_ = Novelty().fit(rows)
        self.trees_ = cast("BoostedTrees", calibrated.scorer_)
        self.names_ = rows.names
        self.horizons_h_ = rows.horizons_h
        self.trained_until_ = rows.end.max()
        return self

    def _trees(self) -> BoostedTrees:
        return BoostedTrees(self.settings, seed=self.seed)

    def predict_proba(self, X: FloatArray, names: Sequence[str] | None = None) -> FloatArray:
        """Probability of an onset of each side within each horizon.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
        names : sequence of str or None
            What the columns are; None says they are `names_`. A feature that is not there counts as
            missing, a column that is no feature is an error.

        Returns
        -------
        ndarray of shape (n_rows, 2, n_horizons)
            Side order of :data:`liqwarn.frames.SIDES`. Never falls as the horizon grows. NaN for a
            horizon the bars are too long for. The same bits for one row as for many.
        """
        return self.calibrated(self.raw(X, names))

    def calibrated(self, raw: FloatArray) -> FloatArray:
        """Probabilities within the horizons of raw scores, the same shape."""
        return apply(self.platts_, raw)

    def raw(self, X: FloatArray, names: Sequence[str] | None = None) -> FloatArray:
        """Log-odds of the intervals' hazards before calibration, shape (n_rows, 2, n_horizons)."""
        self._need_fit()
        return self.trees_.raw_of(self.aligned(X, names))

    def contributions(self, X: FloatArray, names: Sequence[str] | None = None) -> FloatArray:
        """What each feature adds to the log-odds of the 4-h probability.

        The trees give what a feature adds to an interval's raw score (Lundberg et al., 2018); the
        calibration's slope and the interval's share in the risk carry it to the probability. That
        is exact in the limit of small additions; the log-odds less the sum of all additions is what
        the probability would be of a row that tells nothing.

        Returns
        -------
        ndarray of float64, shape (n_rows, 2, n_features)
            In the order of `names_`; 0 where there was nothing to learn.
        """
        self._need_fit()
        aligned = self.aligned(X, names)
        last = primary_horizon(self.horizons_h_) + 1
        weights = hazard_weights(hazards(self.platts_, self.trees_.raw_of(aligned))[:, :, :last])
        out = np.zeros((len(aligned), len(SIDES), len(self.names_)))
        for k, side in enumerate(SIDES):
            for h, hours in enumerate(self.horizons_h_[:last]):
                slope = self.platts_[k][h].slope
                if slope:
                    added = self.trees_.contributions(aligned, side, hours)
                    out[:, k] += slope * weights[:, k, h, None] * added
        return out

    def drivers(
        self, X: FloatArray, names: Sequence[str] | None = None, *, top: int = 3
    ) -> list[list[list[Driver]]]:
        """Features that move the 4-h probability most, strongest first.

        Returns
        -------
        list by row, then by side, of `top` pairs (feature, contribution in log-odds)
        """
        found = self.contributions(X, names)
        return [[self._strongest(side, top) for side in row] for row in found]

    def _strongest(self, contributions: FloatArray, top: int) -> list[Driver]:
        order = np.argsort(-np.abs(contributions), kind="stable")[:top]
        return [(self.names_[k], float(contributions[k])) for k in order]

    def aligned(self, X: FloatArray, names: Sequence[str] | None) -> FloatArray:
        """Columns in the order of `names_`, as :meth:`predict_proba` takes and checks them."""
        found = self.names_ if names is None else tuple(names)
        if X.ndim != 2 or X.shape[1] != len(found):
            raise ModelError(f"rows have shape {X.shape}, expected {len(found)} columns")
        if found == self.names_:
            return np.ascontiguousarray(X, dtype=np.float64)
        extra = sorted(set(found) - set(self.names_))
        if extra:
            raise ModelError(f"columns {extra} are not features of this model")
        where = {name: k for k, name in enumerate(found)}
        out = np.full((len(X), len(self.names_)), np.nan)
        for k, name in enumerate(self.names_):
            if name in where:
                out[:, k] = X[:, where[name]]
        return out

    def _need_fit(self) -> None:
        if not hasattr(self, "trees_"):
            raise ModelError("this model is not fitted")

    def save(self, folder: Path) -> str:
        """Write the model as LightGBM's own text and JSON; returns its SHA-256.

        ``<stage>_<hours>h_<seed>.txt``, ``volatility.json``, ``novelty.json``, ``features.json``,
        ``calibrator.json`` and a manifest of their hashes. No pickle.
        """
        self._need_fit()
        files = {
            _file_name(key): booster.model_to_string().encode()
            for key, booster in self.trees_.boosters_.items()
        }
        calibrator = {
            "horizons_h": self.horizons_h_,
            "platts": [[asdict(platt) for platt in row] for row in self.platts_],
            "base_rate": self.base_rate_.tolist(),
            "trained_until": str(self.trained_until_),
            "trees": sorted(self.trees_.boosters_),
        }
        base = self.trees_.base_.to_dict()
        files["volatility.json"] = orjson.dumps(base, option=orjson.OPT_INDENT_2)
        files["novelty.json"] = orjson.dumps(self.novelty_.to_dict(), option=orjson.OPT_INDENT_2)
        files["calibrator.json"] = orjson.dumps(calibrator, option=orjson.OPT_INDENT_2)
        files["features.json"] = orjson.dumps(self.names_, option=orjson.OPT_INDENT_2)
        self.sha256_ = write_folder(folder, files)
        return self.sha256_

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "CascadeModel":
        """Read a model back. Every file's hash is checked before LightGBM sees any of them.

        Raises
        ------
        ModelError
            When a file is missing, was changed or cut, or does not fit the others.
        """
        return cls.from_files(*read_folder(folder), source=folder, threads=threads)

    @classmethod
    def from_files(
        cls, files: Mapping[str, bytes], digest: str, *, source: Path, threads: int = 1
    ) -> "CascadeModel":
        """The model in the bytes of its files, whose hashes were checked; nothing is read.

        Parameters
        ----------
        files : mapping of name to bytes
        digest : str
            SHA-256 of their manifest.
        source : Path
            Where they came from, for messages.

        Raises
        ------
        ModelError
            When a file is missing or does not fit the others.
        """
        try:
            calibrator = orjson.loads(files["calibrator.json"])
            model = cls(threads=threads)
            model.sha256_ = digest
            model.names_ = tuple(orjson.loads(files["features.json"]))
            model.horizons_h_ = tuple(calibrator["horizons_h"])
            model.platts_ = [[_platt(raw) for raw in row] for row in calibrator["platts"]]
            model.trained_until_ = np.datetime64(calibrator["trained_until"], "s")
            model.base_rate_ = np.array(calibrator["base_rate"], dtype=np.float64)
            model.novelty_ = Novelty.from_dict(orjson.loads(files["novelty.json"]))
            model.trees_ = BoostedTrees(threads=threads)
            model.trees_.base_ = VolatilityBase.from_dict(orjson.loads(files["volatility.json"]))
            trees = {_key(raw): files[_file_name(_key(raw))] for raw in calibrator["trees"]}
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"model {source} is incomplete: {error!r}") from error
        model.trees_.names_, model.trees_.horizons_h_ = model.names_, model.horizons_h_
        model.trees_.boosters_ = {
            key: _booster(text, model.names_, source / _file_name(key))
            for key, text in trees.items()
        }
        model._need_trees(source)
        return model

    def _need_trees(self, folder: Path) -> None:
        """Every calibration that asks for a score needs the trees that give it."""
        for row in self.platts_:
            for hours, platt in zip(self.horizons_h_, row, strict=True):
                if platt.slope and (ONSET, hours, 0) not in self.trees_.boosters_:
                    name = _file_name((ONSET, hours, 0))
                    raise ModelError(f"model {folder} is incomplete: it has no {name}")


def _file_name(key: BoosterKey) -> str:
    stage, hours, seed = key
    return f"{stage}_{hours}h_{seed}.txt"


def _key(raw: list[str | int]) -> BoosterKey:
    stage, hours, seed = raw
    return str(stage), int(hours), int(seed)


def _platt(raw: dict[str, float | None]) -> Platt:
    slope, intercept = (np.nan if raw[k] is None else raw[k] for k in ("slope", "intercept"))
    return Platt(float(slope), float(intercept))  # type: ignore[arg-type]


def _booster(text: bytes, names: tuple[str, ...], source: Path) -> lgb.Booster:
    try:
        check_booster_text(text)
        booster = lgb.Booster(model_str=text.decode())
    except (ModelError, ValueError, lgb.basic.LightGBMError) as error:
        raise ModelError(f"model file {source} cannot be used: {error}") from error
    if tuple(booster.feature_name()) != names:
        raise ModelError(f"model file {source} has trees of other features than features.json")
    return booster
