"""From one closed bar to published flags: the live engine beside what one would write with pandas.

python benchmarks/bench_live.py [--symbols 1 300] [--bars 200] [--model BUNDLE]

Wall-clock time is what a reader waits; CPU time is what the thread was given, so the one is above
the other when others use the machine. Both contestants are one thread.
"""

import argparse
import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import lightgbm as lgb
import numpy as np
import pandas as pd

from liqwarn.board.writer import BoardWriter
from liqwarn.config import load_policy
from liqwarn.data.bars.message import BarColumn
from liqwarn.data.panel import Panel
from liqwarn.data.quality import LiveQuality
from liqwarn.decisions import ModelStamp
from liqwarn.features.builder import all_features
from liqwarn.frames import ALL_FIELDS, MAP_FIELDS, MarketFrame, bar_times
from liqwarn.liquidation.fit import FitConfig, SymbolJob
from liqwarn.liquidation.live_maps import LiveMaps
from liqwarn.liquidation.schedule import blocks_of
from liqwarn.live.bar import flags_of
from liqwarn.live.engine import LiveEngine, Memory
from liqwarn.live.provenance import column_sha256
from liqwarn.live.tape import Tape
from liqwarn.models.bundle import Bundle, Training, load_bundle
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.events import EventConfig
from liqwarn.models.fast_cascade import FastCascade
from liqwarn.models.live_legs import LegsState
from liqwarn.models.rows import Rows
from liqwarn.models.score_memory import ScoreMemory
from liqwarn.policy.flags import FlagSource
from liqwarn.serving.board_outlet import BoardOutlet
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.shelf import FlagShelf

HOUR = timedelta(hours=1)
HISTORY = 1_500
WARM = 5
ROOT = Path(__file__).parents[1]


def market(n_symbols: int, n_bars: int) -> MarketFrame:
    rng = np.random.default_rng(0)
    shape = (n_symbols, n_bars)
    close = 1e4 * np.exp(np.cumsum(rng.normal(0.0, 0.006, shape), axis=1))
    fields = {}
    for name in ALL_FIELDS:
        if name in MAP_FIELDS:
            continue
        fields[name] = np.abs(rng.normal(1.0, 0.3, shape))
        if name in ("open", "close", "mark", "index"):
            fields[name] = close * (1.0 + rng.normal(0.0, 1e-4, shape))
        if name in ("high", "low"):
            fields[name] = close * (1.006 if name == "high" else 0.994)
        if name.startswith("funding_rate"):
            fields[name] = rng.normal(1e-4, 1e-4, shape)
        if "interval" in name:
            fields[name] = np.full(shape, 8.0)
        if name == "open_interest":
            fields[name] = 1e5 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=1))
    symbols = tuple(sorted(["BTCUSDT", *(f"C{k:03}USDT" for k in range(n_symbols - 1))]))
    times = bar_times(np.datetime64("2024-01-02T01:00:00"), n_bars, HOUR)
    ages = {"open_interest": np.zeros(shape), "mark": np.zeros(shape)}
    return MarketFrame(symbols=symbols, times=times, bar=HOUR, fields=fields, ages=ages)


def panel_of(frame: MarketFrame) -> Panel:
    fields = {name: name for name in frame.fields if not name.startswith("next_")}
    time_map = {"column": "t", "unit": "ms", "label": "end", "step": "1h"}
    source = {"name": "all", "file": "{symbol}.csv", "time": time_map, "fields": fields}
    return Panel.model_validate(
        {
            "name": "bench",
            "market": "simulated",
            "bar": "1h",
            "symbols": list(frame.symbols),
            "core": ["close", "open_interest"],
            "sources": [source],
        }
    )


def engine_of(frame: MarketFrame, panel: Panel, bundle: Bundle) -> LiveEngine:
    rng = np.random.default_rng(1)
    n_symbols, n_bars = frame.shape
    config = FitConfig()
    drawn = dict.fromkeys(range(config.n_draws), 1.0 / config.n_draws)
    months = {block.evidence_until for block in blocks_of(bar_times(frame.times[0], 9_000, HOUR))}
    jobs = [SymbolJob(frame=frame.select((s,)), venue=None, config=config) for s in frame.symbols]
    maps = {name: np.abs(rng.normal(1.0, 0.3, frame.shape)) for name in MAP_FIELDS}
    past = rng.random((n_symbols, n_bars, 2))
    memory = Memory(
        tape=Tape.start(frame.joined(maps)),
        maps=LiveMaps.start(jobs, dict.fromkeys(months, drawn)),
        quality=LiveQuality.start(frame, panel),
        legs=LegsState.start(frame, EventConfig.for_bar(HOUR)),
        ranks=ScoreMemory.start(past, frame.first_bar, HOUR),
        positions={},
    )
    policy = load_policy(ROOT / "conf/policy.yaml")
    return LiveEngine(panel, bundle, FastCascade(bundle.model), policy, memory)


