"""The liquidation map's inner loop beside the same rule in plain NumPy.

    python benchmarks/bench_map.py [--bars N] [--repeats N] [--json FILE] [--scale]

One map of ten leverages, two sides and 2,048 bins a lane, over a random walk of 5-minute bars:
nanoseconds per bar of wall clock, the NumPy preparation of the path (three logarithms) included.
The contestants take turns, so that a busy machine slows all of them; the figure is the least of
`--repeats` turns. Before anything is timed the map is checked to agree with the plain one, which
is the oracle of the tests. `--scale` moves the maps of 300 symbols over four years, symbol by
symbol, and prints the whole time and the largest memory.
"""

import argparse
import json
import resource
import runpy
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from liqwarn.liquidation.kernel import (
    BINS,
    LANES,
    STATE_SIZE,
    STEP,
    WORK_SIZE,
    Reading,
    fresh_lanes,
    run,
)
from liqwarn.liquidation.parameters import MapParameters, map_rates

PLAIN = Path(__file__).parents[1] / "tests" / "liquidation" / "plain_map.py"
PlainMap = runpy.run_path(str(PLAIN))["PlainMap"]
BAR_S = 300.0
SLAB = 2048
"""Bars prepared at a time: they stay in the cache until the map has passed over them."""
EDGES = np.arange(1, 41) * 2.5
BYTES_PER_BAR = 8 * (5 + 2)
"""Low, high, close, open interest and crowding in, two sides out: the map itself stays in cache."""
PLAIN_BARS = 400
PASSES = 5
"""Of each of two threads, so that the machine has time to give them two cores."""
AIMS = {"one step": 100.0, "reading after every bar": 700.0}
SYMBOLS, YEARS_OF_BARS = 300, 4 * 365 * 288

Contestant = Callable[[], None]


class Market(NamedTuple):
    open: np.ndarray
    low: np.ndarray
    high: np.ndarray
    close: np.ndarray
    stock: np.ndarray
    crowding: np.ndarray

    def slabs(self) -> Iterator["Market"]:
        for start in range(0, len(self.close), SLAB):
            yield Market(*(field[start : start + SLAB] for field in self))


def market(n_bars: int, seed: int) -> Market:
    rng = np.random.default_rng(seed)
    moves = rng.standard_t(4, n_bars)
    close = 3e4 * np.exp(np.cumsum((moves - moves.mean()) * 0.0005))
    opened = np.concatenate([close[:1], close[:-1]])
    reach = np.exp(np.abs(rng.normal(0.0, 0.0005, (2, n_bars))))
    stock = 1e5 * np.exp(np.cumsum(rng.normal(0.0, 0.0003, n_bars)))
    crowding = np.tanh(np.cumsum(rng.normal(0.0, 0.01, n_bars)))
    high, low = np.maximum(opened, close) * reach[0], np.minimum(opened, close) / reach[1]
    return Market(opened, low, high, close, stock, crowding)


def one_step(bars: Market) -> np.ndarray:
    """The path of one step a bar; entries spread over the bar's range."""
    path = np.empty((6, len(bars.close)))
    for row, prices in enumerate((bars.low, bars.high, bars.close)):
        np.log(prices, out=path[row])
        path[row] *= 1.0 / STEP
    path[3] = 0.5 * (path[0] + path[1])
    path[4], path[5] = bars.stock, bars.crowding
    return path


def three_steps(bars: Market) -> np.ndarray:
    """The path from the open to the nearer end, to the other, to the close."""
    points = np.log(np.stack([bars.open, bars.low, bars.high, bars.close])) * (1.0 / STEP)
    rises = points[3] > points[0]
    first, second = (np.where(rises, points[a], points[b]) for a, b in ((1, 2), (2, 1)))
    starts = np.stack([points[0], first, second], axis=1)
    ends = np.stack([first, second, points[3]], axis=1)
    path = np.empty((6, 3 * len(bars.close)))
    path[0], path[1] = np.minimum(starts, ends).ravel(), np.maximum(starts, ends).ravel()
    path[2], path[3] = ends.ravel(), 0.5 * (starts + ends).ravel()
    path[4], path[5] = np.repeat(bars.stock, 3), np.repeat(bars.crowding, 3)
    return path


class Map:
    """A map that starts empty."""

    def __init__(self) -> None:
        self.mass, self.work, self.steps = np.zeros((LANES, BINS)), np.zeros(WORK_SIZE), 0
        rates = map_rates([MapParameters()], BAR_S)[0]
        self.work[:STATE_SIZE] = fresh_lanes()
        self.work[STATE_SIZE : STATE_SIZE + len(rates)] = rates

    def over(self, path: np.ndarray, read: bool = False) -> None:
        n_steps = path.shape[1]
        at = np.arange(n_steps) if read else np.full(n_steps, -1)
        within = np.zeros((2, n_steps if read else 0, 2, len(EDGES)))
        density = np.empty((2, int(EDGES[-1]) + 3))
        reading = Reading(np.zeros((n_steps, 2)), at, EDGES, within[0], within[1], density)
        run(self.mass, self.work, path, self.steps, reading, None)
        self.steps += n_steps


