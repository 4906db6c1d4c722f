"""The severe tier apart: whether the events that matter most were warned of.

A severe event moved price and open interest by at least 5 % each. They are few, so this says how
many were seen and how early, and nothing of probabilities.
"""

from collections.abc import Iterable
from typing import Any, Final

from liqwarn.models.alarms import alarm_metrics, approaches
from liqwarn.models.events import Event
from liqwarn.models.folds import OutOfSample
from liqwarn.models.results import (
    HAR,
    MODEL,
    Cell,
    alarm_rows,
    alarms_of,
    cells,
    recall_intervals,
)

__all__ = ["severe_tier"]

SEVERE: Final = "severe"


def severe_tier(
    found: OutOfSample, events: Iterable[Event], *, n_bootstrap: int, seed: int
) -> list[dict[str, Any]]:
    """Recall and lead of severe events alone, of the model and of HAR.

    Parameters
    ----------
    found : OutOfSample
        What a walk-forward said, from :func:`liqwarn.models.evaluation.walk_forward`.
    events : iterable of Event
        All of the panel's; those without the flag ``severe`` are left out.
    n_bootstrap, seed : int
        Draws of calendar weeks.

    Returns
    -------
    list of dict
        ``side``, ``horizon_h``, ``model``, ``events``, ``event_recall``, ``event_recall_ci`` and
        ``lead_minutes``; only sides and horizons that have a severe event with a test row in the
        horizon before it.
    """
    chosen = [event for event in events if SEVERE in event.flags]
    out: list[dict[str, Any]] = []
    for cell in cells(found, n_bootstrap, seed):
        out += _rows(cell, found, chosen)
    return out


def _rows(cell: Cell, found: OutOfSample, events: list[Event]) -> list[dict[str, Any]]:
    about = alarm_rows(cell, found.rows.bar)
    met = approaches(about, events, cell.side)
    out = []
    for model in (MODEL, HAR):
        if not met or model not in found.alarms:
            continue
        alarms = alarms_of(found, cell, model)
        measured = alarm_metrics(about, alarms, events, cell.side)
        out.append(
            {
                "side": cell.side,
                "horizon_h": cell.horizon_h,
                "model": model,
                "events": measured["events"],
                "event_recall": measured["event_recall"],
                "event_recall_ci": recall_intervals(cell, about, alarms, met),
                "lead_minutes": measured["lead_minutes"],
            }
        )
    return out
