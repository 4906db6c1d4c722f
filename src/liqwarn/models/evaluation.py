"""The walk-forward: every model trained on the past only, judged on the block that follows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.models.baselines import BASELINES
from liqwarn.models.boosting import BoostedTrees, BoostSettings
from liqwarn.models.calibration import Calibrated, Scorer
from liqwarn.models.events import Event
from liqwarn.models.folds import (
    FoldResult,
    FoldTask,
    Makers,
    MapFolds,
    OutOfSample,
    run_fold,
    stacked,
)
from liqwarn.models.results import HAR, MODEL, by_symbol, by_year, cells, measure
from liqwarn.models.rows import Rows, joined
from liqwarn.models.splits import WalkForward, trainable

__all__ = [
    "PRIMARY_H",
    "Evaluation",
    "EvaluationPlan",
    "Progress",
    "default_makers",
    "evaluation_document",
    "model_maker",
    "out_of_sample",
    "primary",
    "walk_for_gate",
    "walk_forward",
]

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

N_BOOTSTRAP: Final = 2000
OPTIONAL_PARTS: Final = ("severe", "robustness", "ablation", "placebo")
PRIMARY_H: Final = 4
"""The horizon that trials and robustness are judged at, in hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPlan:
    """How to evaluate.

    Attributes
    ----------
    splitter : WalkForward
    trial_splitter : WalkForward
        Of ablation and placebos, which need many fits: they train again once a year.
    extra : tuple of Rows
        Rows of other panels that may train, never test; see :func:`liqwarn.models.rows.joined`.
    settings : BoostSettings or None
        Of the model; None for the frozen defaults.
    seed : int
        Of models and resamples.
    threads : int
        Fits of a fold that run side by side; the bits are the same.
    n_bootstrap : int
        Resamples of calendar weeks.
    trial_seeds : int
        Runs of each placebo, from seeds `seed`, `seed + 1`, …
    ablation_seeds : int
        Runs of the ablation; each fits the model once more than there are families.
    """

    splitter: WalkForward = field(default_factory=WalkForward)
    trial_splitter: WalkForward = field(default_factory=partial(WalkForward, period="year"))
    extra: tuple[Rows, ...] = ()
    settings: BoostSettings | None = None
    seed: int = 0
    threads: int = 1
    n_bootstrap: int = N_BOOTSTRAP
    trial_seeds: int = 5
    ablation_seeds: int = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What a walk-forward found.

    Attributes
    ----------
    found : OutOfSample
        Probabilities of every model at every test row.
    results : tuple of dict
        One a side, horizon and model, as in ``evaluation.json``.
    by_symbol, by_year : tuple of dict
        The model in each symbol, and in each calendar year.
    n_train : tuple of int
        Rows trained on, fold by fold.
    """

    found: OutOfSample
    results: tuple[Mapping[str, Any], ...]
    by_symbol: tuple[Mapping[str, Any], ...]
    by_year: tuple[Mapping[str, Any], ...]
    n_train: tuple[int, ...]


def _calibrated(make: Callable[[], Scorer], seed: int) -> Calibrated:  # noqa: ARG001  no chance in it
    return Calibrated(make)


def _model(settings: BoostSettings | None, seed: int, *, workers: int) -> Calibrated:
    return Calibrated(partial(BoostedTrees, settings, seed=seed), workers=workers)


def model_maker(plan: EvaluationPlan) -> Callable[[int], Calibrated]:
    """What makes the model of a plan; the same arithmetic as :class:`CascadeModel`."""
    return partial(_model, plan.settings, workers=plan.threads)


def default_makers(plan: EvaluationPlan) -> Makers:
    """The model and every baseline."""
    baselines = {name: partial(_calibrated, make) for name, make in BASELINES.items()}
    return {MODEL: model_maker(plan), **baselines}


def primary(rows: Rows) -> Rows:
    """The rows with one interval ahead, up to the primary horizon: half as many fits."""
    return rows.at_horizon(PRIMARY_H)


def walk_forward(
    rows: Rows,
    events: Sequence[Event],
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Train and test forward in time, with every baseline, and measure all of it.

    Parameters
    ----------
    rows : Rows
        The panel, from :func:`liqwarn.models.rows.make_rows`.
    events : sequence of Event
        Its cascades, for recall and lead time.
    plan : EvaluationPlan
    map_folds : callable
        Like the builtin ``map``; folds are independent of one another and picklable.
    on_progress : callable or None

    Raises
    ------
    ModelError
        When nothing can be trained or tested.
    """
    found, n_train = out_of_sample(
        rows, plan, default_makers(plan), map_folds=map_folds, on_progress=on_progress
    )
    parts = cells(found, plan.n_bootstrap, plan.seed)
    if not parts:
        raise ModelError(
            f"{len(found.rows)} test rows hold no onset of either side: nothing to "
            "measure, take a longer history or more symbols"
        )
    results: list[Mapping[str, Any]] = []
    for k, cell in enumerate(parts):
        _tell(on_progress, "measuring", k, len(parts))
        results += measure(cell, found, events)
    _tell(on_progress, "measuring", len(parts), len(parts))
    return Evaluation(
        found=found,
        results=tuple(results),
        by_symbol=tuple(row for cell in parts for row in by_symbol(cell)),
        by_year=tuple(row for cell in parts for row in by_year(cell)),
        n_train=n_train,
    )


