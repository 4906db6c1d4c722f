"""Bybit's frames as its documentation shows them, with values of our own."""

import json

T0 = 1_760_000_040_000  # a whole minute


def packed(**told):
    return json.dumps(told, separators=(",", ":")).encode()


def liquidation(*rows, ts=T0 + 500, symbol="BTCUSDT"):
    """Rows of (side, size, price, milliseconds before the frame)."""
    data = [
        {"T": ts - before, "s": symbol, "S": side, "v": size, "p": price}
        for side, size, price, before in rows
    ]
    return packed(topic=f"allLiquidation.{symbol}", type="snapshot", ts=ts, data=data)


TICKER = {
    "symbol": "BTCUSDT",
    "tickDirection": "ZeroPlusTick",
    "price24hPcnt": "0.0015",
    "lastPrice": "63561.60",
    "markPrice": "63560.80",
    "indexPrice": "63585.51",
    "openInterest": "60000.250",
    "openInterestValue": "3813663890.20",
    "turnover24h": "3515096831.9640",
    "volume24h": "55362.9100",
    "fundingIntervalHour": "8",
    "fundingCap": "0.005",
    "singleOpenInterest": "30000.125",
    "nextFundingTime": "1760025600000",
    "fundingRate": "-0.00005",
    "bid1Price": "63561.50",
    "preOpenPrice": "",
}


def ticker(data=None, *, ts=T0 + 100, kind="snapshot", cs=764):
    return packed(topic="tickers.BTCUSDT", type=kind, data=data or TICKER, cs=cs, ts=ts)


def changed(ts=T0 + 200, **fields):
    return ticker({"symbol": "BTCUSDT", **fields}, ts=ts, kind="delta")


def book(bids, asks, *, u, kind="delta", ts=T0 + 20, levels=1000):
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": u, "seq": u * 7}
    topic = f"orderbook.{levels}.BTCUSDT"
    return packed(topic=topic, type=kind, ts=ts, data=data, cts=ts - 2)


WIDE = (
    [["99.9", "10"], ["99.5", "20"], ["99.1", "4"], ["98.0", "5"]],
    [["100.1", "1"], ["100.9", "2"], ["103", "9"]],
)


def snapshot(u=100, ts=T0 + 10, sides=WIDE):
    return book(*sides, u=u, kind="snapshot", ts=ts)


def kline(*, start=T0, confirm=True, ts=None, **fields):
    row = {
        "start": start,
        "end": start + 59_999,
        "interval": "1",
        "open": "100.0",
        "close": "101.0",
        "high": "102.5",
        "low": "99.5",
        "volume": "12.5",
        "turnover": "1256.25",
        "confirm": confirm,
        "timestamp": start + 59_990,
        **fields,
    }
    ts = start + 60_010 if ts is None else ts
    return packed(topic="kline.1.BTCUSDT", data=[row], ts=ts, type="snapshot")


def trades(*keys, ts=T0 + 900, side="Sell"):
    data = [
        {
            "T": ts - 3,
            "s": "BTCUSDT",
            "S": side,
            "v": "0.25",
            "p": "63561.5",
            "L": "PlusTick",
            "i": key,
            "BT": False,
            "RPI": False,
        }
        for key in keys
    ]
    return packed(topic="publicTrade.BTCUSDT", type="snapshot", ts=ts, data=data)


def answer(*, success=True, ret_msg="", op="subscribe"):
    return packed(success=success, ret_msg=ret_msg, conn_id="d9tc", req_id="BTCUSDT", op=op)


def session():
    """A short session: (line, frame), each of which says something."""
    return [
        ("market-1", answer()),
        ("market-1", ticker()),
        (
            "liquidations-1",
            liquidation(("Buy", "0.5", "60000.5", 20), ("Sell", "1.25", "61000", 3)),
        ),
        ("books-1", snapshot()),
        ("books-1", book([["99.5", "25"]], [["100.9", "0"]], u=101, ts=T0 + 1_120)),
        ("market-1", changed(markPrice="63570.1")),
        ("market-1", kline(confirm=False, ts=T0 + 30_000)),
        ("market-1", kline()),
        ("trades-1", trades("one", "two")),
        ("market-1", changed(ts=T0 + 60_300, fundingRate="0.0001", singleOpenInterest="30001")),
        ("books-1", book([], [["100.2", "3"]], u=102, ts=T0 + 2_220)),
        ("liquidations-1", liquidation(("Buy", "2", "59000", 100), ts=T0 + 61_000)),
        ("trades-1", trades("three", ts=T0 + 61_100, side="Buy")),
        ("market-1", answer(ret_msg="pong", op="ping")),
    ]
