"""Reads Hyperliquid's frames and replies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from liqwarn.collectors.happenings import Candle
from liqwarn.collectors.hyperliquid_fills import Fill, read_fill
from liqwarn.collectors.hyperliquid_market import (
    read_book,
    read_candle,
    read_context,
    read_trade,
)
from liqwarn.collectors.hyperliquid_names import symbols_by_coin
from liqwarn.collectors.hyperliquid_positions import Held, read_positions
from liqwarn.collectors.recent import Recent
from liqwarn.collectors.stream_time import BACK_MS, stream_time
from liqwarn.collectors.venue import Heard
from liqwarn.collectors.wire_json import as_list, as_object, flag, parse_wire, shown, text
from liqwarn.errors import DataError

__all__ = ["CLOCK_COIN", "POSITIONS", "HyperliquidReader"]

CLOCK_COIN: Final = "BTC"
"""Its book is asked for beside contexts, which bear no time of their own."""

POSITIONS: Final = "positions-"
"""How the names of polls begin that ask for positions; the account follows."""

_CONNECTED: Final = b"Websocket connection established."
_TRADES: Final = 20_000
_FILLS: Final = 20_000


@dataclass(slots=True)
class _Streams:
    """What is remembered of the streams of a line."""

    times: dict[str, int] = field(default_factory=dict)
    candles: dict[str, Candle] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A frame of a channel, before its ``data`` is looked at."""

    channel: str
    data: object
    line: str
    where: str

    def topic(self, name: str) -> str:
        return f"{self.channel}:{name}"


