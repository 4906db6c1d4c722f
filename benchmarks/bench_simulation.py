"""The simulator's many futures beside the same rules in plain NumPy.

    python benchmarks/bench_simulation.py [--paths N] [--hours N] [--repeats N] [--json FILE]

Millions of path-symbol-steps a second: every path, every symbol, every step, its random numbers and
the copying of the start included. The contestants take turns; figures are medians over turns, and
ratios are medians of the turns' own ratios, in CPU time because machines are busy. What a second
thread brings is a matter of wall clock; beside it stands what it costs in CPU time, which shows
whether the threads are in each other's way (1.0: not at all). The plain version runs 512 paths at
a time, and as many as suit it best; it is checked to agree first. Plain NumPy has one thread; two
compiled ones stand against it by the wall clock, which means something on a quiet machine only.
"""

import argparse
import json
import runpy
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from liqwarn.config import load_scenario
from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.futures import PathOrder, drivers_of, simulate_futures
from liqwarn.simulation.layout import CHANNELS
from liqwarn.simulation.monte_carlo import Drivers, new_futures, run_paths
from liqwarn.simulation.opening import Opening, synthetic_opening
from liqwarn.simulation.plan import Plan, market_of, plan_of
from liqwarn.simulation.rules import rules_of
from liqwarn.simulation.scenario import Scenario

ROOT = Path(__file__).parents[1]
ORACLE = runpy.run_path(str(ROOT / "benchmarks" / "simulation_oracle.py"))
SCENARIOS = ROOT / "conf" / "scenarios"
CANDIDATES = (512, 1024, 2048, 4096)
"""Paths at a time of the plain version."""
MEMORY = 2**31
"""Bytes that its rings may take."""
FEWEST = CANDIDATES[0]
FASTER, SCALING = 10.0, 1.8
ONE, TWO = "compiled, 1 thread", "compiled, 2 threads"

Contestant = Callable[[], None]


class Work(NamedTuple):
    """One market's futures."""

    start: Opening
    plan: Plan
    drivers: Drivers

    @property
    def steps(self) -> int:
        """Of all symbols, in one path."""
        return int(self.plan.news.size)

    def compiled(self, paths: int, threads: int) -> None:
        simulate_futures(self.start, self.plan, PathOrder(paths=paths, threads=threads, kept=0))

    def plain(self, paths: int) -> Any:  # noqa: ANN401 - the oracle is loaded by its path
        rules = rules_of(self.start.config)
        market = ORACLE["Market"](rules, self.start.books, self.drivers, self.plan, (0, paths))
        return ORACLE["simulate"](market)


def work_of(scenario: Scenario) -> Work:
    config = market_of(scenario, DEFAULT_SPECS)
    plan, start = plan_of(scenario, config), synthetic_opening(config, scenario.start)
    return Work(start, plan, drivers_of(start, plan, 1))


def check_agreement(work: Work, paths: int = 16) -> None:
    config = work.start.config
    compiled = new_futures((paths, len(config.specs), len(CHANNELS)), config.n_bars, 0)
    run_paths(rules_of(config), work.start.books, work.drivers, work.plan, compiled, (0, paths))
    np.testing.assert_allclose(work.plain(paths).end, compiled.end, rtol=1e-9)


class Turn(NamedTuple):
    """Seconds per path-symbol-step."""

    wall: float
    cpu: float


def turn(contestant: Contestant, count: int) -> Turn:
    wall, cpu = time.perf_counter(), time.process_time()
    contestant()
    return Turn((time.perf_counter() - wall) / count, (time.process_time() - cpu) / count)


def best_paths(work: Work) -> int:
    """How many paths at a time suit the plain version."""
    ring = work.start.books.ring.nbytes
    sizes = [n for n in CANDIDATES if n == FEWEST or n * ring <= MEMORY]
    return min(sizes, key=lambda n: turn(lambda: work.plain(n), n).cpu)


