"""Bybit in a folder: its API, candles of its public trades, the panel that reads both."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from liqwarn.config import load_panel, load_settings, read_yaml
from liqwarn.durable import write_bytes, write_json
from liqwarn.errors import SourceError, StoreError
from liqwarn.pipelines.fetch_api import ApiJob, fetch_api
from liqwarn.pipelines.fetched_panel import FetchedPanel, faults_of_bar
from liqwarn.sources.api_series import ApiReport
from liqwarn.sources.bybit import INTERVALS, bybit_series
from liqwarn.sources.bybit_archive import TradesOrder, fetch_trades
from liqwarn.sources.bybit_days import DayFile, DaysReport, days_of
from liqwarn.sources.providers import PROVIDERS
from liqwarn.sources.recording import TIME
from liqwarn.sources.tally import OnFetch
from liqwarn.sources.web import Patience

__all__ = ["BYBIT_PANEL", "BybitDone", "BybitJob", "fetch_bybit"]

BYBIT_PANEL: Final = Path("conf/panels/bybit_linear_1h.yaml")
"""The shipped panel that the written one is made of."""

_ARCHIVE: Final = "bybit-archive"
_MOST_JOBS: Final = 16
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BybitJob:
    """Which part of Bybit, and where to.

    Attributes
    ----------
    symbols : tuple of str
        Linear perpetuals.
    since : date
        First day.
    until : date or None
        Last day; None is the present, and yesterday of the trades.
    interval : str
        Of the candles, such as ``5m``.
    bar : str
        Length of a bar of the panel that is written, such as ``1h``.
    trades : bool
        Make candles of the public trades too: they are large.
    out : Path or None
        None is ``LIQWARN_HOME/apis/bybit``.
    base_url, archive_url : str or None
        None is what the settings say.
    jobs : int
        Files of trades asked for at a time.
    ask_again : bool
        Ask whether trades whose candles are here were replaced.
    template : Path
        Panel whose symbols, bar and interval are exchanged.
    patience : Patience
    clock : callable
        Seconds since the epoch.
    """

    symbols: tuple[str, ...]
    since: date
    until: date | None = None
    interval: str = "5m"
    bar: str = "1h"
    trades: bool = False
    out: Path | None = None
    base_url: str | None = None
    archive_url: str | None = None
    jobs: int = 2
    ask_again: bool = True
    template: Path = BYBIT_PANEL
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.time

    @property
    def today(self) -> date:
        """The present day, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class BybitDone:
    """What a fetch left: the accounts of it, the panel that reads it, and what to do next.

    Attributes
    ----------
    api : ApiReport
    days : DaysReport
    folder, panel : Path
    unknown : tuple of str
        Symbols without candles: they are not in the panel.
    """

    api: ApiReport
    days: DaysReport
    folder: Path
    panel: Path
    unknown: tuple[str, ...]

    @property
    def refused(self) -> tuple[str, ...]:
        """Why series and days were refused, one text each."""
        return (
            *(outcome.to_text() for outcome in self.api.refused),
            *(outcome.reason for outcome in self.days.of("refused")),
        )

    @property
    def next_commands(self) -> tuple[str, ...]:
        """What reads the files and learns from them; changed files need the word to replace."""
        changed = " --replace" if self.days.count("replaced") else ""
        return (
            f"liqwarn ingest --panel {self.panel} --data {self.folder}{changed}",
            f"liqwarn train --panel {self.panel}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "out": str(self.folder), "panel": str(self.panel), "unknown": list(self.unknown),
            "next": list(self.next_commands), **_account(self.api, self.days),
        }  # fmt: skip

    def to_text(self) -> str:
        """For a person."""
        lines = [self.api.to_text()]
        lines += [self.days.to_text()] if self.days.outcomes else []
        lines += [f"{symbol}: no candles, so it is not in the panel" for symbol in self.unknown]
        lines += [f"{self.folder}: panel {self.panel.name}; next:"]
        return "\n".join([*lines, *(f"  {command}" for command in self.next_commands)])


