"""What the skill rests on, and whether it is skill: ablation and placebos.

Both run the same walk-forward as the headline, at the primary horizon.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, Self

import numpy as np

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray, epoch_seconds
from liqwarn.models.bootstrap import interval
from liqwarn.models.calibration import Calibrated
from liqwarn.models.evaluation import EvaluationPlan, Progress, model_maker, out_of_sample
from liqwarn.models.folds import MapFolds, OutOfSample
from liqwarn.models.ranking import weighted_roc_auc
from liqwarn.models.results import MODEL, cells, paired_delta, ranking_row
from liqwarn.models.rows import Rows

__all__ = ["SHIFT", "Without", "ablation", "placebo", "shifted_outcomes", "shuffled_features"]

PRIMARY_H: Final = 4
CALENDAR: Final = "calendar"
SHIFT: Final = timedelta(days=90, hours=11)
"""How far a placebo moves outcomes: beyond any forecast. A pattern of the calendar stays."""

SHORT_SHIFT: Final = timedelta(days=30, hours=11)
"""The same for panels that span less than four times as long."""


class Without:
    """A model that does not see some of the features.

    Parameters
    ----------
    make : callable
        Makes the unfitted model from a seed.
    names : iterable of str
        Features it does not see.
    """

    def __init__(self, make: Callable[[int], Calibrated], names: Iterable[str], seed: int) -> None:
        self.make = make
        self.names = tuple(names)
        self.seed = seed

    def fit(self, rows: Rows) -> Self:
        """Fit the model on the features left."""
        self.model_ = self.make(self.seed).fit(rows.without(self.names))
        self.training_p_ = self.model_.training_p_
        return self

    def predict_proba(self, rows: Rows) -> FloatArray:
        """Probabilities from the features left."""
        return self.model_.predict_proba(rows.without(self.names))


def _without(make: Callable[[int], Calibrated], names: tuple[str, ...], seed: int) -> Without:
    return Without(make, names, seed)


def ablation(
    rows: Rows,
    full: OutOfSample,
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Leave every feature family out in turn: what the full model gains from it.

    Parameters
    ----------
    rows, plan
        As they were evaluated.
    full : OutOfSample
        What :func:`liqwarn.models.evaluation.walk_forward` found with them.

    Returns
    -------
    list of dict
        ``family``, ``side``, ``horizon_h``, ``n_features`` and ``delta_pr_auc``: PR-AUC with the
        family less without it, with its paired 95 % interval.
    """
    primary = rows.at_horizon(PRIMARY_H)
    families: dict[str, list[str]] = {}
    for name, family in rows.families.items():
        families.setdefault(family, []).append(name)
    if len(families) < 2:
        raise ModelError(f"features of families {sorted(families)}: leaving one out needs two")
    make = model_maker(plan)
    found, _ = out_of_sample(
        primary,
        _primary(plan),
        {family: partial(_without, make, tuple(names)) for family, names in families.items()},
        map_folds=map_folds,
        on_progress=on_progress,
        what="ablation",
    )
    h = full.rows.horizons_h.index(PRIMARY_H)
    whole = {MODEL: full.p[MODEL][:, :, h : h + 1]}
    found = replace(found, p={**whole, **found.p})
    out = []
    for cell in cells(found, plan.n_bootstrap, plan.seed):
        samples = {model: cell.pr_samples(model) for model in cell.p}
        out += [
            {
                "family": family,
                "side": cell.side,
                "horizon_h": cell.horizon_h,
                "n_features": len(names),
                "delta_pr_auc": paired_delta(cell, (MODEL, family), samples),
            }
            for family, names in families.items()
        ]
    return out


def placebo(
    rows: Rows,
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Run the model where there is nothing to find; its ROC-AUC must cover 0.5.

    Shifted outcomes are forecast without the calendar family: a constant shift maps every hour of
    the week onto another one, so a calendar's pattern survives it and is no sign of a leak.

    Returns
    -------
    list of dict
        ``kind`` (``shuffled_features`` or ``shifted_labels``), ``side``, ``horizon_h``, ``n``,
        ``base_rate``, ``pr_auc`` and ``roc_auc`` with their 95 % intervals.
    """
    primary = rows.at_horizon(PRIMARY_H)
    calendar = [name for name, family in primary.families.items() if family == CALENDAR]
    kinds: Mapping[str, Rows] = {
        "shuffled_features": shuffled_features(primary, plan.seed),
        "shifted_labels": shifted_outcomes(primary.without(calendar), _shift(primary)),
    }
    out = []
    for kind, bent in kinds.items():
        found, _ = out_of_sample(
            bent,
            replace(plan, extra=()),
            {MODEL: model_maker(plan)},
            map_folds=map_folds,
            on_progress=on_progress,
            what=f"placebo: {kind.replace('_', ' ')}",
        )
        for cell in cells(found, plan.n_bootstrap, plan.seed):
            row = ranking_row(cell, MODEL)
            drawn = weighted_roc_auc(cell.ranked(MODEL), cell.weights)
            out.append({"kind": kind, **row, "roc_auc_ci": list(interval(drawn))})
    return out


def _primary(plan: EvaluationPlan) -> EvaluationPlan:
    return replace(plan, extra=tuple(rows.at_horizon(PRIMARY_H) for rows in plan.extra))


def _shift(rows: Rows) -> timedelta:
    span = timedelta(seconds=int((rows.times.max() - rows.times.min()).astype(int)))
    return SHIFT if span >= 4 * SHIFT else SHORT_SHIFT


def shuffled_features(rows: Rows, seed: int) -> Rows:
    """The same rows, each with the features of another."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return replace(rows, X=rows.X[order])


def shifted_outcomes(rows: Rows, shift: timedelta = SHIFT) -> Rows:
    """Each row with the outcome that followed `shift` later, rows without one left out.

    Later, not earlier: what already happened would be in the features. Training and test outcomes
    move alike, so they stay as far apart as they were.

    Raises
    ------
    ModelError
        When the rows do not reach that far.
    """
    bars = round(shift / rows.bar)
    step = int(bars * rows.bar.total_seconds())
    where = {
        (symbol, int(t)): k
        for k, (symbol, t) in enumerate(zip(rows.symbols, epoch_seconds(rows.times), strict=True))
    }
    pairs = [
        (k, where[symbol, t + step])
        for (symbol, t), k in where.items()
        if (symbol, t + step) in where
    ]
    if not pairs:
        raise ModelError(f"the rows span less than the {shift} a placebo moves their outcomes by")
    here, there = np.array(pairs).T
    return replace(rows.take(here), y=rows.y[there])
