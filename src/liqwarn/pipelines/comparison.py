"""Evidence for the gate: a challenger's walk-forward beside a frozen champion."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.bundle import Bundle
from liqwarn.models.evaluation import Evaluation
from liqwarn.models.folds import OutOfSample
from liqwarn.models.gate import Difference, SideEvidence
from liqwarn.models.results import MODEL, Cell, cells, paired_delta

__all__ = ["gather_evidence"]

PRIMARY_H = 4
_CHAMPION = "champion"
_UNKNOWN = float("nan")


def gather_evidence(
    evaluation: Evaluation, champion: Bundle | None, *, n_bootstrap: int, seed: int
) -> tuple[SideEvidence, ...]:
    """What the walk-forward says of the challenger, and of the champion on bars it had not seen.

    The challenger is retrained along the walk, the champion is frozen, so only test rows later
    than the champion's own training are compared.
    """
    against = {} if champion is None else _against(evaluation.found, champion, n_bootstrap, seed)
    found = []
    for row in evaluation.results:
        if row["horizon_h"] != PRIMARY_H or row["model"] != MODEL:
            continue
        cell = against.get(str(row["side"]))
        found.append(
            SideEvidence(
                side=str(row["side"]),
                versus_har=_difference(row.get("delta_pr_auc_vs_har")),
                brier_skill_vs_har=_number(row.get("brier_skill_vs_har")),
                calibration_slope=_number(row.get("calibration_slope")),
                versus_champion=None if cell is None else _versus(cell),
                worse_symbols=() if cell is None else _worse_symbols(cell),
            )
        )
    return tuple(found)


def _against(found: OutOfSample, champion: Bundle, n_bootstrap: int, seed: int) -> dict[str, Cell]:
    """Cells of the rows the champion had not seen, by side, with its probabilities added."""
    until = np.datetime64(champion.training.trained_until.replace(tzinfo=None), "s")
    unseen = np.flatnonzero(found.rows.times > until)
    if not unseen.size:
        return {}
    rows = found.rows.take(unseen)
    known = rows.without(set(rows.names) - set(champion.model.names_))  # an upgrade may add some
    p: dict[str, FloatArray] = {
        MODEL: found.p[MODEL][unseen],
        _CHAMPION: champion.model.predict_proba(known.X, known.names),
    }
    part = replace(found, rows=rows, fold=found.fold[unseen], p=p, alarms={})
    return {
        cell.side: cell
        for cell in cells(part, n_bootstrap, seed)
        if cell.horizon_h == PRIMARY_H and cell.side in SIDES
    }


def _versus(cell: Cell) -> Difference:
    samples = {name: cell.pr_samples(name) for name in (MODEL, _CHAMPION)}
    return _difference(paired_delta(cell, (MODEL, _CHAMPION), samples))


def _worse_symbols(cell: Cell) -> tuple[str, ...]:
    """Symbols in which the challenger loses beyond the interval."""
    worse = []
    for symbol in np.unique(cell.symbols):
        rows = cell.symbols == symbol
        if np.ptp(cell.y[rows]) == 0:
            continue
        samples = {name: cell.pr_samples(name, rows) for name in (MODEL, _CHAMPION)}
        delta = _difference(paired_delta(cell, (MODEL, _CHAMPION), samples, rows))
        if delta.high < 0:
            worse.append(str(symbol))
    return tuple(worse)


def _difference(raw: Mapping[str, Any] | None) -> Difference:
    if raw is None:
        return Difference(mean=_UNKNOWN, low=_UNKNOWN, high=_UNKNOWN)
    low, high = map(_number, raw["ci"])
    return Difference(mean=_number(raw["mean"]), low=low, high=high)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else _UNKNOWN
