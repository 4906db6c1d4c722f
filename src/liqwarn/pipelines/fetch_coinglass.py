"""CoinGlass recorded in a folder."""

from pathlib import Path
from typing import Final

from liqwarn.pipelines.fetch_api import ApiDone, ApiJob, fetch_api
from liqwarn.sources.coinglass import CoinGlassOrder, coinglass_series
from liqwarn.sources.tally import OnFetch

__all__ = ["fetch_coinglass"]

_PANELS: Final = {
    interval: Path(f"conf/panels/coinglass_{interval}.yaml") for interval in ("1h", "4h")
}
_READ: Final = frozenset({"price"})


def fetch_coinglass(job: ApiJob, *, order: CoinGlassOrder, on_fetch: OnFetch) -> ApiDone:
    """Open interest, funding, liquidations, ratios, depth and taker volume of coins.

    Raises
    ------
    ConfigError, SourceError, StoreError
        As :func:`liqwarn.pipelines.fetch_api.fetch_api`.
    """
    panel = _PANELS.get(order.interval) if set(order.kinds) >= _READ else None
    return fetch_api(
        "coinglass",
        job,
        lambda web: coinglass_series(web, job.names, order, job.clock),
        panel=panel,
        faults=order.faults,
        on_fetch=on_fetch,
    )
