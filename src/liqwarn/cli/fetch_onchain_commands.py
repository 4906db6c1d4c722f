"""``liqwarn fetch cryptoquant`` and ``glassnode``: APIs with a key, recorded in a folder."""

from dataclasses import dataclass
from typing import Annotated

import typer

from liqwarn.cli.fetch_api_commands import ApiOptions, words
from liqwarn.cli.fetch_command import fetches
from liqwarn.cli.options import command
from liqwarn.cli.transfer import transfer
from liqwarn.pipelines.fetch_cryptoquant import fetch_cryptoquant
from liqwarn.pipelines.fetch_glassnode import fetch_glassnode
from liqwarn.sources.cryptoquant import ENDPOINTS
from liqwarn.sources.glassnode import USUAL

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class CryptoQuantOptions(ApiOptions):
    """Options of ``liqwarn fetch cryptoquant``."""

    assets: Annotated[str, typer.Option(help="Assets, such as BTC,ETH.")]
    exchange: Annotated[str, typer.Option(help="By its name there, or all_exchange.")] = "binance"
    interval: Annotated[str, typer.Option(help="Of the rows: hour or day.")] = "hour"
    metrics: Annotated[str, typer.Option(help="What is recorded.")] = ",".join(ENDPOINTS)


@command(
    fetches,
    "cryptoquant",
    CryptoQuantOptions,
    example="liqwarn fetch cryptoquant --assets BTC --from 2024-01-01 --out DIR",
)
def cryptoquant(options: CryptoQuantOptions) -> None:
    """A paid key: exchange flows and derivatives of CryptoQuant.

    The key is in LIQWARN_CRYPTOQUANT_KEY. Each value is stamped with when it was seen; what the
    provider revises is kept beside it. Run it every hour to record a series that is truly
    point-in-time.
    """
    with transfer("fetch cryptoquant") as on_fetch:
        done = fetch_cryptoquant(
            options.job(options.assets),
            metrics=words(options.metrics),
            window=options.interval,
            exchange=options.exchange,
            on_fetch=on_fetch,
        )
    options.end(done)


@dataclass(frozen=True, kw_only=True)
class GlassnodeOptions(ApiOptions):
    """Options of ``liqwarn fetch glassnode``."""

    assets: Annotated[str, typer.Option(help="Assets, such as BTC,ETH.")]
    exchange: Annotated[str, typer.Option(help="By its name there, or aggregated.")] = "aggregated"
    interval: Annotated[str, typer.Option(help="Of the rows: 10m, 1h or 24h.")] = "1h"
    metrics: Annotated[str, typer.Option(help="What is recorded.")] = ",".join(USUAL)


@command(
    fetches,
    "glassnode",
    GlassnodeOptions,
    example="liqwarn fetch glassnode --assets BTC --from 2024-01-01 --out DIR",
)
def glassnode(options: GlassnodeOptions) -> None:
    """A paid key: exchange flows, balances and derivatives of Glassnode.

    The key is in LIQWARN_GLASSNODE_KEY. Flows and balances are the provider's point-in-time
    variants, which never change and say when they were computed. Everything else is stamped with
    when it was seen.
    """
    with transfer("fetch glassnode") as on_fetch:
        done = fetch_glassnode(
            options.job(options.assets),
            metrics=words(options.metrics),
            interval=options.interval,
            exchange=options.exchange,
            on_fetch=on_fetch,
        )
    options.end(done)
