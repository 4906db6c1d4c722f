"""liqwarn event: one event of the catalogue as one picture, with its lead or why it was missed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import PanelOptions, command
from liqwarn.config import load_policy
from liqwarn.frames import Side
from liqwarn.models.events import EventConfig, detect_events, event_table
from liqwarn.pipelines.event_choice import EventQuery, matching
from liqwarn.pipelines.event_explorer import (
    EventOrder,
    check_out,
    event_name,
    explore_event,
    write_event,
)
from liqwarn.pipelines.event_forecast import Source
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.pipelines.study import build_study
from liqwarn.pipelines.train import TrainOrder
from liqwarn.reports.event_text import catalogue_text, event_lines

__all__: list[str] = []

_OUT = Path("runs/events")


@dataclass(frozen=True, kw_only=True)
class EventOptions(PanelOptions):
    """Options of ``liqwarn event``."""

    day: Annotated[
        datetime | None,
        typer.Argument(
            formats=["%Y-%m-%d"],
            help="Day of the event, UTC; the most severe of the day, or the nearest within 48 h.",
        ),
    ] = None
    symbol: Annotated[str | None, typer.Option(help="Perpetual [default: any].")] = None
    side: Annotated[Side | None, typer.Option(help="Side [default: both].")] = None
    catalogue: Annotated[
        bool, typer.Option("--list", help="Print the catalogue of events instead.")
    ] = False
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for event.png, .svg and .json [default: runs/events/EVENT]."),
    ] = None
    model: Annotated[
        Path | None,
        typer.Option(help="Model bundle [default: fit one on what was known before the picture]."),
    ] = None
    policy: Annotated[Path, typer.Option(help="Policy file (YAML).")] = Path("conf/policy.yaml")
    hours: Annotated[
        float | None, typer.Option(help="Hours shown before the onset [default: 48 bars].", min=1)
    ] = None
    seed: Annotated[int, typer.Option(help="Of every random choice.", min=0)] = 0
    threads: Annotated[int, typer.Option(help="Fits that run side by side.", min=1)] = 2

    def job(self) -> MarketJob:
        """Where the market is read from."""
        return MarketJob(panel=self.panel, data=self.data, store=self.store)

    def order(self, day: datetime) -> EventOrder:
        """Everything these options ask for."""
        return EventOrder(
            query=EventQuery(day=day.date(), symbol=self.symbol, side=self.side),
            source=Source(
                model=self.model,
                policy=load_policy(self.policy),
                train=TrainOrder(seed=self.seed, threads=self.threads),
            ),
            before=None if self.hours is None else timedelta(hours=self.hours),
        )


@command(
    app,
    "event",
    EventOptions,
    example="liqwarn event 2024-08-05 --symbol BTCUSDT --panel conf/panels/btc_core.yaml "
    "--data DIR --out runs/august",
)
def event(options: EventOptions) -> None:
    """Draw one event with its forecast; say how long before it was warned of, or why it was missed.

    The model is fitted on what was known a day before the picture begins, so what it says is out
    of sample; a bundle that has seen the event is used on demand, and said so.
    """
    if options.catalogue:
        _list(options)
        return
    if options.day is None:
        raise typer.BadParameter("name a day, as in 2024-08-05, or ask for --list")
    order = options.order(options.day)
    check_out(options.out or _OUT)
    with progress() as on_progress:
        market = open_market(options.job(), now=datetime.now(UTC), on_progress=on_progress)
        study = build_study(market, on_progress=on_progress)
        document = explore_event(study, order, on_progress=on_progress)
    folder = options.out or _OUT / event_name(document)
    write_event(document, folder)
    lines = [*event_lines(document), f"picture: {folder / 'event.png'}"]
    emit({"out": str(folder), **document}, as_json=options.json, text="\n".join(lines))


def _list(options: EventOptions) -> None:
    with progress() as on_progress:
        market = open_market(options.job(), now=datetime.now(UTC), on_progress=on_progress)
    frame = market.frame
    events = detect_events(frame, EventConfig.for_bar(frame.bar))
    table = event_table(matching(events, frame.symbols, options.symbol, options.side))
    rows = orjson.loads(table.to_json(orient="records", date_format="iso"))
    emit({"events": rows}, as_json=options.json, text=catalogue_text(table))
