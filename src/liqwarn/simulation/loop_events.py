"""Cascades of a run, and what is known of their fuel before."""

from typing import NamedTuple

import numpy as np

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.history import Record

__all__ = [
    "SIGNALS",
    "Onset",
    "cascading",
    "moving_little",
    "onsets",
    "realised_volatility",
    "signals",
]

MOVE_FLOOR, MOVE_SIGMAS, LOSS_FLOOR = 0.015, 3.0, 0.01
APART_H = 6.0
PAST_H = 240.0
VOLATILITY_H = 6.0

SIGNALS = ("fuel_3", "fuel_10", "volatility", "crowding", "trend", "depth")
"""Of a side: coins liquidated within 3 % and 10 % over the depth they would meet; realised
volatility over its usual one; crowding towards the side; the last day's move against it; the depth
it would meet over the usual one. All in logs but for crowding and the move."""


class Onset(NamedTuple):
    """The first bar of a cascade."""

    symbol: int
    side: int
    bar: int


def cascading(config: MarketConfig, record: Record, bars: slice) -> BoolArray:
    """Whether the last hour was a cascade: shape (n_symbols, n_bars, 2).

    Price moved against the side by max(1.5 %, three hourly standard deviations of the ten days
    before) and open interest fell by 1 % or more: the price and open-interest legs of the label.
    """
    hour = max(1, round(1.0 / config.bar_h))
    close, held = record.prices[3], np.log(record.held[:, : bars.stop])
    start, stop = bars.start, bars.stop
    move = close[:, start:stop] - close[:, start - hour : stop - hour]
    loss = held[:, start - hour : stop - hour] - held[:, start:]
    past = round(PAST_H / config.bar_h)
    squares = np.diff(close[:, start - hour - past : stop - hour], axis=1) ** 2
    sums = np.cumsum(squares, axis=1)
    sums[:, past:] -= sums[:, :-past].copy()
    deviation = np.sqrt(sums[:, past - 1 :] / past * hour)
    far = np.maximum(MOVE_FLOOR, MOVE_SIGMAS * deviation)
    lost = loss >= LOSS_FLOOR
    return np.stack([(move <= -far) & lost, (move >= far) & lost], axis=-1)


def moving_little(config: MarketConfig, record: Record, bar: int) -> BoolArray:
    """Whether price went less than a usual hourly deviation against a side in the last hour."""
    hour = max(1, round(1.0 / config.bar_h))
    move = record.prices[3, :, bar] - record.prices[3, :, bar - hour]
    usual = np.array([spec.volatility for spec in config.specs])
    return np.stack([move > -usual, move < usual], axis=1)


def onsets(config: MarketConfig, flags: BoolArray) -> list[Onset]:
    """First bars of cascades, six hours or more after the last bar of the one before."""
    apart = round(APART_H / config.bar_h)
    found = []
    for i, side in np.ndindex(flags.shape[0], 2):
        bars = np.flatnonzero(flags[i, :, side])
        fresh = np.diff(bars, prepend=-apart - 1) > apart
        found += [Onset(int(i), int(side), int(bar)) for bar in bars[fresh]]
    return found


def realised_volatility(config: MarketConfig, closes: FloatArray, hours: float) -> FloatArray:
    """Of the last hours over the usual hourly one, by symbol."""
    bars = round(hours / config.bar_h)
    hourly = np.array([spec.volatility for spec in config.specs])
    past = np.diff(closes[:, -bars - 1 :], axis=1)
    return np.asarray(np.sqrt((past**2).mean(axis=1) / config.bar_h) / hourly)


def signals(config: MarketConfig, record: Record, bar: int) -> FloatArray:
    """What is known at a bar's close: shape (n_symbols, 2, len(SIGNALS))."""
    n = len(config.specs)
    day = round(24.0 / config.bar_h)
    close = record.prices[3]
    out = np.empty((n, 2, len(SIGNALS)))
    usual = np.array([spec.depth_usd / spec.price for spec in config.specs])
    hourly = np.array([spec.volatility for spec in config.specs])
    realised = realised_volatility(config, close[:, : bar + 1], VOLATILITY_H)
    for side, sign in enumerate((1.0, -1.0)):
        near, depth = record.near[:, bar, side], record.depth[:, bar, side]
        out[:, side, 0] = np.log(0.05 + near[:, :3].sum(axis=1) / depth)
        out[:, side, 1] = np.log(0.05 + near.sum(axis=1) / depth)
        out[:, side, 2] = np.log(0.05 + realised)
        out[:, side, 3] = sign * record.crowding[:, bar]
        out[:, side, 4] = -sign * (close[:, bar] - close[:, bar - day]) / hourly
        out[:, side, 5] = np.log(depth / usual)
    return out
