"""A scenario from its file to its results: many futures, contagion, a document and a page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from liqwarn import __version__
from liqwarn.config import config_sha256, load_scenario
from liqwarn.durable import write_bytes, write_json
from liqwarn.errors import ConfigError
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.scenario_start import Start, open_start
from liqwarn.reports.simulation_page import render_scenario
from liqwarn.simulation.contagion import measure_contagion
from liqwarn.simulation.futures import PathOrder, simulate_futures
from liqwarn.simulation.monte_carlo import Futures
from liqwarn.simulation.outcome import fan_of, symbol_results, total_of
from liqwarn.simulation.plan import plan_of
from liqwarn.simulation.scenario import Scenario, plain_shock

__all__ = ["SimulateOrder", "run_simulation"]

SCHEMA: Final = "liqwarn.scenario_result/1"
CONTAGION_PATHS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOrder:
    """What to simulate, and where to write it.

    Attributes
    ----------
    scenario : Path
        Scenario file.
    out : Path
        Folder of ``scenario.json`` and ``scenario.html``.
    paths, seed, threads : int
        As in :class:`~liqwarn.simulation.futures.PathOrder`.
    data, store : Path or None
        Provider files and store, for a scenario that starts from a real market.
    """

    scenario: Path
    out: Path
    paths: int = 10_000
    seed: int = 1
    threads: int = 1
    data: Path | None = None
    store: Path | None = None


def run_simulation(
    order: SimulateOrder, *, now: datetime, on_progress: OnProgress = silent
) -> dict[str, Any]:
    """Run a scenario and write its results.

    Parameters
    ----------
    order : SimulateOrder
        What to run; equal orders write equal bytes, whatever their threads.
    now : datetime
        For what is read into a store; it changes no result.
    on_progress : OnProgress
        Told of the stages.

    Returns
    -------
    dict
        The document, schema ``liqwarn.scenario_result/1``.

    Raises
    ------
    ConfigError
        Naming every fault of the order and of the scenario, before anything is written.
    """
    scenario, paths = _checked(order)
    start = open_start(
        scenario, data=order.data, store=order.store, now=now, on_progress=on_progress
    )
    opening = start.opening
    futures = simulate_futures(
        opening,
        plan_of(scenario, opening.config),
        paths,
        on_progress=lambda done, total: on_progress("simulate paths", done, total),
    )
    contagion = measure_contagion(
        opening,
        PathOrder(paths=CONTAGION_PATHS, seed=order.seed, threads=order.threads),
        on_progress=lambda done, total: on_progress("contagion", done, total),
    )
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "scenario": _scenario_part(scenario, order.scenario),
        **_results(scenario, start, paths, futures),
        "contagion": contagion.to_dict(),
        "fan": fan_of(opening, futures),
    }
    write_json(order.out / "scenario.json", document)
    write_bytes(order.out / "scenario.html", render_scenario(document).encode())
    return document


def _checked(order: SimulateOrder) -> tuple[Scenario, PathOrder]:
    """The scenario and the paths, or every fault of both."""
    faults, scenario, paths = [], None, None
    try:
        scenario = load_scenario(order.scenario)
    except ConfigError as error:
        faults.append(str(error))
    try:
        paths = PathOrder(paths=order.paths, seed=order.seed, threads=order.threads)
    except ConfigError as error:
        faults.append(str(error))
    faults += faults_of_out(order.out)
    if scenario is None or paths is None or faults:
        raise ConfigError("\n".join(faults))
    return scenario, paths


def _scenario_part(scenario: Scenario, file: Path) -> dict[str, str]:
    return {
        "name": scenario.name,
        "title": scenario.title,
        "description": scenario.description,
        "sha256": config_sha256(file),
    }


def _results(
    scenario: Scenario, start: Start, paths: PathOrder, futures: Futures
) -> dict[str, Any]:
    return {
        "market": start.market,
        "seed": paths.seed,
        "paths": paths.paths,
        "diverged": int(futures.diverged.sum()),
        "horizon_h": scenario.horizon / timedelta(hours=1),
        "step_s": scenario.step // timedelta(seconds=1),
        "symbols": list(start.opening.config.symbols),
        "initial": start.to_dict(),
        "shocks": [plain_shock(shock) for shock in scenario.shocks],
        "symbols_results": symbol_results(start.opening, futures),
        "total": total_of(start.opening, futures),
    }
