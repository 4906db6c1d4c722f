"""``liqwarn fetch bybit``: a venue's history and, if asked, its trades."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from liqwarn.cli.console import emit, say
from liqwarn.cli.fetch_command import fetches
from liqwarn.cli.options import Options, command
from liqwarn.cli.transfer import transfer
from liqwarn.errors import SourceError
from liqwarn.pipelines.fetch_bybit import BYBIT_PANEL, BybitJob, fetch_bybit

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class BybitOptions(Options):
    """Options of ``liqwarn fetch bybit``."""

    symbols: Annotated[str, typer.Option(help="Linear perpetuals, such as BTCUSDT,ETHUSDT.")]
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")]
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC [default: now]."),
    ] = None
    interval: Annotated[str, typer.Option(help="Of the candles.")] = "5m"
    bar: Annotated[str, typer.Option(help="Of the panel that is written.")] = "1h"
    trades: Annotated[
        bool,
        typer.Option(
            "--trades/--no-trades",
            help="Candles of the public trades too, which know the taker's side: many gigabytes.",
        ),
    ] = False
    out: Annotated[
        Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/apis/bybit].")
    ] = None
    base_url: Annotated[
        str | None, typer.Option(help="Of the API [default: $LIQWARN_BYBIT_API, else the venue's].")
    ] = None
    archive_url: Annotated[
        str | None,
        typer.Option(help="Of the trades [default: $LIQWARN_BYBIT_ARCHIVE, else the venue's]."),
    ] = None
    jobs: Annotated[int, typer.Option(help="Files of trades asked for at a time, 1 to 16.")] = 2
    ask_again: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Ask whether trades that were read were replaced."),
    ] = True
    template: Annotated[
        Path, typer.Option("--panel", help="Panel that the written one is made of.")
    ] = BYBIT_PANEL


@command(
    fetches,
    "bybit",
    BybitOptions,
    example="liqwarn fetch bybit --symbols BTCUSDT,ETHUSDT --from 2021-01-01 --out DIR",
)
def bybit(options: BybitOptions) -> None:
    """No key: prices, funding, open interest and account ratio of Bybit.

    Run it again to go on or to bring it up to date. With --trades its archive of public trades is
    read too, for the taker's side; only candles of them are kept. Its terms are the venue's own.
    """
    job = BybitJob(
        symbols=tuple(name.strip() for name in options.symbols.split(",") if name.strip()),
        since=options.since.date(),
        until=None if options.until is None else options.until.date(),
        interval=options.interval,
        bar=options.bar,
        trades=options.trades,
        out=options.out,
        base_url=options.base_url,
        archive_url=options.archive_url,
        jobs=options.jobs,
        ask_again=options.ask_again,
        template=options.template,
    )
    with transfer("fetch bybit") as on_fetch:
        done = fetch_bybit(job, on_fetch=on_fetch)
    if done.refused:
        say(done.to_text())
        raise SourceError(
            f"series and files refused: {len(done.refused)}, the first: {done.refused[0]}; "
            "the others are whole, run again to ask for these anew"
        )
    emit(done.to_dict(), as_json=options.json, text=done.to_text())
