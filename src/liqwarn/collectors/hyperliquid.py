"""Hyperliquid: perpetuals against USD, over its public socket and ``/info``.

Sizes are in the venue's coins: of ``kPEPE``, here ``1000PEPEUSDT``, one is a thousand PEPE.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.happenings import Kind
from liqwarn.collectors.hyperliquid_names import HLP_LIQUIDATORS, account, coin_of
from liqwarn.collectors.hyperliquid_reader import CLOCK_COIN, POSITIONS, HyperliquidReader
from liqwarn.collectors.venue import Completeness, Line, Poll
from liqwarn.errors import ConfigError

__all__ = ["Hyperliquid"]

_MOST_ACCOUNTS: Final = 10
"""Different accounts whose fills may be followed from one address of the internet."""

_MOST_STREAMS: Final = 200
"""Of a line; the venue allows 1,000 from one address in all."""

_WEIGHT: Final = 2.0
_WEIGHT_A_MINUTE: Final = 600.0
"""Half of what is allowed in a minute."""

_FIGURES: Final = (3, 4)
"""Significant figures of prices in the books: coarse ones reach far, finer ones are exact."""

_COMPLETENESS: Final = Completeness(
    grade="unknown part",
    note=(
        "no public stream tells liquidations; they are read from the fills of up to 10 accounts, "
        "by default the HLP liquidator vaults: what these took over, and nothing of what the book "
        "absorbed. As of November 2026."
    ),
)

_Topics = tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperliquid:
    """See :class:`liqwarn.collectors.venue.Venue`.

    Attributes
    ----------
    liquidators : tuple of str
        Accounts whose fills are followed for liquidations, at most 10.
    watched : tuple of str
        Accounts whose positions are asked for; none by default.
    anybody : bool
        Read the fills of every account that comes: for tapes, on which are only those that were
        followed.
    positions_every_s : float
        At least; more accounts than the venue's limit allows are asked less often.

    Examples
    --------
    >>> line, = Hyperliquid().lines(["BTCUSDT"], frozenset({"trade"}))
    >>> line.greetings
    (b'{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}',)
    """

    liquidators: tuple[str, ...] = HLP_LIQUIDATORS
    watched: tuple[str, ...] = ()
    anybody: bool = False
    positions_every_s: float = 60.0
    name: str = "hyperliquid"
    sockets: str = "wss://api.hyperliquid.xyz"
    http: str = "https://api.hyperliquid.xyz"
    kinds: frozenset[Kind] = frozenset(
        {
            "liquidation",
            "mark",
            "open_interest",
            "funding",
            "depth",
            "candle",
            "trade",
            "position",
        }
    )
    completeness: Completeness = _COMPLETENESS

    def __post_init__(self) -> None:
        for name in ("liquidators", "watched"):
            given = tuple(account(each) for each in getattr(self, name))
            object.__setattr__(self, name, tuple(dict.fromkeys(given)))
        if len(self.liquidators) > _MOST_ACCOUNTS:
            raise ConfigError(
                f"hyperliquid: found {len(self.liquidators)} liquidators, expected at most 10: the "
                "venue lets one address follow no more"
            )

    def lines(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Line, ...]:
        """Lines by what they carry; the books, in two resolutions, bear no mark and go alone."""
        return tuple(self._lines([coin_of(symbol) for symbol in symbols], kinds))

    def polls(self, symbols: Sequence[str], kinds: frozenset[Kind]) -> tuple[Poll, ...]:
        """Positions of the watched accounts; the name of a poll tells whose."""
        del symbols
        if "position" not in kinds:
            return ()
        least_s = len(self.watched) * _WEIGHT / _WEIGHT_A_MINUTE * 60.0
        return tuple(
            Poll(
                name=f"{POSITIONS}{each}",
                path="/info",
                body=_json({"type": "clearinghouseState", "user": each}),
                every_s=max(self.positions_every_s, least_s),
            )
            for each in self.watched
        )

    def reader(self, symbols: Sequence[str]) -> HyperliquidReader:
        """A reader that remembers nothing yet."""
        return HyperliquidReader(symbols, None if self.anybody else self.liquidators)

    def _lines(self, coins: Sequence[str], kinds: frozenset[Kind]) -> Iterator[Line]:
        if "liquidation" in kinds and self.liquidators:
            yield _line("fills", [_stream("userFills", user=each) for each in self.liquidators])
        streams = _market(kinds)
        each_line = max(1, _MOST_STREAMS // max(1, len(streams)))
        for n, part in enumerate(_parts(coins, each_line) if streams else (), 1):
            told = [_stream(kind, coin=coin) for coin in part for kind in streams]
            clock = _stream("l2Book", coin=CLOCK_COIN)
            yield _line(f"market-{n}", [clock, *told] if "activeAssetCtx" in streams else told)
        if "trade" in kinds:
            for n, part in enumerate(_parts(coins, _MOST_STREAMS), 1):
                yield _line(f"trades-{n}", [_stream("trades", coin=coin) for coin in part])
        if "depth" in kinds:
            for figures in _FIGURES:
                for n, part in enumerate(_parts(coins, _MOST_STREAMS), 1):
                    books = [_stream("l2Book", coin=coin, nSigFigs=figures) for coin in part]
                    yield _line(f"books-{figures}-{n}", books)


_SILENT_S: Final[Mapping[str, float | None]] = {
    "userFills": None,
    "activeAssetCtx": 60.0,
    "candle": 900.0,
    "trades": 900.0,
    "l2Book": 60.0,
}


def _market(kinds: frozenset[Kind]) -> tuple[str, ...]:
    contexts = ("activeAssetCtx",) if kinds & {"mark", "open_interest", "funding"} else ()
    return (*contexts, *(("candle",) if "candle" in kinds else ()))


def _stream(kind: str, **about: object) -> dict[str, object]:
    return {"type": kind, **about, **({"interval": "1m"} if kind == "candle" else {})}


def _line(name: str, streams: Sequence[Mapping[str, object]]) -> Line:
    """One message a stream: the venue takes no lists."""
    topics: _Topics = tuple(
        (f"{told['type']}:{told.get('coin') or told['user']}", _SILENT_S[str(told["type"])])
        for told in streams
    )
    return Line(
        name=name,
        path="/ws",
        greetings=tuple(_json({"method": "subscribe", "subscription": told}) for told in streams),
        ping=b'{"method":"ping"}',
        ping_every_s=30.0,
        silence_s=75.0,
        topics=topics,
    )


def _parts(coins: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(coins), most):
        yield coins[first : first + most]


def _json(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()
