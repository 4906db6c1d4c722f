"""One fold of a walk-forward: train every model on the past, score the next block.

A fold is a value in and a value out, so folds can run anywhere and in any order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.models.alarms import alarm_thresholds
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
    """

    train: Rows
    test: Rows
    makers: Makers
    seed: int


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
    """

    p: Mapping[str, FloatArray]
    thresholds: Mapping[str, FloatArray]
    n_train: int


def run_fold(task: FoldTask) -> FoldResult:
    """Fit every model on the training rows and score the test rows."""
    p: dict[str, FloatArray] = {}
    thresholds: dict[str, FloatArray] = {}
    for name, make in task.makers.items():
        model = make(task.seed).fit(task.train)
        p[name] = model.predict_proba(task.test)
        seen = np.where(np.isfinite(task.train.y), model.training_p_, np.nan)
        thresholds[name] = np.stack(
            [
                [alarm_thresholds(seen[:, side, h]) for h in range(seen.shape[2])]
                for side in range(seen.shape[1])
            ]
        )
    return FoldResult(p=p, thresholds=thresholds, n_train=len(task.train))


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
