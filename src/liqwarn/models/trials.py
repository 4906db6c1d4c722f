"""What the skill rests on, and whether it is skill: ablation and placebos.

Both run the walk-forward of the headline at the primary horizon, several times: one fit's chance is
as large as many a family's worth.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.bootstrap import interval, mean_of_runs, one_of_runs, week_numbers
from liqwarn.models.calibration import Calibrated
from liqwarn.models.evaluation import (
    PRIMARY_H,
    EvaluationPlan,
    Progress,
    default_makers,
    model_maker,
    out_of_sample,
    primary,
)
from liqwarn.models.folds import Makers, MapFolds, OutOfSample
from liqwarn.models.placebos import (
    LEAK,
    Unflattened,
    planted_leak,
    shifted_outcomes,
    shifts,
    shuffled_features,
)
from liqwarn.models.ranking import roc_auc
from liqwarn.models.results import HAR, MODEL, Cell, cells
from liqwarn.models.rows import Rows

__all__ = ["Without", "ablation", "placebo"]

CALENDAR: Final = "calendar"
FLAT: Final = 1e-3


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
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Leave every feature family out in turn: what the full model gains from it.

    From every seed the full model and the reduced ones are fitted side by side on the same rows.

    Parameters
    ----------
    rows, plan
        As they were evaluated; ``plan.ablation_seeds`` runs.

    Returns
    -------
    list of dict
        ``family``, ``side``, ``horizon_h``, ``n_features``, ``seeds`` and ``delta_pr_auc``: PR-AUC
        with the family less without it, the mean over the seeds. Its 95 % interval draws weeks,
        paired, and for each draw one of the seeds: what one fit may gain from the family.
    """
    families: dict[str, list[str]] = {}
    for name, family in rows.families.items():
        families.setdefault(family, []).append(name)
    if len(families) < 2:
        raise ModelError(f"features of families {sorted(families)}: leaving one out needs two")
    make = model_maker(plan)
    makers: Makers = {
        MODEL: make,
        **{family: partial(_without, make, tuple(names)) for family, names in families.items()},
    }
    near = tuple(primary(other) for other in plan.extra)
    plan = replace(plan, splitter=plan.trial_splitter, extra=near)
    runs = []
    for k in range(plan.ablation_seeds):
        found, _ = out_of_sample(
            primary(rows),
            replace(plan, seed=plan.seed + k),
            makers,
            map_folds=map_folds,
            on_progress=on_progress,
            what=f"ablation, run {k + 1} of {plan.ablation_seeds}",
        )
        runs.append(_gains(found, plan, list(families)))
    return [
        {
            "family": family,
            "side": side,
            "horizon_h": PRIMARY_H,
            "n_features": len(families[family]),
            "seeds": len(runs),
            "delta_pr_auc": {
                "mean": float(np.mean([run[side, family][0] for run in runs])),
                "ci": list(interval(one_of_runs(_samples(runs, (side, family)), plan.seed))),
            },
        }
        for side, family in runs[0]
    ]


Gains = dict[tuple[str, str], tuple[float, FloatArray]]
"""Side and family to the difference and its resamples."""


def _gains(found: OutOfSample, plan: EvaluationPlan, families: Sequence[str]) -> Gains:
    """One run: the full model's PR-AUC less each reduced one's."""
    out: Gains = {}
    for cell in cells(found, plan.n_bootstrap, plan.seed):
        if cell.horizon_h != PRIMARY_H:
            continue
        whole, drawn = cell.pr_auc(MODEL), cell.pr_samples(MODEL)
        for family in families:
            gain = whole - cell.pr_auc(family)
            out[cell.side, family] = gain, drawn - cell.pr_samples(family)
    return out


def _samples(runs: Sequence[Gains], key: tuple[str, str]) -> FloatArray:
    return np.stack([run[key][1] for run in runs])


