"""The files of Binance's public archive of USDT-margined futures: which there are, and where.

::

    data/futures/um/monthly/klines/BTCUSDT/5m/BTCUSDT-5m-2024-01.zip
    data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-01-15.zip

Each has a ``.CHECKSUM`` beside it. Nothing here reads or asks anything.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

from liqwarn.errors import ConfigError

__all__ = [
    "BINANCE_ARCHIVE",
    "INTERVALS",
    "KINDS",
    "ArchiveFile",
    "FileSeries",
    "Kind",
    "check_symbol",
    "files_of",
]

BINANCE_ARCHIVE: Final = "https://data.binance.vision"
"""Where the provider publishes it."""

Kind = Literal["klines", "markPriceKlines", "indexPriceKlines", "fundingRate", "metrics"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""What is fetched; the candles of the perpetual come first, since they say when it was listed."""

INTERVALS: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")

_ROOT: Final = "data/futures/um"
_BY_DAY: Final = frozenset({"klines", "markPriceKlines", "indexPriceKlines", "metrics"})
_BY_MONTH: Final = frozenset({"klines", "markPriceKlines", "indexPriceKlines", "fundingRate"})
_SYMBOL: Final = re.compile(r"[A-Z0-9]{2,30}(_\d{6})?")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FileSeries:
    """One kind of file of one symbol.

    Attributes
    ----------
    kind : Kind
    symbol : str
    interval : str
        Of candles, such as ``5m``; not in the names of the other kinds.
    """

    kind: Kind
    symbol: str
    interval: str

    @property
    def has_days(self) -> bool:
        """Whether it is published day by day."""
        return self.kind in _BY_DAY

    @property
    def has_months(self) -> bool:
        """Whether it is published month by month."""
        return self.kind in _BY_MONTH

    @property
    def word(self) -> str:
        """What stands in the names of its files between symbol and date."""
        return self.interval if self.kind.lower().endswith("klines") else self.kind

    def __str__(self) -> str:
        """Kind and symbol, for people."""
        return f"{self.kind} of {self.symbol}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ArchiveFile:
    """One zipped CSV of the archive.

    Attributes
    ----------
    series : FileSeries
    first, last : date
        Days it speaks of, both included: a day, or a calendar month.

    Examples
    --------
    >>> series = FileSeries(kind="klines", symbol="BTCUSDT", interval="5m")
    >>> ArchiveFile.of_month(series, date(2024, 2, 9)).path
    'data/futures/um/monthly/klines/BTCUSDT/5m/BTCUSDT-5m-2024-02.zip'
    """

    series: FileSeries
    first: date
    last: date

    @classmethod
    def of_day(cls, series: FileSeries, day: date) -> "ArchiveFile":
        """The file of one day."""
        return cls(series=series, first=day, last=day)

    @classmethod
    def of_month(cls, series: FileSeries, day: date) -> "ArchiveFile":
        """The file of the month a day is in."""
        return cls(series=series, first=day.replace(day=1), last=_month_end(day))

    @property
    def monthly(self) -> bool:
        """Whether it is a month."""
        return self.first != self.last

    @property
    def name(self) -> str:
        """File name, as its CHECKSUM states it."""
        when = f"{self.first:%Y-%m}" if self.monthly else f"{self.first:%Y-%m-%d}"
        return f"{self.series.symbol}-{self.series.word}-{when}.zip"

    @property
    def path(self) -> str:
        """Path below the archive's address, and below the folder it is kept in."""
        span = "monthly" if self.monthly else "daily"
        series = self.series
        inside = f"/{series.interval}" if series.word == series.interval else ""
        return f"{_ROOT}/{span}/{series.kind}/{series.symbol}{inside}/{self.name}"

    def days(self) -> tuple["ArchiveFile", ...]:
        """The files of its days."""
        count = (self.last - self.first).days + 1
        each = (self.first + timedelta(days=n) for n in range(count))
        return tuple(ArchiveFile.of_day(self.series, day) for day in each)


def files_of(series: FileSeries, since: date, until: date) -> tuple[ArchiveFile, ...]:
    """Files that hold the days from `since` to `until`, both included, in order.

    Whole months are months where there are such files, the days around them are days. What is
    published by month only comes as whole months.

    Examples
    --------
    >>> series = FileSeries(kind="klines", symbol="BTCUSDT", interval="5m")
    >>> [file.name for file in files_of(series, date(2024, 1, 31), date(2024, 3, 1))]
    ['BTCUSDT-5m-2024-01-31.zip', 'BTCUSDT-5m-2024-02.zip', 'BTCUSDT-5m-2024-03-01.zip']
    """
    return tuple(_files(series, since, until))


def _files(series: FileSeries, since: date, until: date) -> Iterator[ArchiveFile]:
    day = since
    while day <= until:
        month = ArchiveFile.of_month(series, day)
        whole = month.first >= since and month.last <= until
        if series.has_months and (whole or not series.has_days):
            yield month
            day = month.last + timedelta(days=1)
        else:
            yield ArchiveFile.of_day(series, day)
            day += timedelta(days=1)


def check_symbol(text: str) -> str:
    """The symbol as the archive writes it.

    Raises
    ------
    ConfigError
        When it could be none, so that no odd path is ever asked for.
    """
    if _SYMBOL.fullmatch(text) is None:
        raise ConfigError(f"symbol is {text!r}, expected capital letters and digits: BTCUSDT")
    return text


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
