"""Binance USD-M futures: which streams and questions, within the venue's limits.

Market data lives under ``/market``, books under ``/public``. Sockets without either connect and
stay silent. The streams are in the address, so that nothing need be sent; the ping is a question
for the streams that are subscribed, whose answer shows that somebody is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.binance_book import SNAPSHOT_LEVELS
from liqwarn.collectors.binance_reader import DEPTH, KLINE, LIQUIDATIONS, MARK, BinanceReader
from liqwarn.collectors.happenings import Kind
from liqwarn.collectors.venue import Completeness, Line, Poll
from liqwarn.errors import ConfigError

__all__ = ["Binance"]

_PING: Final = b'{"method":"LIST_SUBSCRIPTIONS","id":1}'
_STREAMS_A_LINE: Final = 100  # the venue allows 1024, the address must stay short
_SILENT: Final = {MARK: 15.0, KLINE: 300.0, DEPTH: 60.0}
_MARKET_SILENT: Final = 600.0
_SNAPSHOT_S: Final = 2.0
"""Between two snapshots, whichever their symbols."""

_NOTE: Final = (
    "Since 2021-04-27 the latest liquidation of a symbol within a second, at most: sums and counts "
    "saturate in a cascade."
)


@dataclass(frozen=True, slots=True)
class Binance:
    """USD-M perpetuals, such as ``BTCUSDT``; see :class:`liqwarn.collectors.venue.Venue`."""

    name: str = "binance"
    sockets: str = "wss://fstream.binance.com"
    http: str = "https://fapi.binance.com"

    @property
    def kinds(self) -> frozenset[Kind]:
        """All but trades and positions."""
        return frozenset({"liquidation", "mark", "open_interest", "funding", "depth", "candle"})

    @property
    def completeness(self) -> Completeness:
        """By the venue's word."""
        return Completeness(grade="one a second", note=_NOTE)

    def lines(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Line, ...]:
        """One for all liquidations, then marks and candles, then books.

        Examples
        --------
        >>> [line.name for line in Binance().lines(["BTCUSDT"], frozenset({"liquidation"}))]
        ['liquidations']
        """
        lowered = [_checked(symbol).lower() for symbol in symbols]
        market = [f"{symbol}@{MARK}" for symbol in lowered if kinds & {"mark", "funding"}]
        market += [f"{symbol}@{KLINE}" for symbol in lowered if "candle" in kinds]
        depth = [f"{symbol}@{DEPTH}" for symbol in lowered if "depth" in kinds]
        liquidations = [LIQUIDATIONS] if "liquidation" in kinds else []
        return (
            *_cut("liquidations", "market", liquidations),
            *_cut("market", "market", market),
            *_cut("depth", "public", depth),
        )

    def polls(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Poll, ...]:
        """Open interest and snapshots of books by symbol, the intervals of funding once an hour.

        Snapshots are costly to the venue: with more than thirty symbols they come less often.
        """
        polls = []
        snapshots_s = max(60.0, _SNAPSHOT_S * len(symbols))
        for symbol in map(_checked, symbols):
            if "open_interest" in kinds:
                path = f"/fapi/v1/openInterest?symbol={symbol}"
                polls.append(Poll(name=f"open-interest-{symbol}", path=path, every_s=60.0))
            if "depth" in kinds:
                path = f"/fapi/v1/depth?symbol={symbol}&limit={SNAPSHOT_LEVELS}"
                polls.append(Poll(name=f"depth-{symbol}", path=path, every_s=snapshots_s))
        if "funding" in kinds:
            polls.append(Poll(name="funding-info", path="/fapi/v1/fundingInfo", every_s=3600.0))
        return tuple(polls)

    def reader(self, symbols: Sequence[str]) -> BinanceReader:
        """A reader that remembers nothing yet."""
        return BinanceReader([_checked(symbol) for symbol in symbols])


def _cut(name: str, route: str, streams: Sequence[str]) -> list[Line]:
    """Lines of so many streams each; a single one goes by the name alone."""
    chunks = [
        streams[start : start + _STREAMS_A_LINE]
        for start in range(0, len(streams), _STREAMS_A_LINE)
    ]
    return [
        Line(
            name=name if len(chunks) == 1 else f"{name}-{number}",
            path=f"/{route}/stream?streams={'/'.join(chunk)}",
            ping=_PING,
            ping_every_s=20.0,
            silence_s=60.0,
            topics=tuple((stream, _silent(stream)) for stream in chunk),
        )
        for number, chunk in enumerate(chunks, 1)
    ]


def _silent(stream: str) -> float:
    """Of all the market's liquidations some come every minute or so: ten without any is a fault."""
    return _SILENT.get(stream.partition("@")[2], _MARKET_SILENT)


def _checked(symbol: str) -> str:
    if not (symbol.isascii() and symbol.isalnum() and symbol.isupper()):
        raise ConfigError(f"symbol {symbol!r}: expected such as BTCUSDT")
    return symbol