def walk_for_gate(
    rows: Rows,
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> Evaluation:
    """The same walk of the model and HAR alone, which is all that the gate asks about.

    Its probabilities are those of :func:`walk_forward`; nothing is measured.
    """
    everything = default_makers(plan)
    makers = {name: everything[name] for name in (MODEL, HAR)}
    found, n_train = out_of_sample(rows, plan, makers, map_folds=map_folds, on_progress=on_progress)
    return Evaluation(found=found, results=(), by_symbol=(), by_year=(), n_train=n_train)


def out_of_sample(
    rows: Rows,
    plan: EvaluationPlan,
    makers: Makers,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
    what: str = "walk-forward",
) -> tuple[OutOfSample, tuple[int, ...]]:
    """Probabilities of the given models at every test row, and the rows trained on by fold."""
    folds = list(plan.splitter.split(rows.times, rows.end))
    if not folds:
        raise ModelError("no test block holds a row")
    tests = [rows.take(fold.test) for fold in folds]
    pooled = joined(rows, plan.extra) if plan.extra else rows
    tasks = _tasks(pooled, tests, plan, makers)
    results: list[FoldResult] = []
    _tell(on_progress, what, 0, len(folds))
    for result in map_folds(run_fold, tasks):
        results.append(result)
        _tell(on_progress, what, len(results), len(folds))
    return stacked(tests, results), tuple(result.n_train for result in results)


def _tasks(
    pooled: Rows, tests: Iterable[Rows], plan: EvaluationPlan, makers: Makers
) -> Iterator[FoldTask]:
    """One task a fold; its training rows are copied only when it is its turn."""
    for test in tests:
        start = test.times.min()
        train = trainable(pooled.times, pooled.end, start)
        if not train.size:
            raise ModelError(f"no outcome is known a day before {start}: nothing to train on")
        yield FoldTask(train=pooled.take(train), test=test, makers=makers, seed=plan.seed)


def _tell(on_progress: Progress | None, what: str, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress(what, done, total)


def evaluation_document(
    panel: str,
    evaluation: Evaluation,
    **parts: Mapping[str, Any] | Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """The contents of ``evaluation.json``; NaN stands where a number does not exist.

    Parameters
    ----------
    **parts
        Whatever else was found: one table or a list of rows a key, such as ``severe``,
        ``robustness``, ``ablation`` and ``placebo``, which are empty where they were not run.

    Raises
    ------
    ModelError
        When a part takes the place of what every document has.
    """
    rows = evaluation.found.rows
    first, last = (str(moment) + "Z" for moment in (rows.times.min(), rows.times.max()))
    document: dict[str, Any] = {
        "panel": panel,
        "test": {"from": first, "to": last},
        "n_symbols": len(np.unique(rows.symbols)),
        "results": list(evaluation.results),
        "by_symbol": list(evaluation.by_symbol),
        "by_year": list(evaluation.by_year),
    }
    taken = sorted(set(document) & set(parts))
    if taken:
        raise ModelError(f"parts {taken} are the evaluation's own")
    for name in (*OPTIONAL_PARTS, *parts):
        part = parts.get(name, ())
        document[name] = dict(part) if isinstance(part, Mapping) else list(part)
    return document
