"""From nothing to years of a provider's files, with the panel that reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from liqwarn.config import load_panel, load_settings, read_yaml
from liqwarn.durable import write_bytes, write_json
from liqwarn.errors import ConfigError, SourceError, StoreError
from liqwarn.pipelines.fetched_panel import FetchedPanel, faults_of_bar
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.sources.binance_archive import ArchiveOrder, fetch_archive
from liqwarn.sources.binance_files import INTERVALS, check_symbol
from liqwarn.sources.outcome import FetchReport
from liqwarn.sources.tally import OnFetch
from liqwarn.sources.web import Patience

__all__ = ["BINANCE_PANEL", "FetchDone", "FetchJob", "fetch_binance"]

BINANCE_PANEL: Final = Path("conf/panels/binance_um_5m.yaml")
"""The shipped panel that the written one is made of."""

_MOST_JOBS: Final = 16
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchJob:
    """Which part of Binance's archive, and where to.

    Attributes
    ----------
    symbols : tuple of str
    since : date
        First day.
    until : date or None
        Last day; None is yesterday, the last day that can be whole.
    interval : str
        Of the candles, such as ``5m``.
    bar : str
        Length of a bar of the panel that is written, such as ``1h``.
    out : Path or None
        None is ``LIQWARN_HOME/archive/binance``.
    base_url : str or None
        None is what the settings say.
    jobs : int
        Files asked for at a time.
    ask_again : bool
        Ask whether files that are here were replaced.
    template : Path
        Panel whose symbols, bar and interval are exchanged.
    patience : Patience
    """

    symbols: tuple[str, ...]
    since: date
    until: date | None = None
    interval: str = "5m"
    bar: str = "1h"
    out: Path | None = None
    base_url: str | None = None
    jobs: int = 4
    ask_again: bool = True
    template: Path = BINANCE_PANEL
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchDone:
    """What a fetch left: the account of it, the panel that reads it, and what to do next.

    Attributes
    ----------
    report : FetchReport
    folder, panel : Path
    unknown : tuple of str
        Symbols without candles: they are not in the panel.
    """

    report: FetchReport
    folder: Path
    panel: Path
    unknown: tuple[str, ...]

    @property
    def next_commands(self) -> tuple[str, ...]:
        """What reads the files and learns from them; changed files need the word to replace."""
        changed = " --replace" if self.report.count("replaced") else ""
        return (
            f"liqwarn ingest --panel {self.panel} --data {self.folder}{changed}",
            f"liqwarn train --panel {self.panel}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "out": str(self.folder),
            "panel": str(self.panel),
            "unknown": list(self.unknown),
            "next": list(self.next_commands),
            **self.report.to_dict(),
        }

    def to_text(self) -> str:
        """For a person."""
        lines = [self.report.to_text()]
        lines += [f"{symbol}: no candles, so it is not in the panel" for symbol in self.unknown]
        lines += [f"{self.folder}: panel {self.panel.name}; next:"]
        return "\n".join([*lines, *(f"  {command}" for command in self.next_commands)])


def fetch_binance(job: FetchJob, *, now: datetime, on_fetch: OnFetch) -> FetchDone:
    """Bring a folder up to date with Binance's archive and write the panel that reads it.

    ``fetch.json`` in the folder holds the account of the last run, every gap included.

    Raises
    ------
    ConfigError
        When what is asked for cannot be, every fault together.
    SourceError
        When the server refuses or does not answer, or has no candles of any symbol.
    StoreError
        When the folder cannot be written, or another fetch is writing it.
    """
    today = now.astimezone(UTC).date()
    folder, order = _order(job, today)
    panel = folder / f"binance_um_{job.bar}.yaml"
    load_panel(job.template)  # whatever is wrong with it is told before anything is fetched
    template = read_yaml(job.template)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".fetch.lock", timeout=0):
            report = fetch_archive(order, today=today, on_fetch=on_fetch)
            write_json(folder / "fetch.json", report.to_dict())
            listed = report.symbols("klines")
            if not listed:
                raise SourceError(_nothing(order, report))
            write_bytes(panel, _panel(job, listed).text(template, job.template).encode())
    except Timeout as error:
        raise StoreError(f"{folder}: another fetch is writing there") from error
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
    load_panel(panel)
    unknown = tuple(symbol for symbol in order.symbols if symbol not in listed)
    return FetchDone(report=report, folder=folder, panel=panel, unknown=unknown)


def _nothing(order: ArchiveOrder, report: FetchReport) -> str:
    names = ", ".join(order.symbols)
    refused = next(report.of("refused"), None)
    if refused is not None:
        return f"{order.base_url}: {report.count('refused')} files refused, {refused.reason}"
    return (
        f"{order.base_url}: no candles of {names} from {order.since} to {order.until}; "
        "are the names those of its perpetuals?"
    )


def _order(job: FetchJob, today: date) -> tuple[Path, ArchiveOrder]:
    settings = load_settings()
    folder = job.out or settings.home / "archive" / "binance"
    until = job.until or today - timedelta(days=1)
    faults = [*faults_of_out(folder), *_faults(job, until, today)]
    if faults:
        raise ConfigError("\n".join(faults))
    order = ArchiveOrder(
        symbols=tuple(sorted(set(job.symbols))),
        since=job.since,
        until=until,
        interval=job.interval,
        folder=folder,
        base_url=job.base_url or settings.binance_archive,
        jobs=job.jobs,
        ask_again=job.ask_again,
        patience=job.patience,
    )
    return folder, order


def _faults(job: FetchJob, until: date, today: date) -> Iterator[str]:
    if not job.symbols:
        yield "symbols: none, expected at least one such as BTCUSDT"
    for symbol in job.symbols:
        try:
            check_symbol(symbol)
        except ConfigError as error:
            yield str(error)
    yield from faults_of_bar(job.interval, job.bar, INTERVALS)
    if not job.since <= until < today:
        yield (
            f"from {job.since} to {until}: expected days in order, the last before today ({today})"
        )
    if not 1 <= job.jobs <= _MOST_JOBS:
        yield f"jobs is {job.jobs}, expected 1 to {_MOST_JOBS}"


def _panel(job: FetchJob, symbols: Sequence[str]) -> FetchedPanel:
    return FetchedPanel(
        command="binance",
        name="binance_um",
        description="Binance perpetuals from the public archive",
        bar=job.bar,
        interval=job.interval,
        symbols=tuple(symbols),
        candles="/5m/{symbol}-5m-",
    )