def columns(frame: MarketFrame, first: int) -> list[BarColumn]:
    def cut(planes: Mapping[str, np.ndarray], t: int) -> dict[str, np.ndarray]:
        return {name: np.ascontiguousarray(plane[:, t]) for name, plane in planes.items()}

    return [
        BarColumn(
            time=frame.times[t],
            symbols=frame.symbols,
            fields=cut(frame.fields, t),
            ages=cut(frame.ages, t),
            bar_s=3_600,
        )
        for t in range(first, frame.shape[1])
    ]


class Stopwatch:
    """Wall-clock and CPU seconds of the stages of bars."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[tuple[float, float]]] = {}
        self._marks: list[tuple[float, float]] = []

    def begin(self) -> None:
        self._marks = [(time.perf_counter(), time.thread_time())]

    def lap(self, name: str, *, since: int = -1) -> None:
        """The time since an earlier mark of this bar; the newest one by default."""
        now, before = (time.perf_counter(), time.thread_time()), self._marks[since]
        self.seconds.setdefault(name, []).append((now[0] - before[0], now[1] - before[1]))
        self._marks.append(now)


def timed_maps(engine: LiveEngine, watch: list[float]) -> None:
    """Keep the CPU seconds that the maps of each bar take."""
    made = engine._map_fields

    def fields(column: BarColumn) -> Mapping[str, np.ndarray]:
        began = time.thread_time()
        found = made(column)
        watch.append(time.thread_time() - began)
        return found

    engine._map_fields = fields


class Tail:
    """What else a bar met: collections of garbage, page faults, the processor given to others."""

    def __init__(self) -> None:
        self.met: list[tuple[int, int, int]] = []
        self._collections = 0
        gc.callbacks.append(self._collected)

    def _collected(self, phase: str, _: Mapping[str, int]) -> None:
        self._collections += phase == "start"

    def begin(self) -> None:
        self._before = self._now()

    def end(self) -> None:
        pairs = zip(self._now(), self._before, strict=True)
        self.met.append(tuple(after - before for after, before in pairs))

    def _now(self) -> tuple[int, int, int]:
        used = resource.getrusage(resource.RUSAGE_THREAD)
        return self._collections, used.ru_minflt, used.ru_nivcsw


def told_tail(tail: Tail, seconds: np.ndarray) -> str:
    """How often each was met in the slowest bars of the wall clock, and in all."""
    met = np.array(tail.met[WARM:])
    slowest = np.argsort(seconds[:, 0])[-max(1, len(seconds) // 50) :]
    names = ("collections", "page faults", "times preempted")
    rates = zip(names, met[slowest].mean(axis=0), met.mean(axis=0), strict=True)
    return "; ".join(f"{name} {slow:.2f} ({every:.2f})" for name, slow, every in rates)


def run_ours(frame: MarketFrame, bundle: Bundle) -> tuple[dict[str, np.ndarray], str]:
    panel = panel_of(frame)
    engine = engine_of(frame.between(0, HISTORY), panel, bundle)
    policy, clock = load_policy(ROOT / "conf/policy.yaml"), SystemClock()
    shelf, watch, tail, maps = FlagShelf(), Stopwatch(), Tail(), []
    timed_maps(engine, maps)
    given = columns(frame, HISTORY)
    gc.collect()
    gc.freeze()  # as the service does once it has begun
    with tempfile.TemporaryDirectory() as folder:
        writer = BoardWriter.create(Path(folder) / "board", frame.symbols)
        board = BoardOutlet(writer, clock=clock)
        for column in given:
            tail.begin()
            watch.begin()
            bar = engine.step(column)
            watch.lap("engine")
            source = FlagSource(
                model=bundle.stamp, data_sha256=column_sha256(column), completeness=0.0
            )
            flags = tuple(flags_of(bar, policy, source, issued_at=clock.wall()))
            watch.lap("flags")
            told = FlagSet(
                generated_at=clock.wall(),
                market="simulated",
                flags=MappingProxyType({flag.symbol: flag for flag in flags}),
            )
            shelf.publish(told)
            board.publish(told)
            watch.lap("readers in memory")
            watch.lap("bar → published", since=0)
            tail.end()
        board.close()
    gc.callbacks.clear()
    gc.unfreeze()
    found = {name: np.array(laps[WARM:]) for name, laps in watch.seconds.items()}
    whole = found["bar → published"]
    outside = whole[:, 1] - np.array(maps[WARM:])
    found["of it outside the maps"] = np.stack([np.full(len(outside), np.nan), outside], axis=1)
    return found, told_tail(tail, whole)


def run_pandas(frame: MarketFrame, bars: int) -> np.ndarray:
    """Forty features by pandas over the tail, and the model through scikit-learn's wrapper."""
    rng = np.random.default_rng(0)
    names = [f"f{k}" for k in range(40)]
    X = pd.DataFrame(rng.normal(size=(5_000, 40)), columns=names)
    model = lgb.LGBMClassifier(n_estimators=100, num_leaves=8, verbosity=-1, n_jobs=1)
    model.fit(X, rng.random(5_000) < 0.1)
    watch = Stopwatch()
    for t in range(HISTORY, HISTORY + bars):
        watch.begin()
        rows = []
        for row in range(frame.shape[0]):
            tail = pd.DataFrame(
                {
                    name: frame.fields[name][row, t - 720 : t + 1]
                    for name in ("close", "volume", "open_interest", "funding_rate")
                }
            )
            values = []
            for name in tail:
                for window in (24, 168, 720):
                    rolling = tail[name].rolling(window)
                    values += [
                        rolling.mean().iloc[-1],
                        rolling.std().iloc[-1],
                        rolling.max().iloc[-1],
                    ]
            rows.append((values + values[:4])[:40])
        model.predict_proba(pd.DataFrame(rows, columns=names))
        watch.lap("pandas")
    return np.array(watch.seconds["pandas"][1:])


