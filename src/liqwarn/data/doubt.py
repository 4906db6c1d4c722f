"""Values that cannot all be true at once: what makes a complete bar doubtful.

Two rules, each of one bar alone, so that a live bar is judged as a bar of history. Prices of two
origins that lie apart: one of them is wrong, or the market has come apart, and a score that was
learned while they agreed is worth less. A liquidation feed that tells nothing while price runs
against a side: silence is a fault, not calm.

In five years of hourly bars of BTC the index was never 2 % off the close, and none of the 98 runs
that ran 3 % against a side was without liquidations of it (docs/quality.md).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray, MarketFrame
from liqwarn.windows.arguments import compiled, inlined

__all__ = ["APART_FRAC", "DOUBT_FIELDS", "MUTE_FRAC", "Doubts", "doubt_of", "doubts"]

APART_FRAC: Final = 0.03
"""Close and mark, or close and index, that lie further apart are in doubt."""

MUTE_FRAC: Final = 0.03
"""A run of price against a side, within a bar, in which some of it is always liquidated."""

DOUBT_FIELDS: Final = (
    "close", "mark", "index", "open", "high", "low", "long_liq_usd", "short_liq_usd",
)  # fmt: skip
"""What is looked at, in this order."""


class Doubts(NamedTuple):
    """Which rule doubts a bar; shapes (n_symbols, n_bars)."""

    apart: NDArray[np.bool_]
    mute: NDArray[np.bool_]


@inlined
def doubt_of(cells: FloatArray) -> int:
    """0, or 1 for prices apart, or 2 for a mute feed, or 3 for both; NaN is never in doubt.

    Parameters
    ----------
    cells : ndarray of float64, shape (8,)
        Of :data:`DOUBT_FIELDS`, NaN where not known.
    """
    close, mark, index, opened, high, low, longs, shorts = cells
    wide, run = 1.0 + APART_FRAC, 1.0 + MUTE_FRAC
    apart = close > mark * wide or close * wide < mark
    apart |= close > index * wide or close * wide < index
    mute = (longs == 0.0 and opened > low * run) or (shorts == 0.0 and high > opened * run)
    return int(apart) + 2 * int(mute)


def doubts(frame: MarketFrame) -> Doubts:
    """Both rules over a frame; a field that it lacks is not known."""
    found = np.zeros(frame.shape, dtype=np.int64)
    missing = np.full(frame.shape, np.nan)
    planes = [frame.fields.get(name, missing) for name in DOUBT_FIELDS]
    _judge(np.stack(planes), found)
    return Doubts(apart=(found & 1) > 0, mute=found > 1)


@compiled
def _judge(planes: FloatArray, out: NDArray[np.int64]) -> None:
    cells = np.empty(planes.shape[0])
    for s in range(planes.shape[1]):
        for t in range(planes.shape[2]):
            for k in range(planes.shape[0]):
                cells[k] = planes[k, s, t]
            out[s, t] = doubt_of(cells)
