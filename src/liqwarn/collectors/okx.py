"""OKX linear swaps: which channels and questions, within the venue's limits.

Candles live on the socket ``business``, all else on ``public``. The venue closes a line over which
nothing came for 30 s: a text ``ping`` keeps it. Books have lines of their own, fewer than thirty
each, so that one asked for anew disturbs nothing else.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.happenings import Kind
from liqwarn.collectors.okx_instruments import index_of, swap_of
from liqwarn.collectors.okx_reader import INSTRUMENTS, LIQUIDATIONS, OkxReader
from liqwarn.collectors.venue import Completeness, Line, Poll

__all__ = ["Okx"]

_PUBLIC: Final = "/ws/v5/public"
_BUSINESS: Final = "/ws/v5/business"
_A_GREETING: Final = 100
"""Channels of one request, some 60 bytes each: the venue takes 64 KB."""
_SILENT: Final = {
    "mark-price": 60.0,
    "index-tickers": 180.0,
    "funding-rate": 300.0,
    "open-interest": 600.0,
    "books": 120.0,
    "candle1m": 300.0,
    LIQUIDATIONS: 1800.0,
}

_NOTE: Final = (
    "The venue's documentation (July 2026) says that the feed does not represent the total number "
    "of its liquidations; older copies also said one order of a contract a second at most. What "
    "share is told is unknown."
)


@dataclass(frozen=True, slots=True)
class Okx:
    """Swaps settled in USDT or USDC; see :class:`liqwarn.collectors.venue.Venue`."""

    name: str = "okx"
    sockets: str = "wss://ws.okx.com:8443"
    http: str = "https://www.okx.com"

    @property
    def kinds(self) -> frozenset[Kind]:
        """All but trades and positions."""
        return frozenset({"liquidation", "mark", "open_interest", "funding", "depth", "candle"})

    @property
    def completeness(self) -> Completeness:
        """By the venue's word."""
        return Completeness(grade="unknown part", note=_NOTE)

    def lines(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Line, ...]:
        """One for the liquidations of all swaps, then readings, books and candles.

        Examples
        --------
        >>> [line.name for line in Okx().lines(["BTCUSDT"], frozenset({"mark", "candle"}))]
        ['readings', 'candles']
        """
        swaps = [swap_of(symbol) for symbol in symbols]
        liquidations = [{"channel": LIQUIDATIONS, "instType": "SWAP"}]
        channels = [("mark", "mark-price"), ("funding", "funding-rate")]
        channels.append(("open_interest", "open-interest"))
        readings = [
            {"channel": channel, "instId": swap}
            for kind, channel in channels
            if kind in kinds
            for swap in swaps
        ]
        if "mark" in kinds:
            indices = (index_of(symbol) for symbol in symbols)
            readings += [{"channel": "index-tickers", "instId": index} for index in indices]
        books = [{"channel": "books", "instId": swap} for swap in swaps if "depth" in kinds]
        candles = [{"channel": "candle1m", "instId": swap} for swap in swaps if "candle" in kinds]
        return (
            *_cut("liquidations", _PUBLIC, liquidations if "liquidation" in kinds else [], 1),
            *_cut("readings", _PUBLIC, readings, 200),
            *_cut("books", _PUBLIC, books, 25),
            *_cut("candles", _BUSINESS, candles, 200),
        )

    def polls(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Poll, ...]:
        """What a contract is in coins: at each start and once an hour."""
        if not symbols or not kinds & self.kinds:
            return ()
        path = "/api/v5/public/instruments?instType=SWAP"
        return (Poll(name=INSTRUMENTS, path=path, every_s=3600.0),)

    def reader(self, symbols: Sequence[str]) -> OkxReader:
        """A reader that remembers nothing yet."""
        return OkxReader(symbols)


def _cut(name: str, path: str, args: Sequence[dict[str, str]], most: int) -> list[Line]:
    """Lines of so many channels each; a single one goes by the name alone."""
    chunks = [args[start : start + most] for start in range(0, len(args), most)]
    return [
        Line(
            name=name if len(chunks) == 1 else f"{name}-{number}",
            path=path,
            greetings=_greetings(chunk),
            ping=b"ping",
            ping_every_s=20.0,
            silence_s=45.0,
            topics=tuple((_topic(arg), _SILENT[arg["channel"]]) for arg in chunk),
        )
        for number, chunk in enumerate(chunks, 1)
    ]


def _greetings(args: Sequence[dict[str, str]]) -> tuple[bytes, ...]:
    return tuple(
        json.dumps(
            {"op": "subscribe", "args": args[start : start + _A_GREETING]}, separators=(",", ":")
        ).encode()
        for start in range(0, len(args), _A_GREETING)
    )


def _topic(arg: dict[str, str]) -> str:
    return f"{arg['channel']}:{arg['instId']}" if "instId" in arg else arg["channel"]
