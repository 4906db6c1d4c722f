"""Glassnode's exchange flows, balances and derivatives recorded in a folder."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from liqwarn.pipelines.fetch_api import ApiDone, ApiJob, fetch_api
from liqwarn.pipelines.fetch_choice import faults_of_choice
from liqwarn.sources.glassnode import GLASSNODE_METRICS, INTERVALS, USUAL, glassnode_series
from liqwarn.sources.tally import OnFetch

__all__ = ["fetch_glassnode"]

_EXCHANGE: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}", re.ASCII)
_PANELS: Final = {
    ("1h", "aggregated"): Path("conf/panels/glassnode_1h.yaml"),
    ("24h", "aggregated"): Path("conf/panels/glassnode_1d.yaml"),
}


def fetch_glassnode(
    job: ApiJob,
    *,
    metrics: Sequence[str] = USUAL,
    interval: str = "1h",
    exchange: str = "aggregated",
    on_fetch: OnFetch,
) -> ApiDone:
    """Metrics of the assets, of all exchanges or of one.

    Raises
    ------
    ConfigError, SourceError, StoreError
        As :func:`liqwarn.pipelines.fetch_api.fetch_api`.
    """
    faults = [*faults_of_choice("metric", metrics, GLASSNODE_METRICS), *_faults(interval, exchange)]
    assets = [name.upper() for name in job.names]
    return fetch_api(
        "glassnode",
        job,
        lambda web: glassnode_series(web, assets, metrics, interval, exchange, job.clock),
        panel=_PANELS.get((interval, exchange)) if "price" in metrics else None,
        faults=faults,
        on_fetch=on_fetch,
    )


def _faults(interval: str, exchange: str) -> Iterator[str]:
    if interval not in INTERVALS:
        yield f"interval is {interval!r}, expected one of {', '.join(INTERVALS)}"
    if not _EXCHANGE.fullmatch(exchange):
        yield f"exchange is {exchange!r}, expected such as aggregated or binance"
