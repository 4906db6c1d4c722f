"""Why an event was warned of, or was not: the lead time, and what stood behind the probability."""

from datetime import timedelta
from functools import cache
from typing import Any, Final

import numpy as np

from liqwarn.decisions import iso_utc
from liqwarn.features.catalogue import Entry, describe
from liqwarn.frames import SIDES
from liqwarn.models.alarms import ALARM_BUDGETS, AlarmRows, leads
from liqwarn.pipelines.event_scene import HORIZON, Scene, scene_event
from liqwarn.pipelines.signal_percentile import remembered_bars, standing_of

__all__ = ["SHOWN_BUDGETS", "tier_facts", "warning_facts"]

SHOWN_BUDGETS: Final = (0.05, 0.10)
"""Shares of time in alarm that an event is judged at."""

_TOP: Final = 3
_VOLATILITY: Final = "rv_1d"


def warning_facts(scene: Scene) -> dict[str, Any]:
    """Whether, when and how strongly the event's side was warned of, or what spoke against it.

    The bars judged are those in the 4 hours before the onset, outside the side's own events and
    the quiet time after them. ``peak`` is the judged bar of the highest probability; where there
    is none, the one of all bars in those hours, and None where nothing was scored.
    """
    before = scene.before
    judged = before[scene.early[before, scene.side]]
    best = _highest(scene, judged if judged.size else before)
    return {
        "horizon_h": int(HORIZON / timedelta(hours=1)),
        "bars": len(before),
        "judged_bars": len(judged),
        "budgets": {f"{budget:.2f}": _budget(scene, budget) for budget in SHOWN_BUDGETS},
        "peak": None if best is None else _peak(scene, best),
        "inputs": _inputs(scene, int(before[-1]) if best is None and before.size else best),
        "running_before": _running(scene),
    }


def _highest(scene: Scene, bars: Any) -> int | None:  # noqa: ANN401  positions of bars
    p = scene.probability[bars, scene.side]
    return int(bars[np.nanargmax(p)]) if np.isfinite(p).any() else None


def _budget(scene: Scene, budget: float) -> dict[str, Any]:
    """The verdict at one share of time in alarm.

    `earlier` is the last alarm shown that came too early to count, `late` the first one from the
    onset to the end of the event.
    """
    threshold = float(scene.forecast.thresholds[scene.side, ALARM_BUDGETS.index(budget)])
    alarm = scene.probability[:, scene.side] > threshold
    lead = _lead(scene, alarm)
    warned = lead is not None and np.isfinite(lead)
    raised = [scene.at(k) for k in np.flatnonzero(alarm).tolist()]
    late = [moment for moment in raised if scene.event.onset <= moment <= scene.event.end]
    first = scene.event.onset - scene.study.definition.gap - HORIZON
    earlier = [moment for moment in raised if moment < first]
    return {
        "threshold": threshold,
        "verdict": "no early warning" if lead is None else "warned" if warned else "missed",
        "lead_minutes": lead if warned else None,
        "first_alarm": iso_utc(scene.onset_start - timedelta(minutes=lead))
        if warned and lead is not None
        else None,
        "earlier": iso_utc(earlier[-1]) if earlier else None,
        "late": iso_utc(late[0]) if late else None,
    }


def _lead(scene: Scene, alarm: Any) -> float | None:  # noqa: ANN401  a flag a bar
    """Minutes; NaN for a miss, None where no bar was one of an early warning."""
    frame = scene.study.market.frame
    kept = scene.early[:, scene.side] & np.isfinite(scene.probability[:, scene.side])
    rows = AlarmRows(
        symbols=np.full(int(kept.sum()), scene.event.symbol),
        times=frame.times[scene.shown][kept],
        y=np.full(int(kept.sum()), np.nan),
        bar=frame.bar,
        gap=scene.study.definition.gap,
        horizon=HORIZON,
    )
    found = leads(rows, alarm[kept], [scene.event], scene.event.side)
    return float(found[0]) if found.size else None


def _peak(scene: Scene, bar: int) -> dict[str, Any]:
    """The strongest moment before the onset, and what pushed the probability there."""
    scores, at = scene.forecast.decided.risk.scores, bar + scene.scored.start
    cell = (scene.row, at, scene.side)
    return {
        "time": iso_utc(scene.at(bar)),
        "probability": dict(
            zip(
                [f"{h}h" for h in scores.horizons_h],
                scores.probability[cell].tolist(),
                strict=True,
            )
        ),
        "quantile": float(scores.quantile[cell]),
        "base_rate": float(scores.base_rate[cell]),
        **_drivers(scene, bar),
    }


