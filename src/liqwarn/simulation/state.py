"""What the compiled engine reads, changes and writes. Tuples of arrays, because numba knows them.

Sides are those of :data:`liqwarn.frames.SIDES`. Amounts are coins, prices are logs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import SIDES, FloatArray
from liqwarn.liquidation.margin import liquidation_price
from liqwarn.simulation.climate import Climate
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.paths import decay

__all__ = ["BANDS", "Record", "Rules", "State", "World", "new_record", "new_state", "rules_of"]

BANDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)
"""Edges of the distance bands in which true cohort mass is recorded, as shares of price."""

N_BINS = 2048  # a power of two
BIN_WIDTH = 0.001  # of log price
TREND_HALF_LIFE_H = 72.0


class Rules(NamedTuple):
    """Constants of a market, with half-lives turned into factors a step or a bar."""

    steps: int
    leverage_off: bool
    reach: FloatArray  # (2, n_leverages): log distance from entry to liquidation
    log_ladder: FloatArray
    mix: FloatArray
    tilt: float
    depth: FloatArray  # (n_symbols,): coins that move price by 1 % in a calm book
    beta: FloatArray
    weight: FloatArray  # of a symbol in the market
    open_interest: FloatArray  # long-run level
    recovery: float
    withdrawal: float
    bite: float
    common_withdrawal: float
    deepest: float  # largest log withdrawal
    aftershock: float
    bargain: float  # log distance
    permanent: float
    rebound: float
    contagion: float
    turnover: float
    pursuit: float
    panic: float
    replaced: float
    trend_left: float
    trend_pull: float


class World(NamedTuple):
    """Exogenous paths."""

    returns: FloatArray  # (n_symbols, n_steps)
    wicks: FloatArray  # (2, n_symbols, n_steps)
    step_std: FloatArray  # (n_symbols, n_bars)
    activity: FloatArray
    climate: Climate


class State(NamedTuple):
    """The market between two steps.

    A side sees price in its own direction, ``y = log price`` for longs and ``y = -log price``
    for shorts, so that liquidation prices lie below ``y`` on both sides. Cohorts live in a ring of
    bins of that coordinate; ``scale`` multiplies a whole side, so that closing a share of
    everything costs nothing; ``far`` holds what can never be reached.
    """

    value: FloatArray  # (n_symbols,): log price without the part that rebounds
    pull: FloatArray  # (n_symbols,): the part that rebounds
    lowest: FloatArray  # (n_symbols, 2): y at its lowest inside the step
    thin: FloatArray  # (n_symbols, 2): log depth withdrawn, bids first
    ring: FloatArray  # (n_symbols, 2, N_BINS)
    scale: FloatArray  # (n_symbols, 2)
    far: FloatArray  # (n_symbols, 2)
    top: NDArray[np.int64]  # (n_symbols, 2): highest bin that may be occupied
    held: FloatArray  # (n_symbols,): open interest
    trend: FloatArray  # (n_symbols,): three-day average of returns in standard deviations
    crowding: FloatArray  # (n_symbols,)
    growth: FloatArray  # (n_symbols,): change of log open interest a step
    mix: FloatArray  # (n_symbols, 2, n_leverages): of new positions
    market: FloatArray  # (2,): average withdrawal, and forced move in the last step


class Record(NamedTuple):
    """What happened, by symbol and bar."""

    prices: FloatArray  # (4, n_symbols, n_bars): log open, high, low, close
    liquidated: FloatArray  # (n_symbols, n_bars, 2)
    liquidated_usd: FloatArray  # (n_symbols, n_bars, 2)
    held: FloatArray  # (n_symbols, n_bars)
    cohorts: FloatArray  # (n_symbols, n_bars, 2): sum over each side's cohorts
    near: FloatArray  # (n_symbols, n_bars, 2, n_bands)
    depth: FloatArray  # (n_symbols, n_bars, 2): coins, bids first
    pull: FloatArray  # (n_symbols, n_bars): average over the bar
    crowding: FloatArray  # (n_symbols, n_bars)
    exogenous: FloatArray  # (n_symbols, n_bars): log return


def rules_of(config: MarketConfig) -> Rules:
    """Constants of the engine."""
    book, lever, people = config.liquidity, config.leverage, config.positioning
    sizes = np.array([spec.open_interest_usd for spec in config.specs])
    prices = np.array([spec.price for spec in config.specs])
    minutes = 60.0 * config.step_h
    return Rules(
        steps=config.steps_per_bar,
        leverage_off=config.leverage_off,
        reach=np.array(
            [
                np.abs(np.log(liquidation_price(s, 1.0, lever.ladder, lever.maintenance_rate)))
                for s in SIDES
            ]
        ),
        log_ladder=np.log(np.array(lever.ladder)),
        mix=np.array(lever.mix),
        tilt=lever.tilt,
        depth=np.array([spec.depth_usd for spec in config.specs]) / prices,
        beta=np.array([spec.beta for spec in config.specs]),
        weight=sizes / sizes.sum(),
        open_interest=sizes / prices,
        recovery=decay(book.recovery_half_life_min, minutes),
        withdrawal=book.withdrawal,
        bite=book.bite,
        common_withdrawal=book.common_withdrawal,
        deepest=-float(np.log(book.floor)),
        aftershock=book.aftershock,
        bargain=book.bargain,
        permanent=book.permanent,
        rebound=decay(book.rebound_half_life_min, minutes),
        contagion=book.contagion,
        turnover=people.turnover_per_h * config.step_h,
        pursuit=1.0 - decay(people.pursuit_half_life_h, config.bar_h),
        panic=people.panic,
        replaced=people.replaced,
        trend_left=decay(TREND_HALF_LIFE_H, config.bar_h),
        trend_pull=people.trend_pull,
    )


def new_state(config: MarketConfig, rules: Rules) -> State:
    """A market before its first step: all positions far from liquidation."""
    n = len(config.specs)
    value = np.log(np.array([spec.price for spec in config.specs]))
    bins = np.floor(value / BIN_WIDTH).astype(np.int64)
    return State(
        value=value,
        pull=np.zeros(n),
        lowest=np.zeros((n, 2)),
        thin=np.zeros((n, 2)),
        ring=np.zeros((n, 2, N_BINS)),
        scale=np.ones((n, 2)),
        far=np.repeat(rules.open_interest[:, None], 2, axis=1),
        top=np.stack([bins, -bins], axis=1) - 1,
        held=rules.open_interest.copy(),
        trend=np.zeros(n),
        crowding=np.zeros(n),
        growth=np.zeros(n),
        mix=np.tile(rules.mix, (n, 2, 1)),
        market=np.zeros(2),
    )


def new_record(n_symbols: int, n_bars: int) -> Record:
    """Room for `n_bars` bars."""
    shape = (n_symbols, n_bars)
    return Record(
        prices=np.zeros((4, *shape)),
        liquidated=np.zeros((*shape, 2)),
        liquidated_usd=np.zeros((*shape, 2)),
        held=np.zeros(shape),
        cohorts=np.zeros((*shape, 2)),
        near=np.zeros((*shape, 2, len(BANDS) - 1)),
        depth=np.zeros((*shape, 2)),
        pull=np.zeros(shape),
        crowding=np.zeros(shape),
        exogenous=np.zeros(shape),
    )
