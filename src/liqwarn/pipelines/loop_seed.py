"""One simulated market under every arm: nobody, the breaker, a price line, volatility control."""

from dataclasses import dataclass

import numpy as np

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.pipelines.loop_breaker import BreakerArm
from liqwarn.pipelines.loop_score import LoopScore, auc, run_free
from liqwarn.policy.tiers import Policy
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.loop_arms import (
    VOLATILITY_H,
    Arm,
    Free,
    PriceLine,
    VolTarget,
    matching_target,
)
from liqwarn.simulation.loop_events import cascading, onsets, realised_volatility
from liqwarn.simulation.loop_market import LoopMarket, LoopRun, loop_config, prepare
from liqwarn.simulation.loop_metrics import Restrictions, measure
from liqwarn.simulation.restraint import Obedience

__all__ = ["LoopSetting", "SeedResult", "run_seed", "run_under"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoopSetting:
    """What all seeds have in common.

    Attributes
    ----------
    days, delay_min : int
        Length of a run; minutes from a decision to the first order that obeys it.
    obedience : Obedience
    policy : Policy
        The breaker's.
    score : LoopScore
    """

    days: int
    delay_min: int
    obedience: Obedience
    policy: Policy
    score: LoopScore


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult:
    """One market under every arm.

    Attributes
    ----------
    seed, events : int
        Seed, and cascades under any of the arms.
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


def run_seed(setting: LoopSetting, seed: int) -> SeedResult:
    """One market under every arm, with and without anticipation.

    Every arm is measured on the cascades of all of them, so that none is favoured by where one
    looks.
    """
    config = loop_config(setting.days)
    market = prepare(config, seed, setting.obedience)
    free = run_free(market)
    delay = round(setting.delay_min * 60.0 / config.bar.total_seconds())
    breakers = {
        told: BreakerArm(
            market=market,
            policy=setting.policy,
            score=setting.score,
            delay=delay,
            anticipated=told,
        )
        for told in (False, True)
    }
    ran = {("none", told): (free, _nobody(config)) for told in (False, True)}
    ran["breaker", False] = run_under(market, breakers[False])
    target = matching_target(_volatility(free), ran["breaker", False][1].exposure)
    arms: list[tuple[str, bool, Arm]] = [("breaker", True, breakers[True])]
    for told in (False, True):
        arms.append(("price_line", told, PriceLine.of(config, anticipated=told)))
        arms.append(("vol_target", told, VolTarget(config, target, told)))
    for name, told, arm in arms:
        ran[name, told] = run_under(market, arm)
    rows = slice(market.lead, market.lead + config.n_bars)
    flags = {key: cascading(config, run.record, rows) for key, (run, _) in ran.items()}
    found = onsets(config, np.any(list(flags.values()), axis=0))
    metrics = {key: measure(run, free, found, imposed) for key, (run, imposed) in ran.items()}
    for key, one in flags.items():
        metrics[key]["cascades"] = float(len(onsets(config, one)))
    return SeedResult(
        seed=seed,
        events=len(found),
        metrics=metrics,
        tiers={told: _tiers(arm) for told, arm in breakers.items()},
        auc=_skill(breakers[False], flags["breaker", False]),
    )


def _nobody(config: MarketConfig) -> Restrictions:
    shape = (config.n_bars, len(config.specs), 2)
    return Restrictions(entry=np.ones(shape), leverage=np.ones(shape))


def run_under(market: LoopMarket, arm: Arm) -> tuple[LoopRun, Restrictions]:
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
    return np.array(
        [realised_volatility(config, closes[:, : row + 1], VOLATILITY_H) for row in rows]
    )


def _tiers(arm: BreakerArm) -> dict[str, float]:
    tiers = np.array(arm.tiers)
    return {f"T{k}": float((tiers == k).mean()) for k in range(1, 5)}


def _skill(arm: BreakerArm, flags: BoolArray) -> dict[str, float]:
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
        rows = range(config.n_bars - ahead)
        calm = np.stack(
            [~flags[:, max(0, bar - ahead // 2) : bar + 1].any(axis=(1, 2)) for bar in rows], axis=1
        )
        out[name] = auc(coming[calm].astype(float), scores[:, : config.n_bars - ahead, side][calm])
    return out
