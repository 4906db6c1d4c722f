"""Bybit on loopback: replies of its v5 API and files of its public trades, and as bad as told.

Values are made of their symbol and time, the same each time; candles are those of the trades.
"""

import gzip
import json
import re
import runpy
import threading
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

ARCHIVE = runpy.run_path(str(Path(__file__).parent / "fake_archive.py"))
HOUR = 3_600_000
OLD = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,"
HEADER = OLD + "foreignNotional"
WITH_RPI = date(2024, 1, 16)
_FILE = re.compile(r"trading/(?P<symbol>\w+)/(?P=symbol)(?P<day>\d{4}-\d\d-\d\d)\.csv\.gz")
_STEPS = {"5": 300_000, "15": 900_000, "30": 1_800_000, "60": HOUR, "240": 4 * HOUR, "D": 24 * HOUR}


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def number(value, digits=8):
    """As the venue writes it."""
    return f"{value:.{digits}f}"


def trades_of(symbol, minute):
    """Two trades a minute: stamp in seconds as text, side, size, price."""
    level = 100 + len(symbol) * 10
    for n, late in enumerate(("0.0683", "30.2500")):
        beat = minute * 2 + n
        price = level + beat * 7919 % 200 / 100
        side, size = ("Buy", "Sell")[beat % 3 == 0], 1 + beat % 7
        yield f"{minute * 60 + int(late.split('.')[0])}.{late.split('.')[1]}", side, size, price


def row_of(symbol, stamp, side, size, price):
    """A line of a file of trades."""
    mark = uuid.uuid5(uuid.NAMESPACE_OID, f"{symbol}{stamp}")
    worth = size / 1000 * price
    return (
        f"{stamp},{symbol},{side},{size / 1000:.3f},{price:.2f},PlusTick,{mark},"
        f"{worth * 1e8:.6e},{size / 1000:.3f},{worth:.7f}"
    )


