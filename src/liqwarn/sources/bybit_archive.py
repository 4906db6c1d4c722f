"""Bybit's public trades as candles in a folder: what is missing is fetched, what changed too.

The archive has no checksums, and a day of trades is large: what is kept is a small file of candles
and, beside it, a note of the file that they were made of: its SHA-256, and the headers by which a
replaced file is noticed. The candles are put in their place first, so they are believed only as far
as the note's SHA-256 of them goes, and a run that was killed anywhere leaves nothing to repair.
"""

import errno
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson

from liqwarn.durable import sha256_of, write_bytes, write_json
from liqwarn.errors import BusyError, DataError, SourceError, StoreError
from liqwarn.sources.bybit_days import DayFile, DayOutcome, DaysReport, DayStatus
from liqwarn.sources.bybit_trades import DayCandles, candles_of
from liqwarn.sources.tally import OnFetch, Tally
from liqwarn.sources.web import Patience, Web

__all__ = ["MAX_GZIP", "STEPS_S", "TradesOrder", "fetch_trades"]

MAX_GZIP: Final = 1 << 30
"""Largest file that is taken; a day of BTCUSDT was 72 MB in 2026."""

STEPS_S: Final[Mapping[str, int]] = {
    "5m": 300, "15m": 900, "30m": 1_800, "1h": 3_600, "4h": 14_400, "1d": 86_400
}  # fmt: skip
"""Lengths of candles in seconds."""

_SCHEMA: Final = "liqwarn-bybit-candles-1"
_HEADERS: Final = ("etag", "last-modified", "content-length")
_YOUNG_DAYS: Final = 2
_BUSY_IN_A_ROW: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesOrder:
    """What is wanted of the archive.

    Attributes
    ----------
    files : tuple of DayFile
    folder : Path
    base_url : str
    today : date
        UTC; a young day that is missing is awaited, not a gap.
    jobs : int
        Files asked for at a time.
    ask_again : bool
        Ask whether files whose candles are here were replaced.
    patience : Patience
    """

    files: tuple[DayFile, ...]
    folder: Path
    base_url: str
    today: date
    jobs: int = 4
    ask_again: bool = True
    patience: Patience = field(default_factory=Patience)


def fetch_trades(order: TradesOrder, *, on_fetch: OnFetch) -> DaysReport:
    """Bring candles in a folder up to date with the archive's trades.

    Raises
    ------
    SourceError
        When the server refuses, or does not answer for long. What is whole stays.
    StoreError
        When the folder cannot be written, or the disk is full.
    """
    stop, tally = threading.Event(), Tally(on_fetch)
    tally.more(len(order.files))
    with (
        Web(order.base_url, connections=order.jobs, patience=order.patience, stop=stop) as web,
        _scratch(order.folder) as scratch,
    ):
        run = _Run(order, _Keeper(web, order, Path(scratch), tally.came), tally, stop)
        outcomes = run.all(order.files)
    return DaysReport(outcomes=tuple(sorted(outcomes, key=lambda outcome: outcome.file)))


class _Run:
    """The workers of one fetch."""

    def __init__(
        self, order: TradesOrder, keeper: "_Keeper", tally: Tally, stop: threading.Event
    ) -> None:
        self._order, self._keeper, self._tally, self._stop = order, keeper, tally, stop
        self._busy = 0
        self._fault: Exception | None = None

    def all(self, files: Sequence[DayFile]) -> list[DayOutcome]:
        """Settle files, a few at a time; the first fault that concerns all of them ends it."""
        with ThreadPoolExecutor(self._order.jobs, thread_name_prefix="fetch") as pool:
            futures = [pool.submit(self._work, file) for file in files]
            try:
                return [future.result() for future in as_completed(futures)]
            except Exception as error:
                self._end(pool)
                raise self._fault or error from error.__cause__
            except BaseException:  # somebody pressed Ctrl-C
                self._end(pool)
                raise

    def _end(self, pool: ThreadPoolExecutor) -> None:
        self._stop.set()
        pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, file: DayFile) -> DayOutcome:
        """Settle a file; the first worker that cannot stops the others, and its reason counts."""
        try:
            return self._one(file)
        except Exception as error:
            if self._fault is None:
                self._fault = error
            self._stop.set()
            raise
        finally:
            self._tally.settled()

    def _one(self, file: DayFile) -> DayOutcome:
        try:
            outcome = self._keeper.keep(file)
            self._busy = 0
        except BusyError as error:
            self._busy += 1
            if self._busy >= _BUSY_IN_A_ROW:
                raise SourceError(
                    f"{_BUSY_IN_A_ROW} files in a row did not come, the last: {error}; "
                    "what is whole stays, run again to go on"
                ) from error
            return DayOutcome(file=file, status="refused", reason=str(error))
        except DataError as error:
            return DayOutcome(file=file, status="refused", reason=str(error))
        young = (self._order.today - file.day).days <= _YOUNG_DAYS
        if outcome.status == "missing" and young:
            return DayOutcome(file=file, status="awaited")
        return outcome


