"""Many futures from one opening, on any number of threads: the bits depend on the seed alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

from liqwarn.errors import ConfigError
from liqwarn.simulation.layout import CHANNELS
from liqwarn.simulation.monte_carlo import Drivers, Futures, new_futures, run_paths
from liqwarn.simulation.opening import Opening
from liqwarn.simulation.paths import decay
from liqwarn.simulation.plan import Plan
from liqwarn.simulation.rules import rules_of

__all__ = ["KEPT_PATHS", "PathOrder", "drivers_of", "simulate_futures"]

KEPT_PATHS = 2_000
"""Paths whose every bar is kept, so that memory does not grow with their number."""

KEPT_BYTES = 2**28
"""What the bars of the kept paths may take; fewer are kept where bars are many."""

CHUNK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PathOrder:
    """How many futures.

    Attributes
    ----------
    paths : int
        At least 1.
    seed : int
        0 to 2^63 - 1.
    threads : int
        Changes nothing but the time it takes.
    kept : int
        Of how many paths every bar is kept.

    Raises
    ------
    ConfigError
        Naming every fault.
    """

    paths: int
    seed: int = 1
    threads: int = 1
    kept: int = KEPT_PATHS

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {found}, expected {low} to {high}"
            for name, found, low, high in (
                ("paths", self.paths, 1, 1_000_000),
                ("seed", self.seed, 0, 2**63 - 1),
                ("threads", self.threads, 1, 256),
                ("kept", self.kept, 0, 100_000),
            )
            if not low <= found <= high
        ]
        if faults:
            raise ConfigError("; ".join(faults))


def drivers_of(opening: Opening, plan: Plan, seed: int) -> Drivers:
    """What moves the market besides the plan.

    The worse direction of a symbol is the one its planned news go; down where there are none.
    """
    config = opening.config
    sectors = sorted({spec.sector for spec in config.specs})
    beta = np.array([spec.beta for spec in config.specs])
    sector_beta = np.array([spec.sector_beta for spec in config.specs])
    hourly = np.array([spec.volatility for spec in config.specs])
    rules = config.volatility
    left = decay(rules.fast_half_life_h / config.bar_h)
    return Drivers(
        seed=seed,
        std=hourly * np.sqrt(config.step_h) * opening.activity,
        activity=opening.activity.astype(np.float64),
        loadings=np.stack([beta, sector_beta, np.sqrt(1.0 - beta**2 - sector_beta**2)], axis=1),
        sector=np.array([sectors.index(spec.sector) for spec in config.specs]),
        n_sectors=len(sectors),
        volatility_left=left,
        volatility_std=rules.fast_std * float(np.sqrt(1.0 - left**2)),
        depth=opening.depth,
        appetite=opening.appetite,
        mood=opening.mood,
        direction=np.where(plan.news.sum(axis=1) > 0.0, 1.0, -1.0),
    )


def simulate_futures(
    opening: Opening,
    plan: Plan,
    order: PathOrder,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Futures:
    """Run the futures of an opening.

    Returns
    -------
    Futures
        Rows in the order of path numbers; equal for equal seeds, whatever the threads.
    """
    config = opening.config
    shape = (order.paths, len(config.specs), len(CHANNELS))
    fits = KEPT_BYTES // (8 * len(config.specs) * config.n_bars)
    futures = new_futures(shape, config.n_bars, max(1, min(order.kept, fits)) if order.kept else 0)
    rules, drivers = rules_of(config), drivers_of(opening, plan, order.seed)
    spans = [(a, min(a + CHUNK, order.paths)) for a in range(0, order.paths, CHUNK)]
    with ThreadPoolExecutor(order.threads) as pool:
        jobs = {
            pool.submit(run_paths, rules, opening.books, drivers, plan, futures, span): span
            for span in spans
        }
        done = 0
        for job in as_completed(jobs):
            job.result()
            done += jobs[job][1] - jobs[job][0]
            if on_progress is not None:
                on_progress(done, order.paths)
    return futures
