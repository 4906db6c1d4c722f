"""``liqwarn fetch coinglass`` and ``coinalyze``: derivatives of many venues, with a key."""

from dataclasses import dataclass
from typing import Annotated

import typer

from liqwarn.cli.fetch_api_commands import ApiOptions, words
from liqwarn.cli.fetch_command import fetches
from liqwarn.cli.options import command
from liqwarn.cli.transfer import transfer
from liqwarn.pipelines.fetch_coinalyze import fetch_coinalyze
from liqwarn.pipelines.fetch_coinglass import fetch_coinglass
from liqwarn.sources.coinalyze import ENDPOINTS
from liqwarn.sources.coinglass import HISTORIES, CoinGlassOrder

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class CoinGlassOptions(ApiOptions):
    """Options of ``liqwarn fetch coinglass``."""

    assets: Annotated[str, typer.Option(help="Assets, such as BTC,ETH.")]
    interval: Annotated[str, typer.Option(help="5m, 15m, 30m, 1h, 4h, 8h, 12h or 1d.")] = "4h"
    pairs: Annotated[
        str | None,
        typer.Option(help="Such as Binance:BTCUSDT [default: Binance's against USDT]."),
    ] = None
    exchanges: Annotated[
        str, typer.Option(help="Of the series that are added up over exchanges.")
    ] = "Binance,OKX,Bybit"
    balances: Annotated[
        str, typer.Option(help="Exchanges whose balances of now are recorded; '' is none.")
    ] = "Binance"
    series: Annotated[str, typer.Option(help="Kinds of series.")] = ",".join(HISTORIES)


@command(
    fetches,
    "coinglass",
    CoinGlassOptions,
    example="liqwarn fetch coinglass --assets BTC,ETH --from 2026-06-01 --out DIR",
)
def coinglass(options: CoinGlassOptions) -> None:
    """A paid key: derivatives of many venues from CoinGlass.

    The key is in LIQWARN_COINGLASS_KEY. Which intervals and how much history there is depends on
    its plan.
    """
    order = CoinGlassOrder(
        interval=options.interval,
        pairs=words(options.pairs or ""),
        venues=words(options.exchanges),
        balances=words(options.balances),
        kinds=words(options.series),
    )
    with transfer("fetch coinglass") as on_fetch:
        done = fetch_coinglass(options.job(options.assets), order=order, on_fetch=on_fetch)
    options.end(done)


@dataclass(frozen=True, kw_only=True)
class CoinalyzeOptions(ApiOptions):
    """Options of ``liqwarn fetch coinalyze``."""

    symbols: Annotated[str, typer.Option(help="The provider's own, such as BTCUSDT_PERP.A.")]
    interval: Annotated[str, typer.Option(help="5m, 15m, 30m, 1h, 4h, 12h or 1d.")] = "1h"
    series: Annotated[str, typer.Option(help="Kinds of series.")] = ",".join(ENDPOINTS)


@command(
    fetches,
    "coinalyze",
    CoinalyzeOptions,
    example="liqwarn fetch coinalyze --symbols BTCUSDT_PERP.A --from 2026-10-01 --out DIR",
)
def coinalyze(options: CoinalyzeOptions) -> None:
    """A free key: derivatives by market from Coinalyze.

    The key is in LIQWARN_COINALYZE_KEY. The newest 1,500 to 2,000 rows are there, of days all of
    them: run it from a timer.
    """
    with transfer("fetch coinalyze") as on_fetch:
        done = fetch_coinalyze(
            options.job(options.symbols),
            interval=options.interval,
            kinds=words(options.series),
            on_fetch=on_fetch,
        )
    options.end(done)
