"""Reads Bybit's public frames of linear perpetuals.

Side of a liquidation: **the side of the position**. ``Buy`` means that a long was liquidated.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from liqwarn.collectors.bybit_book import BookFrame, BybitBook, start_book
from liqwarn.collectors.bybit_ticker import Ticker, read_ticker
from liqwarn.collectors.happenings import Candle, Happening, Liquidation, Trade
from liqwarn.collectors.plausible import coins, notional, price
from liqwarn.collectors.recent import Recent
from liqwarn.collectors.stream_time import BACK_MS, stream_time
from liqwarn.collectors.venue import Heard
from liqwarn.collectors.wire_json import (
    as_list,
    as_object,
    flag,
    number_text,
    parse_wire,
    shown,
    text,
    time_ms,
)
from liqwarn.errors import DataError
from liqwarn.frames import Side

__all__ = ["BybitReader"]

_POSITION: Final[Mapping[str, Side]] = {"Buy": "long", "Sell": "short"}
_TAKER: Final[Mapping[str, Literal["buy", "sell"]]] = {"Buy": "buy", "Sell": "sell"}
_MINUTE: Final = 60_000
_LATEST_MS: Final = 600_000
_LIQUIDATIONS: Final = 20_000
_TRADES: Final = 20_000


_Said = TypeVar("_Said")


@dataclass(slots=True)
class _Streams:
    """What is remembered of the streams of a line."""

    tickers: dict[str, Ticker] = field(default_factory=dict)
    books: dict[str, BybitBook] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    awaited: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A frame of a topic, before its ``data`` is looked at."""

    topic: str
    symbol: str
    kind: str
    time_ms: int
    data: object
    where: str

    def rows(self) -> list[Mapping[str, object]]:
        """``data`` as objects of this symbol."""
        return [as_object(row, self.where) for row in as_list(self.data, self.where)]


