"""Candidates that are not the staged trees: regressions, blends, forests, a search of settings."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import optuna
from sklearn.ensemble import HistGradientBoostingClassifier

from liqwarn.frames import FloatArray
from liqwarn.models.design import Design
from liqwarn.models.logistic import fit_logistic, linear
from liqwarn.models.metrics import log_odds
from liqwarn.models.rows import Rows
from liqwarn.models.splits import InnerFolds
from liqwarn.models.volatility import HAR_COLUMNS
from tries_scorers import FIXED, Candidate, Growth, HarStart, Maker, Staged, added


class Ridge:
    """Logistic regression a side; the HAR columns pay a hundredth of the penalty.

    Parameters
    ----------
    view : callable
        Columns used.
    ridge : float
        Penalty on the summed loss, per standard deviation.
    """

    def __init__(self, view: Callable[[Rows], Rows], ridge: float, seed: int = 0) -> None:
        self.view, self.ridge, self.seed = view, ridge, seed

    def _table(self, rows: Rows) -> tuple[FloatArray, FloatArray]:
        seen = self.view(rows)
        X = seen.X.copy()
        har = [seen.names.index(name) for name in HAR_COLUMNS]
        X[:, har] = np.log(np.where(X[:, har] > 0, X[:, har], np.nan))
        free = np.isin(np.arange(X.shape[1]), har)
        return X, np.where(free, 10.0, 1.0)

    def fit(self, rows: Rows) -> Self:
        rows = rows.at_horizon(4)
        X, self.ease_ = self._table(rows)
        self.design_ = Design().fit(X)
        Z = self._scaled(X)
        self.theta_ = []
        for k in range(2):
            y = rows.outcome(k, 0)
            known = np.isfinite(y)
            self.theta_.append(fit_logistic(Z[known], y[known], ridge=self.ridge))
        return self

    def _scaled(self, X: FloatArray) -> FloatArray:
        Z = self.design_.transform(X)
        ease = self.ease_[self.design_.kept_]
        Z[:, : len(ease)] *= ease
        return Z

    def raw(self, rows: Rows) -> FloatArray:
        Z = self._scaled(self._table(rows.at_horizon(4))[0])
        return np.column_stack([linear(Z, theta) for theta in self.theta_])[:, :, None]


class RidgeStart(Ridge):
    """The same as a start for trees: shape (n_rows, 2)."""

    def raw(self, rows: Rows) -> FloatArray:
        return super().raw(rows)[:, :, 0]


class Volatility:
    """HAR logistic alone, either side's (B2 pooled)."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, rows: Rows) -> Self:
        self.base_ = HarStart().fit(rows.at_horizon(4))
        return self

    def raw(self, rows: Rows) -> FloatArray:
        return self.base_.raw(rows.at_horizon(4))[:, :, None]


class Blend:
    """The mean of several scorers' log-odds."""

    def __init__(self, makers: Sequence[Maker], seed: int = 0) -> None:
        self.makers, self.seed = makers, seed

    def fit(self, rows: Rows) -> Self:
        self.models_ = [make(seed=self.seed).fit(rows) for make in self.makers]
        return self

    def raw(self, rows: Rows) -> FloatArray:
        return np.asarray(np.mean([model.raw(rows) for model in self.models_], axis=0))


class Bag:
    """The mean log-odds of several seeds of one scorer."""

    def __init__(self, make: Maker, runs: int = 5, seed: int = 0) -> None:
        self.make, self.runs, self.seed = make, runs, seed

    def fit(self, rows: Rows) -> Self:
        seeds = range(1000 * self.seed, 1000 * self.seed + self.runs)
        self.models_ = [self.make(seed=seed).fit(rows) for seed in seeds]
        return self

    def raw(self, rows: Rows) -> FloatArray:
        return np.asarray(np.mean([model.raw(rows) for model in self.models_], axis=0))


