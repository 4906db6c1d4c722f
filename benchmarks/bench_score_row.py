"""One row scored: the usual ways beside the compiled forest; and one bar of the live pieces.

    python benchmarks/bench_score_row.py [--turns N] [--symbols N] [--json FILE]

Three tables in Markdown: a model of 500 trees of 63 leaves over 80 features; the project's own
model (6 boosters of 100 trees of 8 leaves, 192 features, both sides); legs and percentiles of one
closed bar beside the batch over the history they need. The contestants take turns, times are CPU
time of the one thread they use, figures are medians (and the 99th percentile for one row). Before
anything is timed the results are checked to be the same bits.
"""

import argparse
import json
import runpy
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from liqwarn.frames import MarketFrame, bar_times
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.events import EventConfig, detect_events, in_progress
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.models.forest import Forest
from liqwarn.models.live_legs import LegsState
from liqwarn.models.score_memory import ScoreMemory
from liqwarn.models.score_quantile import score_quantile

SYNTHETIC = Path(__file__).parents[1] / "tests" / "models" / "synthetic.py"
ROWS = 600
WIDE = 192
IN_A_ROW = 10
SCORING = ("one row, µs", "p99", "×", f"{ROWS} rows, ms", "×")
LIVE = ("one bar, ms", "slowest", "start, s", "batch over the history, s")
HOUR = timedelta(hours=1)
Contestants = dict[str, Callable[[int], object]]


def measured(contestants: Contestants, turns: int) -> dict[str, np.ndarray]:
    """CPU microseconds of every call; a turn is several, so that most find the caches warm."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(turns + 1):
        for name, call in contestants.items():
            for k in range(IN_A_ROW):
                start = time.thread_time_ns()
                call(turn * IN_A_ROW + k)
                if turn:
                    found[name].append((time.thread_time_ns() - start) / 1e3)
    return {name: np.array(times) for name, times in found.items()}


def classifier() -> tuple[lgb.LGBMClassifier, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 80))
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.nan_to_num(X[:, :10]).sum(axis=1) + rng.normal(size=len(X)) > 3.0
    model = lgb.LGBMClassifier(n_estimators=500, num_leaves=63, n_jobs=1, verbosity=-1)
    return model.fit(X, y), X[:ROWS]


def cascade() -> tuple[CascadeModel, np.ndarray]:
    """A model of the size of the project's, of rows of noise."""
    rows = runpy.run_path(str(SYNTHETIC))["rows_of"](days=60)
    noise = np.random.default_rng(0).normal(size=(len(rows), WIDE - len(rows.names)))
    names = tuple(f"x_{k}" for k in range(noise.shape[1]))
    wide = replace(
        rows,
        names=rows.names + names,
        families={**rows.families, **dict.fromkeys(names, "noise")},
        X=np.concatenate([rows.X, noise], axis=1),
    )
    return CascadeModel(BoostSettings(min_rows=20)).fit(wide), wide.X[:ROWS]


def ways_of(model: lgb.LGBMClassifier, X: np.ndarray, n_rows: int) -> Contestants:
    booster = model.booster_
    forest = Forest([booster.model_to_string()])
    expected = booster.predict(X, raw_score=True, num_threads=1)
    assert forest.raw(X)[0].tobytes() == expected.tobytes()
    frame = pd.DataFrame(X, columns=booster.feature_name())

    def at(turn: int) -> slice:
        start = turn % (ROWS - n_rows + 1)
        return slice(start, start + n_rows)

    return {
        "`LGBMClassifier.predict_proba`, DataFrame": lambda k: model.predict_proba(frame[at(k)]),
        "`LGBMClassifier.predict_proba`, array": lambda k: model.predict_proba(X[at(k)]),
        "`Booster.predict`, 1 thread": lambda k: booster.predict(
            X[at(k)], raw_score=True, num_threads=1
        ),
        "`Forest.raw`": lambda k: forest.raw(X[at(k)]),
    }


def cascades_of(model: CascadeModel, X: np.ndarray, n_rows: int) -> Contestants:
    fast = FastCascade(model)
    assert fast.predict_proba(X).tobytes() == model.predict_proba(X).tobytes()

    def rows(turn: int) -> np.ndarray:
        start = turn % (ROWS - n_rows + 1)
        return X[start : start + n_rows]

    return {
        "`CascadeModel.predict_proba`": lambda k: model.predict_proba(rows(k)),
        "`FastCascade.predict_proba`": lambda k: fast.predict_proba(rows(k)),
    }


