"""The liquidation maps found in public, to measure ours against: ladders under recent entries.

Each puts the liquidation prices of a few fixed leverages under the entries of recent bars, and
drops what price has touched since. They differ in how many positions a bar is taken to open.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from liqwarn.frames import SIDES, FloatArray
from liqwarn.liquidation.margin import liquidation_price
from liqwarn.liquidation.market_path import Bars
from liqwarn.windows.arguments import compiled

__all__ = ["NAIVE_MAPS", "naive_within"]

NAIVE_MAPS: Final = ("ladder", "volume_ladder", "sixty_forty")
"""Equal entries of each bar; entries in proportion to volume; rises of open interest, of which
60 % are taken to be longs."""

_LEVERAGES: Final = (10.0, 25.0, 50.0, 100.0)
_MAINTENANCE: Final = 0.005
_WINDOW_S: Final = 7 * 86_400
_LONG_SHARE: Final = 0.6


def naive_within(bars: Bars, edges: FloatArray) -> Mapping[str, FloatArray]:
    """Weight within each distance of the close, by map: shape (n_bars, 2, n_edges) each.

    Parameters
    ----------
    bars : Bars
        Of one symbol.
    edges : ndarray of shape (n_edges,)
        Log distances, ascending, in equal steps.

    Notes
    -----
    A bar without a price opens and touches nothing, and nothing is within reach of it.
    """
    low, high, close = (
        np.where(bars.priced(), price, np.nan) for price in (bars.low, bars.high, bars.close)
    )
    typical = (high + low + close) / 3.0
    rise = np.maximum(np.diff(bars.stock(), prepend=np.nan), 0.0)
    weights = {
        "ladder": (np.ones_like(typical), 1.0, 1.0),
        "volume_ladder": (bars.volume, 1.0, 1.0),
        "sixty_forty": (rise, 2.0 * _LONG_SHARE, 2.0 * (1.0 - _LONG_SHARE)),
    }
    prices = np.log(np.stack([typical, low, high, close]))
    distances = np.array([_distances(side) for side in range(2)])
    window = max(1, _WINDOW_S // bars.bar_s)
    out = {}
    for name, (weight, long_share, short_share) in weights.items():
        within = np.zeros((len(typical), 2, len(edges)))
        opened = np.where(np.isfinite(weight), weight, 0.0)
        _ladder(prices, opened, distances, window, edges[0], within)
        within = np.cumsum(within, axis=2)
        within[:, 0] *= long_share
        within[:, 1] *= short_share
        out[name] = within
    return out


def _distances(side: int) -> FloatArray:
    ratio = liquidation_price(SIDES[side], 1.0, _LEVERAGES, _MAINTENANCE)
    return np.abs(np.log(ratio))


@compiled
def _ladder(
    prices: FloatArray,
    weight: FloatArray,
    distances: FloatArray,
    window: int,
    step: float,
    inside: FloatArray,
) -> None:
    """Add every untouched rung to the bin of its distance from the close."""
    n_bars, n_bins = prices.shape[1], inside.shape[2]
    for t in range(n_bars):
        low, high, close = np.inf, -np.inf, prices[3, t]
        if np.isnan(close):
            continue
        for j in range(t, max(-1, t - window), -1):
            if np.isnan(prices[3, j]):
                continue
            for k in range(distances.shape[1]):
                below = prices[0, j] - distances[0, k]
                if below < min(low, close):
                    b = int((close - below) / step)
                    if b < n_bins:
                        inside[t, 0, b] += weight[j]
                above = prices[0, j] + distances[1, k]
                if above > max(high, close):
                    b = int((above - close) / step)
                    if b < n_bins:
                        inside[t, 1, b] += weight[j]
            low, high = min(low, prices[1, j]), max(high, prices[2, j])