class Stack(Blend):
    """Logistic regression of out-of-fold log-odds, one weight a scorer for both sides."""

    def fit(self, rows: Rows) -> Self:
        scores = np.full((len(self.makers), len(rows), 2, 1), np.nan)
        for train, test in InnerFolds(n_folds=3).split(rows.times, rows.end):
            part = Blend(self.makers, self.seed).fit(rows.take(train))
            for m, model in enumerate(part.models_):
                scores[m, test] = model.raw(rows.take(test))
        y = rows.at_horizon(4).y[:, :, 0].ravel()
        Z = scores[..., 0].reshape(len(self.makers), -1).T
        known = np.isfinite(y) & np.isfinite(Z).all(axis=1)
        self.theta_ = fit_logistic(Z[known], y[known], ridge=10.0)
        super().fit(rows)
        return self

    def raw(self, rows: Rows) -> FloatArray:
        scores = [model.raw(rows) for model in self.models_]
        weights = np.maximum(self.theta_[:-1], 0.0)
        return np.asarray(np.tensordot(weights, np.stack(scores), axes=1))


class Flat:
    """A model a side that takes the volatility baseline as one column more.

    Parameters
    ----------
    kind : {"forest", "hist"}
        LightGBM's random forest; scikit-learn's histogram boosting.
    """

    def __init__(self, kind: str, seed: int = 0) -> None:
        self.kind, self.seed = kind, seed

    def fit(self, rows: Rows) -> Self:
        rows = rows.at_horizon(4)
        self.base_ = HarStart().fit(rows)
        self.known_ = np.flatnonzero(np.isfinite(rows.X).sum(axis=0) > 100)
        X = self._columns(rows)
        self.models_ = []
        for k in range(2):
            y = rows.outcome(k, 0)
            known = np.isfinite(y)
            self.models_.append(self._grow(X[known], y[known]))
        return self

    def _columns(self, rows: Rows) -> FloatArray:
        return np.column_stack([rows.X[:, self.known_], self.base_.raw(rows)[:, 0]])

    def _grow(self, X: FloatArray, y: FloatArray) -> lgb.Booster | HistGradientBoostingClassifier:
        if self.kind == "hist":
            model = HistGradientBoostingClassifier(
                learning_rate=0.03,
                max_iter=150,
                max_leaf_nodes=8,
                min_samples_leaf=100,
                l2_regularization=10.0,
                max_features=0.3,
                random_state=self.seed,
            )
            return model.fit(X, y)
        params = {
            **FIXED,
            "boosting": "rf",
            "num_leaves": 32,
            "min_data_in_leaf": 50,
            "bagging_fraction": 0.6,
            "bagging_freq": 1,
            "feature_fraction": 0.2,
            "extra_trees": True,
            "seed": self.seed,
        }
        return lgb.train(params, lgb.Dataset(X, label=y, params=dict(FIXED)), num_boost_round=200)

    def raw(self, rows: Rows) -> FloatArray:
        rows = rows.at_horizon(4)
        X = self._columns(rows)
        scores = [
            log_odds(model.predict_proba(X)[:, 1]) if self.kind == "hist" else added(model, X)
            for model in self.models_
        ]
        return np.column_stack(scores)[:, :, None]


def focal(gamma: float) -> Callable[[FloatArray, lgb.Dataset], tuple[FloatArray, FloatArray]]:
    """Focal loss (Lin et al., 2017), ``-(1 - p_t)^gamma log p_t``: easy rows count for less."""
    return partial(_focal, gamma)


def _focal(gamma: float, score: FloatArray, data: lgb.Dataset) -> tuple[FloatArray, FloatArray]:
    y = data.get_label()
    sign = 2.0 * y - 1.0
    p = np.clip(1.0 / (1.0 + np.exp(-sign * score)), 1e-9, 1.0 - 1e-9)
    easy, slope = (1.0 - p) ** gamma, gamma * p * np.log(p) + p - 1.0
    grad = sign * easy * slope
    bend = -gamma * (1.0 - p) ** (gamma - 1.0) * slope + easy * (gamma * np.log(p) + gamma + 1.0)
    weight = data.get_weight()
    return grad * weight, np.maximum(p * (1.0 - p) * bend, 1e-6) * weight


def half_life(days: float, rows: Rows, _y: FloatArray) -> FloatArray:
    """Weights that halve every `days` before the last training row, of mean 1."""
    age = (rows.times.max() - rows.times).astype(np.float64) / 86_400.0
    weight = 0.5 ** (age / days)
    return np.asarray(weight / weight.mean())


