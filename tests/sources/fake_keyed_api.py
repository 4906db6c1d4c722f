"""APIs with a key on loopback: CoinGlass and Coinalyze as documented, and as bad as told.

Numbers are made of their name and time, the same each time; ``changed`` revises one.
"""

import runpy
from pathlib import Path
from types import MappingProxyType

API = runpy.run_path(str(Path(__file__).parent / "fake_api.py"))
FakeApi, Serving, HOUR = API["FakeApi"], API["Serving"], API["HOUR"]
KEY = "0123456789abcdef0123456789abcdef"
STEPS = {"5m": 300_000, "1h": HOUR, "4h": 4 * HOUR, "1d": 24 * HOUR,
         "5min": 300_000, "1hour": HOUR, "4hour": 4 * HOUR, "daily": 24 * HOUR}  # fmt: skip


class _Keyed(FakeApi):
    def next_reply(self, asked):
        told = super().next_reply(asked)
        return 401 if asked["key"] != KEY else told

    def amount(self, name, time, scale=1.0):
        """A number between `scale` and twice that."""
        return self.changed.get((name, time), scale * (1 + (time // 300_000 * 7919) % 997 / 997))


class CoinGlass(_Keyed):
    """Histories by their path; ``time`` is the start, the end of a question is left out."""

    header = "CG-API-KEY"
    told = (("API-KEY-MAX-LIMIT", "600000"), ("API-KEY-USE-LIMIT", "3"))
    exchanges = ("Coinbase", "Binance", "OKX")

    def body(self, asked):
        path, query = asked["path"].removeprefix("/api/"), asked["query"]
        if path == "exchange/balance/list":
            return self.good([self.balance(name) for name in self.exchanges])
        step = STEPS[query["interval"]]
        first, end = int(query["start_time"]), int(query["end_time"])
        times = [t for t in self.times(first, end, step) if t < end][: int(query["limit"])]
        name = query.get("exchange", query.get("exchange_list", "")) + query["symbol"]
        return self.good([self.rows[path](self, name, t) for t in times])

    def good(self, data):
        return {"code": "0", "msg": "success", "data": data}

    def balance(self, name):
        row = {"exchange_name": name, "total_balance": self.amount(name, self.now, 500_000.0)}
        for days in (1, 7, 30):
            row |= {f"balance_change_{days}d": -1.5, f"balance_change_percent_{days}d": -0.1}
        return row

    def candle(self, name, t, scale, write=str):
        low = self.amount(name, t, scale)
        return {"time": t, "open": write(low * 1.01), "high": write(low * 1.03),
                "low": write(low), "close": write(low * 1.02)}  # fmt: skip

    def price(self, name, t):
        row = self.candle("price", t, 50_000.0)
        return row | {"volume_usd": str(self.amount("volume", t, 1e8))}

    def funding(self, name, t):
        return {"time": t, "open": "0.004603", "high": "0.009388", "low": "-0.005063",
                "close": str(self.amount("funding", t, 0.004))}  # fmt: skip

    def liquidations(self, name, t):
        return {"time": t, "long_liquidation_usd": str(self.amount("long", t, 2e6)),
                "short_liquidation_usd": str(self.amount("short", t, 1e6))}  # fmt: skip

    def all_liquidations(self, name, t):
        return {"time": t, "aggregated_long_liquidation_usd": self.amount("long", t, 4e6),
                "aggregated_short_liquidation_usd": self.amount("short", t, 3e6)}  # fmt: skip

    def accounts(self, name, t):
        return {"time": t, "global_account_long_percent": 73.88,
                "global_account_short_percent": 26.12,
                "global_account_long_short_ratio": 2.83}  # fmt: skip

    def depth(self, name, t):
        bids, asks = self.amount("bids", t, 1_000.0), self.amount("asks", t, 900.0)
        return {"bids_usd": bids * 49_800, "bids_quantity": bids, "asks_usd": asks * 50_200,
                "asks_quantity": asks, "time": t}  # fmt: skip

    def all_depth(self, name, t):
        told = self.depth(name, t)
        return {k if k == "time" else f"aggregated_{k}": v for k, v in told.items()}

    def taker(self, name, t):
        return {"time": t, "taker_buy_volume_usd": str(self.amount("buy", t, 4e7)),
                "taker_sell_volume_usd": str(self.amount("sell", t, 3e7))}  # fmt: skip

    def all_taker(self, name, t):
        return {"time": t, "aggregated_buy_volume_usd": self.amount("buy", t, 9e7),
                "aggregated_sell_volume_usd": self.amount("sell", t, 8e7)}  # fmt: skip

    rows = MappingProxyType({
        "futures/price/history": price,
        "futures/open-interest/history": lambda s, n, t: s.candle("oi", t, 6e9),
        "futures/open-interest/aggregated-history": lambda s, n, t: s.candle("all", t, 6e10, float),
        "futures/funding-rate/history": funding,
        "futures/funding-rate/oi-weight-history": funding,
        "futures/liquidation/history": liquidations,
        "futures/liquidation/aggregated-history": all_liquidations,
        "futures/global-long-short-account-ratio/history": accounts,
        "futures/orderbook/ask-bids-history": depth,
        "futures/orderbook/aggregated-ask-bids-history": all_depth,
        "futures/v2/taker-buy-sell-volume/history": taker,
        "futures/aggregated-taker-buy-sell-volume/history": all_taker,
    })  # fmt: skip


class Coinalyze(_Keyed):
    """Markets in one list; stamps and questions in seconds, both ends included."""

    header = "api_key"
    markets = ("BTCUSDT_PERP.A", "ETHUSDT_PERP.A", "BTCUSDT.6")

    def body(self, asked):
        path, query = asked["path"].removeprefix("/"), asked["query"]
        if path == "future-markets":
            return [{"symbol": name, "exchange": name[-1], "is_perpetual": True}
                    for name in self.markets]  # fmt: skip
        step = STEPS[query["interval"]]
        times = self.times(int(query["from"]) * 1_000, int(query["to"]) * 1_000, step)
        found = [
            {"symbol": name, "history": [{"t": t // 1_000, **self.rows[path](self, name, t)}
                                         for t in times]}
            for name in query["symbols"].split(",") if name in self.markets
        ]  # fmt: skip
        return [market for market in found if market["history"]]

    def candle(self, name, t, scale):
        low = self.amount(name, t, scale)
        return {"o": low * 1.01, "h": low * 1.03, "l": low, "c": low * 1.02}

    def candles(self, name, t):
        volume = self.amount("volume", t, 1_000.0)
        return self.candle("price", t, 50_000.0) | {"v": volume, "bv": volume / 2, "tx": 900,
                                                    "btx": 450}  # fmt: skip

    def liquidations(self, name, t):
        return {"l": self.amount("long", t, 2e6), "s": self.amount("short", t, 1e6)}

    rows = MappingProxyType({
        "ohlcv-history": candles,
        "open-interest-history": lambda s, n, t: s.candle("oi", t, 6e9),
        "funding-rate-history": lambda s, n, t: {"o": 0.0026, "h": 0.0051, "l": -0.001, "c": 0.005},
        "liquidation-history": liquidations,
        "long-short-ratio-history": lambda s, n, t: {"r": 2.8285, "l": 73.88, "s": 26.12},
    })  # fmt: skip
