"""The breaker in closed loop with the simulated market, beside what else might have been done."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from liqwarn import __version__
from liqwarn.config import load_policy
from liqwarn.durable import write_bytes, write_json
from liqwarn.errors import ConfigError
from liqwarn.pipelines.loop_score import LoopScore, fit_score, run_free
from liqwarn.pipelines.loop_seed import LoopSetting, SeedResult, run_seed
from liqwarn.pipelines.loop_summary import summary_of
from liqwarn.pipelines.outputs import faults_of_out
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.reports.simulation_page import render_closed_loop
from liqwarn.simulation.loop_market import loop_config, prepare
from liqwarn.simulation.restraint import Obedience

__all__ = ["SCHEMA", "ClosedLoopOrder", "run_closed_loop"]

SCHEMA: Final = "liqwarn.closed_loop/1"
BAR_MIN: Final = 15
"""Decisions are taken every quarter of an hour."""

PILOTS: Final = (1_000_003, 1_000_033, 1_000_037)
"""Seeds of the markets on which the score is fitted; no arm is measured on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLoopOrder:
    """What to run.

    Attributes
    ----------
    out : Path
        Folder for ``closed_loop.json`` and its page.
    policy : Path
        The breaker's policy.
    seeds : int
        Markets, from seed 1 on.
    days : int
        Length of each, after twenty days of warm-up.
    phi : float
        Share of the market that obeys.
    delay_min : int
        Minutes from a decision to the first order that obeys it, beyond the next quarter of an
        hour.
    target_auc : float
        Highest ROC-AUC of the score on the pilots: noise is added where it is above.
    cut_per_h : float
        Share of what exceeds the allowed leverage that the obedient put right in an hour; 0: limits
        bind new positions alone, as a flag's do.
    threads : int
        Processes; the figures do not depend on them.

    Raises
    ------
    ConfigError
        Naming every fault.
    """

    out: Path
    policy: Path = Path("conf/policy.yaml")
    seeds: int = 20
    days: int = 30
    phi: float = 0.5
    delay_min: int = 15
    target_auc: float = 0.80
    cut_per_h: float = 0.9
    threads: int = 1

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {found}, expected {low} to {high}"
            for name, found, low, high in (
                ("seeds", self.seeds, 1, 10_000),
                ("days", self.days, 2, 365),
                ("phi", self.phi, 0.0, 1.0),
                ("delay_min", self.delay_min, 0, 1_440),
                ("target_auc", self.target_auc, 0.5, 1.0),
                ("cut_per_h", self.cut_per_h, 0.0, 0.999),
                ("threads", self.threads, 1, 256),
            )
            if not low <= found <= high
        ]
        if self.delay_min % BAR_MIN:
            faults.append(f"delay_min is {self.delay_min}, expected a multiple of {BAR_MIN}")
        if faults:
            raise ConfigError("closed loop: " + "; ".join(faults))

    @property
    def obedience(self) -> Obedience:
        """Who obeys, and how."""
        return Obedience(phi=self.phi, cut_per_h=self.cut_per_h)


def run_closed_loop(order: ClosedLoopOrder, *, on_progress: OnProgress = silent) -> dict[str, Any]:
    """Run every arm on every seed, write ``closed_loop.json`` and its page.

    Returns
    -------
    dict
        The document.
    """
    faults = list(faults_of_out(order.out))
    if faults:
        raise ConfigError("\n".join(faults))
    setting = LoopSetting(
        days=order.days,
        delay_min=order.delay_min,
        obedience=order.obedience,
        policy=load_policy(order.policy),
        score=_score(order, on_progress),
    )
    results = sorted(_all_seeds(order, setting, on_progress), key=lambda one: one.seed)
    policy = setting.policy
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "seeds": order.seeds,
        "phi": order.phi,
        "days": order.days,
        "delay_min": order.delay_min,
        "policy": {"version": policy.version, "sha256": policy.sha256},
        **summary_of(results, noise=setting.score.noise.tolist()),
    }
    write_json(order.out / "closed_loop.json", document)
    page = render_closed_loop(document)
    write_bytes(order.out / "closed_loop.html", page.encode())
    return document


def _score(order: ClosedLoopOrder, on_progress: OnProgress) -> LoopScore:
    runs = []
    for done, seed in enumerate(PILOTS):
        on_progress("pilot markets", done, len(PILOTS))
        runs.append(run_free(prepare(loop_config(max(order.days, 30)), seed, order.obedience)))
    on_progress("pilot markets", len(PILOTS), len(PILOTS))
    return fit_score(runs, order.target_auc)


def _all_seeds(
    order: ClosedLoopOrder, setting: LoopSetting, on_progress: OnProgress
) -> Iterator[SeedResult]:
    seeds = range(1, order.seeds + 1)
    on_progress("markets", 0, order.seeds)
    if order.threads == 1:
        for done, seed in enumerate(seeds):
            yield run_seed(setting, seed)
            on_progress("markets", done + 1, order.seeds)
        return
    with ProcessPoolExecutor(order.threads, multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(run_seed, setting, seed) for seed in seeds]
        for done, job in enumerate(as_completed(jobs)):
            yield job.result()
            on_progress("markets", done + 1, order.seeds)