class _Keeper:
    """Keeps candles of days below a folder."""

    def __init__(
        self, web: Web, order: TradesOrder, scratch: Path, on_bytes: Callable[[int], None]
    ) -> None:
        self._web, self._folder, self._scratch = web, order.folder, scratch
        self._ask_again, self._on_bytes = order.ask_again, on_bytes

    def keep(self, file: DayFile) -> DayOutcome:
        """Make the candles here those of what the provider has now."""
        target = self._folder / file.place
        try:
            return self._keep(file, target)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            hint = "; make room and run again, what is whole stays" if full else ""
            raise StoreError(f"{target}: cannot be written ({error.strerror}){hint}") from error

    def _keep(self, file: DayFile, target: Path) -> DayOutcome:
        note = _note_of(target, file)
        if note and not self._ask_again:
            return DayOutcome(file=file, status="held")
        seen: dict[str, str] = {}
        if not self._web.exists(file.path, seen.update):
            return DayOutcome(file=file, status="withdrawn" if note else "missing")
        headers = {name: seen.get(name, "") for name in _HEADERS}
        if note and note["headers"] == headers:
            return DayOutcome(file=file, status="held")
        return self._fetch(file, target, headers, note)

    def _fetch(
        self, file: DayFile, target: Path, headers: Mapping[str, str], note: Mapping[str, Any]
    ) -> DayOutcome:
        came = self._scratch / target.name
        try:
            found = self._web.download(file.path, came, limit=MAX_GZIP, on_bytes=self._on_bytes)
            if found is None:
                raise DataError(f"{file.path}: was there a moment ago, and is not now")
            same = note and note["source_sha256"] == found.sha256
            made = candles_of(came, file.symbol, file.day, STEPS_S[file.interval], file.path)
        finally:
            came.unlink(missing_ok=True)
        text = made.csv.encode()
        write_bytes(target, text)
        write_json(_beside(target), _note(file, made, headers, found.sha256, sha256_of(target)))
        status: DayStatus = "held" if same else "replaced" if note else "fetched"
        left_out = made.repeated + made.strays
        return DayOutcome(file=file, status=status, size=found.size, left_out=left_out)


def _note(
    file: DayFile, made: DayCandles, headers: Mapping[str, str], source: str, candles: str
) -> dict[str, Any]:
    return {
        "schema": _SCHEMA, "source": file.path, "interval": file.interval,
        "source_sha256": source, "headers": dict(headers), "sha256": candles,
        "trades": made.trades, "repeated": made.repeated, "strays": made.strays,
        "disordered": made.disordered,
    }  # fmt: skip


def _note_of(target: Path, file: DayFile) -> dict[str, Any]:
    """The note beside candles that are what it says; empty when they are to be fetched."""
    try:
        note = orjson.loads(_beside(target).read_bytes())
        digest = sha256_of(target)
    except (OSError, orjson.JSONDecodeError):
        return {}
    told = {"schema": _SCHEMA, "source": file.path, "interval": file.interval, "sha256": digest}
    whole = isinstance(note, dict) and all(note.get(k) == v for k, v in told.items())
    return note if whole and {"headers", "source_sha256"} <= note.keys() else {}


def _beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


def _scratch(folder: Path) -> TemporaryDirectory[str]:
    """Where trades are until their candles are made; what a killed run left there goes."""
    place = folder / ".trades"
    place.mkdir(parents=True, exist_ok=True)
    for old in [*place.glob("*/*"), *folder.glob("trades-*/*/.*.tmp*")]:
        old.unlink(missing_ok=True)
    for old in place.glob("*"):
        old.rmdir()
    return TemporaryDirectory(dir=place)
