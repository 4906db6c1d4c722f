"""Reads what Binance's USD-M futures say: combined streams of sockets, and replies of polls."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from liqwarn.collectors.binance_book import BinanceBook, Change, Snapshot
from liqwarn.collectors.binance_frames import (
    candle_of,
    funding_hours,
    is_usd_m,
    liquidation_of,
    marks_of,
    open_interest_of,
)
from liqwarn.collectors.happenings import Happening, Reading
from liqwarn.collectors.order_book import depth_readings
from liqwarn.collectors.recent import Recent, digest_of
from liqwarn.collectors.venue import Heard
from liqwarn.collectors.wire_json import as_object, parse_wire, shown, text
from liqwarn.errors import DataError

__all__ = ["DEPTH", "KLINE", "LIQUIDATIONS", "MARK", "BinanceReader"]

LIQUIDATIONS: Final = "!forceOrder@arr"
MARK: Final = "markPrice@1s"
KLINE: Final = "kline_1m"
DEPTH: Final = "depth@500ms"

_EVENTS: Final = {MARK: "markPriceUpdate", KLINE: "kline", DEPTH: "depthUpdate"}
_DEFAULT_HOURS: Final = 8.0
_MOST_OTHERS: Final = 4096
_BACK_S: Final = 60

Row = Mapping[str, object]


class BinanceReader:
    """One reader of all of Binance's lines and polls.

    Attributes
    ----------
    others : Counter of str
        How often symbols came that nobody asked for; the liquidations are of all symbols.
    reach : dict of str to (float, float)
        How far from mid the book of a symbol was last known, bids and asks, as a share of mid.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        self.others: Counter[str] = Counter()
        self.reach: dict[str, tuple[float, float]] = {}
        self._symbols = frozenset(symbols)
        self._books = {symbol: BinanceBook() for symbol in symbols}
        self._lines: dict[str, str] = {}  # of the books
        self._told: dict[str, int] = {}  # the second of a book's last reading
        self._heard = Recent(_MOST_OTHERS)  # liquidations, for lines that overlap
        self._hours: dict[str, float] = {}  # empty until the venue told its exceptions

    def opened(self, line: str) -> None:
        """The books that came over a line begin anew."""
        for symbol, came_over in self._lines.items():
            if came_over == line:
                self._books[symbol].forget()

    def read(self, line: str, content: bytes) -> Heard:
        """What a combined frame, an answer, or the reply to a poll says."""
        where = f"binance {line}"
        found = parse_wire(content, where)
        if line == "funding-info":
            return self._funding_info(found, where)
        row = as_object(found, where)
        if "code" in row or "error" in row:
            return Heard(refused=_complaint(row))
        if "stream" in row:
            return self._frame(line, row, content, where)
        if "result" in row and "id" in row:
            return _answer(row["result"])
        return self._reply(line, row, where)

    def _frame(self, line: str, row: Row, content: bytes, where: str) -> Heard:
        stream = text(row, "stream", where)
        where = f"{where}, stream {shown(stream)}"
        data = as_object(row.get("data"), f"{where}, field 'data'")
        if stream == LIQUIDATIONS:
            return self._liquidation(data, content, where)
        symbol, _, kind = stream.partition("@")
        symbol = symbol.upper()
        if symbol not in self._symbols or kind not in _EVENTS:
            raise DataError(f"{where}: a stream that was not asked for")
        _expect(data, {"e": _EVENTS[kind], "s": symbol}, where)
        if not is_usd_m(data, where):
            raise DataError(f"{where}, field 'st': found 2, expected 1 (USD-M)")
        if kind == DEPTH:
            return self._change(line, symbol, stream, Change.read(data, where))
        happenings = self._marks(data, where) if kind == MARK else candle_of(data, where)
        return Heard(happenings=happenings, topic=stream)

    def _liquidation(self, data: Row, content: bytes, where: str) -> Heard:
        found = liquidation_of(data, self._symbols, where)
        if isinstance(found, str):
            if len(self.others) < _MOST_OTHERS or found in self.others:
                self.others[found] += 1
            return Heard(topic=LIQUIDATIONS)
        digest = digest_of(content)
        if digest in self._heard:
            return Heard(topic=LIQUIDATIONS)
        self._heard.add([digest])
        return Heard(happenings=() if found is None else (found,), topic=LIQUIDATIONS, keep=True)

    def _marks(self, data: Row, where: str) -> tuple[Happening, ...]:
        readings = marks_of(data, where)
        if not self._hours:
            return readings
        symbol, at = readings[0].symbol, readings[0].time_ms
        hours = self._hours.get(symbol, _DEFAULT_HOURS)
        interval = Reading(symbol=symbol, time_ms=at, field="funding_interval_h", value=hours)
        return (*readings, interval)

    def _change(self, line: str, symbol: str, stream: str, change: Change) -> Heard:
        self._lines[symbol] = line
        kept = self._books[symbol]
        gap = kept.change(change)
        second = change.time_ms // 1000
        if gap or kept.book is None or not self._is_due(symbol, second):
            return Heard(topic=stream, gap=f"{stream}: {gap}" if gap else "")
        self._told[symbol] = second
        depth = kept.book.depth()
        if depth is None:
            return Heard(topic=stream)
        self.reach[symbol] = (depth.bid_reach, depth.ask_reach)
        return Heard(happenings=depth_readings(symbol, change.time_ms, depth), topic=stream)

    def _is_due(self, symbol: str, second: int) -> bool:
        """Whether a book's depth is told: once a second; one wrong time cannot silence it."""
        return not 0 <= self._told.get(symbol, -_BACK_S) - second < _BACK_S

    def _reply(self, line: str, row: Row, where: str) -> Heard:
        poll, _, symbol = line.rpartition("-")
        readers: dict[str, Callable[[str, Row, str], Heard]] = {
            "depth": self._snapshot,
            "open-interest": self._open_interest,
        }
        if poll not in readers or symbol not in self._symbols:
            raise DataError(
                f"{where}: found fields {', '.join(list(row)[:8])[:160]}, expected stream and data"
            )
        return readers[poll](symbol, row, where)

    def _snapshot(self, symbol: str, row: Row, where: str) -> Heard:
        self._books[symbol].snapshot(Snapshot.read(row, where))
        return Heard()

    def _open_interest(self, symbol: str, row: Row, where: str) -> Heard:
        _expect(row, {"symbol": symbol}, where)
        return Heard(happenings=open_interest_of(row, where))

    def _funding_info(self, found: object, where: str) -> Heard:
        if isinstance(found, dict) and "code" in found:
            return Heard(refused=_complaint(found))
        self._hours = funding_hours(found, where)
        return Heard()


def _expect(row: Row, expected: Mapping[str, str], where: str) -> None:
    for name, value in expected.items():
        if text(row, name, where) != value:
            raise DataError(f"{where}, field '{name}': found {shown(row[name])}, expected {value}")


def _answer(result: object) -> Heard:
    """To a request: null when it was taken, or the streams that are subscribed."""
    if result is None or (isinstance(result, list) and result):
        return Heard()
    return Heard(refused=f"found result {shown(result)}, expected null or the streams asked for")


def _complaint(row: Row) -> str:
    said = row.get("error", row)
    if isinstance(said, dict):
        return f"code {shown(said.get('code'))}: {shown(said.get('msg'))}"
    return shown(said)
