"""A provider's API recorded in a folder: history once, then what is new, stamped when seen."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from liqwarn.config import load_settings
from liqwarn.durable import write_json
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.sources.api_key import ApiKey
from liqwarn.sources.api_series import ApiReport, ApiSeries, fetch_series
from liqwarn.sources.coinmetrics import METRICS, coinmetrics_series
from liqwarn.sources.deribit import RESOLUTIONS, dvol_series
from liqwarn.sources.hyperliquid import INTERVALS, hyperliquid_series
from liqwarn.sources.providers import PROVIDERS, Provider
from liqwarn.sources.spans import Span
from liqwarn.sources.tally import OnFetch
from liqwarn.sources.web import Patience, Web

__all__ = ["ApiDone", "ApiJob", "fetch_api", "fetch_coinmetrics", "fetch_dvol", "fetch_hyperliquid"]

_METRIC: Final = re.compile(r"[A-Za-z0-9_]{1,60}", re.ASCII)
_COINMETRICS_PANEL: Final = Path("conf/panels/coinmetrics_1d.yaml")

_HYPERLIQUID_PANEL: Final = Path("conf/panels/hyperliquid_api_1h.yaml")

Choose = Callable[[Web], list[ApiSeries]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiJob:
    """Which part of an API, and where to.

    Attributes
    ----------
    names : tuple of str
        Assets, currencies or coins.
    since : date
        First day.
    until : date or None
        Last day; None is the present.
    out : Path or None
        None is ``LIQWARN_HOME/apis`` and the provider's name.
    base_url : str or None
        None is what the settings say.
    patience : Patience
    clock : callable
        Seconds since the epoch; says when a value was seen.
    """

    names: tuple[str, ...]
    since: date
    until: date | None = None
    out: Path | None = None
    base_url: str | None = None
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDone:
    """What a fetch left: the account of it, and the panel that reads it."""

    report: ApiReport
    folder: Path
    panel: Path | None

    @property
    def next_commands(self) -> tuple[str, ...]:
        """What reads the files; nothing when no series could be had."""
        if self.panel is None or len(self.report.refused) == len(self.report.outcomes):
            return ()
        return (f"liqwarn ingest --panel {self.panel} --data {self.folder}",)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "out": str(self.folder),
            "next": list(self.next_commands),
            **self.report.to_dict(),
        }

    def to_text(self) -> str:
        """For a person."""
        told = f"{self.folder}; {'next:' if self.next_commands else 'see docs/fetch.md'}"
        return "\n".join([self.report.to_text(), told, *(f"  {c}" for c in self.next_commands)])


def fetch_coinmetrics(
    job: ApiJob, *, metrics: Sequence[str] = METRICS, on_fetch: OnFetch
) -> ApiDone:
    """Daily exchange flows of the assets, and the price to turn them into coins.

    Raises
    ------
    ConfigError, SourceError, StoreError
        As :func:`fetch_api`.
    """
    assets = [name.lower() for name in job.names]
    faults = [f"metric is {m!r}, expected such as FlowInExUSD" for m in metrics
              if not _METRIC.fullmatch(m)]  # fmt: skip
    if not metrics or len(set(metrics)) < len(metrics):
        faults.append("metrics: expected at least one, each once")
    return fetch_api(
        "coinmetrics",
        job,
        lambda web: coinmetrics_series(web, assets, metrics),
        panel=_COINMETRICS_PANEL if set(METRICS) <= set(metrics) else None,
        faults=faults,
        on_fetch=on_fetch,
    )


def fetch_dvol(job: ApiJob, *, resolution: str = "1h", on_fetch: OnFetch) -> ApiDone:
    """Candles of Deribit's volatility index of the currencies.

    Raises
    ------
    ConfigError, SourceError, StoreError
        As :func:`fetch_api`.
    """
    known = ", ".join(RESOLUTIONS)
    wrong = [] if resolution in RESOLUTIONS else [f"{resolution!r}, expected one of {known}"]
    return fetch_api(
        "deribit-dvol",
        job,
        lambda web: dvol_series(web, [name.upper() for name in job.names], resolution),
        panel=None,
        faults=[f"resolution is {fault}" for fault in wrong],
        on_fetch=on_fetch,
    )


def fetch_hyperliquid(job: ApiJob, *, interval: str = "1h", on_fetch: OnFetch) -> ApiDone:
    """Funding, candles and the contexts of now of Hyperliquid's coins.

    Raises
    ------
    ConfigError, SourceError, StoreError
        As :func:`fetch_api`.
    """
    known = ", ".join(INTERVALS)
    wrong = [] if interval in INTERVALS else [f"{interval!r}, expected one of {known}"]
    return fetch_api(
        "hyperliquid",
        job,
        lambda web: hyperliquid_series(web, job.names, interval, job.clock),
        panel=_HYPERLIQUID_PANEL if interval == "1h" else None,
        faults=[f"interval is {fault}" for fault in wrong],
        on_fetch=on_fetch,
    )


def fetch_api(
    provider: str,
    job: ApiJob,
    choose: Choose,
    *,
    panel: Path | None,
    faults: Sequence[str] = (),
    on_fetch: OnFetch,
) -> ApiDone:
    """Record what an API has of the days asked for, and what it did not have before.

    ``fetch.json`` in the folder holds the account of the last run.

    Raises
    ------
    ConfigError
        When what is asked for cannot be, or a key is missing, every fault together.
    SourceError
        When the server refuses.
    StoreError
        When the folder cannot be written or read, or another fetch is writing it.
    """
    settings, told = load_settings(), PROVIDERS[provider]
    folder = job.out or settings.home / "apis" / provider
    span = _span(job)
    every = [*faults_of_out(folder), *_faults(job, span, told), *faults]
    said = settings.keys.get(provider)
    if told.key is not None and said is None:
        every.append(f"{told.key.variable} is not set, expected your key of {provider}")
    if every:
        raise ConfigError("\n".join(every))
    key = None if told.key is None or said is None else ApiKey(told.key, said)
    address = job.base_url or settings.apis.get(provider, told.address)
    patience = replace(
        job.patience,
        between_s=job.patience.between_s or told.between_s,
        per_minute=job.patience.per_minute or told.per_minute,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(folder / ".fetch.lock", timeout=0),
            Web(
                address,
                connections=1,
                patience=patience,
                stop=threading.Event(),
                key=key,
                budget=told.budget,
            ) as web,
        ):
            report = fetch_series(choose(web), span, folder, clock=job.clock, on_fetch=on_fetch)
            write_json(folder / "fetch.json", report.to_dict())
    except Timeout as error:
        raise StoreError(f"{folder}: another fetch is writing there") from error
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
    return ApiDone(report=report, folder=folder, panel=panel)


def _span(job: ApiJob) -> Span:
    """From the first day to the end of the last one, or to the present."""
    now = int(job.clock() * 1_000)
    if job.until is None:
        return _midnight(job.since), now
    return _midnight(job.since), min(_midnight(job.until + timedelta(days=1)), now)


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def _faults(job: ApiJob, span: Span, told: Provider) -> Iterator[str]:
    if not job.names:
        yield f"names: none, expected at least one such as {told.example}"
    if len({name.upper() for name in job.names}) < len(job.names):
        yield f"names: {', '.join(job.names)}, expected each once"
    for name in job.names:
        if not re.fullmatch(told.name, name, re.ASCII):
            yield f"name is {name!r}, expected {told.such_as} such as {told.example}"
    if span[0] >= span[1] or (job.until is not None and job.until < job.since):
        yield f"from {job.since} to {job.until or 'now'}: expected days in order, not to come"
