"""Whether the skill hangs on how a cascade is defined, or on the order in which time was cut.

Thresholds of price and open interest a third lower and a third higher, a label of price alone, and
combinatorial purged cross-validation. Only the model and HAR run, at the primary horizon; rows of
other panels do not train here, as their outcomes have one definition only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from liqwarn.frames import FeatureMatrix, MarketFrame
from liqwarn.models.alarms import approaches
from liqwarn.models.bootstrap import interval
from liqwarn.models.combinatorial import CombinatorialFold, CombinatorialPurged
from liqwarn.models.evaluation import (
    PRIMARY_H,
    EvaluationPlan,
    Progress,
    default_makers,
    out_of_sample,
    primary,
)
from liqwarn.models.events import Event, detect_events
from liqwarn.models.folds import FoldResult, FoldTask, Makers, MapFolds, OutOfSample, run_fold
from liqwarn.models.labels import make_labels, make_milder_labels
from liqwarn.models.legs import EventConfig
from liqwarn.models.ranking import roc_auc
from liqwarn.models.results import HAR, MODEL, Cell, alarm_rows, cells
from liqwarn.models.rows import Rows, make_rows

__all__ = ["COMBINATORIAL", "DEFINITIONS", "combinatorial", "relabelled", "robustness"]

COMBINATORIAL: Final = "combinatorial"
DEFINITIONS: Final[Mapping[str, Callable[[EventConfig], EventConfig]]] = {
    "thresholds_minus_33": lambda config: config.scaled(0.67),
    "thresholds_plus_33": lambda config: config.scaled(1.33),
    "price_only": EventConfig.price_only,
}
"""Variant to what it makes of the definition."""

Variant = tuple[Rows, Sequence[Event]]


def relabelled(
    frame: MarketFrame, matrix: FeatureMatrix, config: EventConfig
) -> dict[str, Variant]:
    """Rows and events of a panel under every variant of its definition.

    Parameters
    ----------
    frame, matrix
        The panel, and its features: they do not depend on the definition.
    config : EventConfig
        The definition the variants start from.
    """
    out: dict[str, Variant] = {}
    for name, change in DEFINITIONS.items():
        changed = change(config)
        events = detect_events(frame, changed)
        labels = make_labels(frame, events, changed)
        out[name] = make_rows(matrix, labels, make_milder_labels(frame, changed)), events
    return out


def robustness(
    variants: Mapping[str, Variant],
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """The walk-forward under other definitions of a cascade.

    Parameters
    ----------
    variants : mapping of name to (Rows, events)
        From :func:`relabelled`.

    Returns
    -------
    list of dict
        ``variant``, ``side``, ``horizon_h``, ``n``, ``events``, ``base_rate``, ``pr_auc``,
        ``pr_auc_ci``, ``roc_auc``, ``har_pr_auc``, ``har_roc_auc`` and ``delta_pr_auc_vs_har``
        (paired, with its interval). A side without an onset in the test has no row.
    """
    out: list[dict[str, Any]] = []
    for name, (rows, events) in variants.items():
        found, _ = out_of_sample(
            primary(rows),
            replace(plan, extra=()),
            _makers(plan),
            map_folds=map_folds,
            on_progress=on_progress,
            what=f"robustness: {name.replace('_', ' ')}",
        )
        out += [
            {"variant": name, **_beside_har([cell], events, rows)}
            for cell in _primary_cells(found, plan)
        ]
    return out


def combinatorial(
    rows: Rows,
    events: Sequence[Event],
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Combinatorial purged cross-validation of the model beside HAR.

    Parameters
    ----------
    rows : Rows
        All of the panel's, those before the walk-forward's first test too: every row is tested.

    Returns
    -------
    list of dict
        As :func:`robustness`, every figure the mean over the paths and its interval that of the
        mean over the weeks; besides ``paths``, ``path_pr_auc`` and ``path_har_pr_auc``: each
        path's. Paths share rows and models, so their spread is no interval.
    """
    near = primary(rows)
    splitter = CombinatorialPurged()
    folds = list(splitter.split(near.times, near.end))
    results: list[FoldResult] = []
    if on_progress is not None:
        on_progress(COMBINATORIAL, 0, len(folds))
    for result in map_folds(run_fold, _tasks(near, folds, _makers(plan), plan.seed)):
        results.append(result)
        if on_progress is not None:
            on_progress(COMBINATORIAL, len(results), len(folds))
    by_path = [_primary_cells(found, plan) for found in _paths(near, splitter, folds, results)]
    out = []
    for paths in zip(*by_path, strict=True):  # the cells of a path are those of every other
        row = {"variant": COMBINATORIAL, **_beside_har(paths, events, near)}
        row["paths"] = len(paths)
        row["path_pr_auc"] = [cell.pr_auc(MODEL) for cell in paths]
        row["path_har_pr_auc"] = [cell.pr_auc(HAR) for cell in paths]
        out.append(row)
    return out


def _makers(plan: EvaluationPlan) -> Makers:
    makers = default_makers(plan)
    return {name: makers[name] for name in (MODEL, HAR)}


def _primary_cells(found: OutOfSample, plan: EvaluationPlan) -> list[Cell]:
    every = cells(found, plan.n_bootstrap, plan.seed)
    return [cell for cell in every if cell.horizon_h == PRIMARY_H]


def _tasks(
    rows: Rows, folds: Sequence[CombinatorialFold], makers: Makers, seed: int
) -> Iterator[FoldTask]:
    """One task a split; its rows are copied only when it is its turn."""
    for fold in folds:
        train, test = rows.take(fold.train), rows.take(fold.test)
        yield FoldTask(train=train, test=test, makers=makers, seed=seed)


def _paths(
    rows: Rows,
    splitter: CombinatorialPurged,
    folds: Sequence[CombinatorialFold],
    results: Sequence[FoldResult],
) -> Iterator[OutOfSample]:
    """Every path: each group's probabilities from the split that stands for it."""
    groups = splitter.groups(rows.times)
    for splits in splitter.paths():
        p = {model: np.full(rows.y.shape, np.nan) for model in results[0].p}
        for group, k in enumerate(splits):
            test = folds[k].test
            inside = groups[test] == group
            for model, whole in p.items():
                whole[test[inside]] = results[k].p[model][inside]
        yield OutOfSample(rows=rows, fold=groups, p=p, alarms={}, thresholds={})


def _beside_har(paths: Sequence[Cell], events: Sequence[Event], rows: Rows) -> dict[str, Any]:
    """The model's row with HAR's figures beside it, the mean over paths of the same rows."""
    cell = paths[0]
    drawn = {
        model: np.mean([path.pr_samples(model) for path in paths], axis=0) for model in (MODEL, HAR)
    }
    pr = {model: float(np.mean([path.pr_auc(model) for path in paths])) for model in drawn}
    roc = {
        model: float(np.mean([roc_auc(path.y, path.p[model]) for path in paths])) for model in drawn
    }
    met = approaches(alarm_rows(cell, rows.bar), events, cell.side)
    return {
        "side": cell.side,
        "horizon_h": cell.horizon_h,
        "n": int(cell.y.size),
        "events": len(met),
        "base_rate": float(cell.y.mean()),
        "pr_auc": pr[MODEL],
        "pr_auc_ci": list(interval(drawn[MODEL])),
        "roc_auc": roc[MODEL],
        "har_pr_auc": pr[HAR],
        "har_roc_auc": roc[HAR],
        "delta_pr_auc_vs_har": {
            "mean": pr[MODEL] - pr[HAR],
            "ci": list(interval(drawn[MODEL] - drawn[HAR])),
        },
    }