def unique(rows: Rows, y: FloatArray) -> FloatArray:
    """Average uniqueness of the labels' spans (López de Prado, 2018, ch. 4), of mean 1."""
    known = np.isfinite(y)
    hour = rows.times.astype(np.int64) // 3600
    span = hour[:, None] + np.arange(1, 5)
    alive = np.bincount((span[known] - hour.min()).ravel(), minlength=int(np.ptp(hour)) + 6)
    share = 1.0 / np.maximum(alive[span - hour.min()], 1)
    weight = share.mean(axis=1)
    return np.asarray(weight / weight[known].mean())


def one_per_event(rows: Rows, y: FloatArray) -> FloatArray:
    """Every event weighs as much as a full one, however many rows announce it."""
    hour = rows.times.astype(np.int64) // 3600
    positive = np.flatnonzero(y == 1.0)
    weight = np.ones(len(y))
    runs = np.split(positive, np.flatnonzero(np.diff(hour[positive]) > 1) + 1)
    for run in runs:
        weight[run] = 4.0 / max(len(run), 1)
    return weight


def every_fourth(rows: Rows, _y: FloatArray) -> FloatArray:
    """Rows whose labels do not overlap: one hour of four, four times the weight."""
    return np.where(rows.times.astype(np.int64) // 3600 % 4 == 0, 4.0, 0.0)


def heavy_positives(_rows: Rows, y: FloatArray) -> FloatArray:
    """Positive rows ten times as heavy."""
    return np.where(y == 1.0, 10.0, 1.0)


class Searched:
    """Settings found by Optuna, with median pruning over purged inner folds.

    Parameters
    ----------
    until : str
        Only rows whose labels were known by then are searched on.
    trials : int
    """

    def __init__(self, until: str, trials: int = 40, seed: int = 0) -> None:
        self.until, self.trials, self.seed = until, trials, seed

    def fit(self, rows: Rows) -> Self:
        self.settings_ = _search(rows, np.datetime64(self.until, "s"), self.trials)
        self.model_ = from_settings(self.settings_, self.seed).fit(rows)
        return self

    def raw(self, rows: Rows) -> FloatArray:
        return self.model_.raw(rows)


def suggested(trial: optuna.Trial) -> dict[str, Any]:
    """One point of the space that is searched."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 16),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 50, 400, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 1.0, 100.0, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.05, 0.5, log=True),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 0.9),
        "extra_trees": trial.suggest_categorical("extra_trees", [True, False]),
        "either": trial.suggest_int("either", 25, 200, log=True),
        "side": trial.suggest_int("side", 0, 100, step=25),
    }


def from_settings(settings: dict[str, Any], seed: int) -> Staged:
    params = {k: v for k, v in settings.items() if k not in ("either", "side")}
    return Staged(
        either=Growth(trees=settings["either"], params=params),
        side=Growth(trees=settings["side"], params=params),
        seed=seed,
    )


_FOUND: dict[tuple[str, int], dict[str, Any]] = {}


def _search(rows: Rows, until: np.datetime64, trials: int) -> dict[str, Any]:
    """Lowest out-of-fold log-loss; a trial worse than the median of its fold so far is given up."""
    key = (str(until), trials)
    if key in _FOUND:
        return _FOUND[key]
    rows = rows.take(np.flatnonzero(rows.end <= until))
    folds = [
        (rows.take(train), rows.take(test))
        for train, test in InnerFolds(n_folds=3).split(rows.times, rows.end)
    ]

    def loss_of(trial: optuna.Trial) -> float:
        settings, losses = suggested(trial), []
        for f, (train, test) in enumerate(folds):
            losses.append(_loss(from_settings(settings, trial.number).fit(train), test))
            trial.report(float(np.mean(losses)), f)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(losses))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )
    study.optimize(loss_of, n_trials=trials)
    number = study.best_trial.number
    _FOUND[key] = suggested(optuna.trial.FixedTrial(study.best_params, number=number))
    return _FOUND[key]


def _loss(model: Candidate, test: Rows) -> float:
    y, x = test.at_horizon(4).y[:, :, 0], model.raw(test)[:, :, 0]
    known = np.isfinite(y)
    return float(np.mean(np.logaddexp(0.0, x[known]) - y[known] * x[known]))
