"""Week by week what flags were worth, and every cascade they missed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liqwarn.decisions import iso_utc
from liqwarn.frames import SIDES, BoolArray
from liqwarn.models.alarms import approaches, false_alarms, lead_minutes
from liqwarn.models.bootstrap import MONDAY_S, WEEK_S, week_numbers
from liqwarn.models.events import Event
from liqwarn.models.live_skill import ALARM_TIER, LiveRows
from liqwarn.models.metrics import brier

__all__ = ["missed_events", "weekly_table"]


def weekly_table(rows: LiveRows, events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    """A row a calendar week and side, oldest first; ``week`` is its Monday.

    An onset belongs to the week of the last flag before it. PR-AUC is NaN: the onsets of one week
    are too few for it, and the key is there for readers that have more.
    """
    weeks = week_numbers(rows.times)
    met = [_caught(rows, events, j) for j in range(len(SIDES))]
    for number in np.unique(weeks):
        for j, side in enumerate(SIDES):
            part = rows.take((weeks == number) & (rows.sides == j))
            if not len(part):
                continue
            caught = met[j][1][met[j][0] == number]
            monday = datetime.fromtimestamp(int(number) * WEEK_S + MONDAY_S, tz=UTC)
            symbol_weeks = len(part) * rows.bar.total_seconds() / WEEK_S
            false = false_alarms(part.alarm_rows(), part.tier >= ALARM_TIER)
            scored = np.isfinite(part.p)
            yield {
                "week": f"{monday:%Y-%m-%d}",
                "side": side,
                "rows": len(part),
                "onsets": caught.size,
                "pr_auc": float("nan"),
                "brier": brier(part.y[scored], part.p[scored]) if scored.any() else float("nan"),
                "caught": int(caught.sum()),
                "missed": int((~caught).sum()),
                "false_alarms": round(false * symbol_weeks),
            }


def _caught(
    rows: LiveRows, events: Sequence[Event], side: int
) -> tuple[NDArray[np.int64], BoolArray]:
    """Week of each onset of a side, and whether a flag at T2 or higher stood before it."""
    part = rows.take(rows.sides == side)
    met = approaches(part.alarm_rows(), events, SIDES[side])
    minutes = lead_minutes(part.alarm_rows(), part.tier >= ALARM_TIER, met)
    last = np.array([at[-1] for _, at in met], dtype=np.intp)
    return week_numbers(part.times[last]), np.isfinite(minutes)


def missed_events(
    rows: LiveRows, events: Iterable[tuple[Event, float]]
) -> Iterator[dict[str, Any]]:
    """Every onset without a flag at T2 or higher before it, newest first.

    Parameters
    ----------
    events : iterable of (Event, float)
        Onsets and their severity.

    Yields
    ------
    dict
        ``p_4h`` and ``tier`` are the highest of the 4 h before, ``model`` that of the highest.
    """
    told = list(events)
    severity = {(e.symbol, e.side, e.onset): worst for e, worst in told}
    found = []
    for j, side in enumerate(SIDES):
        part = rows.take(rows.sides == j)
        met = approaches(part.alarm_rows(), [event for event, _ in told], side)
        minutes = lead_minutes(part.alarm_rows(), part.tier >= ALARM_TIER, met)
        for (event, at), lead in zip(met, minutes, strict=True):
            if np.isfinite(lead):
                continue
            p = part.p[at]
            top = at[int(np.nanargmax(p))] if np.isfinite(p).any() else at[-1]
            found.append(
                {
                    "symbol": event.symbol,
                    "side": side,
                    "onset": iso_utc(event.onset),
                    "severity": severity[event.symbol, event.side, event.onset],
                    "p_4h": float(part.p[top]),
                    "tier": f"T{int(part.tier[at].max())}",
                    "model": str(part.models[top]),
                }
            )
    yield from sorted(found, key=lambda miss: (miss["onset"], miss["symbol"]), reverse=True)
