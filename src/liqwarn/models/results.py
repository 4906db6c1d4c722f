"""From out-of-sample probabilities to the rows of ``evaluation.json``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.alarms import AlarmRows, alarm_metrics
from liqwarn.models.bootstrap import draw_weights, interval, week_codes
from liqwarn.models.events import Event, EventConfig
from liqwarn.models.folds import OutOfSample
from liqwarn.models.metrics import (
    brier,
    brier_skill,
    calibration_line,
    expected_calibration_error,
    molchan_curve,
    molchan_skill,
    reliability_bins,
)
from liqwarn.models.ranking import Ranked, pr_auc, rank_rows, roc_auc, weighted_pr_auc

__all__ = [
    "CLIMATOLOGY",
    "HAR",
    "MODEL",
    "Cell",
    "by_symbol",
    "cells",
    "measure",
    "paired_delta",
    "ranking_row",
]

MODEL: Final = "liqwarn"
HAR: Final = "B2"
CLIMATOLOGY: Final = "B0"
Scores = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """Test rows with a known outcome of one side and horizon, and every model's probabilities.

    Attributes
    ----------
    side, horizon_h : position-free names of the cell
    keep : ndarray of bool
        Which out-of-sample rows they are.
    symbols, times, y
        Of those rows.
    p : mapping of model to ndarray of float64, shape (n_rows,)
    weights : ndarray of float64, shape (n_resamples, n_weeks)
        Draws of calendar weeks, the same for every model.
    weeks : ndarray of int64, shape (n_rows,)
    """

    side: str
    horizon_h: int
    keep: NDArray[np.bool_]
    symbols: NDArray[np.str_]
    times: NDArray[np.datetime64]
    y: FloatArray
    p: Scores
    weights: FloatArray
    weeks: NDArray[np.int64]

    def ranked(self, model: str, rows: NDArray[np.bool_] | slice = slice(None)) -> Ranked:
        """The rows by a model's score."""
        return rank_rows(self.y[rows], self.p[model][rows], self.weeks[rows])

    def pr_auc(self, model: str, rows: NDArray[np.bool_] | slice = slice(None)) -> float:
        """PR-AUC of the rows as they are."""
        return pr_auc(self.y[rows], self.p[model][rows])

    def pr_samples(self, model: str, rows: NDArray[np.bool_] | slice = slice(None)) -> FloatArray:
        """PR-AUC in every resample."""
        return weighted_pr_auc(self.ranked(model, rows), self.weights)


def cells(found: OutOfSample, n_resamples: int, seed: int) -> list[Cell]:
    """Every side and horizon in which rows with and without an onset were tested."""
    rows = found.rows
    weeks, n_weeks = week_codes(rows.times)
    weights = draw_weights(n_weeks, n_resamples, seed)
    out = []
    for side, name in enumerate(SIDES):
        for h, hours in enumerate(rows.horizons_h):
            keep = np.isfinite(rows.y[:, side, h])
            y = rows.y[keep, side, h]
            if not y.size or np.ptp(y) == 0:
                continue
            out.append(
                Cell(
                    side=name,
                    horizon_h=hours,
                    keep=keep,
                    symbols=rows.symbols[keep],
                    times=rows.times[keep],
                    y=y,
                    p={model: p[keep, side, h] for model, p in found.p.items()},
                    weights=weights,
                    weeks=weeks[keep],
                )
            )
    return out


def measure(
    cell: Cell, found: OutOfSample, events: Sequence[Event], *, reference: str = HAR
) -> list[dict[str, Any]]:
    """One row a model for a cell: ranking, calibration, alarms, and the difference to HAR."""
    side, h = SIDES.index(cell.side), found.rows.horizons_h.index(cell.horizon_h)
    bar = found.rows.bar
    about = AlarmRows(
        symbols=cell.symbols,
        times=cell.times,
        y=cell.y,
        bar=bar,
        gap=EventConfig.for_bar(bar).gap,
        horizon=timedelta(hours=cell.horizon_h),
    )
    samples = {model: cell.pr_samples(model) for model in cell.p}
    out = []
    for model in cell.p:
        row = ranking_row(cell, model, samples[model])
        alarms = found.alarms[model][cell.keep, side, h]
        row |= alarm_metrics(about, alarms, events, cell.side)
        row |= _calibration(cell, model, reference)
        if reference in samples:
            row["delta_pr_auc_vs_har"] = paired_delta(cell, (model, reference), samples)
        out.append(row)
    return out


def ranking_row(cell: Cell, model: str, samples: FloatArray | None = None) -> dict[str, Any]:
    """PR-AUC with its interval and ROC-AUC of one model."""
    drawn = cell.pr_samples(model) if samples is None else samples
    return {
        "side": cell.side,
        "horizon_h": cell.horizon_h,
        "model": model,
        "n": int(cell.y.size),
        "base_rate": float(cell.y.mean()),
        "pr_auc": cell.pr_auc(model),
        "pr_auc_ci": list(interval(drawn)),
        "roc_auc": roc_auc(cell.y, cell.p[model]),
    }


def paired_delta(
    cell: Cell,
    models: tuple[str, str],
    samples: Scores,
    rows: NDArray[np.bool_] | slice = slice(None),
) -> dict[str, Any]:
    """PR-AUC of the first model less the second's, with its paired interval."""
    first, second = models
    mean = cell.pr_auc(first, rows) - cell.pr_auc(second, rows)
    return {"mean": mean, "ci": list(interval(samples[first] - samples[second]))}


def _calibration(cell: Cell, model: str, reference: str) -> dict[str, Any]:
    y, p = cell.y, cell.p[model]
    slope, intercept = calibration_line(y, p)
    row: dict[str, Any] = {
        "brier": brier(y, p),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "ece": expected_calibration_error(y, p),
    }
    for name, key in (
        (reference, "brier_skill_vs_har"),
        (CLIMATOLOGY, "brier_skill_vs_climatology"),
    ):
        if name in cell.p:
            row[key] = brier_skill(y, p, cell.p[name])
    curve = molchan_curve(y, p)
    row["molchan_skill"] = molchan_skill(curve)
    if model in (MODEL, reference):
        row["molchan"] = curve
        row["reliability"] = reliability_bins(y, p)
    return row


def by_symbol(cell: Cell, model: str = MODEL, reference: str = HAR) -> list[dict[str, Any]]:
    """The model and its difference to HAR in each symbol that had onsets."""
    out = []
    for symbol in np.unique(cell.symbols):
        rows = cell.symbols == symbol
        if np.ptp(cell.y[rows]) == 0:
            continue
        samples = {name: cell.pr_samples(name, rows) for name in (model, reference)}
        delta = paired_delta(cell, (model, reference), samples, rows)
        out.append(
            {
                "symbol": str(symbol),
                "side": cell.side,
                "horizon_h": cell.horizon_h,
                "model": model,
                "n": int(rows.sum()),
                "base_rate": float(cell.y[rows].mean()),
                "pr_auc": cell.pr_auc(model, rows),
                "roc_auc": roc_auc(cell.y[rows], cell.p[model][rows]),
                "delta_pr_auc_vs_har": delta,
            }
        )
    return out
