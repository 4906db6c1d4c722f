"""What moves price, noted by its cause; and orders that take their time, compiled.

See :mod:`liqwarn.simulation.engine`.
"""

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.layout import (
    DAILY_VOLUME,
    IN_STD,
    MOVED,
    ORDERS,
    PULL,
    SLOW_FLOW,
    VALUE,
)
from liqwarn.simulation.rules import Rules
from liqwarn.windows.arguments import inlined

__all__ = ["move_price", "trade_slowly"]


@inlined
def move_price(cells: FloatArray, i: int, channel: int, lasting: float, passing: float) -> None:
    """Move price, by a part that stays and one that rebounds; the channel keeps the sum."""
    cells[i, VALUE] += lasting
    cells[i, PULL] += passing
    cells[i, MOVED + channel] += lasting + passing


@inlined
def trade_slowly(rules: Rules, cells: FloatArray, i: int, flow: tuple[int, float]) -> float:
    """Slow orders move price by the square root of their volume over a day's, in daily deviations.

    The law holds for the whole order, so a piece moves price by what it adds to the root. Returns
    the log move against the trader, at least 0.
    """
    side, coins = flow
    volume = cells[i, DAILY_VOLUME]
    done = cells[i, ORDERS + side]
    root = np.sqrt((done + coins) / volume) - np.sqrt(done / volume)
    size = rules.impact * cells[i, IN_STD] * rules.day * root
    cells[i, ORDERS + side] = done + coins
    move = -(1 - 2 * side) * size
    move_price(
        cells, i, SLOW_FLOW, rules.slow_permanent * move, (1.0 - rules.slow_permanent) * move
    )
    return float(size)