def bundle_of_noise() -> Bundle:
    """A model of the size of the real one, fitted to nothing."""
    rng, names = np.random.default_rng(0), tuple(one.name for one in all_features())
    n_rows = 3_000
    times = bar_times(np.datetime64("2020-01-01T01:00:00"), n_rows, HOUR)
    y = (rng.random((n_rows, 2, 3)) < np.array([0.05, 0.1, 0.2])).astype(np.float64)
    y = np.maximum.accumulate(y, axis=2)
    rows = Rows(
        bar=HOUR,
        X=np.abs(rng.normal(size=(n_rows, len(names)))),
        y=y,
        milder=y,
        names=names,
        families={one.name: one.family for one in all_features()},
        horizons_h=(1, 4, 24),
        symbols=np.full(n_rows, "BTCUSDT"),
        times=times,
        end=times + np.timedelta64(86_400, "s"),
    )
    training = Training(
        panel="noise",
        trained_until=datetime(2020, 1, 1, tzinfo=UTC),
        rows=n_rows,
        events=0,
        panel_sha256="",
        data_sha256="",
        settings={},
    )
    return Bundle(
        model=CascadeModel().fit(rows),
        training=training,
        history=pd.DataFrame(),
        stamp=ModelStamp(version="noise", sha256=""),
    )


def told(seconds: np.ndarray) -> str:
    """p50 and p99 of the wall clock, and of the thread's CPU time."""
    (wall_50, cpu_50), (wall_99, cpu_99) = np.percentile(seconds * 1e3, [50, 99], axis=0)
    wall = " | " if np.isnan(wall_50) else f"{wall_50:8.3f} | {wall_99:8.3f}"
    return f"{wall} | {cpu_50:8.3f} | {cpu_99:8.3f}"


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--symbols", type=int, nargs="+", default=[1, 300])
    arguments.add_argument("--bars", type=int, default=200)
    arguments.add_argument("--model", type=Path, help="bundle [default: one of noise, full size]")
    given = arguments.parse_args()
    bundle = bundle_of_noise() if given.model is None else load_bundle(given.model, version="bench")
    bundle.model.novelty_.limit_ = np.inf  # random numbers are all unlike training: words for each
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        "| symbols | what | wall p50 ms | wall p99 | CPU p50 | CPU p99 |\n|---|---|---|---|---|---|"
    )
    for n_symbols in given.symbols:
        frame = market(n_symbols, HISTORY + given.bars + WARM)
        found, tail = run_ours(frame, bundle)
        for name, seconds in found.items():
            print(f"| {n_symbols} | {name} | {told(seconds)} |")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        pandas_bars = min(given.bars, 100) if n_symbols < 10 else 4
        print(
            f"| {n_symbols} | pandas, 40 features, scikit-learn wrapper | "
            f"{told(run_pandas(frame, pandas_bars))} |"
        )
        print(f"| {n_symbols} | peak memory {peak:.2f} GiB | | | | |")
        print(f"| {n_symbols} | slowest bars (all): {tail} | | | | |", flush=True)
        gc.collect()


if __name__ == "__main__":
    sys.exit(main())
