"""CryptoQuant's exchange flows and derivatives recorded in a folder."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from liqwarn.pipelines.fetch_api import ApiDone, ApiJob, fetch_api
from liqwarn.pipelines.fetch_choice import faults_of_choice
from liqwarn.sources.cryptoquant import ENDPOINTS, WINDOWS, cryptoquant_series
from liqwarn.sources.tally import OnFetch

__all__ = ["fetch_cryptoquant"]

_EXCHANGE: Final = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)
_PANELS: Final = {
    ("hour", "binance"): Path("conf/panels/cryptoquant_1h.yaml"),
    ("day", "all_exchange"): Path("conf/panels/cryptoquant_1d.yaml"),
}


def fetch_cryptoquant(
    job: ApiJob,
    *,
    metrics: Sequence[str] = tuple(ENDPOINTS),
    window: str = "hour",
    exchange: str = "binance",
    on_fetch: OnFetch,
) -> ApiDone:
    """Series of the assets at one exchange, by the hour or the day.

    Raises
    ------
    ConfigError, SourceError, StoreError
        As :func:`liqwarn.pipelines.fetch_api.fetch_api`.
    """
    faults = [*faults_of_choice("metric", metrics, ENDPOINTS), *_faults(window, exchange)]
    assets = [name.upper() for name in job.names]
    return fetch_api(
        "cryptoquant",
        job,
        lambda web: cryptoquant_series(web, assets, metrics, window, exchange, job.clock),
        panel=_PANELS.get((window, exchange)) if "price" in metrics else None,
        faults=faults,
        on_fetch=on_fetch,
    )


def _faults(window: str, exchange: str) -> Iterator[str]:
    if window == "block":
        yield "interval is 'block', expected hour or day: blocks come at no fixed times"
    elif window not in WINDOWS:
        yield f"interval is {window!r}, expected one of {', '.join(WINDOWS)}"
    if not _EXCHANGE.fullmatch(exchange):
        yield f"exchange is {exchange!r}, expected such as binance or all_exchange"
