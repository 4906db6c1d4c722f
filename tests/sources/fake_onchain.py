"""CryptoQuant and Glassnode on loopback: their documented replies, as bad as told."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

API = runpy.run_path(str(Path(__file__).parent / "fake_api.py"))
HOUR, DAY = API["HOUR"], API["DAY"]

COLUMNS = {
    "inflow": ("inflow_total", "inflow_top10", "inflow_mean", "inflow_mean_ma7"),
    "outflow": ("outflow_total", "outflow_top10", "outflow_mean", "outflow_mean_ma7"),
    "netflow": ("netflow_total",),
    "reserve": ("reserve", "reserve_usd"),
    "exchange-whale-ratio": ("exchange_whale_ratio",),
    "open-interest": ("open_interest",),
    "funding-rates": ("funding_rates",),
    "liquidations": (
        "long_liquidations",
        "short_liquidations",
        "long_liquidations_usd",
        "short_liquidations_usd",
    ),
    "taker-buy-sell-stats": (
        "taker_buy_volume",
        "taker_sell_volume",
        "taker_buy_ratio",
        "taker_sell_ratio",
        "taker_buy_sell_ratio",
    ),
    "estimated-leverage-ratio": ("estimated_leverage_ratio",),
    "price-ohlcv": ("open", "high", "low", "close", "volume"),
}


def number(name, time):
    """A value of its name and hour that can be true."""
    hour = time // HOUR
    price = 40_000 + hour % 50
    told = {
        "open": price, "high": price + 100, "low": price - 100, "close": price + 0.5,
        "volume": 900 + hour % 7, "exchange_whale_ratio": 0.25 + hour % 5 / 10,
        "funding_rates": 0.01, "funding_rate": 0.0001, "estimated_leverage_ratio": 0.2,
        "open_interest": 4e9 + hour % 9 * 1e6, "reserve": 580_000 + hour % 11,
        "balance": 2_300_000 + hour % 11,
        "long_liquidations_usd": 1_000 + hour % 13, "short_liquidations_usd": 50 + hour % 13,
        "taker_buy_volume": 7e7 + hour % 3, "taker_sell_volume": 6e7 + hour % 3,
        "inflow_total": 100 + hour % 17, "outflow_total": 90 + hour % 17, "netflow_total": 10.25,
        "inflow": 300 + hour % 17, "outflow": 290 + hour % 17, "netflow": -7.5,
    }  # fmt: skip
    return told.get(name, 1.5)


class CryptoQuant(API["FakeApi"]):
    """``/{asset}/…``: the newest rows first, at most `page` of them.

    Attributes
    ----------
    refused : set of str
        Last parts of paths that the plan does not have.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.keys, self.refused = [], set()

    def body(self, asked):
        query, endpoint = asked["query"], asked["path"].rsplit("/", 1)[-1]
        step = {"hour": HOUR, "day": DAY}[query["window"]]
        stamps = [int(datetime.strptime(query[k], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp())
                  for k in ("from", "to")]  # fmt: skip
        times = self.times(stamps[0] * 1_000, stamps[1] * 1_000, step)[::-1]
        name, layout = {"hour": ("datetime", "%Y-%m-%d %H:%M:%S"), "day": ("date", "%Y-%m-%d")}[
            query["window"]
        ]
        rows = [
            {name: f"{datetime.fromtimestamp(t / 1_000, UTC):{layout}}",
             **{c: self.changed.get((c, t), number(c, t)) for c in COLUMNS[endpoint]}}
            for t in times[: min(self.page, int(query["limit"]))]
        ]  # fmt: skip
        status = {"code": 200, "message": "success"}
        return {"status": status, "result": {"window": query["window"], "data": rows}}

    def refusal(self, path):
        """What a plan does not have."""
        if path.rsplit("/", 1)[-1] in self.refused:
            return 403, b'{"status": {"code": 403, "message": "forbidden"}}'
        return None


class Glassnode(API["FakeApi"]):
    """``/metrics/…``: rows of a span, those of ``_pit`` with when they were computed.

    Attributes
    ----------
    late : dict of time to seconds
        After the end of an interval, instead of 131.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.keys, self.refused, self.late = [], set(), {}

    def body(self, asked):
        query, path = asked["query"], asked["path"]
        step = {"10m": 600_000, "1h": HOUR, "24h": DAY}[query["i"]]
        times = self.times(int(query["s"]) * 1_000, int(query["u"]) * 1_000, step)
        return [self.row(path, t, step) for t in times if not self.pending(path, t, step)]

    def pending(self, path, t, step):
        """A value that never changes comes when its interval is over."""
        return path.endswith("_pit") and t + step + self.late.get(t, 131) * 1_000 > self.now

    def row(self, path, t, step):
        if path.endswith("price_usd_ohlc"):
            told = {c: number(n, t) for n, c in zip(COLUMNS["price-ohlcv"], "ohlc", strict=False)}
            return {"t": t // 1_000, "o": told}
        names = {
            "to_exchanges": "inflow", "from_exchanges": "outflow", "exchanges_net": "netflow",
            "balance": "balance", "open_interest": "open_interest", "funding": "funding_rate",
            "long_sum": "long_liquidations_usd", "short_sum": "short_liquidations_usd",
        }  # fmt: skip
        name = next(n for part, n in names.items() if part in path)
        row = {"t": t // 1_000, "v": self.changed.get((name, t), number(name, t))}
        if path.endswith("_pit"):
            row["computed_at"] = (t + step) // 1_000 + self.late.get(t, 131)
        return row

    def refusal(self, path):
        """What a plan does not have."""
        return (403, b'{"error": "tier"}') if path.rsplit("/", 1)[-1] in self.refused else None


class _Handler(API["_Handler"]):
    def _run(self, posted):
        api = self.server.archive
        api.keys.append({self.headers.get("Authorization"), self.headers.get("X-Api-Key")} - {None})
        refused = api.refusal(self.path.split("?")[0])
        if refused is None:
            super()._run(posted)
        else:
            self.reply(*refused)


class Serving(API["Serving"]):
    """One of the two behind an address."""

    def __init__(self, api):
        super().__init__(api)
        self._server.RequestHandlerClass = _Handler
