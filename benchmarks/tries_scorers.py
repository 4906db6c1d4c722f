"""Candidates for the model: each a scorer of 4-h onsets, built from parts that can be exchanged.

``fit(rows)`` and ``raw(rows) -> (n_rows, 2, 1)`` as every scorer of the package; rows carry all
horizons, so that a candidate may learn from the shorter one, too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import lightgbm as lgb
import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.rows import Rows
from liqwarn.models.volatility import VolatilityBase

FIXED: Mapping[str, Any] = {
    "objective": "binary",
    "max_bin": 255,
    "feature_pre_filter": False,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
    "num_threads": 1,
}
KEPT: Mapping[str, Any] = {
    "extra_trees": True,
    "learning_rate": 0.03,
    "num_leaves": 8,
    "min_data_in_leaf": 100,
    "min_sum_hessian_in_leaf": 1.0,
    "lambda_l2": 10.0,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
}
"""The settings of the model kept: what a try does not change."""


class Candidate(Protocol):
    """A scorer that is tried."""

    def fit(self, rows: Rows) -> Self:
        """Learn from rows of all horizons."""

    def raw(self, rows: Rows) -> FloatArray:
        """Log-odds of an onset within 4 h, shape (n_rows, 2, 1)."""


Maker = Callable[..., Candidate]
Objective = Callable[[FloatArray, lgb.Dataset], tuple[FloatArray, FloatArray]]
Weights = Callable[[Rows, FloatArray], FloatArray]
Signs = Callable[[Any, int | None], list[int]]
_BINNED: dict[int, lgb.Dataset] = {}


def primary(rows: Rows) -> int:
    return rows.horizons_h.index(4)


def binned(X: FloatArray) -> lgb.Dataset:
    """A LightGBM table of the columns; the last few are kept: every seed trains on them again."""
    mark = hash((X.shape, X.tobytes()))
    if mark not in _BINNED:
        if len(_BINNED) > 3:
            del _BINNED[next(iter(_BINNED))]
        _BINNED[mark] = lgb.Dataset(X, params=dict(FIXED), free_raw_data=False).construct()
    return _BINNED[mark]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How trees are grown: LightGBM's settings where they differ from the model kept."""

    trees: int = 100
    params: Mapping[str, Any] = field(default_factory=dict)
    objective: Objective | None = None
    query_h: int = 0
    signs: Signs | None = None

    def grow(
        self,
        table: tuple[tuple[str, ...], FloatArray, FloatArray],
        y: FloatArray,
        start: FloatArray,
        weight: FloatArray,
        seed: int,
        stage: int | None = None,
    ) -> lgb.Booster:
        """Trees for `y` (NaN: unknown) on top of `start`; the table is names, columns, hours."""
        names, X, hours = table
        known = np.isfinite(y)
        params = {**FIXED, **KEPT, **self.params, "seed": seed}
        if self.signs is not None:
            params["monotone_constraints"] = self.signs(names, stage)
        if self.query_h:
            return self._rank(table, y, start, params)
        if self.objective is not None:
            params["objective"] = self.objective
        data = binned(X)
        data.set_label(np.where(known, y, 0.0))
        data.set_weight(np.where(known, weight, 0.0))
        data.set_init_score(np.ascontiguousarray(start))
        del hours
        return lgb.train(params, data, num_boost_round=self.trees)

    def _rank(
        self,
        table: tuple[tuple[str, ...], FloatArray, FloatArray],
        y: FloatArray,
        start: FloatArray,
        params: dict[str, Any],
    ) -> lgb.Booster:
        """Rank rows within spans of `query_h` hours; rows of unknown outcome are left out."""
        _, X, hours = table
        known = np.isfinite(y)
        _, sizes = np.unique(hours[known] // self.query_h, return_counts=True)
        data = lgb.Dataset(
            X[known],
            label=y[known],
            init_score=np.ascontiguousarray(start[known]),
            group=sizes,
            params=dict(FIXED),
        )
        params = {**params, "min_sum_hessian_in_leaf": 0.0, "lambdarank_truncation_level": 20}
        return lgb.train(params, data, num_boost_round=self.trees)


def even(rows: Rows, _y: FloatArray) -> FloatArray:
    return np.ones(len(rows))


def same(rows: Rows) -> Rows:
    return rows


def added(booster: lgb.Booster, X: FloatArray) -> FloatArray:
    return np.asarray(booster.predict(X, raw_score=True, num_threads=1))


def clock(rows: Rows) -> FloatArray:
    return np.asarray(rows.times.astype(np.int64) // 3600, dtype=np.float64)


@dataclass(kw_only=True)
class Staged:
    """HAR start, shared trees for either side's onset, trees a side; every part may be changed.

    Attributes
    ----------
    either, side : Growth
        Shared trees, and trees of a side; with no trees the stage is left out.
    view : callable
        What the trees see of the rows.
    weights : callable
        Weight of each row, given the outcome it is trained on.
    start : callable or None
        Makes the scorer whose log-odds, (n_rows, 2), the trees start from; None for HAR.
    first : tuple of (Rows, Growth) or None
        Other outcomes of the same bars to grow trees on before the shared ones.
    extra : callable or None
        Makes the rows to train on from those given.
    bag : int
        Seeds averaged.
    seed : int
    """

    either: Growth = field(default_factory=Growth)
    side: Growth = field(default_factory=lambda: Growth(trees=50))
    view: Callable[[Rows], Rows] = same
    weights: Weights = even
    start: Callable[[], Any] | None = None
    first: tuple[Rows, Growth] | None = None
    extra: Callable[[Rows], Rows] | None = None
    bag: int = 1
    seed: int = 0

    def fit(self, rows: Rows) -> Self:
        rows = rows if self.extra is None else self.extra(rows)
        rows = rows.at_horizon(4)
        self.base_ = (self.start or HarStart)().fit(rows)
        base = self.base_.raw(rows)
        seen = self.view(rows)
        table = (seen.names, seen.X, clock(rows))
        self.runs_ = [self._run(rows, table, base, 1000 * self.seed + k) for k in range(self.bag)]
        return self

    def _run(
        self,
        rows: Rows,
        table: tuple[tuple[str, ...], FloatArray, FloatArray],
        base: FloatArray,
        seed: int,
    ) -> tuple[list[lgb.Booster], list[list[lgb.Booster]]]:
        X = table[1]
        shared: list[lgb.Booster] = []
        score = base.max(axis=1) + np.log(2.0)  # the base says the same of both sides
        if self.first is not None:
            other, growth = self.first
            y = outcomes_at(other.at_horizon(4), rows)
            booster = growth.grow(table, y, score, self.weights(rows, y), seed)
            shared.append(booster)
            score = score + added(booster, X)
        y = rows.either(0)
        if self.either.trees:
            booster = self.either.grow(table, y, score, self.weights(rows, y), seed)
            shared.append(booster)
            score = score + added(booster, X)
        sides: list[list[lgb.Booster]] = []
        for k in range(2):
            y = rows.outcome(k, 0)
            start = score - np.log(2.0) + base[:, k] - base.max(axis=1)
            grown = []
            if self.side.trees:
                grown.append(self.side.grow(table, y, start, self.weights(rows, y), seed, k))
            sides.append(grown)
        return shared, sides

    def raw(self, rows: Rows) -> FloatArray:
        rows = rows.at_horizon(4)
        X = np.ascontiguousarray(self.view(rows).X)
        out = self.base_.raw(rows)
        for shared, sides in self.runs_:
            common = sum((added(b, X) for b in shared), np.zeros(len(X)))
            for k in range(2):
                own = sum((added(b, X) for b in sides[k]), common)
                out[:, k] += own / self.bag
        return out[:, :, None]


class HarStart:
    """Either side's onset from volatility alone, half of it each side; shape (n_rows, 2)."""

    def fit(self, rows: Rows) -> Self:
        self.base_ = VolatilityBase().fit(rows)
        return self

    def raw(self, rows: Rows) -> FloatArray:
        score = self.base_.raw_of(rows.names, rows.X)[:, 0] - np.log(2.0)
        return np.column_stack([score, score])


class NoStart:
    """The base rate alone: trees without a volatility baseline below them."""

    def fit(self, rows: Rows) -> Self:
        rate = np.nanmean(rows.either(0))
        self.level_ = float(np.log(rate / (1.0 - rate)) - np.log(2.0))
        return self

    def raw(self, rows: Rows) -> FloatArray:
        return np.full((len(rows), 2), self.level_)


def outcomes_at(other: Rows, rows: Rows) -> FloatArray:
    """Either side's outcome of another definition at the bars of `rows`; NaN where unknown."""
    where = {int(t): k for k, t in enumerate(other.times.astype(np.int64))}
    y = other.either(0)
    return np.array([y[where[t]] if t in where else np.nan for t in rows.times.astype(np.int64)])
