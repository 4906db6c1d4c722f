"""A venue on loopback that plays a simulated market in Binance's or Bybit's public formats.

Run: python examples/drill/venue_player.py binance coming.jsonl 8701

Sockets and HTTP on one port, for `liqwarn collect --url binance=ws://127.0.0.1:8701
--http binance=http://127.0.0.1:8701`. Stop it with SIGSTOP and it is what a venue is that fell
silent: its connections stay open and nothing comes.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from played_market import MINUTE_MS, PlayedSymbol, load_market
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

TICK_MS = 500
Market = dict[str, PlayedSymbol]
Frames = Iterator[dict[str, object]]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1_000)


def text(value: float) -> str:
    """A number as venues write it."""
    return f"{value:.8f}"


def settles_ms(at_ms: int) -> int:
    """The next of three settlements a day."""
    return (at_ms // 28_800_000 + 1) * 28_800_000


def levels(side: dict[str, str]) -> list[list[str]]:
    """Price and size."""
    return [[price, size] for price, size in side.items()]


def changes(before: dict[str, str], after: dict[str, str]) -> list[list[str]]:
    """What is gone with size 0, and what is there now."""
    gone = [[price, "0"] for price in before if price not in after]
    return gone + levels(after)


class Binance:
    """USD-M futures: combined streams, and three questions."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def page(self, path: str) -> object:
        """The reply to a question."""
        asked = urlsplit(path)
        words = {name: found[0] for name, found in parse_qs(asked.query).items()}
        at_ms = now_ms()
        if asked.path.endswith("/fundingInfo"):
            return [
                {"symbol": symbol, "adjustedFundingRateCap": "0.02000000",
                 "adjustedFundingRateFloor": "-0.02000000", "disclaimer": False,
                 "fundingIntervalHours": int(played.field("funding_interval_h", at_ms))}
                for symbol, played in self.market.items()
            ]  # fmt: skip
        symbol = words["symbol"]
        played = self.market[symbol]
        if asked.path.endswith("/openInterest"):
            interest = text(played.field("open_interest", at_ms))
            return {"symbol": symbol, "openInterest": interest, "time": at_ms}
        tick = at_ms // TICK_MS
        bids, asks = played.book(tick * TICK_MS)
        return {"lastUpdateId": 10 * tick, "E": at_ms, "T": at_ms, "bids": levels(bids),
                "asks": levels(asks)}  # fmt: skip

    def answer(self, path: str, _said: dict[str, object]) -> Frames:
        """To a ping: the streams that are subscribed."""
        yield {"result": self._streams(path), "id": 1}

    def tick(self, path: str, at_ms: int) -> Frames:
        """What is said half a second after half a second."""
        for stream in self._streams(path):
            symbol, _, kind = stream.partition("@")
            if stream == "!forceOrder@arr":
                for name, played in self.market.items():
                    yield from self._orders(stream, name, played, at_ms)
            elif (data := self._data(kind, symbol.upper(), at_ms)) is not None:
                yield {"stream": stream, "data": data}

    def _streams(self, path: str) -> list[str]:
        return parse_qs(urlsplit(path).query)["streams"][0].split("/")

    def _orders(self, stream: str, symbol: str, played: PlayedSymbol, at_ms: int) -> Frames:
        if at_ms % 1_000:
            return
        for order in played.orders(at_ms // 1_000 - 1):
            price, size = f"{order.price:.2f}", f"{order.size:.3f}"
            told = {"s": symbol, "S": "SELL" if order.side == "long" else "BUY", "o": "LIMIT",
                    "f": "IOC", "q": size, "p": price, "ap": price, "X": "FILLED", "l": size,
                    "z": size, "T": order.time_ms}  # fmt: skip
            yield {"stream": stream, "data": {"e": "forceOrder", "E": at_ms, "o": told}}

    def _data(self, kind: str, symbol: str, at_ms: int) -> dict[str, object] | None:
        played = self.market[symbol]
        if kind == "depth@500ms":
            tick = at_ms // TICK_MS
            old, new = played.book(at_ms - TICK_MS), played.book(at_ms)
            return {"e": "depthUpdate", "E": at_ms, "T": at_ms, "s": symbol, "U": 10 * tick - 9,
                    "u": 10 * tick, "pu": 10 * tick - 10, "b": changes(old[0], new[0]),
                    "a": changes(old[1], new[1])}  # fmt: skip
        if kind == "markPrice@1s" and at_ms % 1_000 == 0:
            ratio = played.field("mark", at_ms) / played.field("close", at_ms)
            mark, index = played.field("mark", at_ms), played.field("index", at_ms)
            price = played.price(at_ms) * ratio
            return {"e": "markPriceUpdate", "E": at_ms, "s": symbol, "p": text(price),
                    "i": text(price * index / mark), "P": text(price), "T": settles_ms(at_ms),
                    "r": text(played.field("funding_rate", at_ms))}  # fmt: skip
        if kind == "kline_1m" and at_ms % MINUTE_MS == 0:
            opens = at_ms - MINUTE_MS
            made = played.candle(opens)
            candle = {"t": opens, "T": at_ms - 1, "s": symbol, "i": "1m", "o": text(made["open"]),
                      "c": text(made["close"]), "h": text(made["high"]), "l": text(made["low"]),
                      "v": text(made["volume"]), "V": text(made["taker_buy_volume"]),
                      "x": True}  # fmt: skip
            return {"e": "kline", "E": at_ms, "s": symbol, "k": candle}
        return None


class Bybit:
    """Linear perpetuals: topics asked for after the handshake; it asks no questions over HTTP."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._topics: dict[str, list[str]] = {}

    def page(self, path: str) -> object:
        """None of its collector's."""
        return {"retCode": 10001, "retMsg": f"no {path}"}

    def answer(self, key: str, said: dict[str, object]) -> Frames:
        """To a subscription, with the snapshots of what was asked for, or to a ping."""
        if said.get("op") == "ping":
            yield {"success": True, "ret_msg": "pong", "conn_id": key, "op": "ping"}
            return
        asked = [str(topic) for topic in said["args"]]  # type: ignore[attr-defined]
        self._topics.setdefault(key, []).extend(asked)
        yield {"success": True, "ret_msg": "", "conn_id": key, "op": "subscribe",
               "req_id": said.get("req_id", "")}  # fmt: skip
        at_ms = now_ms() // TICK_MS * TICK_MS
        for topic in asked:
            yield from self._whole(topic, at_ms)

    def tick(self, key: str, at_ms: int) -> Frames:
        """What is said half a second after half a second."""
        for topic in self._topics.get(key, []):
            stream, _, symbol = topic.rpartition(".")
            played = self.market[symbol]
            if stream == "tickers" and at_ms % 1_000 == 0:
                yield self._told(topic, "delta", at_ms, self._ticker(symbol, at_ms))
            elif stream.startswith("orderbook"):
                old, new = played.book(at_ms - TICK_MS), played.book(at_ms)
                sides = changes(old[0], new[0]), changes(old[1], new[1])
                yield self._told(topic, "delta", at_ms, self._book(symbol, at_ms, sides))
            elif stream == "allLiquidation" and at_ms % 1_000 == 0:
                rows = [
                    {"T": one.time_ms, "s": symbol, "S": "Buy" if one.side == "long" else "Sell",
                     "v": f"{one.size:.3f}", "p": f"{one.price:.2f}"}
                    for one in played.orders(at_ms // 1_000 - 1)
                ]  # fmt: skip
                if rows:
                    yield self._told(topic, "snapshot", at_ms, rows)
            elif stream == "kline.1" and at_ms % MINUTE_MS == 0:
                yield self._told(topic, "snapshot", at_ms, [self._candle(played, at_ms)])

    def _whole(self, topic: str, at_ms: int) -> Frames:
        stream, _, symbol = topic.rpartition(".")
        if stream == "tickers":
            yield self._told(topic, "snapshot", at_ms, self._ticker(symbol, at_ms))
        elif stream.startswith("orderbook"):
            bids, asks = self.market[symbol].book(at_ms)
            sides = levels(bids), levels(asks)
            yield self._told(topic, "snapshot", at_ms, self._book(symbol, at_ms, sides))

    def _told(self, topic: str, kind: str, at_ms: int, data: object) -> dict[str, object]:
        return {"topic": topic, "type": kind, "ts": at_ms, "data": data}

    def _ticker(self, symbol: str, at_ms: int) -> dict[str, str]:
        played = self.market[symbol]
        interest = played.field("open_interest", at_ms)
        price = played.price(at_ms)
        return {
            "symbol": symbol, "lastPrice": f"{price:.2f}", "markPrice": text(price),
            "indexPrice": text(price), "openInterest": text(2 * interest),
            "singleOpenInterest": text(interest), "nextFundingTime": str(settles_ms(at_ms)),
            "fundingRate": text(played.field("funding_rate_2", at_ms)),
            "fundingIntervalHour": str(int(played.field("funding_interval_2_h", at_ms))),
        }  # fmt: skip

    def _book(self, symbol: str, at_ms: int, sides: tuple[object, object]) -> dict[str, object]:
        tick = at_ms // TICK_MS
        return {"s": symbol, "b": sides[0], "a": sides[1], "u": tick, "seq": tick}

    def _candle(self, played: PlayedSymbol, at_ms: int) -> dict[str, object]:
        made = played.candle(at_ms - MINUTE_MS)
        prices = {name: text(made[name]) for name in ("open", "high", "low", "close", "volume")}
        return {"start": at_ms - MINUTE_MS, "end": at_ms - 1, "interval": "1", **prices,
                "turnover": "0", "confirm": True, "timestamp": at_ms - 1}  # fmt: skip


async def play(venue: Binance | Bybit, port: int) -> None:
    """Serve it until killed."""

    def page(_: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None
        content = json.dumps(venue.page(request.path)).encode()
        sizes = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        return Response(200, "OK", Headers(sizes | {"Connection": "close"}), content)

    async def talk(connection: ServerConnection) -> None:
        path = connection.request.path if connection.request is not None else ""
        key = path if isinstance(venue, Binance) else str(connection.id)
        ticking = asyncio.create_task(_tick(connection, lambda at_ms: venue.tick(key, at_ms)))
        with contextlib.suppress(ConnectionClosed):
            async for said in connection:
                for told in venue.answer(key, json.loads(said)):
                    await connection.send(json.dumps(told))
        ticking.cancel()

    async with serve(talk, "127.0.0.1", port, process_request=page):
        await asyncio.Event().wait()


async def _tick(connection: ServerConnection, frames: Callable[[int], Frames]) -> None:
    """Say what is due every half second; what was missed while it stood still is never said."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            at_ms = (now_ms() // TICK_MS + 1) * TICK_MS
            await asyncio.sleep((at_ms - time.time() * 1_000) / 1_000)
            for told in frames(at_ms):
                await connection.send(json.dumps(told))


if __name__ == "__main__":
    name, file, number = sys.argv[1:4]
    kinds = {"binance": Binance, "bybit": Bybit}
    asyncio.run(play(kinds[name](load_market(Path(file))), int(number)))
