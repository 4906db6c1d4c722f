"""Coinalyze recorded in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from liqwarn.pipelines.fetch_api import ApiDone, ApiJob, fetch_api
from liqwarn.sources.coinalyze import ENDPOINTS, INTERVALS, coinalyze_series
from liqwarn.sources.tally import OnFetch

__all__ = ["fetch_coinalyze"]

_PANELS: Final = {
    interval: Path(f"conf/panels/coinalyze_{interval}.yaml") for interval in ("1h", "4h")
}
_READ: Final = frozenset({"candles"})


def fetch_coinalyze(
    job: ApiJob,
    *,
    interval: str = "1h",
    kinds: Sequence[str] = tuple(ENDPOINTS),
    on_fetch: OnFetch,
) -> ApiDone:
    """Candles, open interest, funding, liquidations and long/short ratio of futures.

    Raises
    ------
    ConfigError, SourceError, StoreError
        As :func:`liqwarn.pipelines.fetch_api.fetch_api`.
    """
    faults = [f"series is {kind!r}, expected of {', '.join(ENDPOINTS)}"
              for kind in kinds if kind not in ENDPOINTS]  # fmt: skip
    if interval not in INTERVALS:
        faults.append(f"interval is {interval!r}, expected one of {', '.join(INTERVALS)}")
    if not kinds or len(set(kinds)) < len(kinds):
        faults.append("series: expected at least one, each once")
    return fetch_api(
        "coinalyze",
        job,
        lambda web: coinalyze_series(web, job.names, interval, kinds),
        panel=_PANELS.get(interval) if set(kinds) >= _READ else None,
        faults=faults,
        on_fetch=on_fetch,
    )
