"""CoinGlass v4: candles of open interest and funding, liquidations, ratios, depth; with a key."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urlencode

from liqwarn.sources.api_series import ApiSeries
from liqwarn.sources.coinglass_page import BALANCE_COLUMNS, Rows, read_balance, read_history
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_laws import amounts, book, candle, positive_candle, shares
from liqwarn.sources.spans import Span
from liqwarn.sources.web import Web

__all__ = ["HISTORIES", "INTERVALS", "CoinGlassOrder", "History", "coinglass_series"]

INTERVALS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "5m": 300_000,
        "15m": 900_000,
        "30m": 1_800_000,
        "1h": 3_600_000,
        "4h": 14_400_000,
        "8h": 28_800_000,
        "12h": 43_200_000,
        "1d": 86_400_000,
    }
)
"""Of rows, in milliseconds."""

_DAY: Final = 86_400_000
_LIMIT: Final = 1_000
_EXCHANGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,19}", re.ASCII)
_PAIR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,19}:[A-Za-z0-9_-]{3,40}", re.ASCII)
_OHLC: Final = ("open", "high", "low", "close")
_ACCOUNTS: Final = tuple(
    f"global_account_{what}" for what in ("long_percent", "short_percent", "long_short_ratio")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """An endpoint with a history.

    Attributes
    ----------
    path : str
    of : {"pair", "coin", "venues"}
        What it is asked for: a pair of one exchange, a coin on all of them, or on those named.
    rows : Rows
    also : mapping
        What else it is asked with.
    """

    path: str
    of: Literal["pair", "coin", "venues"]
    rows: Rows
    also: Mapping[str, str]


def _accounts(row: Mapping[str, str]) -> str:
    """Percents of accounts that are long and short, and their ratio."""
    cells = [row[name] for name in _ACCOUNTS]
    if not all(cells):
        return ""
    long, short, ratio = (float(text) for text in cells)
    return shares(long, short, ratio, whole=100.0)


def _all_books(row: Mapping[str, str]) -> str:
    return book(row, "aggregated_")


def _of(
    path: str,
    of: Literal["pair", "coin", "venues"],
    columns: Sequence[str],
    law: Callable[[Mapping[str, str]], str],
    **also: str,
) -> History:
    return History(path=path, of=of, rows=Rows(columns=tuple(columns), law=law), also=also)


def _sides(prefix: str, *, first: str, second: str, suffix: str) -> tuple[str, str]:
    return f"{prefix}{first}_{suffix}", f"{prefix}{second}_{suffix}"


_LIQUIDATED: Final = {"first": "long", "second": "short", "suffix": "liquidation_usd"}
_TAKEN: Final = {"first": "buy", "second": "sell", "suffix": "volume_usd"}
_BOOK: Final = ("bids_usd", "bids_quantity", "asks_usd", "asks_quantity")

HISTORIES: Final[Mapping[str, History]] = MappingProxyType(
    {
        "price": _of("api/futures/price/history", "pair", (*_OHLC, "volume_usd"), positive_candle),
        "open-interest": _of(
            "api/futures/open-interest/history", "pair", _OHLC, positive_candle, unit="usd"
        ),
        "open-interest-all": _of(
            "api/futures/open-interest/aggregated-history",
            "coin",
            _OHLC,
            positive_candle,
            unit="usd",
        ),
        "funding": _of("api/futures/funding-rate/history", "pair", _OHLC, candle),
        "funding-all": _of("api/futures/funding-rate/oi-weight-history", "coin", _OHLC, candle),
        "liquidations": _of(
            "api/futures/liquidation/history", "pair", _sides("", **_LIQUIDATED), amounts
        ),
        "liquidations-all": _of(
            "api/futures/liquidation/aggregated-history",
            "venues",
            _sides("aggregated_", **_LIQUIDATED),
            amounts,
        ),
        "long-short": _of(
            "api/futures/global-long-short-account-ratio/history", "pair", _ACCOUNTS, _accounts
        ),
        "depth": _of("api/futures/orderbook/ask-bids-history", "pair", _BOOK, book, range="1"),
        "depth-all": _of(
            "api/futures/orderbook/aggregated-ask-bids-history",
            "venues",
            [f"aggregated_{name}" for name in _BOOK],
            _all_books,
            range="1",
        ),
        "taker": _of(
            "api/futures/v2/taker-buy-sell-volume/history",
            "pair",
            _sides("taker_", **_TAKEN),
            amounts,
        ),
        "taker-all": _of(
            "api/futures/aggregated-taker-buy-sell-volume/history",
            "venues",
            _sides("aggregated_", **_TAKEN),
            amounts,
            unit="usd",
        ),
    }
)
"""By the name of their folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinGlassOrder:
    """Which series.

    Attributes
    ----------
    interval : str
        One of :data:`INTERVALS`; which ones a key may ask for depends on its plan.
    pairs : tuple of str
        As ``Binance:BTCUSDT``; without any, those of Binance against USDT.
    venues : tuple of str
        Exchanges of the series that are added up over exchanges.
    balances : tuple of str
        Exchanges whose balances of now are recorded.
    kinds : tuple of str
        Of :data:`HISTORIES`.
    """

    interval: str = "4h"
    pairs: tuple[str, ...] = ()
    venues: tuple[str, ...] = ("Binance", "OKX", "Bybit")
    balances: tuple[str, ...] = ("Binance",)
    kinds: tuple[str, ...] = tuple(HISTORIES)

    @property
    def faults(self) -> list[str]:
        """What cannot be."""
        told = []
        if self.interval not in INTERVALS:
            told.append(f"interval is {self.interval!r}, expected one of {', '.join(INTERVALS)}")
        told += [f"series is {kind!r}, expected of {', '.join(HISTORIES)}"
                 for kind in self.kinds if kind not in HISTORIES]  # fmt: skip
        told += [f"pair is {pair!r}, expected such as Binance:BTCUSDT"
                 for pair in self.pairs if not _PAIR.fullmatch(pair)]  # fmt: skip
        told += [f"exchange is {name!r}, expected such as Binance"
                 for name in (*self.venues, *self.balances)
                 if not _EXCHANGE.fullmatch(name)]  # fmt: skip
        if not self.venues and any(HISTORIES[k].of == "venues" for k in self.kinds
                                   if k in HISTORIES):  # fmt: skip
            told.append("exchanges: none, expected at least one such as Binance")
        for what, names in (("pairs", self.pairs), ("series", self.kinds),
                            ("exchanges", self.venues), ("balances", self.balances)):  # fmt: skip
            if len(set(names)) < len(names):
                told.append(f"{what}: {', '.join(names)}, expected each once")
        return told


