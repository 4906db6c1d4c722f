"""Keyless APIs on loopback: the real replies of three providers, and as bad as told.

Values are made of their name and time, the same each time; ``changed`` revises one.
"""

import json
import runpy
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

ARCHIVE = runpy.run_path(str(Path(__file__).parent / "fake_archive.py"))
DAY = 86_400_000
HOUR = 3_600_000


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def stamp(t):
    """As Coin Metrics writes it."""
    return f"{datetime.fromtimestamp(t / 1000, UTC):%Y-%m-%dT%H:%M:%S}.000000000Z"


class FakeApi:
    """What a provider says, and what it was asked.

    Attributes
    ----------
    now : int
        Milliseconds since the epoch: nothing is known of later.
    first : int
        The first moment there is anything of.
    page : int
        Rows of a page.
    replies : list
        What to do at the next questions instead of a good reply: a status, or a function of the
        handler and the good body. None is a good reply.
    changed : dict of (name, time) to value
    absent : set of times
    asked : list of dict
    header, told : str or None, tuple of pairs
        A header of the questions, which is then noted in ``asked``; headers of the good replies.
    """

    header, told = None, ()

    def __init__(self, now, first, *, page=100):
        self.now, self.first, self.page = now, first, page
        self.replies, self.changed, self.absent, self.asked = [], {}, set(), []
        self._lock = threading.Lock()

    def next_reply(self, asked):
        with self._lock:
            self.asked.append(asked)
            return self.replies.pop(0) if self.replies else None

    def times(self, first, end, step):
        """Stamps from `first` to `end`, both inside, of intervals that have begun."""
        begin = max(first, self.first)
        begin = -(-begin // step) * step
        return [t for t in range(begin, min(end, self.now) + 1, step) if t not in self.absent]

    def value(self, name, time):
        return self.changed.get((name, time), f"{1000 + time // HOUR % 997}.{len(name):03d}0")


class CoinMetrics(FakeApi):
    """``timeseries/asset-metrics`` of the community API."""

    lag = 5 * HOUR

    def body(self, asked):
        query = asked["query"]
        first, last = ms(query["start_time"]), ms(query["end_time"])
        names = query["metrics"].split(",")
        rows = [
            {"asset": query["assets"], "time": stamp(t),
             **{name: self.cell(name, t) for name in names}}
            for t in self.times(first, last, DAY) if t + DAY <= self.now
        ]  # fmt: skip
        at = int(query.get("next_page_token", "0"))
        size = min(self.page, int(query["page_size"]))
        page = {"data": rows[at : at + size]}
        if at + size < len(rows):
            page |= {"next_page_token": str(at + size), "next_page_url": "http://elsewhere/x"}
        return page

    def cell(self, name, t):
        """Flows are published some hours after the price."""
        late = name.startswith("Flow") and t + DAY + self.lag > self.now
        return None if late else self.value(name, t)


class Deribit(FakeApi):
    """``public/get_volatility_index_data``: the newest candles first, page by page."""

    def body(self, asked):
        query = asked["query"]
        step = {"60": 60_000, "3600": HOUR, "43200": 12 * HOUR, "1D": DAY}[query["resolution"]]
        first = int(query["start_timestamp"])
        times = self.times(first, int(query["end_timestamp"]), step)
        rows = [[t, *(float(self.value(f"{query['currency']}{n}", t)) for n in range(4))]
                for t in times[-self.page :]]  # fmt: skip
        more = times[-self.page - 1] if len(times) > self.page else None
        return {
            "jsonrpc": "2.0",
            "result": {"data": rows, "continuation": more},
            "usIn": 1,
            "usOut": 2,
            "usDiff": 1,
            "testnet": False,
        }


class Hyperliquid(FakeApi):
    """``POST /info``: funding history, candles, asset contexts."""

    coins = ("BTC", "ETH", "SOL")

    def body(self, asked):
        kinds = {"fundingHistory": self.funding, "candleSnapshot": self.candles,
                 "metaAndAssetCtxs": self.contexts}  # fmt: skip
        return kinds[asked["body"]["type"]](asked["body"])

    def funding(self, body):
        times = self.times(body["startTime"] - 200, body.get("endTime", self.now), HOUR)
        rows = [
            {"coin": body["coin"], "fundingRate": self.rate(t), "premium": "-0.00012340",
             "time": t + t // HOUR % 150}
            for t in times
        ]  # fmt: skip
        rows = [r for r in rows if body["startTime"] <= r["time"] <= body["endTime"]]
        return rows[: self.page]

    def rate(self, t):
        return self.changed.get(("funding", t), f"0.0000125{t // HOUR % 10}")

    def candles(self, body):
        told = body["req"]
        step = {"1m": 60_000, "1h": HOUR, "1d": DAY}[told["interval"]]
        return [
            {"t": t, "T": t + step - 1, "s": told["coin"], "i": told["interval"],
             "o": "100.0", "c": "101.50", "h": "102.0", "l": "99.0",
             "v": self.value("volume", t), "n": 7}
            for t in self.times(told["startTime"], told["endTime"], step)[: self.page]
        ]  # fmt: skip

    def contexts(self, _):
        more = {"szDecimals": 5, "maxLeverage": 40, "marginTableId": 56}
        universe = [{"name": coin, **more} for coin in self.coins]
        contexts = [
            {"funding": "0.0000125", "openInterest": f"{1000 + n}.50", "prevDayPx": "99.0",
             "dayNtlVlm": "1169046.29406", "dayBaseVlm": "11690.4", "premium": "0.00031774",
             "oraclePx": "100.25", "markPx": "100.30", "midPx": None,
             "impactPxs": ["100.1", "100.4"]}
            for n, _ in enumerate(self.coins)
        ]  # fmt: skip
        return [{"universe": universe, "marginTables": [], "collateralToken": 0}, contexts]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._run(b"")

    def do_POST(self):
        self._run(self.rfile.read(int(self.headers["Content-Length"])))

    def _run(self, posted):
        api, split = self.server.archive, urlsplit(self.path)
        asked = {"path": split.path, "query": dict(parse_qsl(split.query))}
        if posted:
            asked["body"] = json.loads(posted)
        if api.header:
            asked["key"] = self.headers.get(api.header)
        told = api.next_reply(asked)
        try:
            good = b"" if isinstance(told, int) else json.dumps(api.body(asked)).encode()
            if callable(told):
                told(self, good)
            elif told is not None:
                self.reply(told, b'{"error": {"type": "busy"}}')
            else:
                self.reply(200, good, headers=api.told)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, status, body, *, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Serving(ARCHIVE["Serving"]):
    """A fake API behind an address."""

    def __init__(self, api):
        super().__init__(api)
        self._server.RequestHandlerClass = _Handler


def says(value):
    """Another body with status 200."""
    return lambda handler, _: handler.reply(200, json.dumps(value).encode())


def edited(edit):
    """The good body, parsed, changed in place by `edit` (or what it returns), and sent."""

    def answer(handler, good):
        body = json.loads(good)
        told = edit(body)
        handler.reply(200, json.dumps(body if told is None else told).encode())

    return answer
