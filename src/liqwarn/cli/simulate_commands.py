"""liqwarn simulate: scenarios, the worst plausible shock, the breaker in closed loop."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from liqwarn.cli.app import simulations
from liqwarn.cli.console import emit, progress
from liqwarn.cli.options import Options, StoreOptions, command
from liqwarn.cli.scenario_group import RUN
from liqwarn.errors import ConfigError
from liqwarn.pipelines.closed_loop import ClosedLoopOrder, run_closed_loop
from liqwarn.pipelines.simulate import SimulateOrder, run_simulation
from liqwarn.pipelines.worst_case import WorstCaseOrder, run_worst_case
from liqwarn.reports.simulation_text import closed_loop_text, scenario_text, worst_case_text

__all__: list[str] = []

Scenario = Annotated[Path, typer.Argument(help="Scenario file, as in conf/scenarios.")]
Seed = Annotated[int, typer.Option(help="Of every random choice; the same seed, the same bits.")]
Threads = Annotated[int, typer.Option(help="They change nothing but the time it takes.")]


@dataclass(frozen=True, kw_only=True)
class RunOptions(StoreOptions):
    """Options of ``liqwarn simulate SCENARIO``."""

    scenario: Scenario
    out: Annotated[Path, typer.Option(help="Folder for scenario.json and scenario.html.")]
    paths: Annotated[int, typer.Option(help="Futures to simulate.")] = 10_000
    seed: Seed = 1
    threads: Threads = 2


@command(
    simulations,
    RUN,
    RunOptions,
    example="liqwarn simulate conf/scenarios/crash_2020_03_12.yaml --paths 10000 --seed 1 "
    "--out runs/crash",
)
def simulate(options: RunOptions) -> None:
    """Run a scenario many times; the word "run" may be left out.

    A scenario that starts from a real market reads its panel's store, or its files with --data.
    """
    order = SimulateOrder(
        scenario=options.scenario,
        out=options.out,
        paths=options.paths,
        seed=options.seed,
        threads=options.threads,
        data=options.data,
        store=options.store,
    )
    with progress() as on_progress:
        document = run_simulation(order, now=datetime.now(UTC), on_progress=on_progress)
    text = f"{scenario_text(document)}\npage: {options.out / 'scenario.html'}"
    emit({"out": str(options.out), **document}, as_json=options.json, text=text)


@dataclass(frozen=True, kw_only=True)
class WorstCaseOptions(StoreOptions):
    """Options of ``liqwarn simulate worst-case``."""

    scenario: Scenario
    out: Annotated[Path, typer.Option(help="Folder for worst_case.json and its page.")]
    objective: Annotated[
        Literal["loss", "liquidated"], typer.Option(help="What is to be as large as it can get.")
    ] = "loss"
    radii: Annotated[
        str,
        typer.Option(
            help="Sizes of shock, with commas: Mahalanobis distances of the joint move of a day. "
            "An ordinary day of n symbols is about the root of n out."
        ),
    ] = "1,2,3,4"
    paths: Annotated[int, typer.Option(help="Futures for each shock that is tried.")] = 24
    evaluations: Annotated[int, typer.Option(help="Shocks tried at each radius.")] = 300
    depth_min: Annotated[
        float, typer.Option(help="Least factor on makers' depth that a shock may bring.")
    ] = 0.3
    haircut_max: Annotated[
        float, typer.Option(help="Largest haircut on collateral that a shock may bring.")
    ] = 0.1
    seed: Seed = 1
    threads: Threads = 2

    def sizes(self) -> tuple[float, ...]:
        """The radii as numbers."""
        try:
            return tuple(float(part) for part in self.radii.split(","))
        except ValueError as error:
            raise ConfigError(f"radii are '{self.radii}', expected as in 1,2.5,4") from error


@command(
    simulations,
    "worst-case",
    WorstCaseOptions,
    example="liqwarn simulate worst-case conf/scenarios/calm.yaml --radii 1,2,3 --out runs/worst",
)
def worst_case(options: WorstCaseOptions) -> None:
    """Search for the plausible shock that does most damage from a scenario's first moment."""
    order = WorstCaseOrder(
        scenario=options.scenario,
        out=options.out,
        objective=options.objective,
        radii=options.sizes(),
        seed=options.seed,
        threads=options.threads,
        paths=options.paths,
        evaluations=options.evaluations,
        depth_min=options.depth_min,
        haircut_max=options.haircut_max,
        data=options.data,
        store=options.store,
    )
    with progress() as on_progress:
        document = run_worst_case(order, now=datetime.now(UTC), on_progress=on_progress)
    text = f"{worst_case_text(document)}\npage: {options.out / 'worst_case.html'}"
    emit({"out": str(options.out), **document}, as_json=options.json, text=text)


@dataclass(frozen=True, kw_only=True)
class ClosedLoopOptions(Options):
    """Options of ``liqwarn simulate closed-loop``."""

    out: Annotated[Path, typer.Option(help="Folder for closed_loop.json and its page.")]
    seeds: Annotated[int, typer.Option(help="Simulated markets, from seed 1 on.")] = 20
    days: Annotated[int, typer.Option(help="Length of each.")] = 30
    phi: Annotated[float, typer.Option(help="Share of the market that obeys, 0 to 1.")] = 0.5
    delay: Annotated[
        int, typer.Option(help="Minutes from a decision to its effect, a multiple of 15.")
    ] = 15
    policy: Annotated[Path, typer.Option(help="Policy of the breaker.")] = Path("conf/policy.yaml")
    threads: Threads = 2


@command(
    simulations,
    "closed-loop",
    ClosedLoopOptions,
    example="liqwarn simulate closed-loop --seeds 20 --phi 0.5 --out runs/loop",
)
def closed_loop(options: ClosedLoopOptions) -> None:
    """Let the breaker act on those who obey it, and compare it with other breakers and none."""
    order = ClosedLoopOrder(
        out=options.out,
        policy=options.policy,
        seeds=options.seeds,
        days=options.days,
        phi=options.phi,
        delay_min=options.delay,
        threads=options.threads,
    )
    with progress() as on_progress:
        document = run_closed_loop(order, on_progress=on_progress)
    text = f"{closed_loop_text(document)}\npage: {options.out / 'closed_loop.html'}"
    emit({"out": str(options.out), **document}, as_json=options.json, text=text)
