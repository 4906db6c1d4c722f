"""Live engines made by the batch: from the store and the journal, or from a snapshot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from liqwarn.data.bars.message import BarColumn
from liqwarn.data.panel import Panel
from liqwarn.data.quality import measure_quality
from liqwarn.errors import FrameError
from liqwarn.live.engine import LiveEngine, Memory
from liqwarn.models.bundle import Bundle
from liqwarn.models.events import event_table
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.pipelines.live_history import with_bars
from liqwarn.pipelines.live_start import start_live
from liqwarn.pipelines.market import Market, MarketJob, open_market
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.study import Study, build_study
from liqwarn.policy.book import Key
from liqwarn.policy.position import Position
from liqwarn.policy.tiers import Policy
from liqwarn.tables import write_table

__all__ = ["HistoryEngines"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HistoryEngines:
    """Makes the engines that a live service asks for.

    Attributes
    ----------
    job : MarketJob
        Whose history it is; brought up to date whenever an engine is made from it.
    panel : Panel
    bundle : callable
        The model of record now.
    policy : Policy
    now : callable
        The wall clock.
    begin : datetime or None
        Newest bar that an engine without recorded bars may know; None is all of the store.
    events : Path or None
        File of the event catalogue, written whenever an engine is made from the history.
    on_progress : callable
    """

    job: MarketJob
    panel: Panel
    bundle: Callable[[], Bundle]
    policy: Policy
    now: Callable[[], datetime]
    begin: datetime | None = None
    events: Path | None = None
    on_progress: OnProgress = silent

    def fresh(
        self,
        columns: Sequence[BarColumn],
        until: datetime | None,
        positions: Mapping[Key, Position],
    ) -> LiveEngine:
        """An engine after the history up to `until`; None is where the feed begins."""
        market = with_bars(self._market(), columns)
        last = self.begin if until is None else until
        if last is not None:
            market = _cut(market, last)
        study = self._study(market)
        return start_live(
            study,
            self.bundle(),
            self.policy,
            positions=positions,
            on_progress=self.on_progress,
        )

    def restored(self, memory: Memory) -> LiveEngine:
        """An engine that goes on from a snapshot."""
        bundle = self.bundle()
        return LiveEngine(self.panel, bundle, FastCascade(bundle.model), self.policy, memory)

    def next_quarter(self, engine: LiveEngine, columns: Sequence[BarColumn]) -> LiveEngine:
        """An engine before the last of the bars, with the maps that its quarter begins with."""
        market = with_bars(self._market(), columns)
        study = self._study(_cut(market, engine.as_of + self.panel.bar))
        return start_live(
            study,
            engine.bundle,
            self.policy,
            at=study.market.frame.shape[1] - 1,
            positions=engine.memory.positions,
            on_progress=self.on_progress,
        )

    def _study(self, market: Market) -> Study:
        """Features and events of a market; the catalogue is written where it is asked for."""
        study = build_study(market, on_progress=self.on_progress)
        if self.events is not None:
            write_table(event_table(study.events), self.events)
        return study

    def _market(self) -> Market:
        return open_market(self.job, now=self.now(), on_progress=self.on_progress)


def _cut(market: Market, until: datetime) -> Market:
    """The market up to a close."""
    frame = market.frame
    last = np.datetime64(until.astimezone(UTC).replace(tzinfo=None), "s")
    stop = int(np.searchsorted(frame.times, last, side="right"))
    if not stop or frame.times[stop - 1] != last:
        raise FrameError(
            f"the history runs from {frame.times[0]} to {frame.times[-1]}, "
            f"expected it to hold the bar that closes at {last}"
        )
    if stop == len(frame.times):
        return market
    short = frame.between(0, stop)
    return replace(market, frame=short, quality=measure_quality(short, market.panel))