def _drivers(scene: Scene, bar: int) -> dict[str, Any]:
    """The features that raised and lowered the log-odds of the 4-h probability most."""
    model, matrix = scene.forecast.decided.bundle.model, scene.study.matrix
    place = scene.span.first + bar
    values = matrix.aligned(model.names_)[scene.row, place]
    every = model.drivers(values[None, :], top=len(model.names_))[0][scene.side]
    up = [one for one in every if one[1] > 0.0][:_TOP]
    down = [one for one in every if one[1] < 0.0][:_TOP]
    return {
        "raised": [_driver(scene, place, *one) for one in up],
        "lowered": [_driver(scene, place, *one) for one in down],
    }


def _driver(scene: Scene, place: int, name: str, contribution: float) -> dict[str, Any]:
    entry = _entries(scene.study.market.frame.bar).get(name)
    return {
        "feature": name,
        "what": "" if entry is None else entry.summary,
        "unit": "" if entry is None else entry.unit,
        **_standing(scene, place, name),
        "contribution": contribution,
    }


@cache
def _entries(bar: timedelta) -> dict[str, Entry]:
    return {entry.name: entry for entry in describe(bar)}


def _standing(scene: Scene, place: int, name: str) -> dict[str, float]:
    """A feature's value, and its percentile as a signal board counts it; NaN where not known."""
    matrix, frame = scene.study.matrix, scene.study.market.frame
    if name not in matrix.names:
        return {"value": float("nan"), "percentile": float("nan")}
    column = matrix.column(name)[[scene.row], :, None]
    past = column[:, remembered_bars(place, frame.first_bar, frame.bar)]
    percentile, _ = standing_of(past, column[:, place], frame.bar)
    return {"value": column[0, place].item(), "percentile": percentile.item()}


def _inputs(scene: Scene, bar: int | None) -> dict[str, Any]:
    """What was known at a bar before the onset: quality, missing fields, volatility."""
    if bar is None:
        return {"quality": "unknown", "missing_fields": [], "unknown_features": None}
    market, place = scene.study.market, scene.span.first + bar
    model = scene.forecast.decided.bundle.model
    values = scene.study.matrix.aligned(model.names_)[scene.row, place]
    fields = [name for name in market.panel.fields if not name.startswith("next_")]
    return {
        "quality": str(market.quality.quality[scene.row, place]),
        "completeness": float(market.quality.completeness[scene.row, place]),
        "missing_fields": sorted(
            name for name in fields if np.isnan(market.frame.field(name)[scene.row, place])
        ),
        "unknown_features": int(np.isnan(values).sum()),
        "features": len(model.names_),
        "volatility": {"feature": _VOLATILITY, **_standing(scene, place, _VOLATILITY)},
    }


def _running(scene: Scene) -> list[dict[str, Any]]:
    """Other events of the symbol, of any side, that ran in the 4 hours before the onset."""
    event, bar = scene.event, scene.study.market.frame.bar
    since = event.onset - HORIZON
    return [
        scene_event(other, bar)
        for other in scene.study.events
        if other.symbol == event.symbol
        and other.onset <= event.onset
        and other.end >= since
        and other != event
    ]


def tier_facts(scene: Scene) -> dict[str, Any]:
    """The breaker's tier of the event's side before, during and after, and every change shown."""
    history = scene.forecast.decided.history
    tiers = np.maximum(history.tiers[scene.row, scene.scored], 0)
    own = tiers[:, scene.side]
    onset, end = scene.span.onset - scene.span.first, scene.span.end - scene.span.first
    before = own[scene.before] if scene.before.size else own[:onset]
    changes = [
        {
            "time": iso_utc(scene.at(k)),
            "side": side,
            "from": int(tiers[k - 1, j]),
            "to": int(tiers[k, j]),
            "rule": str(history.rules[scene.row, scene.scored][k, j]),
        }
        for k in range(1, len(tiers))
        for j, side in enumerate(SIDES)
        if tiers[k, j] != tiers[k - 1, j]
    ]
    return {
        "before": int(before.max()) if before.size else None,
        "at_onset": int(own[onset - 1]) if onset else None,
        "during": int(own[onset : end + 1].max()),
        "after": int(own[-1]),
        "changes": changes,
    }
