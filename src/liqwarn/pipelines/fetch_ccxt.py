"""Funding and open interest of an exchange, asked through ccxt, recorded in a folder."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, get_args

from filelock import FileLock, Timeout

from liqwarn.config import child_environment, load_settings
from liqwarn.durable import write_json
from liqwarn.errors import ConfigError, StoreError
from liqwarn.pipelines.fetch_api import ApiDone
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.sources.api_series import fetch_series
from liqwarn.sources.ccxt_process import INSTALL, CcxtProcess
from liqwarn.sources.ccxt_series import TIMEFRAMES, Amount, ccxt_series
from liqwarn.sources.spans import Span
from liqwarn.sources.tally import OnFetch
from liqwarn.sources.web import Patience

__all__ = ["CcxtJob", "fetch_ccxt"]

_EXCHANGE: Final = re.compile(r"[a-z][a-z0-9]{1,30}", re.ASCII)
_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,30}/[A-Z0-9]{1,12}:[A-Z0-9]{1,12}", re.ASCII)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CcxtJob:
    """Which part of an exchange, and where to.

    Attributes
    ----------
    exchange : str
        By ccxt's name.
    symbols : tuple of str
        Linear perpetuals, unified: ``BTC/USDT:USDT``.
    since : date
        First day.
    until : date or None
        Last day; None is the present.
    timeframe : str
        Of open interest.
    amount_in : str or None
        ``base`` or ``contracts``, where it is not known what the amounts count.
    python : Path or None
        Of the environment that has ccxt; None is what the settings say.
    out : Path or None
        None is ``LIQWARN_HOME/apis/ccxt`` and the exchange.
    reply_s : float
        Longest that one reply is waited for.
    patience : Patience
    clock : callable
        Seconds since the epoch; says when a value was seen.
    """

    exchange: str
    symbols: tuple[str, ...]
    since: date
    until: date | None = None
    timeframe: str = "1h"
    amount_in: Amount | None = None
    python: Path | None = None
    out: Path | None = None
    reply_s: float = 120.0
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.time


def fetch_ccxt(job: CcxtJob, *, on_fetch: OnFetch) -> ApiDone:
    """Record what an exchange has of the days asked for, through a worker of its own.

    ``fetch.json`` in the folder holds the account of the last run.

    Raises
    ------
    ConfigError
        When what is asked for cannot be, every fault together; when there is no ccxt.
    SourceError
        When the worker hangs or dies.
    StoreError
        When the folder cannot be written or read, or another fetch is writing it.
    """
    settings = load_settings()
    python = job.python or settings.ccxt_python
    folder = job.out or settings.home / "apis" / "ccxt" / job.exchange
    span = _span(job)
    faults = [*faults_of_out(folder), *_faults(job, span)]
    if faults or python is None:
        missing = f"no Python with ccxt: name it with --python or LIQWARN_CCXT_PYTHON; {INSTALL}"
        raise ConfigError("\n".join([*faults, *([missing] if python is None else [])]))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(folder / ".fetch.lock", timeout=0),
            CcxtProcess(
                python,
                job.exchange,
                environment=child_environment(),
                reply_s=job.reply_s,
                patience=job.patience,
            ) as worker,
        ):
            every = ccxt_series(worker, job.exchange, job.symbols, job.timeframe, job.amount_in)
            report = fetch_series(every, span, folder, clock=job.clock, on_fetch=on_fetch)
            write_json(folder / "fetch.json", report.to_dict())
    except Timeout as error:
        raise StoreError(f"{folder}: another fetch is writing there") from error
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
    return ApiDone(report=report, folder=folder, panel=None)


def _span(job: CcxtJob) -> Span:
    """From the first day to the end of the last one, or to the present."""
    now = int(job.clock() * 1_000)
    end = now if job.until is None else min(_midnight(job.until + _DAY), now)
    return _midnight(job.since), end


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def _faults(job: CcxtJob, span: Span) -> Iterator[str]:
    if not _EXCHANGE.fullmatch(job.exchange):
        yield f"exchange is {job.exchange!r}, expected ccxt's name such as gate"
    if not job.symbols or len(set(job.symbols)) < len(job.symbols):
        yield "symbols: expected at least one, each once, such as BTC/USDT:USDT"
    for symbol in job.symbols:
        if not _SYMBOL.fullmatch(symbol):
            yield f"symbol is {symbol!r}, expected a perpetual such as BTC/USDT:USDT"
    if job.timeframe not in TIMEFRAMES:
        yield f"interval is {job.timeframe!r}, expected one of {', '.join(TIMEFRAMES)}"
    if job.amount_in is not None and job.amount_in not in get_args(Amount):
        yield f"amount-in is {job.amount_in!r}, expected base or contracts"
    if span[0] >= span[1] or (job.until is not None and job.until < job.since):
        yield f"from {job.since} to {job.until or 'now'}: expected days in order, not to come"
