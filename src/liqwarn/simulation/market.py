"""A seeded market in which liquidation cascades arise by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from liqwarn.frames import FloatArray, MarketFrame, bar_times
from liqwarn.simulation.books import new_books, paused
from liqwarn.simulation.climate import draw_climate
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.history import Record, World, new_record, run
from liqwarn.simulation.layout import (
    ADL_USD,
    CHANNELS,
    LIQUIDATED_USD,
    NEWS,
    OPEN_INTEREST,
    SLOW_FLOW,
    TALLY,
    Books,
)
from liqwarn.simulation.observables import Truth, observe
from liqwarn.simulation.rules import columns_of, rules_of
from liqwarn.simulation.shocks import Shocks, draw_shocks

__all__ = ["GroundTruth", "SimulatedMarket", "draw_world", "simulate_market"]

WARM_UP = timedelta(days=30)  # until the cohorts carry no trace of how they were started
SHORTEST_WARM_UP_BAR = timedelta(minutes=5)  # thirty days of shorter ones are more than needed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundTruth:
    """What no data source would tell, beside the frame and on its axes.

    Attributes
    ----------
    liquidated_usd : ndarray, shape (n_symbols, n_bars, 2)
        Forced closes by side (order of :data:`liqwarn.frames.SIDES`), all of them.
    adl_usd : ndarray, shape (n_symbols, n_bars)
        Closed by auto-deleveraging, because the insurance fund was empty.
    insurance_usd : ndarray, shape (n_symbols, n_bars)
        Insurance fund at the close.
    channels : mapping of name to ndarray, shape (n_symbols, n_bars)
        Parts of the bar's log return by what caused them; they sum to ``log(close / open)``.
    exogenous, endogenous : ndarray, shape (n_symbols, n_bars)
        News and large holders' slow orders, and everything that followed from them.
    near_coins : ndarray, shape (n_symbols, n_bars, 2, 5)
        Coins that would be liquidated by a move of 0–1, 1–2, 2–3, 3–5, 5–10 % against the side.
    cohort_coins : ndarray, shape (n_symbols, n_bars, 2)
        Sum of all cohorts of a side; equal to the open interest on both.
    crowding : ndarray, shape (n_symbols, n_bars)
        Positive: longs are crowded.
    """

    liquidated_usd: FloatArray
    adl_usd: FloatArray
    insurance_usd: FloatArray
    channels: Mapping[str, FloatArray]
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
    ((12, 48), 8.0)
    """
    fine = config.bar < SHORTEST_WARM_UP_BAR
    lead = 0 if fine else WARM_UP // config.bar
    longer = replace(config, n_bars=config.n_bars + lead, start=config.start - lead * config.bar)
    rules, (world, shocks) = rules_of(longer), draw_world(longer, seed)
    books = _warmed(config, seed) if fine else new_books(longer, rules)
    record = new_record(len(config.specs), longer.n_bars)
    run(rules, world, books, record, (0, longer.n_bars))
    coins = columns_of(config)[:, OPEN_INTEREST, None]
    fields = observe(longer, seed, Truth(record=record, shocks=shocks, open_interest=coins))
    kept = {name: np.ascontiguousarray(plane[:, lead:]) for name, plane in fields.items()}
    return SimulatedMarket(
        config=config, seed=seed, frame=_frame(config, kept), truth=_truth(record, lead)
    )


def _warmed(config: MarketConfig, seed: int) -> Books:
    """A market of seconds or minutes begins where one of hours ends: same cohorts, new moods."""
    hour = timedelta(hours=1)
    first = config.start.replace(minute=0, second=0, microsecond=0) - WARM_UP
    before = replace(
        config, bar=hour, step=timedelta(minutes=5), n_bars=WARM_UP // hour, start=first
    )
    rules, (world, _) = rules_of(before), draw_world(before, seed)
    books, record = new_books(before, rules), new_record(len(config.specs), before.n_bars)
    run(rules, world, books, record, (0, before.n_bars))
    return paused(books)


def draw_world(config: MarketConfig, seed: int) -> tuple[World, Shocks]:
    """Everything that price does not cause."""
    shocks = draw_shocks(config, seed)
    climate = draw_climate(config, seed, shocks.activity)
    coins = columns_of(config)[:, OPEN_INTEREST, None]
    world = World(
        shocks.returns,
        shocks.wicks,
        shocks.step_std,
        shocks.activity,
        shocks.supply * coins,
        climate,
    )
    return world, shocks


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
    moved = np.diff(record.moved, axis=1, prepend=0.0)[:, lead:]
    exogenous = moved[:, :, NEWS] + moved[:, :, SLOW_FLOW]
    tally = record.tally[:, lead:]
    move = record.prices[3] - record.prices[0]
    return GroundTruth(
        liquidated_usd=tally[:, :, LIQUIDATED_USD - TALLY : LIQUIDATED_USD - TALLY + 2],
        adl_usd=tally[:, :, ADL_USD - TALLY],
        insurance_usd=record.fund[:, lead:],
        channels={name: moved[:, :, k] for k, name in enumerate(CHANNELS)},
        exogenous=exogenous,
        endogenous=move[:, lead:] - exogenous,
        near_coins=record.near[:, lead:],
        cohort_coins=record.cohorts[:, lead:],
        crowding=record.crowding[:, lead:],
    )
