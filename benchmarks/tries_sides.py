"""Candidates that look at the two sides as one, or at the four hours as two steps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.models.rows import Rows
from tries_columns import towards
from tries_scorers import Growth, HarStart, Staged, added, clock, same


@dataclass(kw_only=True)
class Mirrored:
    """One model for both sides, of rows turned towards the side, on top of the shared trees.

    Attributes
    ----------
    either, turned, side : Growth
        Shared trees on rows as they are; trees on turned rows, both sides' events together; trees a
        side last.
    tell : bool
        Whether turned rows say which side they are turned to.
    """

    either: Growth
    turned: Growth
    side: Growth | None = None
    view: Callable[[Rows], Rows] = same
    tell: bool = True
    seed: int = 0

    def fit(self, rows: Rows) -> Self:
        rows = rows.at_horizon(4)
        self.base_ = HarStart().fit(rows)
        score = self.base_.raw(rows)[:, 0]
        seen = self.view(rows)
        ones, hours = np.ones(len(rows)), clock(rows)
        self.shared_, self.own_ = None, []
        if self.either.trees:
            table = (seen.names, seen.X, hours)
            start = score + np.log(2.0)
            self.shared_ = self.either.grow(table, rows.either(0), start, ones, self.seed)
            score = score + added(self.shared_, seen.X)
        X = np.concatenate([self._turn(seen, k) for k in range(2)])
        names = (*seen.names, "to_short") if self.tell else seen.names
        y = np.concatenate([rows.outcome(k, 0) for k in range(2)])
        both = np.tile(score, 2)
        table = (names, X, np.tile(hours, 2))
        self.turned_ = self.turned.grow(table, y, both, np.tile(ones, 2), self.seed, 0)
        both = both + added(self.turned_, X)
        for k in range(2):
            if self.side is not None:
                table, start = (seen.names, seen.X, hours), both.reshape(2, -1)[k]
                grown = self.side.grow(table, rows.outcome(k, 0), start, ones, self.seed, k)
                self.own_.append(grown)
        return self

    def _turn(self, seen: Rows, k: int) -> FloatArray:
        X = towards(seen.names, seen.X, k)
        return np.column_stack([X, np.full(len(X), float(k))]) if self.tell else X

    def raw(self, rows: Rows) -> FloatArray:
        rows = rows.at_horizon(4)
        seen, out = self.view(rows), self.base_.raw(rows)
        for k in range(2):
            if self.shared_ is not None:
                out[:, k] += added(self.shared_, seen.X)
            out[:, k] += added(self.turned_, self._turn(seen, k))
            if self.own_:
                out[:, k] += added(self.own_[k], seen.X)
        return out[:, :, None]


@dataclass(kw_only=True)
class MirroredAfter(Mirrored):
    """Turned trees alone, grown on other outcomes of the same bars first.

    Attributes
    ----------
    other : Rows
        The same bars with outcomes of which there are more.
    before : Growth
        Trees for those.
    """

    other: Rows
    before: Growth

    def fit(self, rows: Rows) -> Self:
        rows, other = rows.at_horizon(4), self.other.at_horizon(4)
        self.base_ = HarStart().fit(rows)
        seen = self.view(rows)
        X = np.concatenate([self._turn(seen, k) for k in range(2)])
        names = (*seen.names, "to_short") if self.tell else seen.names
        table = (names, X, np.tile(clock(rows), 2))
        score = np.tile(self.base_.raw(rows)[:, 0], 2)
        ones = np.ones(len(X))
        self.early_ = self.before.grow(table, at_bars(other, rows), score, ones, self.seed, 0)
        score = score + added(self.early_, X)
        y = np.concatenate([rows.outcome(k, 0) for k in range(2)])
        self.turned_ = self.turned.grow(table, y, score, ones, self.seed, 0)
        return self

    def raw(self, rows: Rows) -> FloatArray:
        rows = rows.at_horizon(4)
        seen, out = self.view(rows), self.base_.raw(rows)
        for k in range(2):
            X = self._turn(seen, k)
            out[:, k] += added(self.early_, X) + added(self.turned_, X)
        return out[:, :, None]


def at_bars(other: Rows, rows: Rows) -> FloatArray:
    """Outcomes of other rows at the bars of `rows`, the long side's first; NaN where unknown."""
    where = {int(t): k for k, t in enumerate(other.times.astype(np.int64))}
    found = [where.get(int(t), -1) for t in rows.times.astype(np.int64)]
    y = np.concatenate([other.y[:, :, 0], np.full((1, 2), np.nan)])
    return np.asarray(y[found].T.ravel())


class Hazard:
    """An onset within 4 h as an onset in the first hour, or in the next three given none before.

    Parameters
    ----------
    together : bool
        One model of both intervals, told which it is; else one an interval.
    """

    def __init__(self, *, together: bool, either: int = 100, side: int = 50, seed: int = 0) -> None:
        self.together, self.trees, self.seed = together, (either, side), seed

    def fit(self, rows: Rows) -> Self:
        self.steps_ = [interval_rows(rows, k) for k in range(2)]
        if self.together:
            stacked = _tagged(self.steps_[0], 0.0), _tagged(self.steps_[1], 1.0)
            whole = replace(
                stacked[0],
                X=np.concatenate([part.X for part in stacked]),
                y=np.concatenate([part.y for part in stacked]),
                milder=np.concatenate([part.milder for part in stacked]),
                **{
                    name: np.concatenate([getattr(part, name) for part in stacked])
                    for name in ("times", "end", "symbols")
                },
            )
            start = StepStart
            self.models_ = [self._make(start).fit(whole)] * 2
        else:
            self.models_ = [self._make(HarStart).fit(part) for part in self.steps_]
        del self.steps_
        return self

    def _make(self, start: Callable[[], Any]) -> Staged:
        return Staged(
            either=Growth(trees=self.trees[0]),
            side=Growth(trees=self.trees[1]),
            start=start,
            seed=self.seed,
        )

    def raw(self, rows: Rows) -> FloatArray:
        rows = rows.at_horizon(4)
        spared = np.ones((len(rows), 2, 1))
        for k, model in enumerate(self.models_):
            score = model.raw(_tagged(rows, float(k)) if self.together else rows)
            spared *= 1.0 / (1.0 + np.exp(score))
        return np.log((1.0 - spared) / spared)


class StepStart:
    """HAR of either side's onset with a level for each interval."""

    def fit(self, rows: Rows) -> Self:
        step = rows.column("step")
        self.bases_ = [HarStart().fit(rows.take(np.flatnonzero(step == k))) for k in (0.0, 1.0)]
        return self

    def raw(self, rows: Rows) -> FloatArray:
        first, second = (base.raw(rows) for base in self.bases_)
        return np.where(rows.column("step")[:, None] == 0.0, first, second)


def interval_rows(rows: Rows, k: int) -> Rows:
    """Rows whose outcome, called 4 h, is an onset in (0, 1] h or in (1, 4] h given none before."""
    one, four = rows.at_horizon(1).y, rows.at_horizon(4).y
    y = one if k == 0 else np.where(one == 0.0, four, np.nan)
    return replace(rows, horizons_h=(4,), y=y)


def _tagged(rows: Rows, step: float) -> Rows:
    return replace(
        rows,
        names=(*rows.names, "step"),
        families={**rows.families, "step": "step"},
        X=np.column_stack([rows.X, np.full(len(rows), step)]),
    )
