"""The live service put together from the options of ``liqwarn serve``."""

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from liqwarn.cli.live_ledger import follow_ledger
from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.live_pieces import (
    BarSource,
    Outgoing,
    document_by,
    listen_order,
    open_models,
    open_source,
    policy_in_force,
)
from liqwarn.cli.live_retrain import open_retraining, retrain_times
from liqwarn.config import config_sha256, load_panel, load_settings
from liqwarn.data.panel import Panel
from liqwarn.errors import ConfigError
from liqwarn.frames import MarketFrame
from liqwarn.liquidation.fit import FitConfig
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.pipelines.liquidation_map import venue_tiers
from liqwarn.pipelines.live_engines import HistoryEngines
from liqwarn.pipelines.market import MarketJob, open_market, tier_folder
from liqwarn.pipelines.progress import OnProgress
from liqwarn.pipelines.standings import read_standings
from liqwarn.policy.tiers import Policy
from liqwarn.serving.app import create_app
from liqwarn.serving.bundle_guard import BundleGuard
from liqwarn.serving.bundle_watch import BundleWatch
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.clock import Clock, SystemClock
from liqwarn.serving.event_file import EventFile
from liqwarn.serving.held_models import HeldModels
from liqwarn.serving.history_folder import HistoryFolder
from liqwarn.serving.listen import make_listener
from liqwarn.serving.live_record import EVENTS, HISTORY, LiveRecord
from liqwarn.serving.live_restart import last_flags
from liqwarn.serving.live_service import LiveService, ServiceParts
from liqwarn.serving.live_views import HeldScorer, LiveMapSource
from liqwarn.serving.live_watch import LoopWatch
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.order_view import LiveOrderView
from liqwarn.serving.ports import Sources
from liqwarn.serving.shelf import FlagShelf
from liqwarn.signing import SigningKey, load_signing_key

if TYPE_CHECKING:
    from liqwarn.serving.retrain_schedule import RetrainSchedule

__all__ = ["Wired", "wire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """A service, its server, what follows releases and what retrains; none is started."""

    service: LiveService
    server: uvicorn.Server
    follow: BundleWatch | None
    watch: LoopWatch
    retrain: "RetrainSchedule | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What most pieces need."""

    options: ServeOptions
    folder: Path
    panel: Panel
    panel_sha256: str
    policy: Policy
    clock: Clock
    metrics: ServingMetrics
    key: SigningKey | None


def wire(options: ServeOptions, stack: ExitStack, on_progress: OnProgress) -> Wired:
    """Put the service together; what must be closed in the end goes to `stack`.

    Raises
    ------
    LiqwarnError
        Naming what is missing or cannot be used.
    """
    folder, panel_file = options.out, options.panel
    if folder is None or panel_file is None:
        raise ConfigError("the live loop needs --panel FILE and --out FOLDER")
    times = retrain_times(options)
    panel = load_panel(panel_file)
    job = MarketJob(panel=panel_file, data=options.data, store=options.store)

    def history() -> MarketFrame:
        return open_market(job, now=datetime.now(UTC), on_progress=on_progress).frame

    source = open_source(options, history)
    stack.callback(source.feed.close)
    folder.mkdir(parents=True, exist_ok=True)
    metrics = ServingMetrics(source.clock, disk=folder)
    key = None if options.sign is None else load_signing_key(options.sign)
    outgoing = Outgoing.open(options, panel, source.clock, metrics, key=key, stack=stack)
    watch = LoopWatch(metrics, outgoing.alerts, bar=panel.bar)
    follow_ledger(panel.name, folder, metrics, outgoing.alerts, stack)
    holder, follow = open_models(options, panel, folder, watch)
    policy = policy_in_force(options, holder.current(), watch)
    common = _Common(
        options=options,
        folder=folder,
        panel=panel,
        panel_sha256=config_sha256(panel_file),
        policy=policy,
        clock=source.clock,
        metrics=metrics,
        key=key,
    )
    engines = HistoryEngines(
        job=job,
        panel=panel,
        bundle=lambda: holder.current().bundle,
        policy=common.policy,
        now=lambda: datetime.now(UTC),
        begin=source.begin,
        events=folder / EVENTS,
        on_progress=on_progress,
    )
    models = HeldModels(holder, on_swap=lambda to: watch.released_policy(to.policy, policy))
    guard = BundleGuard(holder, monotonic=SystemClock().monotonic)
    service = _service(common, source, outgoing, (models, guard), (watch, engines))
    server = _server(common, service, holder)
    retrain = open_retraining(options, times, metrics, outgoing.alerts, folder)
    return Wired(service=service, server=server, follow=follow, watch=watch, retrain=retrain)


def _service(
    common: _Common,
    source: BarSource,
    outgoing: Outgoing,
    models: tuple[HeldModels, BundleGuard],
    made: tuple[LoopWatch, HistoryEngines],
) -> LiveService:
    panel, folder = common.panel, common.folder
    tiers = venue_tiers(panel.venue, tier_folder(made[1].job.panel))
    shelf = FlagShelf()
    before = last_flags(folder, panel, () if common.key is None else (common.key.public,))
    if before is not None:
        shelf.publish(before)
    return LiveService(
        ServiceParts(
            folder=folder,
            panel=panel,
            panel_sha256=common.panel_sha256,
            policy=common.policy,
            terms=SymbolTerms(symbols=panel.symbol_names, venue=tiers, config=FitConfig()),
            engines=made[1],
            models=models[0],
            checks=(models[1],),
            standings=partial(read_standings, load_settings(), panel.name),
            feed=source.feed,
            joined=source.joined,
            patience=timedelta(seconds=common.options.patience_s),
            record=LiveRecord(
                folder, panel, panel_sha256=common.panel_sha256, document=document_by(common.key)
            ),
            shelf=shelf,
            clock=source.clock,
            watch=made[0],
            outlets=outgoing.outlets,
            beats=outgoing.beats,
        )
    )


def _server(common: _Common, service: LiveService, holder: BundleHolder) -> uvicorn.Server:
    bars = common.folder / "bars"
    common.metrics.before_render(lambda: common.metrics.journal_size(_bytes_in(bars)))
    app = create_app(
        service.shelf,
        policy=common.policy,
        clock=common.clock,
        sources=Sources(
            scorer=HeldScorer(holder),
            maps=LiveMapSource(service),
            events=EventFile(common.folder),
            history=HistoryFolder(common.folder / HISTORY),
            render_metrics=common.metrics.render,
            orders=LiveOrderView(service, clock=common.clock),
        ),
        key=common.key,
    )
    order = listen_order(common.options)
    # by the machine's clocks even in a replay: keys expire today, not on the day that is replayed
    return make_listener(app, order, clock=SystemClock(), metrics=common.metrics)


def _bytes_in(folder: Path) -> int:
    """Bytes of the files in a folder; one that is moved meanwhile counts as nothing."""
    total = 0
    for path in folder.glob("*.bars"):
        with suppress(OSError):
            total += path.stat().st_size
    return total
