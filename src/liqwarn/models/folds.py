"""One fold of a walk-forward: train every model on the past, score the next block.

A fold is a value in and a value out, so folds can run anywhere and in any order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.models.alarms import alarm_thresholds
from liqwarn.models.kept_fit import KeptFit, keep_fit, refit
from liqwarn.models.rows import Rows

__all__ = ["FoldResult", "FoldTask", "Forecaster", "MapFolds", "OutOfSample", "run_fold", "stacked"]


class Forecaster(Protocol):
    """A calibrated model, as a walk-forward needs it."""

    training_p_: FloatArray

    def fit(self, rows: Rows) -> Self:
        """Learn from one training block."""

    def predict_proba(self, rows: Rows) -> FloatArray:
        """Probabilities, shape (n_rows, 2, n_horizons)."""


Makers = Mapping[str, Callable[[int], Any]]
"""Name of a model to what makes it, unfitted, from a seed."""


class MapFolds(Protocol):
    """Like the builtin ``map`` over one iterable: results in order."""

    def __call__(
        self, task: Callable[["FoldTask"], "FoldResult"], items: Iterable["FoldTask"], /
    ) -> Iterator["FoldResult"]:
        """Apply `task` to every item."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldTask:
    """What one fold needs; picklable when the makers are.

    Attributes
    ----------
    train, test : Rows
    makers : mapping of name to callable
    seed : int
    kept : mapping of model to KeptFit
        What fitting these makers on these training rows gave before; the rest is fitted.
    """

    train: Rows
    test: Rows
    makers: Makers
    seed: int
    kept: Mapping[str, KeptFit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldResult:
    """What one fold found.

    Attributes
    ----------
    p : mapping of model to ndarray of float64, shape (n_test, 2, n_horizons)
    thresholds : mapping of model to ndarray of float64, shape (2, n_horizons, 4)
        By alarm budget, frozen on out-of-fold training probabilities.
    n_train : int
        Rows trained on.
    kept : mapping of model to KeptFit
        The fits that are worth keeping.
    """

    p: Mapping[str, FloatArray]
    thresholds: Mapping[str, FloatArray]
    n_train: int
    kept: Mapping[str, KeptFit] = field(default_factory=dict)


def run_fold(task: FoldTask) -> FoldResult:
    """Fit every model on the training rows, unless its fit was kept, and score the test rows."""
    p: dict[str, FloatArray] = {}
    thresholds: dict[str, FloatArray] = {}
    kept: dict[str, KeptFit] = {}
    for name, make in task.makers.items():
        if name in task.kept:
            kept[name] = task.kept[name]
            model, thresholds[name] = (
                refit(make(task.seed), kept[name].model),
                kept[name].thresholds,
            )
        else:
            model = make(task.seed).fit(task.train)
            thresholds[name] = _thresholds(task.train, model.training_p_)
            content = keep_fit(model)
            if content is not None:
                kept[name] = KeptFit(model=content, thresholds=thresholds[name])
        p[name] = model.predict_proba(task.test)
    return FoldResult(p=p, thresholds=thresholds, n_train=len(task.train), kept=kept)


def _thresholds(train: Rows, training_p: FloatArray) -> FloatArray:
    """Alarm thresholds of the training rows, shape (2, n_horizons, 4)."""
    seen = np.where(np.isfinite(train.y), training_p, np.nan)
    return np.stack(
        [
            [alarm_thresholds(seen[:, side, h]) for h in range(seen.shape[2])]
            for side in range(seen.shape[1])
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutOfSample:
    """Every test row with what each model said of it, knowing only the past.

    Attributes
    ----------
    rows : Rows
    fold : ndarray of int, shape (n_rows,)
    p : mapping of model to ndarray of float64, shape (n_rows, 2, n_horizons)
    alarms : mapping of model to ndarray of bool, shape (n_rows, 2, n_horizons, 4)
        Whether the probability passes the threshold of each alarm budget.
    thresholds : mapping of model to ndarray of float64, shape (n_folds, 2, n_horizons, 4)
        The threshold of each fold and alarm budget, frozen on its training rows.
    """

    rows: Rows
    fold: NDArray[np.int64]
    p: Mapping[str, FloatArray]
    alarms: Mapping[str, BoolArray]
    thresholds: Mapping[str, FloatArray]


def stacked(tests: list[Rows], results: list[FoldResult]) -> OutOfSample:
    """Put the folds' test rows one after the other."""
    names = list(results[0].p)
    return OutOfSample(
        rows=_concatenated(tests),
        fold=np.repeat(np.arange(len(tests)), [len(rows) for rows in tests]),
        p={name: np.concatenate([result.p[name] for result in results]) for name in names},
        alarms={
            name: np.concatenate(
                [result.p[name][..., None] > result.thresholds[name] for result in results]
            )
            for name in names
        },
        thresholds={
            name: np.stack([result.thresholds[name] for result in results]) for name in names
        },
    )


def _concatenated(parts: list[Rows]) -> Rows:
    first = parts[0]
    return Rows(
        bar=first.bar,
        symbols=np.concatenate([part.symbols for part in parts]),
        times=np.concatenate([part.times for part in parts]),
        end=np.concatenate([part.end for part in parts]),
        names=first.names,
        families=first.families,
        X=np.concatenate([part.X for part in parts]),
        horizons_h=first.horizons_h,
        y=np.concatenate([part.y for part in parts]),
        milder=np.concatenate([part.milder for part in parts]),
    )
