"""Coinalyze: open interest, funding, liquidations, ratios and candles of futures; with a key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from liqwarn.errors import DataError
from liqwarn.sources.api_series import ApiSeries
from liqwarn.sources.coinalyze_page import MarketRows, check_market, read_markets
from liqwarn.sources.recording import Reading
from liqwarn.sources.row_laws import amounts, candle, positive_candle, shares
from liqwarn.sources.spans import Span
from liqwarn.sources.web import Web

__all__ = ["ENDPOINTS", "INTERVALS", "Endpoint", "coinalyze_series"]

INTERVALS: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "5m": ("5min", 300_000),
        "15m": ("15min", 900_000),
        "30m": ("30min", 1_800_000),
        "1h": ("1hour", 3_600_000),
        "4h": ("4hour", 14_400_000),
        "12h": ("12hour", 43_200_000),
        "1d": ("daily", 86_400_000),
    }
)
"""Of rows: the provider's word, and milliseconds."""

_DAY: Final = 86_400_000
_SYMBOLS: Final = 20
_ROWS: Final = 1_000
_OHLC: Final[Mapping[str, str]] = {"open": "o", "high": "h", "low": "l", "close": "c"}
_USD: Final[Mapping[str, str]] = {"convert_to_usd": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint with a history: its path, its rows, and what else it is asked with."""

    path: str
    rows: MarketRows
    also: Mapping[str, str]


def _accounts(row: Mapping[str, str]) -> str:
    """Shares of accounts, in percent or of one, and their ratio."""
    cells = [row[name] for name in ("long_short_ratio", "long_share", "short_share")]
    if not all(cells):
        return ""
    ratio, long, short = (float(text) for text in cells)
    return shares(long, short, ratio, whole=100.0 if long + short > 2.0 else 1.0)


def _traded(row: Mapping[str, str]) -> str:
    """Prices, and volumes of which those of buyers are a part."""
    prices = {name: row[name] for name in _OHLC}
    rest = {name: text for name, text in row.items() if name not in prices}
    fault = positive_candle(prices) or amounts(rest)
    for part, whole in (("buy_volume", "volume"), ("buy_trades", "trades")):
        if not fault and row[part] and row[whole] and float(row[part]) > float(row[whole]):
            fault = f"found {part} {row[part]} of {whole} {row[whole]}, expected a part of it"
    return fault


ENDPOINTS: Final[Mapping[str, Endpoint]] = MappingProxyType(
    {
        "candles": Endpoint(
            path="ohlcv-history",
            rows=MarketRows(
                columns={**_OHLC, "volume": "v", "buy_volume": "bv", "trades": "tx",
                         "buy_trades": "btx"},
                law=_traded,
                optional=frozenset({"buy_volume", "trades", "buy_trades"}),
            ),
            also={},
        ),
        "open-interest": Endpoint(
            path="open-interest-history",
            rows=MarketRows(columns=_OHLC, law=positive_candle),
            also=_USD,
        ),
        "funding": Endpoint(
            path="funding-rate-history", rows=MarketRows(columns=_OHLC, law=candle), also={}
        ),
        "liquidations": Endpoint(
            path="liquidation-history",
            rows=MarketRows(
                columns={"long_liquidation_usd": "l", "short_liquidation_usd": "s"}, law=amounts
            ),
            also=_USD,
        ),
        "long-short": Endpoint(
            path="long-short-ratio-history",
            rows=MarketRows(
                columns={"long_short_ratio": "r", "long_share": "l", "short_share": "s"},
                law=_accounts,
            ),
            also={},
        ),
    }
)  # fmt: skip
"""By the name of their folder."""


def coinalyze_series(
    web: Web, symbols: Sequence[str], interval: str, kinds: Sequence[str]
) -> list[ApiSeries]:
    """A series a kind and symbol, those of a kind behind one another.

    Parameters
    ----------
    web : Web
    symbols : sequence of str
        As ``BTCUSDT_PERP.A``.
    interval : str
        One of :data:`INTERVALS`.
    kinds : sequence of str
        Of :data:`ENDPOINTS`.
    """
    futures = _Futures(web)
    every = []
    for kind in kinds:
        batch = _Batch(web, kind, symbols, interval)
        every += [_series(batch, futures, kind, symbol, interval) for symbol in symbols]
    return every


def _series(
    batch: "_Batch", futures: "_Futures", kind: str, symbol: str, interval: str
) -> ApiSeries:
    step = INTERVALS[interval][1]

    def ask(span: Span) -> Iterator[tuple[list[Reading], int]]:
        came = futures.check(symbol)
        first, end = -(-span[0] // step) * step, span[1] // step * step
        while first < end:
            at = (first, min(first + _ROWS * step, end))
            readings, size = batch.rows(symbol, at)
            last = readings[-1].time if readings else at[1]
            first = at[1] if last >= at[1] - step else last + step
            yield readings, size + came
            came = 0

    return ApiSeries(
        kind=f"{kind}-{interval}",
        name=symbol,
        columns=tuple(ENDPOINTS[kind].rows.columns),
        step=step,
        settles=max(2 * step, _DAY),
        ask=ask,
    )


class _Futures:
    """The provider's list of futures, asked for once."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._content = b""

    def check(self, symbol: str) -> int:
        """Refuse a symbol that is none; the bytes that came."""
        came = 0
        if not self._content:
            self._content, came = self._web.page("future-markets", bytes)
        check_market(self._content, symbol)
        return came


class _Batch:
    """Rows of up to twenty symbols come in one reply; those of the others are kept for their turn.

    Only intervals that were over when the run began are asked for, so that no row is younger when
    it came than when its turn comes.
    """

    def __init__(self, web: Web, kind: str, symbols: Sequence[str], interval: str) -> None:
        self._web = web
        self._endpoint = ENDPOINTS[kind]
        self._symbols = tuple(symbols)
        self._word, self._step = INTERVALS[interval]
        self._came: dict[tuple[str, Span], list[Reading] | DataError] = {}

    def rows(self, symbol: str, at: Span) -> tuple[list[Reading], int]:
        """Rows of a symbol, and the bytes that came for them and for others."""
        size = 0
        if (symbol, at) not in self._came:
            size = self._ask(symbol, at)
        found = self._came.pop((symbol, at))
        if isinstance(found, DataError):
            raise found
        return found, size

    def _ask(self, symbol: str, at: Span) -> int:
        """Ask for a symbol and those whose turn is later; both ends are included, in seconds."""
        begin = self._symbols.index(symbol)
        asked = self._symbols[begin : begin + _SYMBOLS]
        query = urlencode(
            {
                "symbols": ",".join(asked),
                "interval": self._word,
                "from": at[0] // 1_000,
                "to": at[1] // 1_000 - 1,
                **self._endpoint.also,
            }
        )

        def read(content: bytes) -> dict[str, list[Reading] | DataError]:
            return read_markets(content, asked, self._endpoint.rows, self._step, at)

        came, size = self._web.page(f"{self._endpoint.path}?{query}", read, weight=len(asked))
        self._came.update({(name, at): found for name, found in came.items()})
        return size
