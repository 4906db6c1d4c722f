"""``liqwarn fetch``: providers' archives, kept in a folder."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.app import app
from liqwarn.cli.console import emit, say
from liqwarn.cli.options import Options, command
from liqwarn.cli.sections import FetchSections
from liqwarn.cli.transfer import transfer
from liqwarn.errors import SourceError
from liqwarn.pipelines.fetch import BINANCE_PANEL, FetchJob, fetch_binance

__all__ = ["fetches"]

fetches = typer.Typer(
    cls=FetchSections,
    help="Fetch real data: years of history, then what is new; docs/data-sources.md compares them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(fetches, name="fetch")


@dataclass(frozen=True, kw_only=True)
class BinanceOptions(Options):
    """Options of ``liqwarn fetch binance``."""

    symbols: Annotated[str, typer.Option(help="Perpetuals, such as BTCUSDT,ETHUSDT.")]
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")]
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC [default: yesterday]."),
    ] = None
    interval: Annotated[str, typer.Option(help="Of the candles.")] = "5m"
    bar: Annotated[str, typer.Option(help="Of the panel that is written.")] = "1h"
    out: Annotated[
        Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/archive/binance].")
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option(help="A mirror [default: $LIQWARN_BINANCE_ARCHIVE, else the provider's]."),
    ] = None
    jobs: Annotated[int, typer.Option(help="Files asked for at a time, 1 to 16.")] = 4
    ask_again: Annotated[
        bool,
        typer.Option(
            "--check/--no-check", help="Ask whether files that are here were replaced since."
        ),
    ] = True
    template: Annotated[
        Path, typer.Option("--panel", help="Panel that the written one is made of.")
    ] = BINANCE_PANEL


@command(
    fetches,
    "binance",
    BinanceOptions,
    example="liqwarn fetch binance --symbols BTCUSDT,ETHUSDT --from 2021-12-01 --out DIR",
)
def binance(options: BinanceOptions) -> None:
    """No key: years of prices, funding and open interest of Binance.

    Run it again to go on or to bring it up to date: what is whole is not fetched twice, what the
    provider replaced is. Days it does not have are told. Its terms are the provider's own.
    """
    job = FetchJob(
        symbols=tuple(name.strip() for name in options.symbols.split(",") if name.strip()),
        since=options.since.date(),
        until=None if options.until is None else options.until.date(),
        interval=options.interval,
        bar=options.bar,
        out=options.out,
        base_url=options.base_url,
        jobs=options.jobs,
        ask_again=options.ask_again,
        template=options.template,
    )
    with transfer("fetch binance") as on_fetch:
        done = fetch_binance(job, now=datetime.now(UTC), on_fetch=on_fetch)
    refused = list(done.report.of("refused"))
    if refused:
        say(done.to_text())
        raise SourceError(
            f"files refused: {len(refused)}, the first: {refused[0].reason}; "
            "the others are whole, run again to ask for these anew"
        )
    emit(done.to_dict(), as_json=options.json, text=done.to_text())