class BybitReader:
    """See :class:`liqwarn.collectors.venue.Reader`.

    Parameters
    ----------
    symbols : sequence of str
        Frames of others are passed over and counted.
    levels : int
        Of the book that was asked for.

    Attributes
    ----------
    passed_over : int
        Frames of symbols that were not asked for.
    """

    def __init__(self, symbols: Sequence[str], levels: int) -> None:
        self._symbols = frozenset(symbols)
        self._levels = levels
        self._lines: dict[str, _Streams] = {}
        self._liquidations = Recent(_LIQUIDATIONS)
        self._trades = Recent(_TRADES)
        self._closed: dict[str, int] = {}
        self.passed_over = 0
        self._readers: dict[str, Callable[[_Frame, _Streams], Heard]] = {
            "allLiquidation": self._liquidation,
            "tickers": self._ticker,
            f"orderbook.{levels}": self._book,
            "kline.1": self._kline,
            "publicTrade": self._trade,
        }

    def opened(self, line: str) -> None:
        """A line was opened (again): its tickers and books begin anew."""
        self._lines.pop(line, None)

    def read(self, line: str, content: bytes) -> Heard:
        """What a frame of a line says.

        Raises
        ------
        DataError
            When it says something that cannot be.
        """
        where = f"bybit {line}"
        found = as_object(parse_wire(content, where), where)
        if "topic" not in found:
            return self._answer(found, where)
        topic = text(found, "topic", where)
        stream, _, symbol = topic.rpartition(".")
        reader = self._readers.get(stream)
        if reader is None:
            known = ", ".join(self._readers)
            raise DataError(f"{where}, field 'topic': found {shown(topic)}, expected {known}")
        kind = text(found, "type", where)
        if kind not in ("snapshot", "delta"):
            raise DataError(f"{where}, field 'type': found {shown(kind)}, expected snapshot, delta")
        frame = _Frame(
            topic=topic,
            symbol=symbol,
            kind=kind,
            time_ms=time_ms(found, "ts", where),
            data=found.get("data"),
            where=f"{where} {topic[:60]}",
        )
        if symbol not in self._symbols:
            self.passed_over += 1
            return Heard(topic=topic)
        streams = self._lines.get(line) or _Streams()
        heard = reader(frame, streams)
        self._lines[line] = streams
        return heard

    def _answer(self, found: Mapping[str, object], where: str) -> Heard:
        """An answer to a subscription or a ping; a request is refused whole."""
        why = _refusal(found, where)
        if why is None:
            return Heard()
        asked = found.get("req_id")
        symbol = asked if isinstance(asked, str) and asked in self._symbols else None
        topics = tuple(f"{stream}.{symbol}" for stream in self._readers) if symbol else ()
        told = f"bybit refuses {shown(asked)}: {why}"
        return Heard(refused=told, refused_topics=topics)

    def _liquidation(self, frame: _Frame, _: _Streams) -> Heard:
        """They bear no number: one of the same moment, side, price and size is the same one.

        Those that are alike within one frame are several.
        """
        keyed, alike = {}, Counter[Liquidation]()
        for row in frame.rows():
            told = _read_liquidation(row, frame)
            keyed[told, alike[told]] = told
            alike[told] += 1
        new = tuple(one for key, one in keyed.items() if key not in self._liquidations)
        self._liquidations.add(keyed)
        return Heard(happenings=new, topic=frame.topic, keep=bool(new))

    def _trade(self, frame: _Frame, _: _Streams) -> Heard:
        told = {trade.key: trade for trade in (_read_trade(row, frame) for row in frame.rows())}
        new = tuple(trade for key, trade in told.items() if key not in self._trades)
        self._trades.add(trade.key for trade in new)
        return Heard(happenings=new, topic=frame.topic, keep=bool(new))

    def _kline(self, frame: _Frame, _: _Streams) -> Heard:
        candles = [candle for row in frame.rows() if (candle := _read_kline(row, frame))]
        last = self._closed.get(frame.symbol, 0)  # one wrong time cannot silence them for good
        new = tuple(candle for candle in candles if not 0 <= last - candle.time_ms <= BACK_MS)
        if new:
            self._closed[frame.symbol] = new[-1].time_ms
        return Heard(happenings=new, topic=frame.topic)

    def _ticker(self, frame: _Frame, streams: _Streams) -> Heard:
        row = as_object(frame.data, frame.where)
        _check_symbol(text(row, "symbol", frame.where), frame)
        before = None if frame.kind == "snapshot" else streams.tickers.get(frame.symbol)
        if frame.kind == "delta" and before is None:
            return _await(frame, streams, "a change came before its snapshot")
        now = read_ticker(row, before, frame.time_ms, frame.where)
        stale = _stale(frame, streams)
        if stale is None:
            streams.tickers[frame.symbol] = now
            return _told(frame, streams, now.readings(frame.symbol))
        if stale.gap:
            streams.tickers.pop(frame.symbol, None)
        return stale

    def _book(self, frame: _Frame, streams: _Streams) -> Heard:
        row = as_object(frame.data, frame.where)
        found = BookFrame.read(row, frame.kind, frame.time_ms, frame.where)
        _check_symbol(found.symbol, frame)
        if found.whole:
            stale = _stale(frame, streams)
            if stale is not None and not stale.gap:
                return stale
            streams.books[frame.symbol] = start_book(found, self._levels)
        book = streams.books.get(frame.symbol)
        if book is None:
            return _await(frame, streams, "a change came before its snapshot")
        gap = book.apply(found)
        if gap:
            del streams.books[frame.symbol]
            return _await(frame, streams, gap)
        return _told(frame, streams, book.readings(frame.symbol, frame.time_ms))


def _await(frame: _Frame, streams: _Streams, gap: str) -> Heard:
    """A stream that must begin anew: said once, until its snapshot comes."""
    said = frame.topic in streams.awaited
    streams.awaited.add(frame.topic)
    streams.times.pop(frame.topic, None)
    return Heard(topic=frame.topic, gap="" if said else f"{frame.topic}: {gap}")


