"""A made-up market with a liquidation map: a random walk whose bars open cohorts."""

import numpy as np

from liqwarn.liquidation.heat_map import HeatMap
from liqwarn.liquidation.profile import Profile

LEVERAGES = np.array([5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0])
MIX = np.array([0.26, 0.25, 0.18, 0.13, 0.1, 0.05, 0.03])
MMR = 0.004


def walk(n_times, seed=3, price=62_000.0, sigma=0.004):
    rng = np.random.default_rng(seed)
    calm = np.exp(0.5 * np.cumsum(rng.normal(0, 0.15, n_times)) * 0.5)
    steps = rng.standard_t(4, n_times) * sigma * np.clip(calm, 0.4, 2.5) / 1.4
    close = price * np.exp(np.cumsum(steps))
    opened = np.concatenate([[price], close[:-1]])
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, sigma / 2, n_times)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, sigma / 2, n_times)))
    return high, low, close


def simulate(n_times=600, n_bins=300, seed=3, price=62_000.0, sigma=0.004):
    """The heat map of a walk: cohorts open at each close and die when the price crosses them."""
    rng = np.random.default_rng(seed + 1)
    high, low, close = walk(n_times, seed, price, sigma)
    edges = np.geomspace(low.min() * 0.78, high.max() * 1.28, n_bins + 1)
    added = 40.0 * rng.gamma(0.35, 1.0, n_times)
    long, short = np.zeros((n_times, n_bins)), np.zeros((n_times, n_bins))
    longs, shorts = np.zeros(n_bins), np.zeros(n_bins)
    for t in range(n_times):
        longs[edges[1:] > low[t]] = 0.0
        shorts[edges[:-1] < high[t]] = 0.0
        longs *= 0.995
        shorts *= 0.995
        mixed = rng.dirichlet(MIX * 12)
        for leverage, weight in zip(LEVERAGES, mixed, strict=True):
            down = close[t] * (1 - 1 / leverage) / (1 - MMR)
            up = close[t] * (1 + 1 / leverage) / (1 + MMR)
            for mass, where in ((longs, down), (shorts, up)):
                k = int(np.searchsorted(edges, where)) - 1
                if 0 <= k < n_bins:
                    mass[k] += added[t] * weight
        long[t], short[t] = longs, shorts
    start = np.datetime64("2024-05-01T01:00", "s")
    times = start + np.arange(n_times) * np.timedelta64(3600, "s")
    return HeatMap(
        symbol="BTCUSDT",
        times=times,
        edges=edges,
        long=long,
        short=short,
        high=high,
        low=low,
        close=close,
    )


def last_profile(heat_map, spread=0.35):
    """The last moment of a heat map, with a band of a constant share."""
    long, short = heat_map.long[-1], heat_map.short[-1]
    return Profile(
        symbol=heat_map.symbol,
        as_of=heat_map.times[-1],
        price=float(heat_map.close[-1]),
        open_interest=1.4 * float(max(long.sum(), short.sum())),
        prices=np.sqrt(heat_map.edges[:-1] * heat_map.edges[1:]),
        long=long,
        short=short,
        long_band=np.stack([long * (1 - spread), long * (1 + spread)]),
        short_band=np.stack([short * (1 - spread), short * (1 + spread)]),
    )


def small(unknown=True):
    """Three moments, four bins; the last moment unknown in its second bin."""
    edges = np.array([80.0, 90.0, 100.0, 110.0, 120.0])
    long = np.array([[3.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [2.0, 0.5, 0.0, 0.0]])
    short = np.array([[0.0, 0.0, 1.0, 4.0], [0.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.5, 0.0]])
    if unknown:
        long[1, 1] = short[1, 1] = np.nan
    return HeatMap(
        symbol="XUSDT",
        times=np.array(["2024-01-01T01", "2024-01-01T02", "2024-01-01T03"], "datetime64[s]"),
        edges=edges,
        long=long,
        short=short,
        high=np.array([103.0, 104.0, 102.0]),
        low=np.array([98.0, 99.0, 97.0]),
        close=np.array([101.0, 100.0, 100.5]),
    )
