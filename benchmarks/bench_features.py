"""The feature build beside the same features written with pandas, on one core.

    python benchmarks/bench_features.py [--bars N] [--symbols N] [--json FILE]

A market of `--symbols` random walks over `--bars` hourly bars. The pandas version is the careful
one: wide frames with a column a symbol, and whatever several features need is computed once. Both
versions are checked to agree before they are timed. They take turns; the figure is the median CPU
time of `--repeats` turns.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from liqwarn.features.builder import FeatureBuilder, all_features
from liqwarn.features.past import MIN_SHARE
from liqwarn.frames import MarketFrame, bar_times

HOUR = timedelta(hours=1)
DAY, WEEK, MONTH = 24, 168, 720


def market(n_symbols: int, n_bars: int) -> MarketFrame:
    rng = np.random.default_rng(1)
    shape = (n_symbols, n_bars)

    def walk(step: float) -> np.ndarray:
        return np.exp(np.cumsum(rng.normal(0.0, step, shape), axis=1))

    close = 100.0 * walk(0.006)
    opened = np.concatenate([close[:, :1], close[:, :-1]], axis=1)
    reach = np.exp(np.abs(rng.normal(0.0, 0.002, (2, *shape))))
    volume, inflow, outflow = rng.lognormal(7.0, 1.0, (3, *shape))
    fields = {
        "open": opened,
        "high": np.maximum(opened, close) * reach[0],
        "low": np.minimum(opened, close) / reach[1],
        "close": close,
        "volume": volume,
        "inflow": inflow,
        "outflow": outflow,
        "open_interest": 1e5 * walk(0.01),
        "funding_rate": rng.normal(5e-5, 1e-4, shape),
        "long_liq_usd": rng.lognormal(5.0, 2.0, shape) * (rng.random(shape) < 0.2),
        "short_liq_usd": rng.lognormal(5.0, 2.0, shape) * (rng.random(shape) < 0.2),
    }
    return MarketFrame(
        symbols=tuple(f"S{i:03d}" for i in range(n_symbols)),
        times=bar_times(np.datetime64("2015-01-01T01:00:00"), n_bars, HOUR),
        bar=HOUR,
        fields=fields,
        ages={},
    )


def roll(frame: pd.DataFrame, n: int) -> pd.api.typing.Rolling:
    return frame.rolling(n, min_periods=math.ceil(n * MIN_SHARE))


def zscore(frame: pd.DataFrame, n: int) -> pd.DataFrame:
    window = roll(frame, n)
    return (frame - window.mean()) / window.std()


def slope(frame: pd.DataFrame, n: int) -> pd.DataFrame:
    """Least squares from rolling sums, which is what pandas allows; the series has no gaps."""
    t = np.arange(len(frame), dtype=float)
    total = frame.rolling(n).sum()
    weighted = frame.mul(t, axis=0).rolling(n).sum() - total.mul(t - (n - 1), axis=0)
    return (weighted - (n - 1) / 2 * total) / (n * (n * n - 1) / 12)


def eight_hourly(
    frame: pd.DataFrame, function: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    """What hourly bars see of a function of closed 8 h bars."""
    closed = frame[frame.index.hour % 8 == 0]
    return function(closed).reindex(frame.index).ffill()


def pandas_volatility(f: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    close, high, low = f["close"], f["high"], f["low"]
    logs = np.log(close)
    returns = logs.diff()
    squares = returns**2
    rv = {n: np.sqrt(roll(squares, n).mean()) for n in (6, DAY, WEEK, MONTH)}
    before = close.shift(1)
    true_range = np.maximum(high, before.fillna(high)) - np.minimum(low, before.fillna(low))
    size = returns.abs()
    bipower = roll(size * size.shift(1), DAY).mean() * (math.pi / 2)
    return {
        "rv_6h": rv[6],
        "rv_1d": rv[DAY],
        "rv_7d": rv[WEEK],
        "rv_30d": rv[MONTH],
        "downside_vol_1d": np.sqrt(roll(returns.clip(upper=0.0) ** 2, DAY).mean()),
        "vol_of_vol_7d": roll(np.log(rv[DAY]), WEEK).std(),
        "vol_ratio_1d_30d": np.log(rv[DAY] / rv[MONTH]),
        "trend_7d": slope(logs, WEEK) * WEEK / (rv[WEEK] * math.sqrt(WEEK)),
        "atr_pct_24h": roll(true_range, DAY).mean() / close * 100.0,
        "jump_share_24h": (1.0 - bipower / roll(squares, DAY).mean()).clip(lower=0.0),
    }


def pandas_price(f: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    close = f["close"]
    logs = np.log(close)
    span = f["high"] - f["low"]
    upper = f["high"] - np.maximum(f["open"], close)
    return {
        "price_return_4h": logs - logs.shift(4),
        "price_return_24h": logs - logs.shift(24),
        "drawdown_7d": np.log(close / roll(close, WEEK).max()),
        "drawdown_30d": np.log(close / roll(close, MONTH).max()),
        "runup_30d": np.log(close / roll(close, MONTH).min()),
        "wick_upper_24h": roll(upper, DAY).mean() / roll(span, DAY).mean(),
    }


def pandas_positions(f: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    coins, rate = f["open_interest"], f["funding_rate"]
    logs = np.log(coins)
    change = logs - logs.shift(DAY)
    longs, shorts = roll(f["long_liq_usd"], DAY).mean(), roll(f["short_liq_usd"], DAY).mean()
    both = longs + shorts
    return {
        "oi_change_24h": change,
        "oi_z_7d": zscore(logs, WEEK),
        "oi_z_30d": zscore(logs, MONTH),
        "oi_change_z_30d": zscore(change, MONTH),
        "oi_drawdown_7d": np.log(coins / roll(coins, WEEK).max()),
        "liq_long_share_24h": longs * DAY / (coins * f["close"]),
        "liq_imbalance_24h": ((longs - shorts) / both).where(both > 0, 0.0).where(both.notna()),
        "funding_mean_3d": roll(rate, 72).mean(),
        "funding_z_60d": eight_hourly(rate, lambda r: zscore(r, 180)),
        "funding_rank_90d": eight_hourly(rate, _mid_rank),
    }


def _mid_rank(frame: pd.DataFrame) -> pd.DataFrame:
    window = roll(frame, 270)
    return (window.rank() - 0.5) / window.count()


def pandas_flows(f: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    volume, inflow = f["volume"], f["inflow"]
    daily = roll(volume, DAY).mean()
    daily_inflow = roll(inflow, DAY).mean()
    net = inflow - f["outflow"]
    return {
        "volume_surge_24h": np.log(daily / roll(volume, MONTH).mean()),
        "inflow_z_24h": zscore(daily_inflow, MONTH),
        "inflow_to_oi_24h": daily_inflow * DAY / f["open_interest"],
        "netflow_to_volume_24h": roll(net, DAY).mean() / daily,
    }


def pandas_features(fields: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    with np.errstate(all="ignore"):
        return (
            pandas_volatility(fields)
            | pandas_price(fields)
            | pandas_positions(fields)
            | pandas_flows(fields)
        )


def pandas_matrix(fields: dict[str, pd.DataFrame]) -> np.ndarray:
    """The same (symbol, bar, feature) array the builder gives."""
    features = pandas_features(fields)
    first = next(iter(fields.values()))
    matrix = np.empty((first.shape[1], len(first), len(features)))
    for column, values in enumerate(features.values()):
        matrix[:, :, column] = values.to_numpy().T
    return matrix


def wide(frame: MarketFrame) -> dict[str, pd.DataFrame]:
    index = pd.DatetimeIndex(frame.times)
    return {
        name: pd.DataFrame(values.T.copy(), index=index, columns=list(frame.symbols))
        for name, values in frame.fields.items()
    }


def check_agreement(builder: FeatureBuilder) -> None:
    frame = market(2, 6000)
    ours = builder.build(frame).values
    theirs = pandas_matrix(wide(frame))
    for column, name in enumerate(builder.names):
        np.testing.assert_allclose(
            theirs[:, 3000:, column], ours[:, 3000:, column], rtol=1e-6, atol=1e-6, err_msg=name
        )


def cpu_seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--symbols", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    by_name = {feature.name: feature for feature in all_features()}
    names = list(pandas_features(wide(market(1, 800))))
    builder = FeatureBuilder(tuple(by_name[name] for name in names))
    check_agreement(builder)

    frame = market(arguments.symbols, arguments.bars)
    fields = wide(frame)
    everything = FeatureBuilder()
    runs = {
        f"liqwarn, {len(names)} features": lambda: builder.build(frame),
        f"pandas, the same {len(names)}": lambda: pandas_matrix(fields),
        f"liqwarn, all {len(by_name)} features": lambda: everything.build(frame),
    }
    turns = {name: [] for name in runs}
    for _ in range(arguments.repeats):
        for name, run in runs.items():
            turns[name].append(cpu_seconds(run))
    medians = {name: statistics.median(seconds) for name, seconds in turns.items()}

    ours, theirs, _ = medians.values()
    print(f"{arguments.symbols} symbols × {arguments.bars:,} hourly bars, one core\n")
    print("| build | CPU s | ratio to the first |\n|---|---|---|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.2f} | {seconds / ours:.2f} |")
    print(f"\npandas takes {theirs / ours:.1f} times as long for the same {len(names)} features")
    if arguments.json:
        result = {"symbols": arguments.symbols, "bars": arguments.bars, "cpu_seconds": medians}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
