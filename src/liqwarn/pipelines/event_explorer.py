"""One event of the catalogue from every side: the market, the map, the forecast, the verdict.

Everything is put into one document; the picture and the words are made from it alone, so they
cannot say different things.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn.decisions import iso_utc
from liqwarn.durable import replace_file, write_json
from liqwarn.errors import ConfigError
from liqwarn.frames import epoch_seconds
from liqwarn.liquidation.by_price import heat_map_of
from liqwarn.pipelines.event_choice import EventQuery, choose_event, matching
from liqwarn.pipelines.event_facts import tier_facts, warning_facts
from liqwarn.pipelines.event_forecast import Source, forecast
from liqwarn.pipelines.event_scene import Scene, Span, scene_event, scene_series, span_of
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study
from liqwarn.reports.canvas import heat_map_canvas
from liqwarn.reports.charts import save_figure
from liqwarn.reports.event_picture import event_figure

__all__ = ["EventOrder", "check_out", "event_name", "explore_event", "write_event"]

_SCHEMA: Final = "liqwarn.event/1"
_MAP_COLUMNS: Final = 300
"""Moments of the map at most; a picture has no use for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOrder:
    """Which event, scored by what, with how much around it.

    Attributes
    ----------
    query : EventQuery
    source : Source
    before : timedelta or None
        Shown before the onset; see :func:`liqwarn.pipelines.event_scene.span_of`.
    """

    query: EventQuery
    source: Source
    before: timedelta | None = None


def explore_event(
    study: Study, order: EventOrder, *, on_progress: OnProgress = silent
) -> dict[str, Any]:
    """Everything about one event, as ``event.json`` holds it.

    Returns
    -------
    dict
        ``event``, ``choice`` (whether it is of the day asked for, and the day's other events),
        ``model`` (what it knew), ``warning`` (verdict, peak, drivers, inputs), ``tiers``,
        ``series`` (columns by bar), ``map`` (``liqwarn.heat_map/1``; None without open interest).

    Raises
    ------
    ConfigError
        When no event is near the day, or the panel has no such symbol.
    ModelError
        When too little history precedes the event to fit a model.
    """
    query = order.query
    found = matching(study.events, study.market.frame.symbols, query.symbol, query.side)
    choice = choose_event(found, query)
    event, frame = choice.event, study.market.frame
    span = span_of(study, event, order.before)
    start = datetime.fromtimestamp(int(epoch_seconds(frame.times)[span.first]), UTC)
    told = forecast(study, start, order.source, on_progress=on_progress)
    scene = Scene(study=study, event=event, span=span, forecast=told)
    return {
        "schema": _SCHEMA,
        "panel": study.market.panel.name,
        "market": study.market.panel.market,
        "bar_s": frame.bar_s,
        "event": scene_event(event, frame.bar),
        "choice": {
            "asked": query.day.isoformat(),
            "exact": choice.exact,
            "others": [scene_event(other, frame.bar) for other in choice.others],
        },
        "model": _model(scene),
        "warning": warning_facts(scene),
        "tiers": tier_facts(scene),
        "series": scene_series(scene),
        "map": _map(study, event.symbol, span, on_progress),
    }


def _model(scene: Scene) -> dict[str, Any]:
    """What the model knew, and whether this event was part of it."""
    decided = scene.forecast.decided
    training = decided.bundle.training
    return {
        "fitted": scene.forecast.fitted,
        "version": decided.bundle.stamp.version,
        "sha256": decided.bundle.stamp.sha256,
        "panel": training.panel,
        "trained_until": iso_utc(training.trained_until),
        "rows": training.rows,
        "events": training.events,
        "seen_event": training.trained_until > scene.onset_start,
        "seen_bars": int(sum(scene.seconds <= training.trained_until.timestamp())),
        "policy": {"version": decided.policy.version, "sha256": decided.policy.sha256},
    }


def _map(study: Study, symbol: str, span: Span, on_progress: OnProgress) -> dict[str, Any] | None:
    """The map from the bar before the picture on, so that every bar meets one made before it."""
    job = study.map_job.of(study.market.frame, symbol)
    first = max(0, span.first - 1)
    if not np.isfinite(job.frame.field("open_interest")[0, : span.last + 1]).any():
        return None
    on_progress("map: picture", 0, 1)
    step = -(-(span.last + 1 - first) // _MAP_COLUMNS)
    rows = sorted({*range(first, span.last + 1, step), max(first, span.onset - 1)})
    found = heat_map_canvas(heat_map_of(job, study.map_draws, rows))
    on_progress("map: picture", 1, 1)
    return found


def event_name(document: Mapping[str, Any]) -> str:
    """A folder's name for an event.

    >>> event = {"symbol": "BTCUSDT", "side": "long", "onset": "2024-08-05T01:00:00.000Z"}
    >>> event_name({"event": event})
    'BTCUSDT-long-20240805T0100Z'
    """
    event = document["event"]
    moment = datetime.fromisoformat(event["onset"])
    return f"{event['symbol']}-{event['side']}-{moment:%Y%m%dT%H%MZ}"


def check_out(folder: Path) -> None:
    """Refuse a folder that could not be written, before anything is computed.

    Raises
    ------
    ConfigError
        When it, or something above it, is a file.
    """
    for fault in faults_of_out(folder):
        raise ConfigError(fault)


def write_event(document: Mapping[str, Any], folder: Path) -> None:
    """Write ``event.json``, ``event.png`` and ``event.svg``."""
    figure = event_figure(document)
    for name in ("event.png", "event.svg"):
        replace_file(folder / name, partial(save_figure, figure))
    write_json(folder / "event.json", document)
