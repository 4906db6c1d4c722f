"""Reads what OKX's public channels say, and its list of instruments."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from liqwarn.collectors.happenings import Happening, Liquidation, Reading
from liqwarn.collectors.okx_book import OkxBook, Page
from liqwarn.collectors.okx_frames import (
    candles_of,
    funding_of,
    index_at,
    liquidation_of,
    mark_of,
    open_interest_of,
)
from liqwarn.collectors.okx_instruments import contract_sizes, index_of, swap_of
from liqwarn.collectors.order_book import depth_readings
from liqwarn.collectors.recent import Recent, digest_of
from liqwarn.collectors.venue import Heard
from liqwarn.collectors.wire_json import as_list, as_object, parse_wire, shown, text
from liqwarn.errors import DataError

__all__ = ["INSTRUMENTS", "LIQUIDATIONS", "OkxReader"]

INSTRUMENTS: Final = "instruments"
LIQUIDATIONS: Final = "liquidation-orders"

_PLAIN_EVENTS: Final = frozenset({"subscribe", "unsubscribe", "channel-conn-count", "notice"})
_REFUSALS: Final = frozenset({"error", "channel-conn-count-error"})
_PRICES: Final = ("mark", "index")
_PRICE_AGE_MS: Final = 600_000
_FORCED: Final = 2
_MOST_OTHERS: Final = 4096
_BACK_S: Final = 60
_UNKNOWN: Final = re.compile(r"channel:([\w-]{1,40}),instId:([\w-]{1,40}) doesn't exist", re.ASCII)

Row = Mapping[str, object]

_ROWS: Final[Mapping[str, Callable[[Row, str, str], tuple[Happening, ...]]]] = {
    "mark-price": mark_of,
    "index-tickers": index_at,
    "funding-rate": funding_of,
}
_CHANNELS: Final = frozenset({*_ROWS, "open-interest", "books", "candle1m"})


class OkxReader:
    """One reader of all of OKX's lines and polls.

    Attributes
    ----------
    others : Counter of str
        How often swaps came that nobody asked for; the liquidations are of all swaps.
    reach : dict of str to (float, float)
        How far from mid the book of a symbol was last known, bids and asks, as a share of mid.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        self.others: Counter[str] = Counter()
        self.reach: dict[str, tuple[float, float]] = {}
        self._swaps = {swap_of(symbol): symbol for symbol in symbols}
        self._indices = {index_of(symbol): symbol for symbol in symbols}
        self._contracts: dict[str, float] = {}
        self._forced: dict[str, tuple[Liquidation, ...]] = {}  # the last two
        self._heard = Recent(_MOST_OTHERS)  # messages, for lines that overlap
        self._prices: dict[tuple[str, str], Reading] = {}  # mark and index by symbol
        self._books = {symbol: OkxBook() for symbol in symbols}
        self._lines: dict[str, str] = {}  # of the books
        self._told: dict[str, int] = {}  # the second of a book's last reading

    def opened(self, line: str) -> None:
        """The books that came over a line begin anew."""
        for symbol, came_over in self._lines.items():
            if came_over == line:
                self._books[symbol].forget()

    def read(self, line: str, content: bytes) -> Heard:
        """What a message, an answer, or the reply to a poll says."""
        if content == b"pong":
            return Heard()
        where = f"okx {line}"
        row = as_object(parse_wire(content, where), where)
        if line == INSTRUMENTS:
            return self._instruments(row, where)
        if "event" in row:
            return _answer(row, where)
        arg = as_object(row.get("arg"), f"{where}, field 'arg'")
        channel = text(arg, "channel", f"{where}, field 'arg'")
        where = f"{where}, {shown(channel)}"
        rows = as_list(row.get("data"), f"{where}, field 'data'")
        if not rows:
            raise DataError(f"{where}, field 'data': found no row, expected one or more")
        if channel == LIQUIDATIONS:
            return self._liquidations(arg, rows, content, where)
        symbol = self._symbol(channel, arg, where)
        topic = f"{channel}:{arg['instId']}"
        if channel == "books":
            return self._pages(line, row, symbol, topic, where)
        said: list[tuple[Happening, ...]]
        if channel == "candle1m":
            contract = self._contracts.get(symbol)
            said = [candles_of(found, symbol, contract, where) for found in rows]
        else:
            said = [self._row(channel, arg, found, symbol, where) for found in rows]
        happenings = tuple(one for many in said for one in many)
        readings = [one for one in happenings if isinstance(one, Reading)]
        prices = [reading for reading in readings if reading.field in _PRICES]
        for price in prices:
            self._check_price(price, where)
        self._prices |= {(price.symbol, price.field): price for price in prices}
        return Heard(happenings=happenings, topic=topic)

    def _row(
        self, channel: str, arg: Row, found: object, symbol: str, where: str
    ) -> tuple[Happening, ...]:
        row = as_object(found, where)
        if text(row, "instId", where) != arg["instId"]:
            raise DataError(
                f"{where}, field 'instId': found {shown(row['instId'])}, expected {arg['instId']}"
            )
        if channel == "open-interest":
            return open_interest_of(row, symbol, self._contracts.get(symbol), where)
        return _ROWS[channel](row, symbol, where)

    def _symbol(self, channel: str, arg: Row, where: str) -> str:
        if channel not in _CHANNELS:
            raise DataError(f"{where}: a channel that was not asked for")
        names = self._indices if channel == "index-tickers" else self._swaps
        name = text(arg, "instId", f"{where}, field 'arg'")
        if name not in names:
            raise DataError(f"{where}: {shown(name)} was not asked for")
        return names[name]

    def _liquidations(self, arg: Row, rows: Sequence[object], content: bytes, where: str) -> Heard:
        if text(arg, "instType", f"{where}, field 'arg'") != "SWAP":
            raise DataError(f"{where}: found {shown(arg['instType'])}, expected SWAP")
        said: list[Liquidation] = []
        others: Counter[str] = Counter()
        for number, found in enumerate(rows, 1):
            here = f"{where}, row {number}"
            row = as_object(found, here)
            swap = text(row, "instId", here)
            symbol = self._swaps.get(swap)
            if symbol is None:
                others[swap] += 1
            else:
                said += self._details(row, symbol, here)
        digest = digest_of(content)
        if said and digest in self._heard:
            return Heard(topic=LIQUIDATIONS)
        for one in said:
            self._forced[one.symbol] = (*self._forced.get(one.symbol, ())[-1:], one)
        for swap, count in others.items():
            if len(self.others) < _MOST_OTHERS or swap in self.others:
                self.others[swap] += count
        self._heard.add([digest] if said else [])
        return Heard(happenings=tuple(said), topic=LIQUIDATIONS, keep=bool(said))

    def _details(self, row: Row, symbol: str, where: str) -> list[Liquidation]:
        details = as_list(row.get("details"), f"{where}, field 'details'")
        if not details:
            raise DataError(f"{where}, field 'details': found none, expected one or more")
        contract = self._contracts.get(symbol)
        said = [
            liquidation_of(as_object(detail, where), symbol, contract, where) for detail in details
        ]
        for one in said:
            self._check_liquidation(one, where)
        return said

    def _check_liquidation(self, found: Liquidation, where: str) -> None:
        """Refuse a price far from those of the last two liquidations, when they are recent.

        Not from the mark: marks are not on the tape, and a tape is read again as it was heard.
        """
        known = [
            one
            for one in self._forced.get(found.symbol, ())
            if abs(one.time_ms - found.time_ms) <= _PRICE_AGE_MS
        ]
        far = [one for one in known if not found.price / 3 <= one.price <= found.price * 3]
        if len(far) == _FORCED:
            raise DataError(
                f"{where}, field 'bkPx': found {found.price:g}, expected at most 3 times the last "
                f"two, {far[0].price:g} and {far[1].price:g}, or a third of them"
            )

    def _check_price(self, found: Reading, where: str) -> None:
        """Refuse a price far from both the last mark and the last index.

        Far from one of them alone says nothing: that one may be the broken one.
        """
        known = [self._prices.get((found.symbol, field)) for field in _PRICES]
        for last in known:
            if last is None or abs(last.time_ms - found.time_ms) > _PRICE_AGE_MS:
                return
            if found.value / 5.0 <= last.value <= found.value * 5.0:
                return
        raise DataError(
            f"{where}: found {found.field} {found.value:g}, expected at most 5 times the last mark "
            "and index, or a fifth of them"
        )

    def _pages(self, line: str, row: Row, symbol: str, topic: str, where: str) -> Heard:
        pages = [
            Page.read(as_object(found, where), row.get("action"), where)
            for found in as_list(row["data"], where)
        ]
        self._lines[symbol] = line
        book = self._books[symbol]
        gap = next(filter(None, map(book.take, pages)), "")
        if gap:
            return Heard(topic=topic, gap=f"{topic}: {gap}")
        second = pages[-1].time_ms // 1000
        if not self._is_due(symbol, second):
            return Heard(topic=topic)
        self._told[symbol] = second
        depth = book.depth()
        if book.broken:
            book.forget()
            return Heard(topic=topic, gap=f"{topic}: the book has been crossed for long")
        contract = self._contracts.get(symbol)
        if depth is None or contract is None:
            return Heard(topic=topic)
        self.reach[symbol] = (depth.bid_reach, depth.ask_reach)
        return Heard(
            happenings=depth_readings(symbol, pages[-1].time_ms, depth, contract), topic=topic
        )

    def _is_due(self, symbol: str, second: int) -> bool:
        """Whether a book's depth is told: once a second; one wrong time cannot silence it."""
        return not 0 <= self._told.get(symbol, -_BACK_S) - second < _BACK_S

    def _instruments(self, row: Row, where: str) -> Heard:
        if text(row, "code", where) != "0":
            return Heard(refused=_complaint(row))
        self._contracts |= contract_sizes(row.get("data"), self._swaps, where)
        return Heard(keep=True)


def _answer(row: Row, where: str) -> Heard:
    event = text(row, "event", where)
    if event in _REFUSALS:
        return Heard(refused=_complaint(row), refused_topics=_unknown_topics(row))
    if event in _PLAIN_EVENTS:
        return Heard()
    raise DataError(f"{where}, field 'event': found {shown(event)}, expected one that is known")


def _unknown_topics(row: Row) -> tuple[str, ...]:
    """The channel that an error says is not there; the others of a request are given."""
    told = row.get("msg")
    found = _UNKNOWN.search(told) if isinstance(told, str) else None
    return () if found is None else (f"{found[1]}:{found[2]}",)


def _complaint(row: Row) -> str:
    return f"code {shown(row.get('code'))}: {shown(row.get('msg'))}"
