"""A liquidation map's level, corrected for what the market did when price crossed its clusters.

The map ranks prices by the coins that wait there; it overstates how many. Leverage that is added
up over years, margin that is topped up, stops that come first: of what it holds near price only a
few percent are really closed by the venue when price gets there. Fed to a simulator as it is, it
makes a crash of every fall.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from liqwarn.frames import SIDES, FloatArray, MarketFrame, Side
from liqwarn.liquidation.margin import liquidation_price
from liqwarn.liquidation.profile import Profile
from liqwarn.simulation.behaviour import Leverage

__all__ = ["LEAST_BARS", "USUAL_SHARE", "believed_share", "tempered"]

USUAL_SHARE: Final = 0.08
"""Believed share where the data are too few; measured on the simulated market."""

LEAST_BARS: Final = 10
"""Bars below which the believed share is not measured."""

NEAR: Final = 0.1
"""Distance within which what the map holds can be checked; at 10x and more one is opened there."""

REACH: Final = 0.9
"""Log distance to which positions are placed; longs at 2x lie at 0.69."""

_HEAVIEST: Final = 0.99


def believed_share(frame: MarketFrame) -> tuple[float, int]:
    """Share of what the map says price has crossed by which open interest then fell.

    Measured in the bars that crossed most (the heaviest 1 % of each symbol and side), summed over
    all of them; rises of open interest count as 0. On the simulated market, where true cohorts are
    known, it is 0.06 to 0.09, and true over estimated coins within 10 % of price 0.07 to 0.11.

    Parameters
    ----------
    frame : MarketFrame
        With the fields of the map, as far as is known.

    Returns
    -------
    float, int
        The share, at most 1, and the number of bars it was measured in; fewer than ten give
        :data:`USUAL_SHARE`.
    """
    interest = frame.field("open_interest")
    fell = np.full(frame.shape, np.nan)
    fell[:, 1:] = np.maximum(-np.diff(interest, axis=1), 0.0)
    gone, crossed, bars = 0.0, 0.0, 0
    for side in SIDES:
        swept = frame.field(f"map_{side}_swept")
        for row in range(frame.shape[0]):
            known = np.flatnonzero(np.isfinite(fell[row]) & (swept[row] > 0.0))
            if not known.size:
                continue
            heavy = known[swept[row, known] >= np.quantile(swept[row, known], _HEAVIEST)]
            gone += float(fell[row, heavy].sum())
            crossed += float(swept[row, heavy].sum())
            bars += heavy.size
    return (min(1.0, gone / crossed), bars) if bars >= LEAST_BARS else (USUAL_SHARE, bars)


def tempered(profile: Profile, closes: FloatArray, leverage: Leverage, share: float) -> Profile:
    """The map at its believed level, and behind it the positions of low leverage.

    The rest of open interest is spread over the ladder by the mix of the simulated market, as if
    entered at the closes given; rungs nearer than 10 % are left out, for there the map speaks. So
    are positions that a later close has crossed.

    Parameters
    ----------
    profile : Profile
        As estimated.
    closes : ndarray, shape (n_bars,)
        Prices of late, the last one of now; NaN is skipped.
    leverage : Leverage
        Ladder, mix and maintenance rate of the simulated market.
    share : float
        Of the estimate that is believed, 0 to 1.
    """
    entries = closes[np.isfinite(closes)]
    prices, pad = _wider(profile.prices)
    long, short = (
        share * np.pad(held, pad)
        + (1.0 - share) * _behind(profile, side, (entries, prices), leverage)
        for side, held in zip(SIDES, (profile.long, profile.short), strict=True)
    )
    unknown = np.zeros((2, prices.size))
    return replace(
        profile, prices=prices, long=long, short=short, long_band=unknown, short_band=unknown
    )


def _wider(prices: FloatArray) -> tuple[FloatArray, tuple[int, int]]:
    """The map's bins, and more of them until they reach every rung of the ladder."""
    logs = np.log(prices)
    width = (logs[-1] - logs[0]) / (logs.size - 1)
    more = max(0, int((REACH - (logs[-1] - logs[0]) / 2.0) / width))
    places = np.arange(-more, logs.size + more)
    return np.exp(logs[0] + width * places), (more, more)


def _behind(
    profile: Profile, side: Side, at: tuple[FloatArray, FloatArray], leverage: Leverage
) -> FloatArray:
    """All open interest by the simulated market's mix; only rungs that begin beyond 10 %.

    `at`: entry prices in the order of time, and the bins' prices.
    """
    entries, bins = at
    sign = 1.0 if side == "long" else -1.0
    later = np.minimum.accumulate(sign * entries[::-1])[::-1]
    edges = np.sqrt(bins[1:] * bins[:-1])
    found = np.zeros_like(bins)
    for rung, weight in zip(leverage.ladder, leverage.mix, strict=True):
        if 1.0 / rung <= NEAR:
            continue
        prices = np.asarray(liquidation_price(side, entries, rung, leverage.maintenance_rate))
        held = (sign * prices < later) & (prices >= bins[0]) & (prices <= bins[-1])
        each = weight * profile.open_interest / entries.size
        np.add.at(found, np.searchsorted(edges, prices[held]), each)
    return found
