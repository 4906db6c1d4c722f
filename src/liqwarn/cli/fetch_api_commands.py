"""``liqwarn fetch coinmetrics`` and its like: APIs recorded in a folder, those without a key."""

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
from liqwarn.pipelines.fetch_api import (
    ApiDone,
    ApiJob,
    fetch_coinmetrics,
    fetch_dvol,
    fetch_hyperliquid,
)
from liqwarn.sources.coinmetrics import METRICS

__all__ = ["ApiOptions", "words"]


@dataclass(frozen=True, kw_only=True)
class ApiOptions(Options):
    """Options of every API."""

    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")]
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC [default: now]."),
    ] = None
    out: Annotated[
        Path | None, typer.Option(help="Folder [default: $LIQWARN_HOME/apis/PROVIDER].")
    ] = None
    base_url: Annotated[
        str | None, typer.Option(help="Another address than the provider's, see docs/fetch.md.")
    ] = None

    def job(self, names: str) -> ApiJob:
        """What they ask for."""
        return ApiJob(
            names=words(names),
            since=self.since.date(),
            until=None if self.until is None else self.until.date(),
            out=self.out,
            base_url=self.base_url,
        )

    def end(self, done: ApiDone) -> None:
        """Tell what a fetch left; series that were refused end it with 1."""
        refused = done.report.refused
        if refused:
            say(done.to_text())
            raise SourceError(
                f"series refused: {len(refused)}, the first: {refused[0].to_text()}; "
                "what came before is kept, run again to go on"
            )
        emit(done.to_dict(), as_json=self.json, text=done.to_text())


def words(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


@dataclass(frozen=True, kw_only=True)
class CoinMetricsOptions(ApiOptions):
    """Options of ``liqwarn fetch coinmetrics``."""

    assets: Annotated[str, typer.Option(help="Assets, such as btc,eth.")]
    metrics: Annotated[str, typer.Option(help="Columns that are recorded.")] = ",".join(METRICS)


@command(
    fetches,
    "coinmetrics",
    CoinMetricsOptions,
    example="liqwarn fetch coinmetrics --assets btc,eth --from 2021-01-01 --out DIR",
)
def coinmetrics(options: CoinMetricsOptions) -> None:
    """No key: daily exchange flows of Coin Metrics; not for commercial use.

    Each value is stamped with when it was seen; what the provider revises is kept beside it. Run it
    every day to record a series that is truly point-in-time.
    """
    with transfer("fetch coinmetrics") as on_fetch:
        done = fetch_coinmetrics(
            options.job(options.assets), metrics=words(options.metrics), on_fetch=on_fetch
        )
    options.end(done)


@dataclass(frozen=True, kw_only=True)
class DvolOptions(ApiOptions):
    """Options of ``liqwarn fetch deribit-dvol``."""

    assets: Annotated[str, typer.Option(help="Assets, such as BTC,ETH.")]
    interval: Annotated[str, typer.Option(help="Of the candles: 1min, 1h, 12h or 1d.")] = "1h"


@command(
    fetches,
    "deribit-dvol",
    DvolOptions,
    example="liqwarn fetch deribit-dvol --assets BTC,ETH --from 2021-04-01 --out DIR",
)
def deribit_dvol(options: DvolOptions) -> None:
    """No key: candles of Deribit's index of implied volatility (DVOL).

    Run it again to go on or to bring it up to date; docs/fetch.md has the lines for a panel.
    """
    with transfer("fetch deribit-dvol") as on_fetch:
        done = fetch_dvol(
            options.job(options.assets), resolution=options.interval, on_fetch=on_fetch
        )
    options.end(done)


@dataclass(frozen=True, kw_only=True)
class HyperliquidOptions(ApiOptions):
    """Options of ``liqwarn fetch hyperliquid``."""

    assets: Annotated[str, typer.Option(help="By the venue's names, such as BTC,ETH,kPEPE.")]
    interval: Annotated[str, typer.Option(help="Of the candles: 5m, 15m, 1h, 4h or 1d.")] = "1h"


@command(
    fetches,
    "hyperliquid",
    HyperliquidOptions,
    example="liqwarn fetch hyperliquid --assets BTC,ETH --from 2024-01-01 --out DIR",
)
def hyperliquid(options: HyperliquidOptions) -> None:
    """No key: funding, candles and the open interest of now of Hyperliquid.

    Open interest has no history there: each run records it once, so run it from a timer.
    """
    with transfer("fetch hyperliquid") as on_fetch:
        done = fetch_hyperliquid(
            options.job(options.assets), interval=options.interval, on_fetch=on_fetch
        )
    options.end(done)