class HyperliquidReader:
    """See :class:`liqwarn.collectors.venue.Reader`.

    Parameters
    ----------
    symbols : sequence of str
    accounts : sequence of str or None
        Whose fills are followed, in small letters; None for everybody's.

    Attributes
    ----------
    passed_over : int
        Frames of coins and accounts that were not asked for.
    """

    def __init__(self, symbols: Sequence[str], accounts: Sequence[str] | None) -> None:
        self._symbols = symbols_by_coin(symbols)
        self._accounts = None if accounts is None else frozenset(accounts)
        self._lines: dict[str, _Streams] = {}
        self._held: dict[str, Held] = {}
        self._newest: dict[str, int] = {}
        self._fills = Recent(_FILLS)
        self._trades = Recent(_TRADES)
        self.passed_over = 0
        self._readers: dict[str, Callable[[_Frame, _Streams], Heard]] = {
            "trades": self._read_trades,
            "activeAssetCtx": self._read_context,
            "candle": self._read_candles,
            "l2Book": self._read_book,
            "userFills": self._read_fills,
        }

    def opened(self, line: str) -> None:
        """A line was opened (again): open minutes and its clock begin anew."""
        self._lines.pop(line, None)

    def read(self, line: str, content: bytes) -> Heard:
        """What a frame of a line, or a reply to a poll, says.

        Raises
        ------
        DataError
            When it says something that cannot be.
        """
        where = f"hyperliquid {line}"
        if line.startswith(POSITIONS):
            return self._read_positions(line, parse_wire(content, where), where)
        if content == _CONNECTED:
            return Heard()
        found = as_object(parse_wire(content, where), where)
        channel = text(found, "channel", where)
        if channel in ("pong", "subscriptionResponse"):
            return Heard()
        if channel == "error":
            return _refusal(text(found, "data", where))
        reader = self._readers.get(channel)
        if reader is None:
            known = ", ".join(self._readers)
            raise DataError(f"{where}, field 'channel': found {shown(channel)}, expected {known}")
        frame = _Frame(
            channel=channel, data=found.get("data"), line=line, where=f"{where} {channel}"
        )
        streams = self._lines.get(line) or _Streams()
        heard = reader(frame, streams)
        self._lines[line] = streams
        return heard

    def _read_trades(self, frame: _Frame, _: _Streams) -> Heard:
        """Each trade once, though the venue tells the last ones again to who asks again."""
        rows = as_list(frame.data, frame.where)
        told = [read_trade(row, self._symbols, frame.where) for row in rows]
        names = {coin for coin, _ in told}
        if len(names) > 1:
            raise DataError(f"{frame.where}: found trades of {shown(sorted(names))}, expected one")
        topic = frame.topic(names.pop()) if names else ""
        keyed = {(t.symbol, t.key): t for _, t in told if t is not None}
        new = {key: trade for key, trade in keyed.items() if key not in self._trades}
        self.passed_over += any(trade is None for _, trade in told)
        self._trades.add(new)
        return Heard(happenings=tuple(new.values()), topic=topic, keep=bool(new))

    def _read_context(self, frame: _Frame, streams: _Streams) -> Heard:
        row = as_object(frame.data, frame.where)
        coin = text(row, "coin", frame.where)
        context = as_object(row.get("ctx"), f"{frame.where}, field 'ctx'")
        topic = frame.topic(coin)
        if coin not in self._symbols:
            self.passed_over += 1
            return Heard(topic=topic)
        now = streams.times.get(f"l2Book:{CLOCK_COIN}")
        told = read_context(context, self._symbols[coin], now or 0, frame.where)
        return Heard(happenings=told if now else (), topic=topic)

    def _read_candles(self, frame: _Frame, streams: _Streams) -> Heard:
        """A minute is closed when one after it is told: the venue does not say which is."""
        rows = frame.data if isinstance(frame.data, list) else [frame.data]
        read = [read_candle(as_object(row, frame.where), frame.where) for row in rows]
        if len({coin for coin, _ in read}) != 1:
            raise DataError(f"{frame.where}: found {len(read)} candles, expected those of one coin")
        coin = read[0][0]
        topic = frame.topic(coin)
        if coin not in self._symbols:
            self.passed_over += 1
            return Heard(topic=topic)
        closed, open_now = [], streams.candles.get(coin)
        for _, candle in read:
            how = stream_time(open_now.time_ms if open_now else None, candle.time_ms)
            if how == "back":
                streams.candles.pop(coin, None)
                return Heard(topic=topic, gap=f"{topic}: found a minute ended {candle.time_ms}")
            if how == "new":
                if open_now is not None and candle.time_ms > open_now.time_ms:
                    closed.append(replace(open_now, symbol=self._symbols[coin]))
                open_now = candle
        if open_now is not None:
            streams.candles[coin] = open_now
        return Heard(happenings=tuple(closed), topic=topic)

    def _read_book(self, frame: _Frame, streams: _Streams) -> Heard:
        book = read_book(as_object(frame.data, frame.where), frame.where)
        topic = frame.topic(book.coin)
        if book.coin not in self._symbols and book.coin != CLOCK_COIN:
            self.passed_over += 1
            return Heard(topic=topic)
        newest = streams.times.get(topic)
        how = stream_time(newest, book.time_ms)
        if how == "old":
            return Heard(topic=topic)
        if how == "back":
            del streams.times[topic]
            gap = f"{topic}: found time {book.time_ms}, more than {BACK_MS} ms before {newest}"
            return Heard(topic=topic, gap=gap)
        streams.times[topic] = book.time_ms
        if book.coin not in self._symbols:
            return Heard(topic=topic)
        return Heard(happenings=book.readings(self._symbols[book.coin]), topic=topic)

    def _read_fills(self, frame: _Frame, _: _Streams) -> Heard:
        """New liquidations in fills; the first ones of an account are history, and not told.

        After a line was opened again its first frame repeats the last fills of the account: what
        came while nobody listened is told then, what is older than the newest known is not.
        """
        row = as_object(frame.data, frame.where)
        owner = text(row, "user", frame.where).lower()
        if self._accounts is not None and owner not in self._accounts:
            self.passed_over += 1
            return Heard(topic=frame.topic(owner))
        rows = as_list(row.get("fills"), f"{frame.where}, field 'fills'")
        fills = [read_fill(fill, owner, self._symbols, frame.where) for fill in rows]
        repeats = "isSnapshot" in row and flag(row, "isSnapshot", frame.where)
        kept = repeats or any(fill.forced for fill in fills)
        known = self._newest.get(owner)
        new = {fill.key: fill for fill in fills if self._is_new(fill, known, repeats=repeats)}
        if kept:
            self._fills.add(fill.key for fill in fills if fill.forced)
            self._newest[owner] = max([known or 0, *(fill.time_ms for fill in fills)])
        told = tuple(f.liquidation for f in new.values() if f.liquidation is not None)
        return Heard(happenings=told, topic=frame.topic(owner), keep=kept)

    def _is_new(self, fill: Fill, known: int | None, *, repeats: bool) -> bool:
        if fill.liquidation is None or fill.key in self._fills:
            return False
        return not repeats or (known is not None and fill.time_ms >= known)

    def _read_positions(self, line: str, found: object, where: str) -> Heard:
        owner = line.removeprefix(POSITIONS)
        held = read_positions(found, owner, self._symbols, where)
        before = self._held.get(owner)
        how = stream_time(before.time_ms if before else None, held.time_ms)
        if how == "old":
            return Heard(topic=line)
        if how == "back":
            del self._held[owner]
            return Heard(topic=line, gap=f"{line}: found time {held.time_ms}, long before the last")
        self._held[owner] = held
        return Heard(happenings=held.after(before), topic=line, keep=True)


def _refusal(why: str) -> Heard:
    if "already subscribed" in why.lower():
        return Heard()
    return Heard(refused=f"hyperliquid refuses: {shown(why)}", refused_topics=_topics_in(why))


def _topics_in(why: str) -> tuple[str, ...]:
    """The stream that the venue repeats in its words; none when it does not."""
    _, brace, told = why.partition("{")
    try:
        asked = as_object(parse_wire(f"{brace}{told}".encode(), "refusal"), "refusal")
    except (DataError, UnicodeError):
        return ()
    return (f"{asked.get('type')}:{asked.get('coin') or asked.get('user')}",)
