"""Messages in the format of OKX's public channels, with numbers of our own."""

import json

AT = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC
HOUR = 3_600_000
SETTLES = 1_790_006_400_000


def dumped(found):
    return json.dumps(found, separators=(",", ":")).encode()


def message(channel, rows, **arg):
    return dumped({"arg": {"channel": channel, **arg}, "data": rows})


def detail(at=AT, **fields):
    """Of a liquidation: 12.50 contracts of 0.01 coins at 79 012.4."""
    return {"bkLoss": "0", "bkPx": "79012.4", "ccy": "", "posSide": "long", "side": "sell",
            "sz": "12.5", "ts": str(at)} | fields  # fmt: skip


def swap_row(details, coin="BTC"):
    family = f"{coin}-USDT"
    return {"details": details, "instFamily": family, "instId": f"{family}-SWAP",
            "instType": "SWAP", "uly": family}  # fmt: skip


def liquidations(*rows, **fields):
    found = list(rows) or [swap_row([detail(**fields)])]
    return message("liquidation-orders", found, instType="SWAP")


def instrument(coin="BTC", **fields):
    return {"alias": "", "baseCcy": "", "ctMult": "1", "ctType": "linear", "ctVal": "0.01",
            "ctValCcy": coin, "instFamily": f"{coin}-USDT", "instId": f"{coin}-USDT-SWAP",
            "instType": "SWAP", "lever": "100", "lotSz": "0.01", "minSz": "0.01", "quoteCcy": "",
            "settleCcy": "USDT", "state": "live", "tickSz": "0.1",
            "uly": f"{coin}-USDT"} | fields  # fmt: skip


def instruments(*rows, **fields):
    found = list(rows) or [
        instrument("BTC", **fields),
        instrument("ETH", ctVal="0.1"),
        instrument("BTC", instId="BTC-USD-SWAP", ctType="inverse", ctVal="100", ctValCcy="USD",
                   settleCcy="BTC"),
    ]  # fmt: skip
    return dumped({"code": "0", "data": found, "msg": ""})


def mark_price(price="79001.5", at=AT, **fields):
    row = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "markPx": price, "ts": str(at)} | fields
    return message("mark-price", [row], instId="BTC-USDT-SWAP")


def index_ticker(price="79040.2", at=AT, **fields):
    row = {"instId": "BTC-USDT", "idxPx": price, "high24h": "80100", "low24h": "77000.5",
           "open24h": "78000", "sodUtc0": "78500.1", "sodUtc8": "78800",
           "ts": str(at)} | fields  # fmt: skip
    return message("index-tickers", [row], instId="BTC-USDT")


def funding_rate(**fields):
    row = {"formulaType": "withRate", "fundingRate": "-0.0000321012345678",
           "fundingTime": str(SETTLES), "impactValue": "20000.0000000000000000",
           "instId": "BTC-USDT-SWAP", "instType": "SWAP", "interestRate": "0.0001000000000000",
           "maxFundingRate": "0.00375", "method": "current_period", "minFundingRate": "-0.00375",
           "nextFundingRate": "", "nextFundingTime": str(SETTLES + 8 * HOUR),
           "premium": "-0.0004", "prevFundingTime": str(SETTLES - 8 * HOUR),
           "settFundingRate": "0.0000211", "settState": "settled", "ts": str(AT)}  # fmt: skip
    return message("funding-rate", [row | fields], instId="BTC-USDT-SWAP")


def open_interest(**fields):
    row = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "oi": "2712345.67",
           "oiCcy": "27123.4567", "oiUsd": "2142794388.4", "ts": str(AT)} | fields  # fmt: skip
    return message("open-interest", [row], instId="BTC-USDT-SWAP")


def candle(*cells, confirm="1"):
    row = list(cells) or ["1790000040000", "79000", "79055", "78990.1", "79040.5", "4125.5",
                          "41.255", "3260212.4", confirm]  # fmt: skip
    return message("candle1m", [row], instId="BTC-USDT-SWAP")


def books(action, before, last, bids=(), asks=(), *, at=AT, **fields):
    row = {"asks": [[price, size, "0", "1"] for price, size in asks],
           "bids": [[price, size, "0", "1"] for price, size in bids],
           "ts": str(at), "checksum": 0, "prevSeqId": before, "seqId": last} | fields  # fmt: skip
    found = {"arg": {"channel": "books", "instId": "BTC-USDT-SWAP"}, "action": action,
             "data": [row]}  # fmt: skip
    return dumped(found)


def ladder(mid=79_000.0, step=50.0, count=30, size="150"):
    """Levels every 50, 15 of them within 1 % on either side of 79 000."""
    bids = [(f"{mid - step * (n + 1):.1f}", size) for n in range(count)]
    asks = [(f"{mid + step * (n + 1):.1f}", size) for n in range(count)]
    return bids, asks


def session():
    """Lines and messages as they come: contracts first, then one of each channel."""
    subscribed = {"event": "subscribe", "arg": {"channel": "mark-price"}, "connId": "a4d3ae55"}
    short = detail(posSide="short", side="buy", bkPx="79100.5", at=AT + 500)
    return [
        ("instruments", instruments()),
        ("readings", dumped(subscribed)),
        ("readings", mark_price()),
        ("readings", index_ticker()),
        ("readings", mark_price("79011.5", at=AT + 200)),
        ("readings", index_ticker("79041.2", at=AT + 300)),
        ("liquidations", liquidations(swap_row([detail(), short]), swap_row([detail()], "DOGE"))),
        ("liquidations", liquidations(posSide="net")),
        ("readings", funding_rate()),
        ("readings", open_interest()),
        ("candles", candle()),
        ("candles", candle(confirm="0")),
        ("books", books("snapshot", -1, 10, *ladder(), at=AT)),
        ("books", books("update", 10, 15, [("78900.0", "0")], [("79050.0", "50")], at=AT + 1000)),
    ]
