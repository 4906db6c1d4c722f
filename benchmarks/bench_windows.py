"""Window kernels beside pandas and polars, on one core.

    python benchmarks/bench_windows.py [--rows N] [--symbols N] [--windows 12,60] [--json FILE]

Every kernel does the same work: full windows over `--rows` rows of `--symbols` random walks. The
contestants take turns, so that a busy machine slows all of them; a turn is two runs, the second
timed, so that nobody pays for caches that another emptied. The figure is the median of `--repeats`
turns, in million rows per second of CPU time (all threads of a contestant count); the ratios are
ours over theirs. Before anything is timed the results are checked to agree.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ["POLARS_MAX_THREADS"] = "1"  # before polars is imported: one core for everybody

import numpy as np
import pandas as pd
import polars as pl

from liqwarn import windows

Contestant = Callable[[], np.ndarray]
Column = TypeVar("Column", pd.Series, pl.Expr)
Rolling = pd.api.typing.Rolling | pd.api.typing.RollingGroupBy
AIMS = {"mean": 400, "zscore": 180, "max": 400, "slope": 150, "rank": 12}
KERNELS = ("mean", "std", "zscore", "max", "rank", "slope", "quantile")
NAMES = ("liqwarn", "pandas groupby", "pandas per symbol", "polars")
FIRST_BAR = 473_385


def ours(name: str, x: np.ndarray, window: int) -> Contestant:
    if name == "quantile":
        return lambda: windows.rolling_quantile(x, window, 0.9, first_bar=FIRST_BAR)
    kernel = getattr(windows, f"rolling_{name}")
    return lambda: kernel(x, window, first_bar=FIRST_BAR)


def slope_from_sums(t: Column, n: int, total: Column, weighted: Column) -> Column:
    """Least squares from rolling Σv and Σtv (t the row number): what pandas and polars allow."""
    products = weighted - (t - (n - 1)) * total
    middle = (n - 1) / 2
    return (products - middle * total) / (n * (n * n - 1) / 12)


def _pandas_roll(name: str, series: pd.Series, roll: Callable, window: int) -> pd.Series:
    rolling = roll(series)
    if name == "zscore":
        return (series - _plain(rolling.mean())) / _plain(rolling.std())
    if name == "rank":
        # pandas ranks from 1: (rank - 1/2) / n is the mid-rank
        return (_plain(rolling.rank()) - 0.5) / window
    if name == "quantile":
        return _plain(rolling.quantile(0.9))
    if name == "slope":
        t = pd.Series(np.arange(len(series), dtype=float))
        weighted = _plain(roll(series * t).sum())
        return slope_from_sums(t, window, _plain(rolling.sum()), weighted)
    return _plain(getattr(rolling, name)())


def _plain(result: pd.Series) -> pd.Series:
    return result.droplevel(0) if result.index.nlevels > 1 else result


def pandas_groupby(name: str, x: np.ndarray, window: int) -> Contestant:
    symbols = np.repeat(np.arange(len(x)), x.shape[1])
    series = pd.Series(x.ravel())

    def run() -> np.ndarray:
        def roll(values: pd.Series) -> Rolling:
            return values.groupby(symbols).rolling(window)

        return _pandas_roll(name, series, roll, window).to_numpy().reshape(x.shape)

    return run


def pandas_per_symbol(name: str, x: np.ndarray, window: int) -> Contestant:
    rows = [pd.Series(row) for row in x]

    def run() -> np.ndarray:
        return np.stack(
            [_pandas_roll(name, r, lambda s: s.rolling(window), window).to_numpy() for r in rows]
        )

    return run


def _polars_expression(name: str, window: int) -> pl.Expr:
    x = pl.col("x")
    if name == "zscore":
        return (x - x.rolling_mean(window)) / x.rolling_std(window)
    if name == "rank":
        return (x.rolling_rank(window, "average") - 0.5) / window
    if name == "quantile":
        return x.rolling_quantile(0.9, "linear", window_size=window)
    if name == "slope":
        t = pl.col("t")
        sums = x.rolling_sum(window), (x * t).rolling_sum(window)
        return slope_from_sums(t, window, *sums)
    return getattr(x, f"rolling_{name}")(window)


def polars_over(name: str, x: np.ndarray, window: int) -> Contestant:
    symbols = np.repeat(np.arange(len(x)), x.shape[1])
    times = np.tile(np.arange(x.shape[1], dtype=float), len(x))
    frame = pl.DataFrame({"symbol": symbols, "x": x.ravel(), "t": times})
    expression = _polars_expression(name, window).over("symbol")
    return lambda: frame.select(expression).to_series().to_numpy().reshape(x.shape)


MAKERS = dict(zip(NAMES, (ours, pandas_groupby, pandas_per_symbol, polars_over), strict=True))


def race(contestants: dict[str, Contestant], repeats: int) -> dict[str, float]:
    """Median CPU seconds of each, taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            run()
            began = time.process_time()
            run()
            seconds[name].append(time.process_time() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def check_agreement(contestants: dict[str, Contestant], window: int) -> None:
    expected = contestants[NAMES[0]]()[:, window:]
    for name, run in contestants.items():
        np.testing.assert_allclose(run()[:, window:], expected, rtol=1e-5, atol=1e-6, err_msg=name)


def measure(name: str, x: np.ndarray, window: int, repeats: int) -> dict[str, float]:
    small = np.ascontiguousarray(x[:2, : window + 3000])
    check_agreement({n: make(name, small, window) for n, make in MAKERS.items()}, window)
    contestants = {n: make(name, x, window) for n, make in MAKERS.items()}
    return {n: x.size / s / 1e6 for n, s in race(contestants, repeats).items()}


def as_table(results: list[dict]) -> str:
    lines = [
        f"| kernel | window | {' | '.join(NAMES)} | × groupby | × per symbol | × polars | aim |",
        f"|---|---|{'---|' * (len(NAMES) + 4)}",
    ]
    for result in results:
        rates = result["million_rows_per_s"]
        cells = [f"{rates[n]:.{0 if rates[n] >= 20 else 1}f}" for n in NAMES]
        cells += [f"{rates[NAMES[0]] / rates[n]:.1f}" for n in NAMES[1:]]
        aim = AIMS.get(result["kernel"])
        cells.append(f"≥ {aim}" if aim else "–")
        lines.append(f"| {result['kernel']} | {result['window']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--symbols", type=int, default=10)
    parser.add_argument("--windows", default="12,60,288,720")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    rng = np.random.default_rng(0)
    shape = (arguments.symbols, arguments.rows // arguments.symbols)
    x = 100.0 + np.cumsum(rng.normal(scale=0.1, size=shape), axis=1)
    results = []
    for name in KERNELS:
        for window in map(int, arguments.windows.split(",")):
            rates = measure(name, x, window, arguments.repeats)
            results.append({"kernel": name, "window": window, "million_rows_per_s": rates})
    print(f"{x.size:,} rows, {len(x)} symbols; million rows per CPU second\n")
    print(as_table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
