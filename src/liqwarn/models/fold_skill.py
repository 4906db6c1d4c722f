"""The model in each block of a walk-forward: skill over time, not only pooled."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from liqwarn.frames import SIDES
from liqwarn.models.alarms import alarm_metrics
from liqwarn.models.calibration import primary_horizon
from liqwarn.models.events import Event
from liqwarn.models.folds import OutOfSample
from liqwarn.models.metrics import brier_skill, calibration_line
from liqwarn.models.results import HAR, MODEL, Cell, alarm_rows, alarms_of, cells

__all__ = ["FOLD_METRICS", "fold_skill"]

FOLD_METRICS: Final = (
    "base_rate",
    "pr_auc",
    "har_pr_auc",
    "brier_skill_vs_har",
    "calibration_slope",
    "event_recall",
    "false_alarms_per_symbol_week",
)
_BUDGET: Final = "0.05"


def fold_skill(
    found: OutOfSample, events: Sequence[Event], n_train: Sequence[int]
) -> list[dict[str, Any]]:
    """One row a fold and side at the primary horizon; alarms at a budget of 5 % of the time.

    A block in which a side had no onset, or nothing else, has a row of NaN: it was tested.

    Parameters
    ----------
    n_train : sequence of int
        Rows trained on, fold by fold.
    """
    rows: list[dict[str, Any]] = []
    for fold in np.unique(found.fold):
        part = _block(found, np.flatnonzero(found.fold == fold))
        told = {
            "fold": int(fold),
            "from": f"{part.rows.times.min()}Z",
            "to": f"{part.rows.times.max()}Z",
            "n_train": int(n_train[int(fold)]),
            "n_test": len(part.rows),
        }
        hours = part.rows.horizons_h[primary_horizon(part.rows.horizons_h)]
        by_side = {c.side: c for c in cells(part, 1, 0) if c.horizon_h == hours}
        rows += [
            told | {"side": side} | _measured(by_side.get(side), part, events) for side in SIDES
        ]
    return rows


def _block(found: OutOfSample, at: Any) -> OutOfSample:  # noqa: ANN401  positions, as numpy gives them
    return replace(
        found,
        rows=found.rows.take(at),
        fold=found.fold[at],
        p={name: p[at] for name, p in found.p.items()},
        alarms={name: alarm[at] for name, alarm in found.alarms.items()},
    )


def _measured(cell: Cell | None, part: OutOfSample, events: Sequence[Event]) -> dict[str, Any]:
    if cell is None:
        return {"events": 0, **dict.fromkeys(FOLD_METRICS, float("nan"))}
    y, p, har = cell.y, cell.p[MODEL], cell.p.get(HAR)
    alarms = alarm_metrics(
        alarm_rows(cell, part.rows.bar), alarms_of(part, cell, MODEL), events, cell.side
    )
    return {
        "events": alarms["events"],
        "base_rate": float(y.mean()),
        "pr_auc": cell.pr_auc(MODEL),
        "har_pr_auc": float("nan") if har is None else cell.pr_auc(HAR),
        "brier_skill_vs_har": float("nan") if har is None else brier_skill(y, p, har),
        "calibration_slope": calibration_line(y, p)[0],
        "event_recall": alarms["event_recall"][_BUDGET],
        "false_alarms_per_symbol_week": alarms["false_alarms_per_symbol_week"][_BUDGET],
    }
