"""The breaker in closed loop with the simulated market, beside what else might have been done."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn import __version__
from liqwarn.config import load_policy
from liqwarn.durable import write_bytes, write_json
from liqwarn.errors import ConfigError
from liqwarn.frames import FloatArray
from liqwarn.pipelines.loop_breaker import BreakerArm
from liqwarn.pipelines.loop_score import LoopScore, auc, fit_score, run_free
from liqwarn.pipelines.loop_summary import summary_of
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.policy.tiers import Policy
from liqwarn.reports.simulation_page import render_closed_loop
from liqwarn.simulation.loop_arms import (
    Arm,
    Free,
    PriceLine,
    VolTarget,
    matching_target,
    realised_volatility,
)
from liqwarn.simulation.loop_events import cascading, onsets
from liqwarn.simulation.loop_market import LoopMarket, LoopRun, loop_config, prepare
from liqwarn.simulation.loop_metrics import Restrictions, measure
from liqwarn.simulation.restraint import Obedience

__all__ = ["ARMS", "SCHEMA", "ClosedLoopOrder", "SeedResult", "run_closed_loop", "run_seed"]

SCHEMA: Final = "liqwarn.closed_loop/1"
ARMS: Final = ("none", "breaker", "price_line", "vol_target")
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
        ROC-AUC of the score: how much worse than the truth it is made.
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
                ("threads", self.threads, 1, 256),
            )
            if not low <= found <= high
        ]
        if faults:
            raise ConfigError("closed loop: " + "; ".join(faults))

    @property
    def obedience(self) -> Obedience:
        """Nobody obeying is as good as one in a million."""
        return Obedience(phi=max(self.phi, 1e-6))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult:
    """One market under every arm.

    Attributes
    ----------
    seed, events : int
        Seed, and cascades without restrictions.
    metrics : dict of (arm, anticipated) to dict of metric to float
    tiers : dict of anticipated to dict of tier to share of time
    auc : dict of side to float
        Of the breaker's score, on this market.
    """

    seed: int
    events: int
    metrics: dict[tuple[str, bool], dict[str, float]]
    tiers: dict[bool, dict[str, float]]
    auc: dict[str, float]


def run_closed_loop(order: ClosedLoopOrder, *, on_progress: OnProgress = silent) -> dict[str, Any]:
    """Run every arm on every seed, write ``closed_loop.json`` and its page.

    Returns
    -------
    dict
        The document.
    """
    policy = load_policy(order.policy)
    score = _score(order, on_progress)
    results = sorted(_all_seeds(order, policy, score, on_progress), key=lambda one: one.seed)
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "seeds": order.seeds,
        "phi": order.phi,
        "days": order.days,
        "delay_min": order.delay_min,
        "policy": {"version": policy.version, "sha256": policy.sha256},
        **summary_of(results, noise=score.noise.tolist()),
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
    order: ClosedLoopOrder, policy: Policy, score: LoopScore, on_progress: OnProgress
) -> Iterator[SeedResult]:
    seeds = range(1, order.seeds + 1)
    on_progress("markets", 0, order.seeds)
    if order.threads == 1:
        for done, seed in enumerate(seeds):
            yield run_seed(order, policy, score, seed)
            on_progress("markets", done + 1, order.seeds)
        return
    with ProcessPoolExecutor(order.threads) as pool:
        jobs = [pool.submit(run_seed, order, policy, score, seed) for seed in seeds]
        for done, job in enumerate(as_completed(jobs)):
            yield job.result()
            on_progress("markets", done + 1, order.seeds)


def run_seed(order: ClosedLoopOrder, policy: Policy, score: LoopScore, seed: int) -> SeedResult:
    """One market under every arm, with and without anticipation."""
    config = loop_config(order.days)
    market = prepare(config, seed, order.obedience)
    free = run_free(market)
    flags = cascading(config, free.record, slice(market.lead, market.lead + config.n_bars))
    found = onsets(config, flags)
    delay = round(order.delay_min * 60.0 / config.bar.total_seconds())
    nobody = Restrictions(
        entry=np.ones((config.n_bars, len(config.specs), 2)),
        leverage=np.ones((config.n_bars, len(config.specs), 2)),
    )
    metrics = {("none", told): measure(free, free, found, nobody) for told in (False, True)}
    breakers = {
        told: BreakerArm(market=market, policy=policy, score=score, delay=delay, anticipated=told)
        for told in (False, True)
    }
    run, imposed = _under(market, breakers[False])
    metrics["breaker", False] = measure(run, free, found, imposed)
    target = matching_target(_volatility(free), imposed.exposure)
    arms: list[tuple[str, bool, Arm]] = [("breaker", True, breakers[True])]
    for told in (False, True):
        arms.append(("price_line", told, PriceLine.of(config, anticipated=told)))
        arms.append(("vol_target", told, VolTarget(config, target, told)))
    for name, told, arm in arms:
        run, imposed = _under(market, arm)
        metrics[name, told] = measure(run, free, found, imposed)
    return SeedResult(
        seed=seed,
        events=len(found),
        metrics=metrics,
        tiers={told: _tiers(arm) for told, arm in breakers.items()},
        auc=_skill(breakers[False], flags),
    )


def _under(market: LoopMarket, arm: Arm) -> tuple[LoopRun, Restrictions]:
    """A run under an arm: it decides after each bar for the next one."""
    run, config = market.start(), market.config
    shape = (config.n_bars, len(config.specs), 2)
    entry, leverage = np.ones(shape), np.ones(shape)
    told = Free().decide(run)
    for bar in range(config.n_bars):
        entry[bar], leverage[bar] = told.entry, told.leverage
        run.advance(told)
        told = arm.decide(run)
    return run, Restrictions(entry=entry, leverage=leverage)


def _volatility(free: LoopRun) -> FloatArray:
    """Realised volatility of a free run, hour by hour."""
    config, lead = free.market.config, free.market.lead
    closes = free.record.prices[3]
    every = round(1.0 / config.bar_h)
    rows = range(lead, lead + config.n_bars, every)
    return np.array([realised_volatility(config, closes[:, : row + 1]) for row in rows])


def _tiers(arm: BreakerArm) -> dict[str, float]:
    tiers = np.array(arm.tiers)
    return {f"T{k}": float((tiers == k).mean()) for k in range(1, 5)}


def _skill(arm: BreakerArm, flags: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, float]:
    """ROC-AUC of the score as the breaker saw it, outside of running cascades."""
    config = arm.market.config
    ahead = round(4.0 / config.bar_h)
    scores = np.array(arm.probabilities).transpose(1, 0, 2)
    out = {}
    for side, name in enumerate(("long", "short")):
        coming = np.stack(
            [
                flags[:, bar + 1 : bar + 1 + ahead, side].any(axis=1)
                for bar in range(config.n_bars - ahead)
            ],
            axis=1,
        )
        calm = ~flags[:, : config.n_bars - ahead].any(axis=2)
        out[name] = auc(coming[calm].astype(float), scores[:, : config.n_bars - ahead, side][calm])
    return out
