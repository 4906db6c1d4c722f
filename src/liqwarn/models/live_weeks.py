"""Week by week what flags were worth, and every cascade they missed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from liqwarn.decisions import iso_utc
from liqwarn.frames import SIDES
from liqwarn.models.alarms import approaches, lead_minutes
from liqwarn.models.bootstrap import MONDAY_S, WEEK_S, week_numbers
from liqwarn.models.events import Event
from liqwarn.models.live_skill import ALARM_TIER, LiveRows, measure_live_skill

__all__ = ["missed_events", "weekly_table"]

_WEEK_S: Final = 7 * 24 * 3600


def weekly_table(rows: LiveRows, events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    """A row a calendar week and side, oldest first; ``week`` is its Monday.

    PR-AUC is NaN in a week of fewer onsets than say anything, which is nearly every week.
    """
    weeks = week_numbers(rows.times)
    for number in np.unique(weeks):
        for j, side in enumerate(SIDES):
            part = rows.take((weeks == number) & (rows.sides == j))
            if not len(part):
                continue
            found = measure_live_skill(part, events, side)
            monday = datetime.fromtimestamp(int(number) * WEEK_S + MONDAY_S, tz=UTC)
            symbol_weeks = len(part) * rows.bar.total_seconds() / _WEEK_S
            caught = found["recall"]["caught"]
            yield {
                "week": f"{monday:%Y-%m-%d}",
                "side": side,
                "rows": len(part),
                "onsets": found["onsets"],
                "pr_auc": found["pr_auc"]["value"],
                "brier": found["brier"],
                "caught": caught,
                "missed": found["onsets"] - caught,
                "false_alarms": round(found["false_alarms_per_week"] * symbol_weeks),
            }


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