def _stale(frame: _Frame, streams: _Streams) -> Heard | None:
    """What is to be said of a frame that is not new; None of one that is."""
    newest = streams.times.get(frame.topic)
    how = stream_time(newest, frame.time_ms)
    if how == "new":
        return None
    if how == "old":
        return Heard(topic=frame.topic)
    gap = f"found time {frame.time_ms}, more than {BACK_MS} ms before the newest, {newest}"
    return _await(frame, streams, gap)


def _told(frame: _Frame, streams: _Streams, happenings: tuple[Happening, ...]) -> Heard:
    streams.awaited.discard(frame.topic)
    streams.times[frame.topic] = frame.time_ms
    return Heard(happenings=happenings, topic=frame.topic)


def _refusal(found: Mapping[str, object], where: str) -> str | None:
    """The venue's words in an answer that refuses a subscription; None in others."""
    op = text(found, "op", where)
    if op == "pong":  # as inverse and older lines answer
        return None
    if op not in ("subscribe", "unsubscribe", "ping"):
        raise DataError(f"{where}, field 'op': found {shown(op)}, expected subscribe, ping")
    if flag(found, "success", where):
        return None
    why = found.get("ret_msg", "no reason")
    return None if isinstance(why, str) and "already subscribed" in why else shown(why)


def _read_liquidation(row: Mapping[str, object], frame: _Frame) -> Liquidation:
    _check_symbol(text(row, "s", frame.where), frame)
    at, size = price(row, "p", frame.where), coins(row, "v", frame.where)
    notional(at, size, frame.where)
    return Liquidation(
        symbol=frame.symbol,
        time_ms=_near(time_ms(row, "T", frame.where), frame),
        side=_side(row, _POSITION, frame),
        price=at,
        price_is="bankruptcy",
        size=size,
    )


def _read_trade(row: Mapping[str, object], frame: _Frame) -> Trade:
    _check_symbol(text(row, "s", frame.where), frame)
    return Trade(
        symbol=frame.symbol,
        time_ms=_near(time_ms(row, "T", frame.where), frame),
        side=_side(row, _TAKER, frame),
        price=price(row, "p", frame.where),
        size=coins(row, "v", frame.where),
        key=text(row, "i", frame.where),
    )


def _read_kline(row: Mapping[str, object], frame: _Frame) -> Candle | None:
    """A closed minute; None while it is open."""
    start, end = time_ms(row, "start", frame.where), time_ms(row, "end", frame.where)
    if start % _MINUTE or end != start + _MINUTE - 1 or text(row, "interval", frame.where) != "1":
        raise DataError(f"{frame.where}: found {start} to {end}, expected a minute in milliseconds")
    first, high, low, last = (price(row, n, frame.where) for n in ("open", "high", "low", "close"))
    volume = number_text(row, "volume", frame.where)
    if not low <= min(first, last) <= max(first, last) <= high or volume < 0.0:
        raise DataError(
            f"{frame.where}: found open {first}, high {high}, low {low}, close {last}, volume "
            f"{volume}, expected low and high around the others, a volume of 0 on"
        )
    _near(start, frame)
    if not flag(row, "confirm", frame.where):
        return None
    return Candle(
        symbol=frame.symbol,
        time_ms=end + 1,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        taker_buy_volume=float("nan"),
    )


def _check_symbol(found: str, frame: _Frame) -> None:
    if found != frame.symbol:
        raise DataError(f"{frame.where}: found symbol {shown(found)}, expected {frame.symbol}")


def _near(at: int, frame: _Frame) -> int:
    """A time inside a frame: two clocks of one venue."""
    if abs(frame.time_ms - at) > _LATEST_MS:
        raise DataError(
            f"{frame.where}: found time {at} in a frame of {frame.time_ms}, expected at most "
            f"{_LATEST_MS} ms apart"
        )
    return at


def _side(row: Mapping[str, object], sides: Mapping[str, _Said], frame: _Frame) -> _Said:
    found = text(row, "S", frame.where)
    if found not in sides:
        raise DataError(f"{frame.where}, field 'S': found {shown(found)}, expected Buy, Sell")
    return sides[found]