def walk(bars: Market, prepare: Callable[[Market], np.ndarray], read: bool = False) -> Map:
    """A new map, moved over all bars."""
    one = Map()
    for slab in bars.slabs():
        one.over(prepare(slab), read)
    return one


def plain(bars: Market) -> "PlainMap":
    """The plain map, with as many bins a lane as the kernel has, after all bars."""
    path, work = one_step(bars), Map().work
    lowest = path[0].min()
    distance = work[6 * LANES : 7 * LANES].max()
    slow = PlainMap(work, np.array([[lowest], [lowest + BINS - 4.0 - distance]] * 2))
    for step in path.T:
        slow.step(*step)
    return slow


def check_agreement(bars: Market) -> None:
    fast = walk(bars, one_step)
    np.testing.assert_allclose(fast.work[:LANES], plain(bars).totals(), rtol=1e-9)


def race(contestants: dict[str, Contestant], repeats: int) -> dict[str, float]:
    """Least seconds of each, taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            began = time.perf_counter()
            contestant()
            seconds[name].append(time.perf_counter() - began)
    return {name: min(values) for name, values in seconds.items()}


def measure(n_bars: int, repeats: int) -> dict[str, float]:
    """Nanoseconds per bar of each contestant, and of moving its bytes once."""
    bars, few = market(n_bars, 0), market(PLAIN_BARS, 0)
    fewer = Market(*(field[: n_bars // 4] for field in bars))
    source, target = np.ones(1 << 24), np.ones(1 << 24)
    check_agreement(few)
    with ThreadPoolExecutor(2) as pool:

        def both() -> None:
            list(pool.map(lambda _: [walk(bars, one_step) for _ in range(PASSES)], range(2)))

        contestants: dict[str, tuple[Contestant, float]] = {
            "one step": (lambda: walk(bars, one_step), n_bars),
            "one step, two maps in two threads": (both, 2 * PASSES * n_bars),
            "three steps": (lambda: walk(bars, three_steps), n_bars),
            "reading after every bar": (lambda: walk(fewer, one_step, True), n_bars // 4),
            "plain NumPy, one step": (lambda: plain(few), PLAIN_BARS),
            "bandwidth bound": (
                lambda: np.copyto(target, source),
                2 * source.nbytes / BYTES_PER_BAR,
            ),
        }
        seconds = race({name: one for name, (one, _) in contestants.items()}, repeats)
    return {name: seconds[name] / count * 1e9 for name, (_, count) in contestants.items()}


def as_table(results: dict[str, float]) -> str:
    lines = ["| what | ns per bar | × faster than plain NumPy | aim |", "|---|---|---|---|"]
    slow = results["plain NumPy, one step"]
    for name, ns in results.items():
        aim = f"≤ {AIMS[name]:.0f} ns" if name in AIMS else "–"
        if name == "one step":
            aim += ", ≥ 500x"
        lines.append(f"| {name} | {ns:,.{1 if ns < 10 else 0}f} | {slow / ns:,.0f} | {aim} |")
    return "\n".join(lines)


def at_scale() -> dict[str, float]:
    """Four years of 5-minute bars, symbol by symbol: a symbol's bars are all that is in memory."""
    began, seconds = time.perf_counter(), 0.0
    for symbol in range(SYMBOLS):
        bars = market(YEARS_OF_BARS, symbol)
        start = time.perf_counter()
        walk(bars, one_step)
        seconds += time.perf_counter() - start
        if (symbol + 1) % 10 == 0:
            elapsed = time.perf_counter() - began
            print(f"{symbol + 1} of {SYMBOLS} symbols, {elapsed:.0f} s", file=sys.stderr)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"total_s": time.perf_counter() - began, "maps_s": seconds, "peak_rss_mb": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, default=400_000)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--scale", action="store_true")
    arguments = parser.parse_args()

    scale = at_scale() if arguments.scale else {}  # first: memory is a high-water mark
    results = measure(arguments.bars, arguments.repeats)
    print(f"{arguments.bars:,} bars, least of {arguments.repeats} turns\n")
    print(as_table(results))
    if scale:
        print(
            f"\n{SYMBOLS} symbols × {YEARS_OF_BARS:,} bars: {scale['maps_s']:.1f} s in the maps, "
            f"{scale['total_s']:.1f} s with the making of the bars, "
            f"at most {scale['peak_rss_mb']:.0f} MB"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(results | scale, indent=1) + "\n")


if __name__ == "__main__":
    main()
