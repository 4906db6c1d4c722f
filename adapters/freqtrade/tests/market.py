"""A market without a network: an exchange with two pairs, and candles from a seeded walk."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode

START = datetime(2025, 3, 1, tzinfo=UTC)
PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
SYMBOLS = ("BTCUSDT", "ETHUSDT")
HOURS = 24 * 60


def one_market(pair):
    base = pair.split("/")[0]
    return {
        "id": f"{base}USDT",
        "symbol": pair,
        "base": base,
        "quote": "USDT",
        "settle": "USDT",
        "active": True,
        "type": "swap",
        "spot": False,
        "margin": False,
        "swap": True,
        "future": False,
        "option": False,
        "contract": True,
        "linear": True,
        "inverse": False,
        "contractSize": 1.0,
        "taker": 0.0005,
        "maker": 0.0002,
        "precision": {"amount": 0.001, "price": 0.1},
        "limits": {
            "amount": {"min": 0.001, "max": 10_000.0},
            "cost": {"min": 5.0, "max": None},
            "price": {"min": None, "max": None},
            "leverage": {"min": 1.0, "max": 125.0},
        },
        "info": {},
    }


def no_network(patch):
    """Markets from above instead of from the exchange; everything after that is freqtrade's."""
    markets = {pair: one_market(pair) for pair in PAIRS}

    def load(exchange, force=False, *, load_leverage_tiers=True):
        exchange._markets = markets
        exchange._api.set_markets(list(markets.values()))
        exchange._api_async.set_markets(list(markets.values()))
        exchange._last_markets_refresh = 1
        if load_leverage_tiers:
            exchange.fill_leverage_tiers()

    patch.setattr("freqtrade.exchange.exchange.Exchange.reload_markets", load)


def walk(seed, start, hours=HOURS):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.006, hours) + 0.004 * np.sin(np.arange(hours) / 40)
    close = start * np.exp(np.cumsum(steps))
    open_ = np.concatenate([[start], close[:-1]])
    wick = np.abs(rng.normal(0, 0.002, (2, hours)))
    return pd.DataFrame(
        {
            "date": pd.date_range(START, periods=hours, freq="1h"),
            "open": open_,
            "high": np.maximum(open_, close) * (1 + wick[0]),
            "low": np.minimum(open_, close) * (1 - wick[1]),
            "close": close,
            "volume": rng.uniform(1e3, 2e3, hours),
        }
    )


def write_candles(datadir):
    handler = get_datahandler(datadir, "feather")
    for seed, (pair, price) in enumerate(zip(PAIRS, (90_000.0, 3_000.0), strict=False)):
        candles = walk(seed, price)
        handler.ohlcv_store(pair, "1h", candles, CandleType.FUTURES)
        handler.ohlcv_store(pair, "1h", candles, CandleType.MARK)
        funding = candles[["date"]].assign(funding_rate=1e-5).iloc[::8]
        handler.ohlcv_store(pair, "1h", funding, CandleType.FUNDING_RATE)


def configuration(datadir, examples, strategy, **more):
    return {
        "strategy": strategy,
        "strategy_path": str(examples),
        "timeframe": "1h",
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "stake_currency": "USDT",
        "stake_amount": 500.0,
        "max_open_trades": 2,
        "tradable_balance_ratio": 0.99,
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "fee": 0.0005,
        "fiat_display_currency": "",
        "dataformat_ohlcv": "feather",
        "dataformat_trades": "feather",
        "datadir": datadir,
        "user_data_dir": datadir,
        "exportdirectory": datadir,
        "exportfilename": None,
        "export": "none",
        "runmode": RunMode.BACKTEST,
        "exchange": {
            "name": "binance",
            "key": "",
            "secret": "",
            "pair_whitelist": list(PAIRS),
            "pair_blacklist": [],
            "enable_ws": False,
        },
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "unfilledtimeout": {"entry": 600, "exit": 600, "unit": "minutes"},
        "internals": {},
        **more,
    }