def race(work: Work, paths: int, repeats: int) -> dict[str, list[Turn]]:
    """Turn by turn."""
    crowd = best_paths(work)
    contestants: dict[str, tuple[Contestant, int]] = {
        ONE: (lambda: work.compiled(paths, 1), paths),
        TWO: (lambda: work.compiled(2 * paths, 2), 2 * paths),
        f"plain NumPy, {FEWEST} paths at a time": (lambda: work.plain(FEWEST), FEWEST),
        f"plain NumPy, {crowd:,} paths at a time (its best)": (lambda: work.plain(crowd), crowd),
    }
    turns: dict[str, list[Turn]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, (contestant, count) in contestants.items():
            turns[name].append(turn(contestant, count * work.steps))
    return turns


class Result(NamedTuple):
    """Medians over the turns."""

    speeds: dict[str, float]  # path-symbol-steps a CPU second
    ratios: dict[str, float]  # of the speed of one compiled thread over it, CPU time
    two: dict[str, float]  # of the speed of two compiled threads over it, wall clock
    scaling: float  # of speed by the wall clock, with two threads
    toll: float  # CPU time of a step with two threads over that with one


def measure(work: Work, paths: int, repeats: int) -> Result:
    check_agreement(work)
    work.compiled(64, 2)
    turns = race(work, paths, repeats)

    def middle(pairs: Iterable[float]) -> float:
        return statistics.median(pairs)

    both = list(zip(turns[ONE], turns[TWO], strict=True))
    return Result(
        {name: 1.0 / middle(one.cpu for one in values) for name, values in turns.items()},
        {
            name: middle(b.cpu / a.cpu for a, b in zip(turns[ONE], values, strict=True))
            for name, values in turns.items()
        },
        {
            name: middle(b.wall / a.wall for a, b in zip(turns[TWO], values, strict=True))
            for name, values in turns.items()
        },
        middle(one.wall / two.wall for one, two in both),
        middle(two.cpu / one.cpu for one, two in both),
    )


def as_table(results: dict[str, Result]) -> str:
    lines = [
        (
            "| market | what | M path-symbol-steps a CPU second "
            "| 1 compiled thread is × as fast | 2 threads, wall clock |"
        ),
        "|---|---|---|---|---|",
    ]
    for market, result in results.items():
        for name, speed in result.speeds.items():
            one, two = (
                f"{found[name]:.1f}" if "plain" in name else ""
                for found in (result.ratios, result.two)
            )
            lines.append(f"| {market} | {name} | {speed / 1e6:.2f} | {one} | {two} |")
    lines.append("")
    for market, result in results.items():
        lines.append(
            f"{market}: 2 threads are {result.scaling:.2f} times as fast by the wall clock (aim "
            f"{SCALING}, on a quiet machine) and take {result.toll:.2f} of the CPU time a step"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paths", type=int, default=2_048, help="of 12 symbols, compiled")
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    calm = load_scenario(SCENARIOS / "calm.yaml")
    calm = replace(calm, horizon=timedelta(hours=arguments.hours))
    paths = arguments.paths
    results = {
        "12 symbols, calm": measure(work_of(calm), paths, arguments.repeats),
        "1 symbol, calm": measure(
            work_of(replace(calm, symbols=("BTCUSDT",))), 12 * paths, arguments.repeats
        ),
    }
    print(f"{arguments.hours} hours of 1-minute steps, medians of {arguments.repeats} turns\n")
    print(as_table(results))
    if arguments.json:
        plain = {name: result._asdict() for name, result in results.items()}
        arguments.json.write_text(json.dumps(plain, indent=1) + "\n")
    for market, result in results.items():
        found = min(ratio for name, ratio in result.two.items() if "plain" in name)
        told = "reached" if found >= FASTER else "missed"
        print(f"{market}: {FASTER:.0f} times plain NumPy at its best, with two threads: {told}")


if __name__ == "__main__":
    main()
