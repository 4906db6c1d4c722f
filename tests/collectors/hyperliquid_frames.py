"""Hyperliquid's frames and replies as its documentation shows them, with values of our own."""

import json

T0 = 1_760_000_040_000  # a whole minute
VAULT = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14"
VICTIM = "0x" + "ab" * 20
WATCHED = "0x" + "12" * 20


def frame(channel, data):
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()


def trades(*numbers, at=T0 + 100, coin="BTC", side="B"):
    rows = [
        {
            "coin": coin,
            "side": side,
            "px": "63561.0",
            "sz": "0.25",
            "time": at,
            "hash": "0x" + "0" * 64,
            "tid": number,
            "users": [WATCHED, VICTIM],
        }
        for number in numbers
    ]
    return frame("trades", rows)


CONTEXT = {
    "funding": "-0.0000125",
    "openInterest": "36295.5",
    "prevDayPx": "62000.0",
    "dayNtlVlm": "4490636699.32",
    "premium": None,
    "oraclePx": "63580.0",
    "markPx": "63560.0",
    "midPx": None,
    "impactPxs": None,
    "dayBaseVlm": "56265.5",
}


def context(coin="BTC", **fields):
    return frame("activeAssetCtx", {"coin": coin, "ctx": {**CONTEXT, **fields}})


def candle(*, start=T0, coin="BTC", **fields):
    row = {
        "t": start,
        "T": start + 59_999,
        "s": coin,
        "i": "1m",
        "o": "100.0",
        "c": "101.0",
        "h": "102.5",
        "l": "99.5",
        "v": "12.5",
        "n": 31,
        **fields,
    }
    return frame("candle", row)


def levels(*rows):
    return [{"px": px, "sz": sz, "n": 2} for px, sz in rows]


def ladder(first, step, count=20, size="2"):
    return [(f"{first + step * n:.1f}", size) for n in range(count)]


def book(bids=None, asks=None, *, at=T0 + 50, coin="BTC"):
    bids = ladder(63_500, -100) if bids is None else bids
    asks = ladder(63_600, 100) if asks is None else asks
    return frame("l2Book", {"coin": coin, "time": at, "levels": [levels(*bids), levels(*asks)]})


def fill(
    number, *, side="B", words="Liquidated Isolated Long", victim=VICTIM, method="backstop", **more
):
    """A fill; not a forced one without a victim."""
    row = {
        "coin": "BTC",
        "px": "62000.0",
        "sz": "0.5",
        "side": side,
        "time": T0 + 700,
        "startPosition": "0.0",
        "dir": words,
        "closedPnl": "0.0",
        "hash": "0x" + "1" * 64,
        "oid": 104_754_754_832,
        "crossed": True,
        "fee": "0.0",
        "tid": number,
        "feeToken": "USDC",
        **more,
    }
    if victim is not None:
        row["liquidation"] = {"liquidatedUser": victim, "markPx": "62010.0", "method": method}
    return row


def fills(*rows, user=VAULT, repeats=False):
    data = {"user": user, "fills": list(rows)}
    return frame("userFills", {"isSnapshot": True, **data} if repeats else data)


def position(coin="BTC", size="-1.5", **fields):
    return {
        "type": "oneWay",
        "position": {
            "coin": coin,
            "szi": size,
            "leverage": {"type": "cross", "value": 20},
            "entryPx": "61000.5",
            "positionValue": "95340.0",
            "unrealizedPnl": "-3840.0",
            "returnOnEquity": "-0.8",
            "liquidationPx": "70000.25",
            "marginUsed": "4767.0",
            "maxLeverage": 40,
            "cumFunding": {"allTime": "1.0", "sinceOpen": "1.0", "sinceChange": "0.0"},
            **fields,
        },
    }


def state(*positions, at=T0 + 1_000):
    summary = {
        "accountValue": "10000.0",
        "totalNtlPos": "95340.0",
        "totalRawUsd": "105340.0",
        "totalMarginUsed": "4767.0",
    }
    told = {
        "marginSummary": summary,
        "crossMarginSummary": summary,
        "crossMaintenanceMarginUsed": "2383.5",
        "withdrawable": "5233.0",
        "assetPositions": list(positions),
        "time": at,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def session():
    """A short session: (line, frame), each of which says something."""
    poll = f"positions-{WATCHED}"
    own = fill(73, victim=VAULT, side="A", words="Liquidated Cross Long", time=T0 + 2_000)
    unwound = fill(72, victim=None, side="A", words="Close Long", time=T0 + 1_500)
    other = fill(74, side="A", words="Close Long", method="market", time=T0 + 2_500)
    return [
        ("market-1", b'{"channel":"subscriptionResponse","data":{"method":"subscribe"}}'),
        ("market-1", book()),
        ("market-1", context()),
        ("fills", fills(fill(70, time=T0 - 100_000), repeats=True)),
        ("trades-1", trades(1, 2)),
        ("market-1", candle()),
        ("market-1", candle(c="101.5", v="14")),
        ("market-1", candle(start=T0 + 60_000)),
        ("fills", fills(fill(71), unwound)),
        ("books-3-1", book(at=T0 + 600)),
        (poll, state(position(), position("ETH", "3.0", liquidationPx=None))),
        ("market-1", book(at=T0 + 1_050)),
        ("market-1", context(markPx="63570.0", openInterest="36290.0")),
        ("fills", fills(own, other)),
        ("trades-1", trades(3, at=T0 + 2_100, side="A")),
        (poll, state(position(size="-1.0"), at=T0 + 61_000)),
        ("market-1", b'{"channel":"pong"}'),
    ]
