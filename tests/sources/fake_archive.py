"""A provider's archive on loopback: real layout and real formats, small, and as bad as told.

Files are made when they are asked for, the same bytes each time.
"""

import io
import re
import threading
import time
import zipfile
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zlib import crc32

METRICS_SHIFT = date(2026, 6, 25)
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,"
    "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
    "count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
CANDLES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)
FUNDING = "calc_time,funding_interval_hours,last_funding_rate"
_PATH = re.compile(
    r"data/futures/um/(?P<span>daily|monthly)/(?P<kind>\w+)/(?P<symbol>\w+)/(?:(?P<interval>\w+)/)?"
    r"(?P=symbol)-(?P<word>\w+)-(?P<when>\d{4}-\d{2}(?:-\d{2})?)\.zip"
)
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}


def zipped(name, text, *, members=1):
    """A zip of one table, the same bytes for the same text."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(members):
            info = zipfile.ZipInfo(name if n == 0 else f"{n}-{name}", (2024, 1, 1, 0, 0, 0))
            archive.writestr(info, text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def bomb(size=1 << 28):
    """A small zip that unpacks to more than is taken."""
    content = io.BytesIO()
    piece = b"0" * (1 << 20)
    with (
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as stream,
    ):
        for _ in range(size // len(piece) + 1):
            stream.write(piece)
    return content.getvalue()


class Market:
    """Prices and open interest at any moment, without a state: made of its symbol and the time."""

    def __init__(self, symbol):
        self.level = 10.0 + crc32(symbol.encode()) % 1_000

    def at(self, seconds):
        """Price at a moment: it wanders by some permille and never jumps."""
        step = seconds // 60
        return self.level * (1 + 0.002 * ((step * 7919) % 11) / 11 + 0.0005 * (step % 97) / 97)

    def open_interest(self, seconds):
        """Coins at a moment; no two moments of a month hold the same."""
        return 50_000 + (seconds // 300) % 10_000 / 8


class FakeArchive:
    """What the archive holds, what it does wrong, and what it was asked.

    Attributes
    ----------
    listed : mapping of symbol to date
        First day of each perpetual.
    published : date
        Last day that is published; months are, when they are over by then.
    replies : dict of path to list
        What to do at the next requests of a path, in order, instead of a good reply.
    content : dict of path to bytes or None
        Files that differ from what would be made; None is missing.
    asked : list of (method, path)
    clients : set
        Addresses of the connections.
    """

    def __init__(self, listed, published, *, metrics_step=300):
        self.listed, self.published, self.metrics_step = listed, published, metrics_step
        self.replies, self.content, self.asked = {}, {}, []
        self.delay_s, self.clients = 0.0, set()
        self.most_at_once = self._now = 0
        self._lock = threading.Lock()
        self._made = {}

    def zip_at(self, path):
        """Bytes of a zip, None when there is none."""
        if path in self.content:
            return self.content[path]
        if path not in self._made:
            self._made[path] = self._make(path)
        return self._made[path]

    def checksum_of(self, path):
        content = self.zip_at(path)
        name = path.rsplit("/", 1)[-1]
        return None if content is None else f"{sha256(content).hexdigest()}  {name}\n".encode()

    def body(self, path):
        if path in self.content:
            return self.content[path]
        if path.endswith(".CHECKSUM"):
            return self.checksum_of(path.removesuffix(".CHECKSUM"))
        return self.zip_at(path)

    def zips_asked(self):
        """Paths of zips that were fetched, in order."""
        return [path for method, path in self.asked if method == "GET" and path.endswith(".zip")]

    def enter(self, method, path):
        with self._lock:
            self.asked.append((method, path))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            queue = self.replies.get(path)
            return queue.pop(0) if queue else None

    def leave(self):
        with self._lock:
            self._now -= 1

    def _make(self, path):
        found = _PATH.fullmatch(path)
        if found is None or found["symbol"] not in self.listed:
            return None
        day = date.fromisoformat(
            found["when"] if found["span"] == "daily" else found["when"] + "-01"
        )
        last = day
        if found["span"] == "monthly":
            last = day.replace(day=monthrange(day.year, day.month)[1])
        first = max(day, self.listed[found["symbol"]])
        if last > self.published or first > last:
            return None
        rows = self._rows(found, first, last)
        return None if rows is None else zipped(path.rsplit("/", 1)[-1][:-3] + "csv", rows)

    def _rows(self, found, first, last):
        market, kind = Market(found["symbol"]), found["kind"]
        begin = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
        end = begin + 86_400 * ((last - first).days + 1)
        if kind == "fundingRate":
            lines = [f"{t * 1000 + 7},8,0.00010000" for t in range(begin, end, 8 * 3_600)]
            return "\n".join([FUNDING, *lines]) + "\n" if found["span"] == "monthly" else None
        if kind == "metrics":
            return None if found["span"] == "monthly" else self._metrics(found, begin, first)
        step = int(found["interval"][:-1]) * _SECONDS[found["interval"][-1]]
        shift = {"klines": 1.0, "markPriceKlines": 1.0001, "indexPriceKlines": 0.9999}[kind]
        lines = [candle(market, t, step, shift) for t in range(begin, end, step)]
        header = [CANDLES] if first.year >= 2022 else []  # older files have none
        return "\n".join([*header, *lines]) + "\n"

    def _metrics(self, found, begin, day):
        """Rows of a day: until the shift stamped with the end of their period, then the start."""
        market, lines = Market(found["symbol"]), []
        for start in range(begin, begin + 86_400, self.metrics_step):
            end = start + 300
            stamp = datetime.fromtimestamp(start if day >= METRICS_SHIFT else end, UTC)
            coins = market.open_interest(end)
            lines.append(
                f"{stamp:%Y-%m-%d %H:%M:%S},{found['symbol']},{coins:.3f},"
                f"{coins * market.at(end):.4f},1.9,1.2,1.4,1.01"
            )
        return "\n".join([METRICS, *lines]) + "\n"


def candle(market, start, step, shift=1.0):
    """One line of a candle file."""
    first, last = market.at(start) * shift, market.at(start + step) * shift
    high, low = max(first, last) * 1.0001, min(first, last) * 0.9999
    return (
        f"{start * 1000},{first:.4f},{high:.4f},{low:.4f},{last:.4f},12.500,"
        f"{(start + step) * 1000 - 1},{12.5 * first:.4f},42,5.250,{5.25 * first:.4f},0"
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET(send=False)

    def do_GET(self, *, send=True):
        archive, path = self.server.archive, self.path.lstrip("/")
        archive.clients.add(self.client_address)
        told = archive.enter(self.command, path)
        try:
            if archive.delay_s:
                time.sleep(archive.delay_s)
            self._answer(told, archive.body(path), send=send)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            archive.leave()

    def _answer(self, told, body, *, send):
        if callable(told):
            told(self, body)
        elif told is not None:
            self.reply(told, b"")
        elif body is None:
            self.reply(404, b"<html>no such key</html>", send=send)
        else:
            self.reply(200, body, send=send)

    def reply(self, status, body, *, send=True, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if send:
            self.wfile.write(body)


def busy(status=429, after=None):
    """A reply that asks to come back later."""
    headers = () if after is None else (("Retry-After", after),)
    return lambda handler, _: handler.reply(status, b"", headers=headers)


def page(handler, _):
    """A page of HTML with status 200, as hotel networks send."""
    handler.reply(200, b"<!DOCTYPE html><html>Please log in</html>")


def cut(handler, body):
    """Half of the body, then the connection ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def silent(handler, _):
    """No word for a while, then the connection ends."""
    time.sleep(0.5)
    handler.close_connection = True


def drip(handler, body):
    """A byte now and then."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    for byte in body:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.02)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that goes away is part of the tests."""


class Serving:
    """A fake archive behind an address."""

    def __init__(self, archive):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.archive = archive
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def days(first, count):
    """Consecutive days."""
    return [first + timedelta(days=n) for n in range(count)]
