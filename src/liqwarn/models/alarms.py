"""What an alarm is worth: events warned of, how long before, and how often in vain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import BoolArray, FloatArray, TimeArray, epoch_seconds
from liqwarn.models.events import Event

__all__ = [
    "ALARM_BUDGETS",
    "AlarmRows",
    "Approach",
    "alarm_metrics",
    "alarm_thresholds",
    "approaches",
    "false_alarms",
    "lead_minutes",
    "lead_table",
    "leads",
]

ALARM_BUDGETS: Final = (0.01, 0.02, 0.05, 0.10)
"""Shares of time in alarm that the thresholds are set for."""
LEAD_BUDGET: Final = 0.05
MERGE_S: Final = 2 * 3600
WEEK_S: Final = 7 * 24 * 3600


def alarm_thresholds(training_p: FloatArray) -> FloatArray:
    """Thresholds that would have put each budget's share of unseen training rows in alarm.

    Parameters
    ----------
    training_p : ndarray of float64
        Out-of-fold probabilities of training rows; NaN are left out.

    Returns
    -------
    ndarray of shape (4,)
        An alarm is a probability above it. Infinite where no row was scored out of fold.
    """
    known = training_p[np.isfinite(training_p)]
    if not known.size:
        return np.full(len(ALARM_BUDGETS), np.inf)
    return np.quantile(known, [1.0 - budget for budget in ALARM_BUDGETS])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlarmRows:
    """Test rows of one side and horizon.

    Attributes
    ----------
    symbols : ndarray of str, shape (n_rows,)
    times : ndarray of datetime64[s], shape (n_rows,)
    y : ndarray of float64, shape (n_rows,)
    bar, gap, horizon : timedelta
    """

    symbols: NDArray[np.str_]
    times: TimeArray
    y: FloatArray
    bar: timedelta
    gap: timedelta
    horizon: timedelta


class Approach(NamedTuple):
    """An event, and the positions of the rows in the horizon before its onset, oldest first."""

    event: Event
    rows: NDArray[np.intp]


def approaches(rows: AlarmRows, events: Iterable[Event], side: str) -> list[Approach]:
    """Events of a side that have a row in the horizon before their onset, in the order given."""
    seconds = epoch_seconds(rows.times)
    by_symbol = {}
    for symbol in np.unique(rows.symbols):
        at = np.flatnonzero(rows.symbols == symbol)
        by_symbol[str(symbol)] = at[np.argsort(seconds[at], kind="stable")]
    found = []
    for event in events:
        if event.side != side or event.symbol not in by_symbol:
            continue
        at = by_symbol[event.symbol]
        latest = int((event.onset - rows.gap).timestamp())
        earliest = latest - int(rows.horizon.total_seconds())
        first, end = np.searchsorted(seconds[at], (earliest, latest))
        if end > first:
            found.append(Approach(event, at[first:end]))
    return found


def lead_minutes(rows: AlarmRows, alarm: BoolArray, met: Sequence[Approach]) -> FloatArray:
    """Minutes from the first alarm of each approach to the start of the onset bar.

    Returns
    -------
    ndarray of float64, shape (n_approaches,)
        NaN where no alarm was raised: a miss.
    """
    seconds = epoch_seconds(rows.times)
    bar_s = rows.bar.total_seconds()
    minutes = np.full(len(met), np.nan)
    for k, (event, at) in enumerate(met):
        raised = at[alarm[at]]
        if raised.size:
            minutes[k] = (event.onset.timestamp() - bar_s - seconds[raised[0]]) / 60.0
    return minutes


def leads(rows: AlarmRows, alarm: BoolArray, events: Iterable[Event], side: str) -> FloatArray:
    """Minutes from the first alarm of each event to the start of its onset bar.

    An event's alarms are those in the horizon before its onset; events with no row of the test
    there are left out. An alarm in the bar just before the onset bar has lead 0.

    Returns
    -------
    ndarray of float64, shape (n_events,)
        NaN where no alarm was raised: a miss.
    """
    return lead_minutes(rows, alarm, approaches(rows, events, side))


def lead_table(minutes: FloatArray) -> dict[str, float]:
    """Median and quartiles over the events warned of; share of all events warned 15 min ahead."""
    warned = minutes[np.isfinite(minutes)]
    nothing = float("nan")
    q25, median, q75 = np.percentile(warned, [25, 50, 75]) if warned.size else [nothing] * 3
    early = float(np.mean(minutes >= 15.0)) if minutes.size else nothing
    return {"median": float(median), "q25": float(q25), "q75": float(q75), "share_ge_15": early}


def false_alarms(rows: AlarmRows, alarm: BoolArray) -> float:
    """False alarm episodes per symbol and week.

    Alarms of a symbol less than 2 h apart are one episode; it is false when no onset followed any
    of them within the horizon.
    """
    if len(rows.times) != len(alarm):
        raise ModelError(f"{len(alarm)} alarms for {len(rows.times)} rows")
    weeks = len(rows.times) * rows.bar.total_seconds() / WEEK_S
    return _false_episodes(rows, alarm) / weeks if weeks else float("nan")


def _false_episodes(rows: AlarmRows, alarm: BoolArray) -> int:
    at = np.flatnonzero(alarm)
    at = at[np.lexsort((epoch_seconds(rows.times[at]), rows.symbols[at]))]
    if not at.size:
        return 0
    symbols, seconds = rows.symbols[at], epoch_seconds(rows.times[at])
    begins = np.append(True, (symbols[1:] != symbols[:-1]) | (np.diff(seconds) >= MERGE_S))
    episode = np.cumsum(begins) - 1
    hits = np.bincount(episode, weights=rows.y[at])
    return int((hits == 0).sum())


def alarm_metrics(
    rows: AlarmRows, alarms: BoolArray, events: Iterable[Event], side: str
) -> dict[str, Any]:
    """Recall, lead and false alarms at every budget, as ``evaluation.json`` has them.

    Parameters
    ----------
    alarms : ndarray of bool, shape (n_rows, 4)
        By budget, each against the threshold frozen in its fold's training.
    """
    recall: dict[str, float] = {}
    false: dict[str, float] = {}
    lead: dict[str, float] = {}
    met = approaches(rows, events, side)
    for k, budget in enumerate(ALARM_BUDGETS):
        minutes = lead_minutes(rows, alarms[:, k], met)
        recall[f"{budget:.2f}"] = (
            float(np.isfinite(minutes).mean()) if minutes.size else float("nan")
        )
        false[f"{budget:.2f}"] = false_alarms(rows, alarms[:, k])
        if budget == LEAD_BUDGET:
            lead = lead_table(minutes)
    return {
        "events": len(met),
        "event_recall": recall,
        "lead_minutes": lead,
        "false_alarms_per_symbol_week": false,
        "alarm_time": {
            f"{budget:.2f}": float(alarms[:, k].mean()) for k, budget in enumerate(ALARM_BUDGETS)
        },
    }
