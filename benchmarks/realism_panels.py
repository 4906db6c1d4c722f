"""Real market frames to hold the simulated market against, and both measured alike.

Shared by `benchmarks/realism.py` and the tests. Bars are labelled by their close, as everywhere in
liqwarn. Nothing after 2025-06-30 is read.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from liqwarn.frames import MarketFrame
from liqwarn.simulation.realism import (
    Cells,
    daily_bars,
    facts_by_period,
    joint_facts_by_period,
)
from liqwarn.simulation.tolerances import Limits, limits_of

Periods = Mapping[str, Mapping[str, float]]
FactCells = dict[str, dict[str, dict[str, dict[str, float]]]]
"""Values by scope (``BTC``, ``others``, ``twelve``, ``five``), fact, symbol, period."""

LAST = pd.Timestamp("2025-06-30 23:59", tz="UTC")
WIDE = ("ADA", "AR", "BTC", "DOGE", "DOT", "ETH", "FET", "GRT", "LINK", "NEAR", "SOL", "XRP")
"""Twelve perpetuals like the simulated ones: AVAX, RNDR and TAO have no such history."""
DAILY = ("ADA", "AVAX", "BTC", "DOGE", "ETH", "FIL", "GRT", "LINK", "NEAR", "OCEAN", "SOL", "XRP")
"""Twelve with daily liquidations: FIL, GRT and OCEAN stand in for FET, RNDR and TAO."""
COINS = ("BTC", "DOGE", "ETH", "HYPE", "SOL")
FIVE = ("BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
"""Simulated symbols that stand beside those of Hyperliquid."""
PROXY_YEARS = ("2020", "2021", "2022")
MEASURED = ("oi_", "volume_", "event_", "daily_")
"""Facts whose names start so need measured open interest; rates of cascades can do without."""


def btc_core(root: Path) -> MarketFrame:
    """BTC, hourly, 2020 to 2024; open interest is a proxy before 2023, and missing until April."""
    bars = candles(root / "klines/binance_um_perp_1h_BTCUSDT.parquet").loc["2020":"2024"]
    bars = bars.join(funding(root, "BTCUSDT").reindex(bars.index, method="ffill", limit=8))
    proxy = table(
        root / "open_interest/cryptoquant_binance_leverage_ratio_1h_BTC_2020-2022.parquet"
    )
    venue = table(root / "context/cryptoquant_btc_binance_derivatives_1h.parquet", "ts_utc")
    coins = venue["open_interest_usd"] / venue["btc_close_usd"]
    bars["open_interest"] = pd.concat([proxy["oi_estimate_btc"], coins]).reindex(bars.index)
    forced = table(
        root / "liquidations_aggregated/cryptoquant_btc_binance_liquidations_1h.parquet", "ts_utc"
    )
    return frame_of({"BTCUSDT": bars.join(forced[["long_liq_usd", "short_liq_usd"]])})


def btc_contract(root: Path) -> MarketFrame:
    """BTC, hourly, 2024: open interest of the one contract, from a second vendor."""
    bars = candles(root / "klines/binance_um_perp_1h_BTCUSDT.parquet").loc["2024":"2024"]
    held = table(root / "open_interest/coinglass_binance_oi_1h_BTCUSDT_2024.parquet")
    return frame_of({"BTCUSDT": bars.assign(open_interest=held["oi_close_btc"])})


def wide(root: Path) -> MarketFrame:
    """Twelve perpetuals, hourly, 2023-01-18 to 2025-06: prices, and funding of half of them."""
    tables = {}
    for symbol in (f"{coin}USDT" for coin in WIDE):
        bars = candles(root / f"klines/binance_um_perp_30m_{symbol}.parquet").loc["2023-01-18":]
        rates = funding(root, symbol)
        tables[symbol] = bars.join(rates.reindex(bars.index, method="ffill", limit=8))
    return frame_of(tables)


def hyperliquid(root: Path) -> MarketFrame:
    """Five perpetuals, hourly, 2025-03 to 2025-06: open interest and funding are hour averages."""
    prices = table(root / "klines/bybit_linear_perp_1h_5coins.parquet")
    held = table(root / "open_interest/hyperliquid_oi_1h_5coins.parquet")
    paid = table(root / "funding/hyperliquid_funding_hour_average_1h_5coins.parquet")
    tables = {}
    for coin in COINS:
        bars = of_symbol(prices, f"{coin}USDT").rename(columns=lambda name: name.split("_")[0])
        bars = bars[["high", "low", "close"]].astype(float)
        typical = bars[["high", "low", "close"]].mean(axis=1)
        tables[f"{coin}USDT"] = bars.assign(
            open_interest=of_symbol(held, coin)["oi_usd_hour_avg"] / typical,
            funding_rate=of_symbol(paid, coin)["funding_rate_hour_avg"],
            funding_interval_h=1.0,
        )
    return frame_of(tables)


def daily(root: Path) -> MarketFrame:
    """Twelve perpetuals, daily, 2022-01 to 2023-12: open interest, volume, liquidations."""
    panel = table(root / "open_interest/coinalyze_binance_perp_panel_1d_2022-2023.parquet")
    tables = {}
    for symbol in (f"{coin}USDT" for coin in DAILY):
        one = of_symbol(panel, symbol)
        close = one["close_usdt"]
        tables[symbol] = pd.DataFrame(
            {
                "close": close,
                "volume": one["volume_base"],
                "open_interest": one["oi_base"],
                "long_liq_usd": one["long_liq_base"] * close,
                "short_liq_usd": one["short_liq_base"] * close,
            }
        )
    return frame_of(tables, bar=timedelta(days=1))


def frame_of(
    tables: Mapping[str, pd.DataFrame], bar: timedelta = timedelta(hours=1)
) -> MarketFrame:
    """A frame of tables labelled by bar start; what one symbol lacks is NaN."""
    first = min(one.index[0] for one in tables.values())
    last = min(max(one.index[-1] for one in tables.values()), LAST)
    axis = pd.date_range(first, last, freq=bar)
    symbols = tuple(sorted(tables))
    names = sorted({str(name) for one in tables.values() for name in one.columns})
    aligned = [tables[symbol].reindex(index=axis, columns=names) for symbol in symbols]
    cube = np.stack([one.to_numpy(np.float64) for one in aligned])
    closes = (axis + bar).tz_localize(None).to_numpy().astype("datetime64[s]")
    fields = {name: np.ascontiguousarray(cube[:, :, k]) for k, name in enumerate(names)}
    return MarketFrame(symbols=symbols, times=closes, bar=bar, fields=fields, ages={})


def table(path: Path, label: str = "timestamp") -> pd.DataFrame:
    found = pd.read_parquet(path).set_index(label).sort_index()
    return found.loc[:LAST]


def of_symbol(found: pd.DataFrame, symbol: str) -> pd.DataFrame:
    return found[found["symbol"] == symbol]


def candles(path: Path) -> pd.DataFrame:
    """Hourly candles from hourly or half-hourly ones."""
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    found = table(path).rename(columns=lambda name: name.split("_")[0])
    return found[list(rules)].astype(float).resample("1h").agg(rules)


def funding(root: Path, symbol: str) -> pd.DataFrame:
    """Settled rates and hours since the settlement before, at the start of the hour they hold."""
    found = of_symbol(table(root / "funding/binance_um_funding_settled.parquet"), symbol)
    settled = pd.DataFrame({"funding_rate": found["funding_rate"], "funding_interval_h": 8.0})
    settled.index = settled.index.floor("1h")
    return settled


def real_cells(root: Path) -> FactCells:
    """Facts of all real panels by scope, fact, symbol and year."""
    core = measured_only(btc_core(root))
    contract = measured_only(btc_contract(root))["BTCUSDT"]["2024"]
    own = {n: v for n, v in contract.items() if n.startswith((*MEASURED, "long_e", "short_e"))}
    core["BTCUSDT"]["2024, second vendor"] = own
    twelve, five = wide(root), hyperliquid(root)
    elsewhere = facts_by_period(twelve)
    del elsewhere["BTCUSDT"]  # the years of the core again
    venue = {
        f"{symbol} at Hyperliquid": {period: of_venue(facts) for period, facts in found.items()}
        for symbol, found in facts_by_period(five).items()
    }
    by_day = facts_by_period(daily(root))
    by_day["BTCUSDT"] = {f"{year}, daily": one for year, one in by_day["BTCUSDT"].items()}
    joint = {"twelve": joint_facts_by_period(twelve), "five": joint_facts_by_period(five)}
    return collected([core, elsewhere, venue, by_day], joint)


def measured_only(frame: MarketFrame) -> Cells:
    """Facts of hours and of days of BTC, without what the proxy of open interest cannot tell."""
    cells = facts_by_period(frame)
    for year, facts in cells["BTCUSDT"].items():
        facts.update(facts_by_period(daily_bars(frame))["BTCUSDT"][year])
        if year in PROXY_YEARS:
            for name in [name for name in facts if name.startswith(MEASURED)]:
                del facts[name]
    return cells


def of_venue(facts: Mapping[str, float]) -> dict[str, float]:
    """What is not of the price, which is another venue's."""
    own = ("oi_", "funding_", "event_", "long_e", "short_e")
    return {name: value for name, value in facts.items() if name.startswith(own)}