def market(n_symbols: int, n_bars: int) -> MarketFrame:
    rng = np.random.default_rng(0)
    shape = (n_symbols, n_bars)
    liquidated = rng.exponential(1e5, (2, *shape)) * (rng.random((2, *shape)) < 0.3)
    bought, sold = rng.gamma(20.0, 1.0, (2, *shape))
    return MarketFrame(
        symbols=tuple(f"C{k:04d}USDT" for k in range(n_symbols)),
        times=bar_times(np.datetime64("2024-01-01T00:00:00"), n_bars, HOUR),
        bar=HOUR,
        fields={
            "close": 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.004, shape), axis=1)),
            "open_interest": 1e3 * np.exp(np.cumsum(rng.normal(0.0, 0.003, shape), axis=1)),
            "taker_buy_volume": bought,
            "taker_sell_volume": sold,
            "long_liq_usd": liquidated[0],
            "short_liq_usd": liquidated[1],
        },
        ages={"open_interest": np.zeros(shape)},
    )


def live_bars(n_symbols: int) -> dict[str, tuple[np.ndarray, float, float]]:
    """Microseconds a bar, of a start, and of the batch over the same history."""
    n_bars = EventConfig.for_bar(HOUR).lookback_bars + 60
    frame, config = market(n_symbols, n_bars), EventConfig.for_bar(HOUR)
    p = np.random.default_rng(1).random((n_symbols, n_bars, 2))
    begun = n_bars - 50
    clock = time.thread_time_ns
    t0 = clock()
    legs = LegsState.start(frame.between(0, begun), config)
    t1 = clock()
    memory = ScoreMemory.start(p[:, :begun], frame.first_bar, HOUR)
    t2 = clock()
    expected = in_progress(frame, detect_events(frame, config))
    t3 = clock()
    places = score_quantile(p, p, frame.first_bar, HOUR)
    t4 = clock()
    bars: dict[str, list[float]] = {"legs": [], "percentile": []}
    for t in range(begun, n_bars):
        column = {name: np.ascontiguousarray(x[:, t]) for name, x in frame.fields.items()}
        ages = {name: np.ascontiguousarray(x[:, t]) for name, x in frame.ages.items()}
        start = clock()
        running = legs.advance(column, ages, frame.first_bar + t)
        middle = clock()
        place = memory.place(p[:, t])
        memory.remember(p[:, t], frame.first_bar + t)
        bars["legs"].append((middle - start) / 1e3)
        bars["percentile"].append((clock() - middle) / 1e3)
        assert (running == expected[:, t]).all()
        assert place.tobytes() == places[:, t].tobytes()
    return {
        "`LegsState.advance`": (np.array(bars["legs"]), (t1 - t0) / 1e3, (t3 - t2) / 1e3),
        "`ScoreMemory`": (np.array(bars["percentile"]), (t2 - t1) / 1e3, (t4 - t3) / 1e3),
    }


def table_of(make: Callable[[int], Contestants], turns: int) -> dict[str, list[float]]:
    one, many = measured(make(1), turns), measured(make(ROWS), max(1, turns // 40))
    return {
        name: [
            float(np.median(one[name])),
            float(np.percentile(one[name], 99)),
            float(np.median(many[name]) / 1e3),
        ]
        for name in one
    }


def header(first: str, columns: tuple[str, ...]) -> str:
    return f"| {first} | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}"


def print_table(title: str, table: dict[str, list[float]]) -> None:
    last = list(table.values())[-1]
    print(f"\n{title}\n\n{header('way', SCORING)}")
    for name, (one, slow, many) in table.items():
        ratios = one / last[0], many / last[2]
        print(
            f"| {name} | {one:.1f} | {slow:.1f} | {ratios[0]:.1f} | {many:.2f} | {ratios[1]:.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--symbols", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "X does not have valid feature names")
    model, X = classifier()
    single = table_of(lambda n: ways_of(model, X, n), options.turns)
    print_table("500 trees, 63 leaves, 80 features", single)
    walk = {"alone": ways_of(model, X, 1)["`Forest.raw`"]}
    alone = float(np.median(measured(walk, options.turns)["alone"]))
    print(f"\n`Forest.raw` alone, so that its trees stay in the caches: {alone:.1f} µs")
    own, X_own = cascade()
    whole = table_of(lambda n: cascades_of(own, X_own, n), options.turns)
    print_table(f"6 boosters, 100 trees, 8 leaves, {WIDE} features, both sides", whole)
    print(f"\n{options.symbols} symbols, hourly bars\n\n{header('piece', LIVE)}")
    live = live_bars(options.symbols)
    for name, (bars, start, batch) in live.items():
        figures = np.median(bars) / 1e3, bars.max() / 1e3, start / 1e6, batch / 1e6
        print(f"| {name} |" + "".join(f" {x:.2f} |" for x in figures))
    if options.json:
        told = {k: [float(np.median(v[0])), *v[1:]] for k, v in live.items()}
        options.json.write_text(json.dumps({"single": single, "whole": whole, "live": told}))


if __name__ == "__main__":
    main()
