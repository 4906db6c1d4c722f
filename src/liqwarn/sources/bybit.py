"""Bybit's v5 API without a key: candles, funding, open interest and account ratio to listing.

Every question names both ends of a span that fits one reply: with its first end alone the venue
ignores it or refuses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlencode

from liqwarn.sources.api_series import ApiSeries
from liqwarn.sources.bybit_page import (
    read_candles,
    read_funding,
    read_launch,
    read_open_interest,
    read_prices,
    read_ratio,
)
from liqwarn.sources.recording import Reading
from liqwarn.sources.spans import Span
from liqwarn.sources.web import Web

__all__ = ["BYBIT_API", "BYBIT_BETWEEN_S", "INTERVALS", "bybit_series"]

BYBIT_API: Final = "https://api.bybit.com"
BYBIT_BETWEEN_S: Final = 0.1
"""600 questions are allowed in 5 s from an address; this is a twelfth of it."""

INTERVALS: Final[Mapping[str, str]] = MappingProxyType(
    {"5m": "5", "15m": "15", "30m": "30", "1h": "60", "4h": "240", "1d": "D"}
)
"""Of candles, as the venue names them."""

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_STEPS: Final = {"5m": 5 * _MINUTE, "15m": 15 * _MINUTE, "30m": 30 * _MINUTE, "1h": _HOUR,
                 "4h": 4 * _HOUR, "1d": 24 * _HOUR}  # fmt: skip
_FIVE: Final = 5 * _MINUTE

Read = Callable[[bytes, Span, str], list[Reading]]


class _Kind(NamedTuple):
    """A history: where it is, and how many rows a reply holds."""

    name: str
    path: str
    columns: tuple[str, ...]
    step: int
    limit: int
    asked: Mapping[str, str]
    ends: tuple[str, str]
    read: Callable[[bytes, str, int, Span, str], list[Reading]]
    instants: bool = False
    densest: int = 0


def bybit_series(web: Web, symbols: Sequence[str], interval: str) -> list[ApiSeries]:
    """Every history of the symbols.

    Parameters
    ----------
    web : Web
    symbols : sequence of str
        Linear perpetuals by the venue's names.
    interval : str
        Of the candles, one of :data:`INTERVALS`; open interest and ratio are every five minutes.
    """
    every: list[ApiSeries] = []
    for symbol in symbols:
        listed = _Listing(web, symbol)
        every += [_series(web, symbol, kind, listed) for kind in _kinds(interval)]
    return every


def _kinds(interval: str) -> list[_Kind]:
    step, named, ends = _STEPS[interval], {"interval": INTERVALS[interval]}, ("start", "end")
    prices = ("open", "high", "low", "close")
    times = ("startTime", "endTime")
    return [
        _Kind(f"candles-{interval}", "kline", (*prices, "volume", "turnover"), step, 1_000, named,
              ends, read_candles),
        _Kind(f"mark-{interval}", "mark-price-kline", prices, step, 1_000, named, ends,
              read_prices),
        _Kind(f"index-{interval}", "index-price-kline", prices, step, 1_000, named, ends,
              read_prices),
        # an interval is 8 h at most: a gap is told where 8 h have no settlement
        _Kind("funding", "funding/history", ("fundingRate",), 8 * _HOUR, 200, {}, times,
              lambda content, symbol, _, span, where: read_funding(content, symbol, span, where),
              instants=True, densest=_HOUR),
        _Kind("open-interest", "open-interest", ("openInterest", "singleOpenInterest"), _FIVE, 200,
              {"intervalTime": "5min"}, times, read_open_interest),
        _Kind("account-ratio", "account-ratio", ("buyRatio", "sellRatio"), _FIVE, 500,
              {"period": "5min"}, times, read_ratio),
    ]  # fmt: skip


class _Listing:
    """When a symbol was listed, asked for once; nothing is asked for of before."""

    def __init__(self, web: Web, symbol: str) -> None:
        self._web = web
        self._symbol = symbol
        self._known: int | None = None
        self._came = 0
        self._asked = False

    def first(self) -> tuple[int, int]:
        """Milliseconds since the epoch, and the bytes that came for it."""
        if self._asked:
            return self._known or 0, 0
        query = urlencode({"category": "linear", "symbol": self._symbol})

        def read(content: bytes) -> int | None:
            return read_launch(content, self._symbol, f"instrument {self._symbol}")

        self._known, came = self._web.page(f"v5/market/instruments-info?{query}", read)
        self._asked = True
        return self._known or 0, came


def _series(web: Web, symbol: str, kind: _Kind, listed: _Listing) -> ApiSeries:
    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        first, came = listed.first()
        yield [], came
        yield from _pages(web, symbol, kind, (max(span[0], first), span[1]))

    return ApiSeries(
        kind=kind.name, name=symbol, columns=kind.columns, step=kind.step,
        settles=2 * kind.step, instants=kind.instants, ask=ask,
    )  # fmt: skip


def _pages(web: Web, symbol: str, kind: _Kind, span: Span) -> Iterator[tuple[list[Reading], int]]:
    """Spans that fit one reply, from the oldest on; a reply may hold fewer, then the rest of it."""
    width = kind.limit * (kind.densest or kind.step)
    for begin in range(span[0], span[1], width):
        end = min(begin + width, span[1])
        while begin < end:
            readings, came = _page(web, symbol, kind, (begin, end))
            yield readings, came
            end = begin if _reaches(readings, kind, begin) else readings[0].time


def _reaches(readings: Sequence[Reading], kind: _Kind, begin: int) -> bool:
    """Whether no row can lie between the beginning of a span and the oldest one that came."""
    if not readings:
        return True
    spacing = kind.step
    if kind.instants and len(readings) > 1:  # settlements are as far apart as they were then
        spacing = min(spacing, readings[1].time - readings[0].time)
    return readings[0].time - spacing < begin


def _page(web: Web, symbol: str, kind: _Kind, at: Span) -> tuple[list[Reading], int]:
    query = {
        "category": "linear", "symbol": symbol, **kind.asked,
        kind.ends[0]: at[0], kind.ends[1]: at[1] - 1, "limit": kind.limit,
    }  # fmt: skip

    def read(content: bytes) -> list[Reading]:
        return kind.read(content, symbol, kind.step, at, f"{kind.name} of {symbol} from {at[0]}")

    return web.page(f"v5/market/{kind.path}?{urlencode(query)}", read)
