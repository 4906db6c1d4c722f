"""Bybit: linear perpetuals, over its public socket.

Sizes are in the venue's coins: of ``1000PEPEUSDT`` one is a thousand PEPE, and its price is of a
thousand.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.bybit_reader import BybitReader
from liqwarn.collectors.happenings import Kind
from liqwarn.collectors.venue import Completeness, Line, Poll
from liqwarn.errors import ConfigError

__all__ = ["Bybit"]

_PATH: Final = "/v5/public/linear"
_MOST_CHARACTERS: Final = 20_000
"""Of the arguments of one connection; the documentation allows 21,000."""

_PING_EVERY_S: Final = 8.0
"""The documentation recommends 20 s; a socket of its kind was seen to be closed after 10 s in which
the venue had said nothing, not even pong, as a line of liquidations may."""

_BOOK_LEVELS: Final = (50, 200, 1000)

_COMPLETENESS: Final = Completeness(
    grade="all",
    note=(
        "allLiquidation pushes all liquidations, every 500 ms, by the venue's word; it came in "
        "February 2025. Before, a stream told one a second and symbol at most. Prices are "
        "bankruptcy prices."
    ),
)

_Topics = tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bybit:
    """See :class:`liqwarn.collectors.venue.Venue`.

    Attributes
    ----------
    levels : int
        Of the book, on either side: 50, 200 or 1000. Depth is told of a side whose levels reach
        beyond 1 % of the middle price.

    Examples
    --------
    >>> line, = Bybit().lines(["BTCUSDT"], frozenset({"liquidation"}))
    >>> line.name, line.topics
    ('liquidations-1', (('allLiquidation.BTCUSDT', None),))
    >>> line.greetings[0]
    b'{"req_id":"BTCUSDT","op":"subscribe","args":["allLiquidation.BTCUSDT"]}'
    """

    levels: int = 1000
    name: str = "bybit"
    sockets: str = "wss://stream.bybit.com"
    http: str = "https://api.bybit.com"
    kinds: frozenset[Kind] = frozenset(
        {"liquidation", "mark", "open_interest", "funding", "depth", "candle", "trade"}
    )
    completeness: Completeness = _COMPLETENESS

    def __post_init__(self) -> None:
        if self.levels not in _BOOK_LEVELS:
            raise ConfigError(
                f"bybit: found a book of {self.levels} levels, expected 50, 200, 1000"
            )

    def lines(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Line, ...]:
        """Lines by what they carry, so that a book that begins anew interrupts no liquidations."""
        return tuple(self._lines(symbols, kinds))

    def polls(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Poll, ...]:
        """None: the socket tells everything."""
        del symbols, kinds
        return ()

    def reader(self, symbols: Sequence[str]) -> BybitReader:
        """A reader that remembers nothing yet."""
        return BybitReader(symbols, self.levels)

    def _lines(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> Iterator[Line]:
        for what, streams in self._streams(kinds).items():
            for n, part in enumerate(_parts(symbols, streams), 1):
                yield Line(
                    name=f"{what}-{n}",
                    path=_PATH,
                    greetings=tuple(_greeting(symbol, streams) for symbol in part),
                    ping=b'{"op":"ping"}',
                    ping_every_s=_PING_EVERY_S,
                    silence_s=60.0,
                    topics=tuple(
                        (f"{stream}.{symbol}", after)
                        for symbol in part
                        for stream, after in streams
                    ),
                )

    def _streams(self, kinds: frozenset[Kind]) -> dict[str, _Topics]:
        """Streams by the name of their lines, with the seconds after which they are silent."""
        market: list[tuple[str, float | None]] = []
        if kinds & {"mark", "open_interest", "funding"}:
            market.append(("tickers", 60.0))
        if "candle" in kinds:
            market.append(("kline.1", 180.0))
        told: dict[str, _Topics] = {
            "liquidations": (("allLiquidation", None),) if "liquidation" in kinds else (),
            "market": tuple(market),
            "books": ((f"orderbook.{self.levels}", 120.0),) if "depth" in kinds else (),
            "trades": (("publicTrade", 900.0),) if "trade" in kinds else (),
        }
        return {what: streams for what, streams in told.items() if streams}


def _parts(symbols: Sequence[str], streams: _Topics) -> Iterator[list[str]]:
    """Symbols in parts whose arguments fit into one connection."""
    part: list[str] = []
    length = 0
    for symbol in symbols:
        more = sum(len(stream) + len(symbol) + 4 for stream, _ in streams)
        if part and length + more > _MOST_CHARACTERS:
            yield part
            part, length = [], 0
        part.append(symbol)
        length += more
    if part:
        yield part


def _greeting(symbol: str, streams: _Topics) -> bytes:
    """A request a symbol: the venue refuses a request whole for one name it does not know."""
    args = [f"{stream}.{symbol}" for stream, _ in streams]
    told = {"req_id": symbol, "op": "subscribe", "args": args}
    return json.dumps(told, separators=(",", ":")).encode()
