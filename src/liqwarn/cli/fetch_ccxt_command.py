"""``liqwarn fetch ccxt``: funding and open interest of the other exchanges."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from liqwarn.cli.console import emit, say
from liqwarn.cli.fetch_command import fetches
from liqwarn.cli.options import Options, command
from liqwarn.cli.transfer import transfer
from liqwarn.errors import SourceError
from liqwarn.pipelines.fetch_ccxt import CcxtJob, fetch_ccxt
from liqwarn.sources.ccxt_series import Amount

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class CcxtOptions(Options):
    """Options of ``liqwarn fetch ccxt``."""

    exchange: Annotated[str, typer.Option(help="By ccxt's name, such as gate.")]
    symbols: Annotated[str, typer.Option(help="Linear perpetuals, such as BTC/USDT:USDT.")]
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")]
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC [default: now]."),
    ] = None
    interval: Annotated[str, typer.Option(help="Of open interest: 5m to 1d.")] = "1h"
    amount_in: Annotated[
        str | None,
        typer.Option(help="What its amounts count, where that is not known: base or contracts."),
    ] = None
    python: Annotated[
        Path | None,
        typer.Option(help="Python that has ccxt [default: $LIQWARN_CCXT_PYTHON]."),
    ] = None
    out: Annotated[
        Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/apis/ccxt/EXCHANGE].")
    ] = None
    reply_s: Annotated[float, typer.Option(help="Longest that a reply is waited for.", min=1)] = 120


@command(
    fetches,
    "ccxt",
    CcxtOptions,
    example="liqwarn fetch ccxt --exchange gate --symbols BTC/USDT:USDT --from 2024-01-01",
)
def ccxt(options: CcxtOptions) -> None:
    """No key: funding and open interest of any other exchange, by ccxt.

    ccxt is no part of liqwarn: it runs in a process and an environment of its own, made by
    python3 -m venv ccxt-env && ccxt-env/bin/pip install ccxt
    """
    job = CcxtJob(
        exchange=options.exchange,
        symbols=tuple(name.strip() for name in options.symbols.split(",") if name.strip()),
        since=options.since.date(),
        until=None if options.until is None else options.until.date(),
        timeframe=options.interval,
        amount_in=cast("Amount | None", options.amount_in),
        python=options.python,
        out=options.out,
        reply_s=options.reply_s,
    )
    with transfer("fetch ccxt") as on_fetch:
        done = fetch_ccxt(job, on_fetch=on_fetch)
    refused = done.report.refused
    if refused:
        say(done.to_text())
        raise SourceError(
            f"series refused: {len(refused)}, the first: {refused[0].to_text()}; "
            "what came before is kept, run again to go on"
        )
    emit(done.to_dict(), as_json=options.json, text=done.to_text())
