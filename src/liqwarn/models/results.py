"""From out-of-sample probabilities to the rows of ``evaluation.json``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import SIDES, BoolArray, FloatArray
from liqwarn.models.alarms import (
    ALARM_BUDGETS,
    AlarmRows,
    Approach,
    alarm_metrics,
    approaches,
    lead_minutes,
)
from liqwarn.models.bootstrap import (
    draw_weights,
    interval,
    mean_samples,
    week_numbers,
    week_positions,
)
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
from liqwarn.models.ranking import (
    IntArray,
    Ranked,
    pr_auc,
    rank_rows,
    roc_auc,
    weighted_pr_auc,
    weighted_roc_auc,
)

__all__ = [
    "CLIMATOLOGY",
    "HAR",
    "MODEL",
    "Cell",
    "alarm_rows",
    "alarms_of",
    "by_symbol",
    "by_year",
    "cells",
    "measure",
    "paired_delta",
    "paired_ratio",
    "ranking_row",
    "recall_intervals",
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
        Position of each row's week in `calendar`.
    calendar : ndarray of int64, shape (n_weeks,)
        Numbers of the weeks drawn from; see :func:`liqwarn.models.bootstrap.week_numbers`.
    """

    side: str
    horizon_h: int
    keep: NDArray[np.bool_]
    symbols: NDArray[np.str_]
    times: NDArray[np.datetime64]
    y: FloatArray
    p: Scores
    weights: FloatArray
    weeks: IntArray
    calendar: IntArray

    def ranked(self, model: str, rows: NDArray[np.bool_] | slice = slice(None)) -> Ranked:
        """The rows by a model's score."""
        return rank_rows(self.y[rows], self.p[model][rows], self.weeks[rows])

    def pr_auc(self, model: str, rows: NDArray[np.bool_] | slice = slice(None)) -> float:
        """PR-AUC of the rows as they are."""
        return pr_auc(self.y[rows], self.p[model][rows])

    def pr_samples(self, model: str, rows: NDArray[np.bool_] | slice = slice(None)) -> FloatArray:
        """PR-AUC in every resample."""
        return weighted_pr_auc(self.ranked(model, rows), self.weights)

    def roc_samples(self, model: str) -> FloatArray:
        """ROC-AUC in every resample."""
        return weighted_roc_auc(self.ranked(model), self.weights)


def cells(
    found: OutOfSample, n_resamples: int, seed: int, calendar: IntArray | None = None
) -> list[Cell]:
    """Every side and horizon in which rows with and without an onset were tested.

    Parameters
    ----------
    calendar : ndarray of int64 or None
        Numbers of the weeks to draw from, ascending, so that runs whose test rows differ are
        resampled alike; None for the weeks of the test rows.
    """
    rows = found.rows
    if calendar is None:
        calendar = np.unique(week_numbers(rows.times))
    weeks = week_positions(calendar, rows.times)
    weights = draw_weights(len(calendar), n_resamples, seed)
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
                    calendar=calendar,
                )
            )
    return out


def alarm_rows(cell: Cell, bar: timedelta) -> AlarmRows:
    """The rows of a cell, as alarms are judged on them."""
    return AlarmRows(
        symbols=cell.symbols,
        times=cell.times,
        y=cell.y,
        bar=bar,
        gap=EventConfig.for_bar(bar).gap,
        horizon=timedelta(hours=cell.horizon_h),
    )


def alarms_of(found: OutOfSample, cell: Cell, model: str) -> BoolArray:
    """A model's alarms at the rows of a cell, shape (n_rows, 4), by budget."""
    side, h = SIDES.index(cell.side), found.rows.horizons_h.index(cell.horizon_h)
    return np.asarray(found.alarms[model][cell.keep, side, h])


def measure(
    cell: Cell, found: OutOfSample, events: Sequence[Event], *, reference: str = HAR
) -> list[dict[str, Any]]:
    """One row a model for a cell: ranking, calibration, alarms, and what it has over HAR."""
    about = alarm_rows(cell, found.rows.bar)
    met = approaches(about, events, cell.side)
    samples = {model: cell.pr_samples(model) for model in cell.p}
    out = []
    for model in cell.p:
        row = ranking_row(cell, model, samples[model])
        alarms = alarms_of(found, cell, model)
        row |= alarm_metrics(about, alarms, events, cell.side)
        row["event_recall_ci"] = recall_intervals(cell, about, alarms, met)
        row |= _calibration(cell, model, reference)
        if reference in samples:
            row["delta_pr_auc_vs_har"] = paired_delta(cell, (model, reference), samples)
            row["ratio_pr_auc_vs_har"] = paired_ratio(cell, (model, reference), samples)
        out.append(row)
    return out


def recall_intervals(
    cell: Cell, about: AlarmRows, alarms: BoolArray, met: Sequence[Approach]
) -> dict[str, list[float]]:
    """Interval of event recall by alarm budget: events drawn with the calendar week of their onset.

    NaN where there is no event.
    """
    onsets = [int(event.onset.timestamp()) for event, _ in met]
    weeks = week_positions(cell.calendar, np.array(onsets, dtype="datetime64[s]"))
    found = {}
    for k, budget in enumerate(ALARM_BUDGETS):
        warned = np.isfinite(lead_minutes(about, alarms[:, k], met)).astype(np.float64)
        found[f"{budget:.2f}"] = list(interval(mean_samples(warned, weeks, cell.weights)))
    return found


def ranking_row(cell: Cell, model: str, samples: FloatArray | None = None) -> dict[str, Any]:
    """PR-AUC and ROC-AUC of one model, with their intervals."""
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
        "roc_auc_ci": list(interval(cell.roc_samples(model))),
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


def paired_ratio(cell: Cell, models: tuple[str, str], samples: Scores) -> dict[str, Any]:
    """PR-AUC of the first model over the second's, with its paired interval."""
    first, second = models
    mean = cell.pr_auc(first) / cell.pr_auc(second)
    return {"mean": mean, "ci": list(interval(samples[first] / samples[second]))}


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
    return _by_group(cell, "symbol", cell.symbols, (model, reference))


def by_year(cell: Cell, model: str = MODEL, reference: str = HAR) -> list[dict[str, Any]]:
    """The same in each calendar year that had onsets: skill of one year only is no skill."""
    years = cell.times.astype("datetime64[Y]").astype(np.str_)
    return _by_group(cell, "year", years, (model, reference))


def _by_group(
    cell: Cell, name: str, groups: NDArray[np.str_], models: tuple[str, str]
) -> list[dict[str, Any]]:
    out = []
    model, _ = models
    for group in np.unique(groups):
        rows = groups == group
        if np.ptp(cell.y[rows]) == 0:
            continue
        samples = {one: cell.pr_samples(one, rows) for one in models}
        out.append(
            {
                name: str(group),
                "side": cell.side,
                "horizon_h": cell.horizon_h,
                "model": model,
                "n": int(rows.sum()),
                "base_rate": float(cell.y[rows].mean()),
                "pr_auc": cell.pr_auc(model, rows),
                "roc_auc": roc_auc(cell.y[rows], cell.p[model][rows]),
                "delta_pr_auc_vs_har": paired_delta(cell, models, samples, rows),
            }
        )
    return out
