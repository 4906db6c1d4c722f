"""The liquidation map of a market: fitted on its own past, read at every bar.

Symbols are independent but for the evidence, which is summed over them, so both passes go through
an engine: this process, or a Dask cluster.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from liqwarn.config import load_margin_tiers
from liqwarn.frames import FloatArray, MarketFrame
from liqwarn.liquidation.fit import Draws, FitConfig, SymbolJob, choose, symbol_evidence
from liqwarn.liquidation.readings import map_fields
from liqwarn.liquidation.tiers import VenueTiers
from liqwarn.pipelines.engine import Engine
from liqwarn.pipelines.market import TIER_FOLDER
from liqwarn.pipelines.progress import OnProgress, silent

__all__ = ["FittedMap", "MapJob", "fit_map", "read_map", "venue_tiers", "with_map"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapJob:
    """How a market's map is made.

    Attributes
    ----------
    venue : VenueTiers or None
        Maintenance tiers; None is a flat rate.
    config : FitConfig
        How it is fitted.
    """

    venue: VenueTiers | None
    config: FitConfig = field(default_factory=FitConfig)

    def of(self, frame: MarketFrame, symbol: str) -> SymbolJob:
        """The work of one symbol."""
        return SymbolJob(frame=frame.select((symbol,)), venue=self.venue, config=self.config)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedMap:
    """A map's parameters over time.

    Attributes
    ----------
    evidence : ndarray of float64, shape (n_symbols, n_blocks, n_candidates)
        What each month of each symbol says of each candidate, nats.
    draws : Draws
        The maps in force in each month.
    """

    evidence: FloatArray
    draws: Draws


def venue_tiers(venue: str, folder: Path = TIER_FOLDER) -> VenueTiers:
    """The maintenance tiers of a venue, from ``conf/margin_tiers`` by default.

    Raises
    ------
    ConfigError
        Naming the file and every fault in it.
    """
    return load_margin_tiers(folder / f"{venue}.yaml")


def fit_map(
    frame: MarketFrame,
    job: MapJob,
    *,
    engine: Engine | None = None,
    on_progress: OnProgress = silent,
) -> FittedMap:
    """Weigh the candidates by every month's evidence, and choose the maps of each month."""
    jobs = [job.of(frame, symbol) for symbol in frame.symbols]
    evidence = []
    on_progress("map: evidence", 0, len(jobs))
    for done in (engine or Engine()).map(symbol_evidence, jobs):
        evidence.append(done)
        on_progress("map: evidence", len(evidence), len(jobs))
    total = np.sum(evidence, axis=0)
    return FittedMap(evidence=np.array(evidence), draws=choose(frame.times, total, job.config))


def read_map(
    frame: MarketFrame,
    job: MapJob,
    draws: Draws,
    *,
    engine: Engine | None = None,
    on_progress: OnProgress = silent,
) -> MarketFrame:
    """The frame with the readings of a fitted map as further fields."""
    tasks = [(job.of(frame, symbol), draws) for symbol in frame.symbols]
    rows = []
    on_progress("map: readings", 0, len(tasks))
    for done in (engine or Engine()).map(_read, tasks):
        rows.append(done)
        on_progress("map: readings", len(rows), len(tasks))
    return frame.joined({name: np.stack([row[name] for row in rows]) for name in rows[0]})


def with_map(
    frame: MarketFrame,
    job: MapJob,
    *,
    engine: Engine | None = None,
    on_progress: OnProgress = silent,
) -> MarketFrame:
    """The frame with the readings of a map fitted on its own past."""
    fitted = fit_map(frame, job, engine=engine, on_progress=on_progress)
    return read_map(frame, job, fitted.draws, engine=engine, on_progress=on_progress)


def _read(task: tuple[SymbolJob, Draws]) -> dict[str, FloatArray]:
    return dict(map_fields(*task))
