"""Does an alarm budget hold out of sample: frozen thresholds beside controlled ones."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np

from liqwarn.frames import SIDES, BoolArray, TimeArray
from liqwarn.models.alarm_control import STEP, bounded_score, run
from liqwarn.models.alarms import ALARM_BUDGETS, approaches, lead_minutes, lead_table
from liqwarn.models.bootstrap import interval, mean_samples
from liqwarn.models.events import Event
from liqwarn.models.folds import OutOfSample
from liqwarn.models.results import HAR, MODEL, Cell, alarm_rows, cells

__all__ = ["alarm_budget", "controlled_alarms", "worst_quarter"]

QUARTER_ROWS: Final = 30 * 24
"""Fewest onset-free rows of a calendar quarter that is looked at."""


def controlled_alarms(found: OutOfSample, model: str, step: float = STEP) -> BoolArray:
    """Alarms of every test row with controlled thresholds, shape (n_rows, 2, n_horizons, 4).

    One run a symbol, from the frozen thresholds of the first fold on and through every retraining.
    """
    rows, start = found.rows, bounded_score(found.thresholds[model][0])
    out = np.zeros(found.alarms[model].shape, dtype=np.bool_)
    for symbol in np.unique(rows.symbols):
        own = np.flatnonzero(rows.symbols == symbol)
        own = own[np.argsort(rows.times[own], kind="stable")]
        alarms = run(rows.times[own], rows.end[own], found.p[model][own], rows.y[own], start, step)
        out[own] = alarms == 1.0
    return out


def alarm_budget(
    found: OutOfSample,
    events: Sequence[Event],
    *,
    n_bootstrap: int,
    seed: int = 0,
    step: float = STEP,
) -> list[dict[str, Any]]:
    """Rows of ``alarm_budget`` in ``evaluation.json``: the model and HAR, frozen and controlled.

    ``false_alarm_rate`` is the share of rows without an onset ahead that are in alarm; its interval
    resamples calendar weeks. ``worst_quarter_rate`` is the rate of the calendar quarter furthest
    from the budget.
    """
    parts = cells(found, n_bootstrap, seed)
    out = []
    for model in (name for name in (MODEL, HAR) if name in found.p):
        kinds = {"frozen": found.alarms[model], "controlled": controlled_alarms(found, model, step)}
        for cell in parts:
            side, h = SIDES.index(cell.side), found.rows.horizons_h.index(cell.horizon_h)
            for kind, alarms in kinds.items():
                of_cell = alarms[cell.keep, side, h]
                rows = _rows(cell, found.rows.bar, of_cell, events)
                out += [{**row, "model": model, "kind": kind} for row in rows]
    return out


def _rows(
    cell: Cell, bar: timedelta, alarms: BoolArray, events: Sequence[Event]
) -> Iterator[dict[str, Any]]:
    about = alarm_rows(cell, bar)
    met = approaches(about, events, cell.side)
    quiet = cell.y == 0.0
    for k, budget in enumerate(ALARM_BUDGETS):
        alarm = alarms[:, k]
        minutes = lead_minutes(about, alarm, met)
        false = mean_samples(alarm[quiet].astype(np.float64), cell.weeks[quiet], cell.weights)
        yield {
            "side": cell.side,
            "horizon_h": cell.horizon_h,
            "budget": f"{budget:.2f}",
            "alarm_time": float(alarm.mean()),
            "false_alarm_rate": float(alarm[quiet].mean()),
            "false_alarm_rate_ci": list(interval(false)),
            "worst_quarter_rate": worst_quarter(cell.times[quiet], alarm[quiet], budget),
            "event_recall": float(np.isfinite(minutes).mean()) if minutes.size else float("nan"),
            "lead_median_min": lead_table(minutes)["median"],
        }


def worst_quarter(times: TimeArray, alarm: BoolArray, budget: float) -> float:
    """Share in alarm of the calendar quarter furthest from the budget.

    Quarters with fewer than 720 rows are left out; NaN when none has as many.

    Examples
    --------
    >>> times = np.datetime64("2024-01-01T01", "s") + np.arange(4344) * np.timedelta64(1, "h")
    >>> alarm = times > np.datetime64("2024-06-01")
    >>> round(worst_quarter(times, alarm, 0.05), 3)
    0.322
    """
    quarter = times.astype("datetime64[M]").astype(np.int64) // 3
    found, codes, counts = np.unique(quarter, return_inverse=True, return_counts=True)
    rates = np.bincount(codes, weights=alarm, minlength=len(found)) / counts
    rates = rates[counts >= QUARTER_ROWS]
    return float(rates[np.argmax(np.abs(rates - budget))]) if rates.size else float("nan")
