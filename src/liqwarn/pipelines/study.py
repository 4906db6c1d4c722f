"""A market with everything derived from it: features, events, labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from liqwarn.features.builder import FeatureBuilder
from liqwarn.frames import SIDES, FeatureMatrix, Labels, MarketFrame
from liqwarn.liquidation.fit import Draws
from liqwarn.models.events import Event, EventConfig, detect_events, event_table
from liqwarn.models.labels import make_labels, make_milder_labels
from liqwarn.pipelines.feature_memory import Derived, FeatureMemory
from liqwarn.pipelines.liquidation_map import MapJob, fit_map, read_map, venue_tiers
from liqwarn.pipelines.market import Market
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.tables import write_table

__all__ = ["Study", "build_study", "write_events", "write_features"]

_YEAR_DAYS: Final = 365.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """A market, its liquidation map and features, and what happened in it, milder events too.

    `mapped` is the market's frame with the readings of the map as further fields.
    """

    market: Market
    mapped: MarketFrame
    map_job: MapJob
    map_draws: Draws
    matrix: FeatureMatrix
    definition: EventConfig
    events: tuple[Event, ...]
    labels: Labels
    milder: Labels


def build_study(
    market: Market, *, memory: Path | None = None, on_progress: OnProgress = silent
) -> Study:
    """Features, events and labels of a market; labels are unknown where open interest is.

    Parameters
    ----------
    memory : Path or None
        Folder of this panel's closed months, whose features are not built again; the study is the
        same bit for bit. None builds everything. See :mod:`liqwarn.pipelines.feature_memory`.
    """
    frame = market.frame
    job = MapJob(venue=venue_tiers(market.panel.venue, market.tiers))
    derived = _derived(market, job, memory, on_progress)
    definition = EventConfig.for_bar(frame.bar)
    on_progress("events", 0, 1)
    events = detect_events(frame, definition)
    labels = make_labels(frame, events, definition)
    milder = make_milder_labels(frame, definition)
    on_progress("events", 1, 1)
    return Study(
        market=market,
        mapped=derived.mapped,
        map_job=job,
        map_draws=derived.draws,
        matrix=derived.matrix,
        definition=definition,
        events=events,
        labels=labels,
        milder=milder,
    )


def _derived(market: Market, job: MapJob, memory: Path | None, on_progress: OnProgress) -> Derived:
    frame = market.frame
    if memory is not None and len(frame.times):
        kept = FeatureMemory(memory)
        return kept.derive(frame, job, market.panel_sha256, on_progress=on_progress)
    draws = fit_map(frame, job, on_progress=on_progress).draws
    mapped = read_map(frame, job, draws, on_progress=on_progress)
    on_progress("features", 0, 1)
    matrix = FeatureBuilder().build(mapped)
    on_progress("features", 1, 1)
    return Derived(draws=draws, mapped=mapped, matrix=matrix)


def write_features(study: Study, path: Path) -> tuple[int, int]:
    """Write the feature matrix as a long table; returns its rows and features."""
    matrix = study.matrix
    n_symbols, n_bars = len(matrix.symbols), len(matrix.times)
    table = pd.DataFrame(matrix.rows(), columns=list(matrix.names))
    table.insert(0, "symbol", pd.Index(matrix.symbols).repeat(n_bars))
    times = pd.DatetimeIndex(matrix.times).tz_localize("UTC").as_unit("us")
    table.insert(1, "time", times.append([times] * (n_symbols - 1)))
    write_table(table, path)
    return len(table), len(matrix.names)


def write_events(market: Market, path: Path) -> dict[str, float]:
    """Write the event catalogue; returns how many there are of each side, and how often."""
    frame = market.frame
    events = detect_events(frame, EventConfig.for_bar(frame.bar))
    write_table(event_table(events), path)
    years = frame.shape[0] * len(frame.times) * frame.bar_s / 86_400 / _YEAR_DAYS
    counts = {side: float(sum(e.side == side for e in events)) for side in SIDES}
    return {**{k: int(v) for k, v in counts.items()}, "per_symbol_year": len(events) / years}
