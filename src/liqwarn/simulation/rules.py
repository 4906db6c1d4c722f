"""Constants of a market as the compiled engine wants them: half-lives as factors a step."""

from typing import Final, NamedTuple

import numpy as np

from liqwarn.frames import SIDES, FloatArray, Side
from liqwarn.liquidation.margin import liquidation_price
from liqwarn.simulation.config import ENGINES, MarketConfig
from liqwarn.simulation.layout import BIN_WIDTH
from liqwarn.simulation.paths import decay

__all__ = ["Rules", "columns_of", "ladder_of", "log_distance", "rules_of"]

TREND_HALF_LIFE_H: Final = 72.0
CALIBRATED_STEP_H: Final = 5.0 / 60.0  # rates that a step's length would change are meant for this
HOURS_A_DAY: Final = 24.0


class Rules(NamedTuple):
    """Constants of a market."""

    steps: int  # a bar
    step_h: float
    leverage_off: bool
    populations: int
    rungs: int  # of the leverage ladder
    tilt: float
    maintenance_rate: float
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
    impact: float  # of slow flow: Y of the square-root law
    slow_permanent: float
    forgotten: float  # share of slow orders that a step forgets
    day: float  # square root of the steps in a day
    turnover: float
    pursuit: float
    panic: float
    replaced: float
    trend_left: float
    trend_pull: float
    entry_steps: int  # steps between two entries of new cohorts
    stop_share: float
    stops: int
    call_distance: float
    topped_up: float
    cut: float
    top_up: int  # bins
    venue: int  # position in ENGINES
    insurance: float  # a full fund, as a share of open interest
    at_once: float  # share of a crossed position that is liquidated at once
    released: float  # share of the waiting rest that a step releases
    relief: int  # bins
    phi: float  # share of the obedient among new positions
    add_collateral: float  # share of what the obedient put right by adding collateral


def columns_of(config: MarketConfig) -> FloatArray:
    """Constants of each symbol, shape (n_symbols, 6): columns DEPTH to DAILY_VOLUME of a row."""
    sizes = np.array([spec.open_interest_usd for spec in config.specs])
    prices = np.array([spec.price for spec in config.specs])
    coins = sizes / prices
    return np.stack(
        [
            np.array([spec.depth_usd for spec in config.specs]) / prices,
            np.array([spec.beta for spec in config.specs]),
            sizes / sizes.sum(),
            coins,
            0.0 * coins if config.leverage_off else config.cross.share * coins,
            HOURS_A_DAY * config.positioning.volume_to_oi * coins,
        ],
        axis=1,
    )


def ladder_of(config: MarketConfig, mix: tuple[float, ...]) -> FloatArray:
    """What is known of each rung, one block after the other: columns from MIX of a row."""
    ladder, rate = config.leverage.ladder, config.leverage.maintenance_rate
    reach = [[log_distance(x, side, rate) for x in ladder] for side in SIDES]
    stops = np.zeros(len(ladder))
    stops[: len(config.habits.stop_distances)] = config.habits.stop_distances
    return np.concatenate([mix, mix, *reach, np.log(ladder), mix, stops])


def log_distance(leverage: float, side: Side, maintenance_rate: float) -> float:
    """Log distance from entry to the liquidation price, > 0.

    >>> round(log_distance(10.0, "long", 0.005), 4)
    0.1003
    """
    return abs(float(np.log(liquidation_price(side, 1.0, leverage, maintenance_rate))))


def rules_of(config: MarketConfig, *, phi: float = 0.0) -> Rules:
    """Constants of the engine; `phi` is the share of the market that obeys restrictions."""
    book, lever, people = config.liquidity, config.leverage, config.positioning
    habits, venue = config.habits, config.venue
    minutes = 60.0 * config.step_h
    stretch = config.step_h / CALIBRATED_STEP_H
    recovery = decay(book.recovery_half_life_min, minutes)
    whole = 1.0 - decay(book.recovery_half_life_min, 60.0 * CALIBRATED_STEP_H)
    shares = {"full": 1.0, "partial": venue.first_share, "tiered": venue.tier_share}
    return Rules(
        steps=config.steps_per_bar,
        step_h=config.step_h,
        leverage_off=config.leverage_off,
        populations=2 if phi > 0.0 else 1,
        rungs=len(lever.ladder),
        tilt=lever.tilt,
        maintenance_rate=lever.maintenance_rate,
        recovery=recovery,
        withdrawal=book.withdrawal * (1.0 - recovery) / whole,
        bite=book.bite,
        common_withdrawal=book.common_withdrawal * (1.0 - recovery),
        deepest=-float(np.log(book.floor)),
        aftershock=book.aftershock,
        bargain=book.bargain,
        permanent=book.permanent,
        rebound=decay(book.rebound_half_life_min, minutes),
        contagion=book.contagion,
        impact=book.slow_impact,
        slow_permanent=book.slow_permanent,
        forgotten=1.0 - decay(book.slow_memory_min, minutes),
        day=float(np.sqrt(HOURS_A_DAY / config.step_h)),
        turnover=people.turnover_per_h * config.step_h,
        pursuit=1.0 - decay(people.pursuit_half_life_h, config.bar_h),
        panic=people.panic * float(np.sqrt(stretch)),
        replaced=people.replaced,
        trend_left=decay(TREND_HALF_LIFE_H, config.bar_h),
        trend_pull=people.trend_pull,
        entry_steps=max(1, round(people.entry_min / minutes)),
        stop_share=habits.stop_share,
        stops=len(habits.stop_distances),
        call_distance=habits.call_distance,
        topped_up=habits.topped_up,
        cut=habits.cut,
        top_up=round(habits.top_up / BIN_WIDTH),
        venue=ENGINES.index(venue.engine),
        insurance=venue.insurance_frac,
        at_once=shares[venue.engine],
        released=min(1.0, config.step_h * 3600.0 / venue.rest_after_s),
        relief=round(venue.tier_relief / BIN_WIDTH),
        phi=phi,
        add_collateral=0.5,
    )
