"""``liqwarn fetch coinmetrics`` and its like: APIs without a key, recorded in a folder."""

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
from liqwarn.pipelines.fetch_api import ApiDone, ApiJob, fetch_coinmetrics
from liqwarn.sources.coinmetrics import METRICS

__all__: list[str] = []


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
            names=_words(names),
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


def _words(text: str) -> tuple[str, ...]:
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
    """Daily exchange flows of Coin Metrics' community API; not for commercial use.

    Each value is stamped with when it was seen; what the provider revises is kept beside it. Run it
    every day to record a series that is truly point-in-time.
    """
    with transfer("fetch coinmetrics") as on_fetch:
        done = fetch_coinmetrics(
            options.job(options.assets), metrics=_words(options.metrics), on_fetch=on_fetch
        )
    options.end(done)