@cache
def whole_day(symbol, begin, launch, rpi):
    """A file of trades from the launch on."""
    rows = [
        row_of(symbol, *trade)
        for minute in range(begin // 60_000, begin // 60_000 + 1_440)
        for trade in trades_of(symbol, minute)
        if minute * 60_000 >= launch
    ]
    return packed(rows, rpi=rpi)


@cache
def candle_of(symbol, t, step):
    """Open, high, low, close, volume and turnover as text."""
    trades = [trade for minute in range(t // 60_000, (t + step) // 60_000)
              for trade in trades_of(symbol, minute)]  # fmt: skip
    prices = [price for *_, price in trades]
    size = sum(size for _, _, size, _ in trades)
    worth = sum(size / 1_000 * price for _, _, size, price in trades)
    return [str(t), f"{prices[0]:.2f}", f"{max(prices):.2f}", f"{min(prices):.2f}",
            f"{prices[-1]:.2f}", f"{size / 1000:.3f}", f"{worth:.4f}"]  # fmt: skip


class FakeBybit:
    """What the venue says, and what it was asked.

    Attributes
    ----------
    now : int
        Milliseconds since the epoch: nothing is known of later.
    launch : dict of symbol to ms
    published : date
        Last day of trades.
    most : int
        Rows of a reply, at most.
    replies : dict of path to list
        What to do at the next questions of a path instead of a good reply.
    content : dict of path to bytes or None
        Files of trades that differ from what would be made.
    absent : set of (kind, ms)
    asked : list of (method, path, query)
    """

    def __init__(self, now, launch, *, most=10_000):
        self.now, self.launch, self.most = now, launch, most
        self.published = datetime.fromtimestamp(now / 1_000, UTC).date() - timedelta(days=1)
        self.replies, self.content, self.absent, self.asked = {}, {}, set(), []
        self.delay_s = 0.0
        self._lock = threading.Lock()

    def next_reply(self, method, path, query):
        with self._lock:
            self.asked.append((method, path, query))
            queue = self.replies.get(path)
            return queue.pop(0) if queue else None

    def paths(self, method="GET"):
        return [path for told, path, _ in self.asked if told == method]

    def body(self, path, query):
        """Bytes and headers of a good reply, None for 404."""
        if path.startswith("v5/market/"):
            return json.dumps(self.envelope(path.removeprefix("v5/market/"), query)).encode(), ()
        content = self.content.get(path, ...)
        content = self.file(path) if content is ... else content
        if content is None:
            return None
        tag = f'"{sha256(content).hexdigest()[:32]}"'
        return content, (("ETag", tag), ("Last-Modified", "Mon, 15 Jan 2024 03:00:00 GMT"))

    def file(self, path):
        found = _FILE.fullmatch(path)
        if found is None or found["symbol"] not in self.launch:
            return None
        day = date.fromisoformat(found["day"])
        begin = ms(found["day"])
        if day > self.published or begin + 24 * HOUR <= self.launch[found["symbol"]]:
            return None
        return whole_day(found["symbol"], begin, self.launch[found["symbol"]], day >= WITH_RPI)

    def envelope(self, kind, query):
        symbol = query["symbol"]
        if query.get("category") != "linear" or symbol not in self.launch:
            return {"retCode": 10001, "retMsg": "params error: symbol invalid", "result": {},
                    "retExtInfo": {}, "time": self.now}  # fmt: skip
        if kind == "instruments-info":
            told = {"symbol": symbol, "launchTime": str(self.launch[symbol]),
                    "fundingInterval": 480, "status": "Trading"}  # fmt: skip
            result = {"category": "linear", "list": [told], "nextPageCursor": ""}
        else:
            result = self.history(kind, query, symbol)
        return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": self.now}

    def history(self, kind, query, symbol):
        make, step = self.kinds(kind, query)
        ends = ("start", "end") if kind.endswith("kline") else ("startTime", "endTime")
        end = min(int(query.get(ends[1], self.now)), self.now)
        first = int(query[ends[0]]) if ends[1] in query else 0  # alone it is ignored
        first = max(first, self.launch[symbol])
        times = [t for t in range(-(-first // step) * step, end + 1, step)
                 if (kind, t) not in self.absent]  # fmt: skip
        limit = min(int(query.get("limit", 50)), self.most)
        rows = [make(symbol, t) for t in times[-limit:][::-1]]
        inside = (
            {"symbol": symbol, "category": "linear"} if rows else {"symbol": "", "category": ""}
        )
        if kind == "funding/history":
            return {"category": "linear", "list": rows}
        if kind == "account-ratio":
            return {"list": rows, "nextPageCursor": "lastid%3D0" if len(times) > limit else ""}
        more = {"nextPageCursor": "lastid%3D7" if len(times) > limit else ""}
        return {**inside, "list": rows, **(more if kind == "open-interest" else {})}

    def kinds(self, kind, query):
        if kind == "funding/history":
            return self.funding, 8 * HOUR
        if kind == "open-interest":
            return self.interest, {"5min": 300_000}[query["intervalTime"]]
        if kind == "account-ratio":
            return self.ratio, {"5min": 300_000}[query["period"]]
        step = _STEPS[query["interval"]]
        if kind == "kline":
            return lambda symbol, t: self.candle(symbol, t, step), step
        return lambda symbol, t: self.candle(symbol, t, step)[:5], step

    def funding(self, symbol, t):
        return {"symbol": symbol, "fundingRate": number(t // HOUR % 97 / 1e6),
                "fundingRateTimestamp": str(t)}  # fmt: skip

    def interest(self, _, t):
        single = 50_000 + t // 300_000 % 1_000
        return {"openInterest": number(2 * single + 0.001), "singleOpenInterest": f"{single}.001",
                "timestamp": str(t)}  # fmt: skip

    def ratio(self, symbol, t):
        buy = 5_000 + t // 300_000 % 700
        return {"symbol": symbol, "buyRatio": f"{buy / 10_000:.4f}",
                "sellRatio": f"{1 - buy / 10_000:.4f}", "timestamp": str(t)}  # fmt: skip

    def candle(self, symbol, t, step):
        return candle_of(symbol, t, step)


def packed(rows, *, rpi=False, header=None):
    """A file of trades, the same bytes for the same rows."""
    head = header or (HEADER + ",RPI" if rpi else HEADER)
    lines = [f"{row},0" for row in rows] if rpi else rows
    return gzip.compress(("\n".join([head, *lines]) + "\n").encode(), 1, mtime=0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET(send=False)

    def do_GET(self, *, send=True):
        venue, asked = self.server.archive, urlsplit(self.path)
        path, query = asked.path.lstrip("/"), dict(parse_qsl(asked.query))
        told = venue.next_reply(self.command, path, query)
        time.sleep(venue.delay_s)
        try:
            found = venue.body(path, query)
            if callable(told):
                told(self, b"" if found is None else found[0])
            elif told is not None:
                self.reply(told, b'{"retCode": 1}', send=send)
            elif found is None:
                self.reply(404, b"<html>404 Not Found</html>", send=send)
            else:
                self.reply(200, found[0], send=send, headers=found[1])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, status, body, *, send=True, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if send:
            self.wfile.write(body)


class Serving(ARCHIVE["Serving"]):
    """A fake venue behind an address."""

    def __init__(self, venue):
        super().__init__(venue)
        self._server.RequestHandlerClass = _Handler


def says(value):
    """Another body with status 200."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return lambda handler, _: handler.reply(200, body)


def edited(edit):
    """The good body, parsed, changed in place by `edit`, and sent."""

    def answer(handler, good):
        body = json.loads(good)
        edit(body)
        handler.reply(200, json.dumps(body).encode())

    return answer
