"""A seeded market in which liquidation cascades arise by themselves."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from liqwarn.frames import FloatArray, MarketFrame, bar_times
from liqwarn.simulation.climate import draw_climate
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.engine import run
from liqwarn.simulation.observables import Truth, observe
from liqwarn.simulation.shocks import Shocks, draw_shocks
from liqwarn.simulation.state import (
    Record,
    State,
    World,
    new_record,
    new_state,
    rules_of,
)

__all__ = ["GroundTruth", "SimulatedMarket", "simulate_market"]

WARM_UP = timedelta(days=30)  # until the cohorts carry no trace of how they were started


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundTruth:
    """What no data source would tell, beside the frame and on its axes.

    Attributes
    ----------
    liquidated_usd : ndarray, shape (n_symbols, n_bars, 2)
        Forced closes by side (order of :data:`liqwarn.frames.SIDES`), all of them.
    exogenous, endogenous : ndarray, shape (n_symbols, n_bars)
        Parts of the bar's log return: news, and everything that followed from it (forced flow,
        rebound, thin books, contagion). They sum to ``log(close / open)``.
    near_coins : ndarray, shape (n_symbols, n_bars, 2, 5)
        Coins that would be liquidated by a move of 0–1, 1–2, 2–3, 3–5, 5–10 % against the side.
    cohort_coins : ndarray, shape (n_symbols, n_bars, 2)
        Sum of all cohorts of a side; equal to the open interest on both.
    crowding : ndarray, shape (n_symbols, n_bars)
        Positive: longs are crowded.
    """

    liquidated_usd: FloatArray
    exogenous: FloatArray
    endogenous: FloatArray
    near_coins: FloatArray
    cohort_coins: FloatArray
    crowding: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedMarket:
    """A market frame, its ground truth, and what it was made from."""

    config: MarketConfig
    seed: int
    frame: MarketFrame
    truth: GroundTruth


def simulate_market(config: MarketConfig, seed: int) -> SimulatedMarket:
    """Simulate a market; equal arguments give equal bits.

    Parameters
    ----------
    config : MarketConfig
        Symbols, length and behaviour.
    seed : int
        At least 0.

    Examples
    --------
    >>> market = simulate_market(MarketConfig(n_bars=48), seed=1)
    >>> market.frame.shape, float(market.frame.field("funding_interval_h")[0, 0])
    ((10, 48), 8.0)
    """
    lead = WARM_UP // config.bar
    longer = replace(config, n_bars=config.n_bars + lead, start=config.start - lead * config.bar)
    shocks = draw_shocks(longer, seed)
    record, _ = _advance(longer, seed, shocks)
    coins = rules_of(config).open_interest[:, None]
    fields = observe(longer, seed, Truth(record=record, shocks=shocks, open_interest=coins))
    kept = {name: np.ascontiguousarray(plane[:, lead:]) for name, plane in fields.items()}
    return SimulatedMarket(
        config=config, seed=seed, frame=_frame(config, kept), truth=_truth(record, lead)
    )


def _advance(config: MarketConfig, seed: int, shocks: Shocks) -> tuple[Record, State]:
    """Run the engine from an empty market; returns what happened and where it ended."""
    rules = rules_of(config)
    state, record = new_state(config, rules), new_record(*shocks.activity.shape)
    climate = draw_climate(config, seed, shocks.activity)
    world = World(shocks.returns, shocks.wicks, shocks.step_std, shocks.activity, climate)
    run(rules, world, state, record)
    return record, state


def _frame(config: MarketConfig, fields: dict[str, FloatArray]) -> MarketFrame:
    first_close = np.datetime64(int((config.start + config.bar).timestamp()), "s")
    return MarketFrame(
        symbols=config.symbols,
        times=bar_times(first_close, config.n_bars, config.bar),
        bar=config.bar,
        fields=fields,
        ages={name: np.zeros(plane.shape) for name, plane in fields.items()},
    )


def _truth(record: Record, lead: int) -> GroundTruth:
    move = record.prices[3] - record.prices[0]
    return GroundTruth(
        liquidated_usd=record.liquidated_usd[:, lead:],
        exogenous=record.exogenous[:, lead:],
        endogenous=(move - record.exogenous)[:, lead:],
        near_coins=record.near[:, lead:],
        cohort_coins=record.cohorts[:, lead:],
        crowding=record.crowding[:, lead:],
    )
