"""What restrictions make the obedient do to the positions they have, compiled.

See :mod:`liqwarn.simulation.engine`; what they may open is part of its voluntary trade.
"""

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.cohorts import lane_of, own, ring_of
from liqwarn.simulation.forced_flow import settle
from liqwarn.simulation.layout import (
    BIN_WIDTH,
    CUT_USD,
    IN_CUT,
    IN_ROOM,
    LIQUIDATED,
    MASS,
    OBEDIENT,
    PULL,
    SCALE,
    SLIPPAGE_USD,
    TOP,
    VALUE,
)
from liqwarn.simulation.rules import Rules
from liqwarn.simulation.slow_flow import trade_slowly
from liqwarn.windows.arguments import inlined

__all__ = ["put_right"]


@inlined
def put_right(rules: Rules, cells: FloatArray, ring: FloatArray, i: int, side: int) -> None:
    """Positions of the obedient nearer to liquidation than allowed: a share of them, this step.

    Some holders add collateral, the others close what brings the rest to the allowed leverage; they
    sell slowly, and pay for the move they cause.
    """
    room = cells[i, IN_ROOM + side]
    share = cells[i, IN_CUT + side]
    if share <= 0.0 or room <= 0.0:
        return
    lane = lane_of(rules, side, OBEDIENT, LIQUIDATED)
    of, last = ring_of(lane), ring.shape[2] - 1
    here = own(cells, i, side)
    top = int(cells[i, lane + TOP])
    target = max(int(np.floor((here - room) / BIN_WIDTH)), top - last)
    sold = 0.0
    for place in range(min(top, int(np.floor(here / BIN_WIDTH))), target, -1):
        stored = ring[i, of, place & last]
        if stored > 0.0:
            moved = share * stored
            near = (here - place * BIN_WIDTH) / room
            closed = moved * (1.0 - rules.add_collateral) * max(0.0, 1.0 - near)
            ring[i, of, place & last] = stored - moved
            ring[i, of, target & last] += moved - closed
            sold += closed * cells[i, lane + SCALE]
    if sold > 0.0:
        cells[i, MASS + 2 * side + OBEDIENT] -= sold
        price = np.exp(cells[i, VALUE] + cells[i, PULL])
        slip = trade_slowly(rules, cells, i, (side, sold))
        cells[i, CUT_USD + side] += sold * price
        cells[i, SLIPPAGE_USD] += 0.5 * slip * sold * price
        settle(rules, cells, i, side, sold)