def placebo(
    rows: Rows,
    plan: EvaluationPlan,
    *,
    map_folds: MapFolds = map,
    on_progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Run model and HAR where there is nothing to find, and once where there is.

    ``shuffled_features`` and ``shifted_labels`` must show no skill: their ROC-AUC covers 0.5, or
    the difference to HAR covers 0 where slow volatility reaches across the shift. ``planted_leak``
    is the positive control: shuffled features and one column that knows the outcome a little. It
    must show skill, or the harness is blind and clean placebos mean nothing.

    Shifted outcomes are forecast without the calendar family: a constant shift maps every hour of
    the week onto another one, so a calendar's pattern survives it and is no sign of a leak. Every
    run has its own shuffle, shift or noise, and fits from its own seed, for the primary horizon
    alone. Rankings that calibration would flatten are kept: see
    :class:`liqwarn.models.placebos.Unflattened`.

    Returns
    -------
    list of dict
        ``kind``, ``side``, ``horizon_h``, ``model``, ``seeds`` (runs), and the means over the runs
        of ``n``, ``base_rate``, ``pr_auc``, ``roc_auc``, ``har_roc_auc`` and
        ``delta_pr_auc_vs_har``. Intervals (``pr_auc_ci``, ``roc_auc_ci``) are those of the mean,
        over weeks and runs. ``flattened_frac``: share of test rows whose fold's forecast
        calibration had made one number. ``says_nothing``: the forecast was one number in every
        fold of every run, so that its ROC-AUC of 0.5 is no evidence.
    """
    near = rows.at_horizon(PRIMARY_H)
    calendar = [name for name, family in near.families.items() if family == CALENDAR]
    timeless = near.without(calendar)
    moved = shifts(near, plan.trial_seeds)
    kinds: Mapping[str, Callable[[int], Rows]] = {
        "shuffled_features": lambda k: shuffled_features(near, plan.seed + k),
        "shifted_labels": lambda k: shifted_outcomes(timeless, moved[k]),
        LEAK: lambda k: planted_leak(near, plan.seed + k),
    }
    weeks = np.unique(week_numbers(near.times))
    out: list[dict[str, Any]] = []
    for kind, bend in kinds.items():
        runs: dict[str, list[_Run]] = {}
        for k in range(plan.trial_seeds):
            found, _ = out_of_sample(
                bend(k),
                replace(plan, splitter=plan.trial_splitter, extra=(), seed=plan.seed + k),
                _unflattened(plan),
                map_folds=map_folds,
                on_progress=on_progress,
                what=f"placebo: {kind.replace('_', ' ')}, run {k + 1} of {plan.trial_seeds}",
            )
            for cell in cells(found, plan.n_bootstrap, plan.seed, weeks):
                runs.setdefault(cell.side, []).append(_run_of(cell, found))
        out += [_placebo_row(kind, side, of_side, plan.seed) for side, of_side in runs.items()]
    return out


def _unflattened(plan: EvaluationPlan) -> Makers:
    makers = default_makers(plan)
    return {name: partial(Unflattened, makers[name]) for name in (MODEL, HAR)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """One run at one side: rows, figures, their resamples, and test rows by flatness."""

    figures: Mapping[str, float]
    drawn: Mapping[str, FloatArray]
    flattened: float
    silent: bool


def _run_of(cell: Cell, found: OutOfSample) -> _Run:
    y, said = cell.y, cell.p[MODEL]
    spread = _spread_by_fold(said, found.fold[cell.keep])
    return _Run(
        figures={
            "n": float(y.size),
            "base_rate": float(y.mean()),
            "pr_auc": cell.pr_auc(MODEL),
            "roc_auc": roc_auc(y, said),
            "har_pr_auc": cell.pr_auc(HAR),
            "har_roc_auc": roc_auc(y, cell.p[HAR]),
        },
        drawn={
            "pr_auc": cell.pr_samples(MODEL),
            "roc_auc": cell.roc_samples(MODEL),
            "har_pr_auc": cell.pr_samples(HAR),
        },
        flattened=float(np.mean(spread < FLAT)),
        silent=not spread.any(),
    )


def _spread_by_fold(p: FloatArray, fold: NDArray[np.int64]) -> FloatArray:
    """At every row, by how much of the largest the probabilities of its fold differ."""
    out = np.empty(p.shape)
    for k in np.unique(fold):
        here = fold == k
        out[here] = np.ptp(p[here]) / p[here].max()
    return out


def _placebo_row(kind: str, side: str, runs: Sequence[_Run], seed: int) -> dict[str, Any]:
    mean = {name: float(np.mean([run.figures[name] for run in runs])) for name in runs[0].figures}
    drawn = {
        name: mean_of_runs(np.stack([run.drawn[name] for run in runs]), seed)
        for name in runs[0].drawn
    }
    gain = {
        "mean": mean["pr_auc"] - mean["har_pr_auc"],
        "ci": list(interval(drawn["pr_auc"] - drawn["har_pr_auc"])),
    }
    return {
        "kind": kind,
        "side": side,
        "horizon_h": PRIMARY_H,
        "model": MODEL,
        "seeds": len(runs),
        "n": round(mean["n"]),
        "base_rate": mean["base_rate"],
        "pr_auc": mean["pr_auc"],
        "pr_auc_ci": list(interval(drawn["pr_auc"])),
        "roc_auc": mean["roc_auc"],
        "roc_auc_ci": list(interval(drawn["roc_auc"])),
        "har_roc_auc": mean["har_roc_auc"],
        "delta_pr_auc_vs_har": gain,
        "flattened_frac": float(np.mean([run.flattened for run in runs])),
        "says_nothing": all(run.silent for run in runs),
    }
