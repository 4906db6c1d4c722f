"""Commands over market data: ingest, features, label."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import PanelOptions, command
from liqwarn.pipelines.market import MarketJob, bring_up_to_date, open_market
from liqwarn.pipelines.study import build_study, write_events, write_features

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class IngestOptions(PanelOptions):
    """Options of ``liqwarn ingest``."""

    replace: Annotated[
        bool, typer.Option("--replace", help="Accept values that differ from the stored ones.")
    ] = False


@command(
    app,
    "ingest",
    IngestOptions,
    example="liqwarn ingest --panel conf/panels/btc_core.yaml --data DIR --store DIR",
)
def ingest(options: IngestOptions) -> None:
    """Read provider files into the store; the same file twice changes nothing."""
    job = MarketJob(
        panel=options.panel, data=options.data, store=options.store, replace=options.replace
    )
    with progress() as on_progress:
        done = bring_up_to_date(job, now=datetime.now(UTC), on_progress=on_progress)
    emit(done.to_dict(), as_json=options.json, text=done.to_text())


@dataclass(frozen=True, kw_only=True)
class OutOptions(PanelOptions):
    """A panel and one file to write."""

    out: Annotated[Path, typer.Option(help="File to write: .parquet or .csv by its suffix.")]


@command(
    app,
    "features",
    OutOptions,
    example="liqwarn features --panel conf/panels/btc_core.yaml --data DIR --out features.parquet",
)
def features(options: OutOptions) -> None:
    """Write the feature matrix: symbol, time (bar close, UTC), one column a feature."""
    with progress() as on_progress:
        job = MarketJob(panel=options.panel, data=options.data, store=options.store)
        market = open_market(job, now=datetime.now(UTC), on_progress=on_progress)
        study = build_study(market, on_progress=on_progress)
    rows, columns = write_features(study, options.out)
    emit(
        {"out": str(options.out), "rows": rows, "features": columns},
        as_json=options.json,
        text=f"{options.out}: {rows:,} rows of {columns} features",
    )


@command(
    app,
    "label",
    OutOptions,
    example="liqwarn label --panel conf/panels/btc_core.yaml --data DIR --out events.csv",
)
def label(options: OutOptions) -> None:
    """Write the catalogue of cascades found in the panel's history."""
    with progress() as on_progress:
        job = MarketJob(panel=options.panel, data=options.data, store=options.store)
        market = open_market(job, now=datetime.now(UTC), on_progress=on_progress)
        found = write_events(market, options.out)
    emit(
        {"out": str(options.out), **found},
        as_json=options.json,
        text=f"{options.out}: {found['long']} long cascades and {found['short']} short squeezes, "
        f"{found['per_symbol_year']:.1f} events a symbol and year",
    )