def fetch_bybit(job: BybitJob, *, on_fetch: OnFetch) -> BybitDone:
    """Bring a folder up to date with Bybit and write the panel that reads it.

    ``fetch.json`` in the folder holds the account of the last run.

    Raises
    ------
    ConfigError
        When what is asked for cannot be, every fault together.
    SourceError
        When a server refuses or does not answer, or has no candles of any symbol.
    StoreError
        When the folder cannot be written, or another fetch is writing it.
    """
    load_panel(job.template)  # whatever is wrong with it is told before anything is fetched
    template, symbols = read_yaml(job.template), tuple(sorted(set(job.symbols)))
    asked = ApiJob(
        names=symbols, since=job.since, until=job.until, out=job.out, base_url=job.base_url,
        patience=job.patience, clock=job.clock,
    )  # fmt: skip
    done = fetch_api(
        "bybit",
        asked,
        lambda web: bybit_series(web, symbols, job.interval),
        panel=None,
        faults=list(_faults(job)),
        on_fetch=on_fetch,
    )
    folder = done.folder
    panel = folder / f"bybit_linear_{job.bar}.yaml"
    try:
        with FileLock(folder / ".fetch.lock", timeout=0):
            days = _trades(job, symbols, folder, on_fetch) if job.trades else DaysReport()
            write_json(folder / "fetch.json", _account(done.report, days))
            here = [s for s in symbols if _first_day(folder, s, job) or s in days.symbols]
            if not here:
                raise SourceError(_nothing(symbols, done.report, job))
            write_bytes(panel, _panel(job, here).text(template, job.template).encode())
    except Timeout as error:
        raise StoreError(f"{folder}: another fetch is writing there") from error
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
    load_panel(panel)
    unknown = tuple(symbol for symbol in symbols if symbol not in here)
    return BybitDone(api=done.report, days=days, folder=folder, panel=panel, unknown=unknown)


def _account(api: ApiReport, days: DaysReport) -> dict[str, Any]:
    return {**api.to_dict(), **({"trades": days.to_dict()} if days.outcomes else {})}


def _nothing(symbols: Sequence[str], report: ApiReport, job: BybitJob) -> str:
    names = ", ".join(symbols)
    told = f"no candles of {names} from {job.since} to {job.until or 'now'}"
    return f"{told}; {report.refused[0].to_text()}" if report.refused else told


def _trades(job: BybitJob, symbols: Sequence[str], folder: Path, on_fetch: OnFetch) -> DaysReport:
    """Candles of the public trades, from the first day on that the API has candles of."""
    until = min(job.until or job.today, job.today - _DAY)
    files: list[DayFile] = []
    for symbol in symbols:
        since = max(_first_day(folder, symbol, job) or job.since, job.since)
        files += days_of([symbol], since, until, job.interval)
    told = PROVIDERS[_ARCHIVE]
    order = TradesOrder(
        files=tuple(files),
        folder=folder,
        base_url=job.archive_url or load_settings().apis.get(_ARCHIVE, told.address),
        today=job.today,
        jobs=job.jobs,
        ask_again=job.ask_again,
        patience=job.patience,
    )
    return fetch_trades(order, on_fetch=on_fetch)


def _first_day(folder: Path, symbol: str, job: BybitJob) -> date | None:
    """Of the candles of the API that are here."""
    kind = f"candles-{job.interval}"
    files = sorted((folder / kind / symbol).glob(f"{symbol}-{kind}-*.csv"))
    for file in files:
        header, *rows = file.read_text().splitlines()
        if rows and header.startswith(TIME):
            return datetime.fromtimestamp(int(rows[0].split(",")[0]) / 1_000, UTC).date()
    return None


def _faults(job: BybitJob) -> Iterator[str]:
    if not 1 <= job.jobs <= _MOST_JOBS:
        yield f"jobs is {job.jobs}, expected 1 to {_MOST_JOBS}"
    yield from faults_of_bar(job.interval, job.bar, INTERVALS)


def _panel(job: BybitJob, symbols: Sequence[str]) -> FetchedPanel:
    return FetchedPanel(
        command="bybit", name="bybit_linear", description="Bybit linear perpetuals",
        bar=job.bar, interval=job.interval, symbols=tuple(symbols), candles="-5m",
    )  # fmt: skip