def coinglass_series(
    web: Web, coins: Sequence[str], order: CoinGlassOrder, clock: Callable[[], float]
) -> list[ApiSeries]:
    """Series of the coins: balances of now, and a series a kind and pair or coin.

    Parameters
    ----------
    web : Web
    coins : sequence of str
    order : CoinGlassOrder
        Without faults.
    clock : callable
        Seconds since the epoch: balances have no time of their own.
    """
    pairs = order.pairs or tuple(f"Binance:{coin}USDT" for coin in coins)
    venues = sorted(order.venues)
    every = [_balance(web, coin, name, clock) for coin in coins for name in order.balances]
    for kind in order.kinds:
        of = HISTORIES[kind].of
        asked: list[tuple[str, dict[str, str]]] = []
        if of == "pair":
            for pair in pairs:
                exchange, _, symbol = pair.partition(":")
                asked.append((f"{exchange}-{symbol}", {"exchange": exchange, "symbol": symbol}))
        elif of == "coin":
            asked = [(coin, {"symbol": coin}) for coin in coins]
        else:
            named = ",".join(venues)
            asked = [(f"{coin}-{'+'.join(venues)}", {"exchange_list": named, "symbol": coin})
                     for coin in coins]  # fmt: skip
        every += [_history(web, kind, name, what, order.interval) for name, what in asked]
    return every


def _history(web: Web, kind: str, name: str, what: Mapping[str, str], interval: str) -> ApiSeries:
    history, step = HISTORIES[kind], INTERVALS[interval]

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        asked = {**what, **history.also, "interval": interval}
        return _pages(web, history, asked, span, f"{kind} of {name}")

    return ApiSeries(
        kind=f"{kind}-{interval}",
        name=name,
        columns=history.rows.columns,
        step=step,
        settles=max(2 * step, _DAY),
        ask=ask,
    )


def _pages(
    web: Web, history: History, asked: Mapping[str, str], span: Span, what: str
) -> Iterator[tuple[list[Reading], int]]:
    """Rows from the oldest on, of intervals that are over; a reply that ends early is gone on from.

    The provider includes the start and leaves out the end.
    """
    step = INTERVALS[asked["interval"]]
    first, end = -(-span[0] // step) * step, span[1] // step * step
    while first < end:
        at = (first, min(first + _LIMIT * step, end))
        where = f"{what} from {at[0]}"

        def read(content: bytes, at: Span = at, where: str = where) -> list[Reading]:
            return read_history(content, history.rows, step, at, where)

        query = urlencode({**asked, "limit": _LIMIT, "start_time": at[0], "end_time": at[1]})
        readings, came = web.page(f"{history.path}?{query}", read)
        last = readings[-1].time if readings else at[1]
        first = at[1] if last >= at[1] - step else last + step
        yield readings, came


def _balance(web: Web, coin: str, exchange: str, clock: Callable[[], float]) -> ApiSeries:
    def ask(_: Span) -> Iterator[tuple[list[Reading], int]]:
        def read(content: bytes) -> tuple[str, ...]:
            return read_balance(content, exchange, f"balances of {coin}")

        path = f"api/exchange/balance/list?{urlencode({'symbol': coin})}"
        cells, size = web.page(path, read)
        yield [Reading(time=int(clock() * 1_000), cells=cells)], size

    return ApiSeries(
        kind="balance", name=f"{exchange}-{coin}", columns=BALANCE_COLUMNS, step=None, settles=0,
        ask=ask,
    )  # fmt: skip
