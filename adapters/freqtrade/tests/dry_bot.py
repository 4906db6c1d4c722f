"""freqtrade's real bot in dry-run mode: only what comes over the network is made up."""

from datetime import UTC, datetime, timedelta

import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.freqtradebot import FreqtradeBot
from market import PAIRS, configuration, walk
from runs import EXAMPLES

PRICES = dict(zip(PAIRS, (90_000.0, 3_000.0), strict=True))


def candles_until_now(seed, price):
    """Two hundred hours to the last full one, ending at the price of the order book."""
    table = walk(seed, price, hours=200)
    scale = price / table["close"].iloc[-1]
    table[["open", "high", "low", "close"]] *= scale
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    table["date"] = pd.date_range(end=last, periods=len(table), freq="1h")
    return table


def offline_bot(patch, folder, section, strategy="GuardedCrossing"):
    """A bot whose exchange shows made-up candles and books and simulates its orders as always."""
    candles = {pair: candles_until_now(i, PRICES[pair]) for i, pair in enumerate(PAIRS)}
    exchange = "freqtrade.exchange.exchange.Exchange"

    def book(self, pair, limit=100):
        price = PRICES[pair]
        return {"bids": [[price, 1e6]], "asks": [[price * 1.0001, 1e6]]}

    patch.setattr(f"{exchange}.check_time_offset", lambda self: None)
    patch.setattr(f"{exchange}.refresh_latest_ohlcv", lambda self, pairs, **k: {})
    patch.setattr(f"{exchange}.klines", lambda self, pair, copy=True: candles[pair[0]].copy())
    patch.setattr(f"{exchange}.fetch_l2_order_book", book)
    patch.setattr(f"{exchange}.get_funding_fees", lambda self, **k: 0.0)
    config = configuration(
        folder,
        EXAMPLES,
        strategy,
        runmode=RunMode.DRY_RUN,
        db_url="sqlite://",
        initial_state="running",
        dry_run_wallet=10_000,
        liqwarn=section,
        entry_pricing={"price_side": "other", "use_order_book": True, "order_book_top": 1},
        exit_pricing={"price_side": "other", "use_order_book": True, "order_book_top": 1},
    )
    return FreqtradeBot(config)
