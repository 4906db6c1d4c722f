"""Frames in the format of Binance's USD-M futures, with numbers of our own."""

import json

AT = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC


def dumped(found):
    return json.dumps(found, separators=(",", ":")).encode()


def framed(stream, data):
    return dumped({"stream": stream, "data": data})


def force_order(symbol="BTCUSDT", at=AT, outer=None, **fields):
    """A liquidation: 0.250 of 0.250 filled at 79 012.40, the last fill being of 0.100."""
    order = {"s": symbol, "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "0.250", "p": "78650.10",
             "ap": "79012.40", "X": "FILLED", "l": "0.100", "z": "0.250", "T": at,
             "ps": symbol, "st": 1} | fields  # fmt: skip
    data = {"e": "forceOrder", "E": at + 981, "o": order} | (outer or {})
    return framed("!forceOrder@arr", data)


def mark_price(symbol="BTCUSDT", at=AT, **fields):
    data = {"e": "markPriceUpdate", "E": at, "s": symbol, "p": "79001.50000000",
            "ap": "79000.10000000", "P": "79033.20000000", "i": "79040.25000000",
            "r": "-0.00003210", "T": 1_790_006_400_000, "st": 1} | fields  # fmt: skip
    return framed(f"{symbol.lower()}@markPrice@1s", data)


def kline(symbol="BTCUSDT", opens=1_790_000_040_000, outer=None, **fields):
    candle = {"t": opens, "T": opens + 59_999, "s": symbol, "i": "1m", "f": 7001, "L": 7420,
              "o": "79000.00", "c": "79040.50", "h": "79055.00", "l": "78990.10", "v": "41.250",
              "n": 420, "x": True, "q": "3259812.10", "V": "20.125", "Q": "1590000.00",
              "B": "0"} | fields  # fmt: skip
    data = {"e": "kline", "E": opens + 60_004, "s": symbol, "k": candle} | (outer or {})
    return framed(f"{symbol.lower()}@kline_1m", data)


def depth(before, first, last, bids=(), asks=(), *, symbol="BTCUSDT", at=AT, **fields):
    data = {"e": "depthUpdate", "E": at, "T": at - 9, "s": symbol, "ps": symbol, "U": first,
            "u": last, "pu": before, "b": [list(level) for level in bids],
            "a": [list(level) for level in asks], "st": 1} | fields  # fmt: skip
    return framed(f"{symbol.lower()}@depth@500ms", data)


def depth_reply(last, bids, asks, at=AT, **fields):
    reply = {"lastUpdateId": last, "E": at, "T": at - 3, "bids": [list(level) for level in bids],
             "asks": [list(level) for level in asks]} | fields  # fmt: skip
    return dumped(reply)


def ladder(mid=79_000.0, step=50.0, count=30, size="1.5"):
    """Levels every 50, 15 of them within 1 % on either side of 79 000."""
    bids = [(f"{mid - step * (n + 1):.1f}", size) for n in range(count)]
    asks = [(f"{mid + step * (n + 1):.1f}", size) for n in range(count)]
    return bids, asks


def open_interest(symbol="BTCUSDT", **fields):
    return dumped({"openInterest": "101234.567", "symbol": symbol, "time": AT} | fields)


def funding_info(**hours):
    rows = [
        {"symbol": symbol, "adjustedFundingRateCap": "0.02000000",
         "adjustedFundingRateFloor": "-0.02000000", "fundingIntervalHours": every,
         "disclaimer": False, "updateTime": None}
        for symbol, every in hours.items()
    ]  # fmt: skip
    return dumped(rows)


def session():
    """Lines and frames as they come: books and funding first, then one of each stream."""
    bids, asks = ladder()
    return [
        ("funding-info", funding_info(ETHUSDT=4, XYZUSDT=1)),
        ("depth", depth(90, 91, 100, [("78950.0", "2.0")], symbol="BTCUSDT", at=AT - 2000)),
        ("depth-BTCUSDT", depth_reply(95, bids, asks)),
        ("depth", depth(100, 104, 120, [("78900.0", "0")], [("79050.0", "0.5")], at=AT)),
        ("market", mark_price()),
        ("market", mark_price("ETHUSDT", p="2710.10", i="2711.00", r="0.0001")),
        ("open-interest-BTCUSDT", open_interest()),
        ("liquidations", force_order()),
        ("liquidations", force_order(S="BUY", p="79400.00", ap="79100.00")),
        ("liquidations", force_order("DOGEUSDT", p="0.2", ap="0.21")),
        ("market", kline()),
        ("market", kline(x=False)),
        ("market", dumped({"result": None, "id": 1})),
        ("depth", depth(120, 121, 130, [("78800.0", "3.0")], at=AT + 1000)),
    ]