def simulated_cells(frame: MarketFrame) -> FactCells:
    """The same of a simulated hourly market, all of whose fields are known."""
    joint = {
        "twelve": joint_facts_by_period(frame),
        "five": joint_facts_by_period(frame.select(FIVE)),
    }
    return collected([facts_by_period(frame), facts_by_period(daily_bars(frame))], joint)


def collected(parts: Sequence[Cells], joint: Mapping[str, Periods]) -> FactCells:
    """All that could be told; of five symbols the events, of twelve the shocks."""
    cells: FactCells = {}
    for symbol, periods in (item for part in parts for item in part.items()):
        put(cells, ("BTC" if symbol == "BTCUSDT" else "others", symbol), periods)
    for scope, periods in joint.items():
        put(cells, (scope, "all"), periods, kind={"five": "events", "twelve": "shocks"}[scope])
    return cells


def put(cells: FactCells, where: tuple[str, str], periods: Periods, kind: str = "") -> None:
    scope, symbol = where
    for period, facts in periods.items():
        for fact, value in facts.items():
            if kind in fact and np.isfinite(value):
                symbols = cells.setdefault(scope, {}).setdefault(fact, {})
                symbols.setdefault(symbol, {})[period] = value


def means(symbols: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Mean over periods by symbol."""
    return {symbol: float(np.mean(list(one.values()))) for symbol, one in symbols.items()}


def real_limits(cells: FactCells) -> dict[str, dict[str, Limits]]:
    """Limits by scope and fact: from the years of one, or from the means of all symbols."""
    limits: dict[str, dict[str, Limits]] = {}
    for scope, facts in cells.items():
        for fact, symbols in facts.items():
            if scope == "others":
                lead = cells["BTC"].get(fact, {})
                values = list(means({**symbols, **lead}).values())
            else:
                values = [value for one in symbols.values() for value in one.values()]
            limits.setdefault(scope, {})[fact] = limits_of(fact, values)
    return limits


PANELS = {
    "BTC, hourly": btc_core,
    "BTC, open interest of the one contract": btc_contract,
    "Twelve perpetuals, hourly": wide,
    "Five at Hyperliquid, hourly": hyperliquid,
    "Twelve perpetuals, daily": daily,
}
