"""The exogenous side of the market: news, volatility, jumps, and large holders.

Nothing here reacts to price, so the same seed gives the same shocks with and without leverage.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from liqwarn.frames import FloatArray
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.paths import Purpose, decay, half_life_noise, stream

__all__ = ["Shocks", "draw_shocks"]

HOURS_PER_MONTH = 730.0
SELLING_HALF_LIFE_H = 3.0
DEPOSIT_LEAD_H = 2.0
OWN_JUMPS = 0.8  # of a symbol, for each jump of the market
OVERSHOOT = 0.08  # share by which price overshoots news at first
OVERSHOOT_HALF_LIFE_H = 0.5  # and how long half of that stays


@dataclass(frozen=True, slots=True, kw_only=True)
class Shocks:
    """Exogenous paths.

    Attributes
    ----------
    returns : ndarray, shape (n_symbols, n_bars * steps_per_bar)
        Exogenous log return of each step.
    wicks : ndarray, shape (2, n_symbols, n_bars * steps_per_bar)
        Unit exponentials: how far price strays inside a step, down and up.
    step_std : ndarray, shape (n_symbols, n_bars)
        Standard deviation of a step's return without jumps, as traders feel it.
    activity : ndarray, shape (n_symbols, n_bars)
        `step_std` over its mean: 1 in average times.
    deposits, withdrawals : ndarray, shape (n_symbols, n_bars)
        Large holders' moves onto and off exchanges, in units of one average holder.
    supply : ndarray, shape (n_symbols, n_bars)
        Coins that they sell slowly in each step, as a share of long-run open interest; negative:
        they buy.
    """

    returns: FloatArray
    wicks: FloatArray
    step_std: FloatArray
    activity: FloatArray
    deposits: FloatArray
    withdrawals: FloatArray
    supply: FloatArray


def draw_shocks(config: MarketConfig, seed: int) -> Shocks:
    """Draw the exogenous paths of a market."""
    factor = _factor_normals(config, seed)
    activity = np.exp(_log_activity(config, seed, factor))
    hourly = np.array([spec.volatility for spec in config.specs])[:, None]
    step_std = hourly * np.sqrt(config.step_h) * activity
    returns = np.repeat(step_std, config.steps_per_bar, axis=1) * _step_normals(
        config, seed, factor
    )
    returns += _jumps(config, seed)
    deposits, withdrawals, sold = _holders(config, seed)
    return Shocks(
        returns=returns,
        wicks=stream(seed, Purpose.WICKS).standard_exponential((2, *returns.shape)),
        step_std=step_std,
        activity=activity,
        deposits=deposits,
        withdrawals=withdrawals,
        supply=sold / config.steps_per_bar,
    )


def _shape(config: MarketConfig) -> tuple[int, int]:
    return len(config.specs), config.n_bars


def _factor_normals(config: MarketConfig, seed: int) -> FloatArray:
    """One standard normal a step: the market-wide factor."""
    steps = config.n_bars * config.steps_per_bar
    return stream(seed, Purpose.FACTORS).standard_normal(steps)


def _step_normals(config: MarketConfig, seed: int, factor: FloatArray) -> FloatArray:
    """Unit news a step and symbol, correlated through the market and the sector, that overshoot.

    What price takes too far comes back, so that single steps vary a little more than news do.
    """
    rng = stream(seed, Purpose.FACTORS)
    rng.standard_normal(factor.size)  # the factor itself, drawn above
    sectors = {spec.sector: rng.standard_normal(factor.size) for spec in config.specs}
    out = rng.standard_normal((len(config.specs), factor.size))
    for row, spec in enumerate(config.specs):
        own = np.sqrt(1.0 - spec.beta**2 - spec.sector_beta**2)
        out[row] *= own
        out[row] += spec.beta * factor + spec.sector_beta * sectors[spec.sector]
    left = decay(OVERSHOOT_HALF_LIFE_H, config.step_h)
    return np.asarray(lfilter([1.0 + OVERSHOOT, -left - OVERSHOOT], [1.0, -left], out, axis=-1))


def _log_activity(config: MarketConfig, seed: int, factor: FloatArray) -> FloatArray:
    """Log volatility: slow and fast, common and own, with the leverage effect and the clock."""
    rules, rng = config.volatility, stream(seed, Purpose.VOLATILITY)
    n_symbols, n_bars = _shape(config)
    fast = rng.standard_normal((n_symbols + 1, n_bars))
    slow = rng.standard_normal((n_symbols + 1, n_bars))
    fast[0] *= np.sqrt(1.0 - rules.leverage_effect**2)
    past = factor.reshape(n_bars, -1).sum(axis=1) / np.sqrt(config.steps_per_bar)
    fast[0, 1:] += rules.leverage_effect * past[:-1]
    fast = half_life_noise(fast, rules.fast_half_life_h / config.bar_h)
    slow = half_life_noise(slow, rules.slow_half_life_h / config.bar_h)
    both = rules.fast_std * fast + rules.slow_std * slow
    share = rules.common_share
    log = np.sqrt(share) * both[0] + np.sqrt(1.0 - share) * both[1:]
    return np.asarray(log - 0.5 * (rules.fast_std**2 + rules.slow_std**2) + _clock(config))


def _clock(config: MarketConfig) -> FloatArray:
    """Log volatility by hour and weekday: calm Asian nights and weekends, mean near zero."""
    hours = config.start.timestamp() / 3600.0 + config.bar_h * np.arange(config.n_bars)
    of_day = 0.22 * np.cos(2.0 * np.pi * (hours - 15.0) / 24.0)
    weekday = (hours // 24.0 + 3.0) % 7.0  # the epoch was a Thursday
    return np.asarray(of_day + np.where(weekday >= 5.0, -0.22, 0.07))


def _jumps(config: MarketConfig, seed: int) -> FloatArray:
    """Rare news: jumps of the market, which every symbol follows, and of single symbols."""
    rules, rng = config.volatility, stream(seed, Purpose.JUMPS)
    n_symbols, steps = len(config.specs), config.n_bars * config.steps_per_bar
    chance = rules.jumps_per_month * config.step_h / HOURS_PER_MONTH
    rates = np.array([chance, *n_symbols * [OWN_JUMPS * chance]])
    hit = rng.random((n_symbols + 1, steps)) < rates[:, None]
    size = np.zeros((n_symbols + 1, steps))
    size[hit] = rules.jump_std * rng.standard_t(4, size=int(hit.sum())) / np.sqrt(2.0)
    scale = np.array([[spec.volatility] for spec in config.specs])
    share = np.array([[spec.beta] for spec in config.specs])
    return np.asarray(scale * (size[1:] + share * size[0]))


def _holders(config: MarketConfig, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Large holders: coins move first, the trade follows over hours, and not always."""
    rules, rng = config.volatility, stream(seed, Purpose.HOLDERS)
    shape = _shape(config)
    chance = rules.sellers_per_month * config.bar_h / HOURS_PER_MONTH
    sold = np.zeros(shape)
    moved = []
    for sign in (1.0, -1.0):
        size = np.where(rng.random(shape) < chance, rng.exponential(1.0, shape), 0.0)
        acts = size * (rng.random(shape) < 0.6)
        sold += sign * rules.seller_share * _spread(acts, config.bar_h)
        moved.append(size)
    return moved[0], moved[1], sold


def _spread(amounts: FloatArray, bar_h: float) -> FloatArray:
    """The same amounts traded later: after a lead, then decaying, summing to what was given."""
    left = decay(SELLING_HALF_LIFE_H, bar_h)
    lead = max(1, round(DEPOSIT_LEAD_H / bar_h))
    later = np.zeros_like(amounts)
    later[:, lead:] = amounts[:, :-lead]
    return np.asarray(lfilter([1.0 - left], [1.0, -left], later, axis=-1))
