"""liqwarn map: the liquidation map of a symbol, and how well it knew where liquidations were."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from liqwarn.cli.app import maps
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import PanelOptions, StoreOptions, command
from liqwarn.pipelines.engine import open_engine
from liqwarn.pipelines.liquidation_map import MapJob, venue_tiers
from liqwarn.pipelines.map_validation import validate_map, write_validation
from liqwarn.pipelines.map_view import (
    check_suffix,
    known_panels,
    look,
    look_first,
    write_heat_map,
    write_profile,
)
from liqwarn.pipelines.market import MarketJob, open_market
from liqwarn.reports.map_text import profile_text, validation_text

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class ValidateOptions(PanelOptions):
    """Options of ``liqwarn map validate``."""

    out: Annotated[Path, typer.Option(help="Folder for map_validation.json.")]
    cluster: Annotated[
        str | None,
        typer.Option(help="'local' for Dask on this machine, or a scheduler's address."),
    ] = None


@command(
    maps,
    "validate",
    ValidateOptions,
    example="liqwarn map validate --panel conf/panels/btc_core.yaml --data DIR --out runs/map",
)
def validate(options: ValidateOptions) -> None:
    """Score the map of every symbol against realised liquidations, beside the naive maps."""
    job = MarketJob(panel=options.panel, data=options.data, store=options.store)
    with progress() as on_progress, open_engine(options.cluster) as engine:
        market = open_market(job, now=datetime.now(UTC), on_progress=on_progress)
        work = MapJob(venue=venue_tiers(market.panel.venue, market.tiers))
        document = validate_map(market, work, engine=engine, on_progress=on_progress)
    path = write_validation(document, options.out)
    emit({"out": str(path), **document}, as_json=options.json, text=validation_text(document))


@dataclass(frozen=True, kw_only=True)
class ShowOptions(StoreOptions):
    """Options of ``liqwarn map show``."""

    symbol: Annotated[str, typer.Option(help="Perpetual, as in BTCUSDT.")]
    at: Annotated[
        datetime | None,
        typer.Option(help="Moment, UTC: the last bar closed by then [default: the last]."),
    ] = None
    panel: Annotated[
        list[Path] | None,
        typer.Option(
            help="Panel file; one a venue, and the profile is their sum "
            "[default: the first shipped panel with the symbol, a store, and the moment]."
        ),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(help="Write the profile: .png, .svg, .csv, .parquet or .json."),
    ] = None
    heat_map: Annotated[
        Path | None,
        typer.Option(help="Write the map over time: .png, .svg, .csv, .parquet or .json."),
    ] = None
    days: Annotated[float, typer.Option(help="Days that the heat map goes back.", min=0.01)] = 14.0


@command(
    maps,
    "show",
    ShowOptions,
    example="liqwarn map show --symbol BTCUSDT --at 2024-08-05T00:00:00 "
    "--panel conf/panels/btc_core.yaml --data DIR --heat-map heat.png --json",
)
def show_map(options: ShowOptions) -> None:
    """Say where liquidations wait: the estimated coins by price, below and above."""
    for path in (options.out, options.heat_map):
        if path is not None:
            check_suffix(path)
    panels = options.panel or known_panels(options.symbol)
    if options.store is not None and len(options.panel or ()) != 1:
        raise typer.BadParameter("--store is for one --panel")
    jobs = [MarketJob(panel=one, data=options.data, store=options.store) for one in panels]
    at = None if options.at is None else options.at.replace(tzinfo=UTC)
    with progress() as on_progress:
        see = look if options.panel else look_first
        view = see(options.symbol, jobs, at, now=datetime.now(UTC), on_progress=on_progress)
    result: dict[str, Any] = view.to_dict()
    if options.out is not None:
        write_profile(view, options.out)
    if options.heat_map is not None:
        span = timedelta(days=options.days)
        write_heat_map(view, view.heat_map(span), options.heat_map)
    emit(result, as_json=options.json, text=profile_text(result))
