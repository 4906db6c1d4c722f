"""Accounts that hold every symbol on one collateral: their losses in one sell all the others.

Their positions are cohorts on the basket's price, the weighted mean of log prices: a fall of one
symbol lowers the equity behind all. When the basket reaches them, every symbol gets its share of
the forced flow in its next step. Compiled: see :mod:`liqwarn.simulation.engine`.
"""

from liqwarn.frames import FloatArray
from liqwarn.simulation.cohorts import cross, enter_waiting, held_by, lane_of, lift, own, squeeze
from liqwarn.simulation.layout import (
    CLOCK,
    FREE,
    HELD,
    LIQUIDATED,
    MASS,
    OPEN_INTEREST,
    OWED,
    PULL,
    SCALE,
    UNIT,
    VALUE,
    WAITING,
    WEIGHT,
)
from liqwarn.simulation.rules import Rules
from liqwarn.windows.arguments import inlined

__all__ = ["step_basket"]


@inlined
def step_basket(rules: Rules, cells: FloatArray, ring: FloatArray, collateral: float) -> None:
    """One step of the basket; `collateral` is a factor on the equity of its holders."""
    n = cells.shape[0] - 1
    value = 0.0
    pull = 0.0
    wanted = 0.0
    for i in range(n):
        value += cells[i, WEIGHT] * cells[i, VALUE]
        pull += cells[i, WEIGHT] * cells[i, PULL]
        wanted += cells[i, WEIGHT] * cells[i, HELD] / cells[i, OPEN_INTEREST]
    cells[n, VALUE] = value
    cells[n, PULL] = pull
    enters = int(cells[n, CLOCK]) % rules.entry_steps == 0
    for side in range(2):
        if collateral < 1.0:
            squeeze(rules, cells, ring, n, side, collateral)
        lane = lane_of(rules, side, FREE, LIQUIDATED)
        units, _ = cross(cells, ring, n, lane, own(cells, n, side))
        if units > 0.0:
            cells[n, MASS + 2 * side] -= units
            for i in range(n):
                cells[i, OWED + side] += units * cells[i, UNIT]
        if enters:
            _turn_over(rules, cells, side, wanted)
            enter_waiting(rules, cells, ring, n, side, FREE)


@inlined
def _turn_over(rules: Rules, cells: FloatArray, side: int, wanted: float) -> None:
    """As often as cohorts enter, some are opened anew, and the size drifts back to its usual share.

    What joins or leaves was or becomes a position of its own: open interest does not change.
    """
    n = cells.shape[0] - 1
    lane = lane_of(rules, side, FREE, LIQUIDATED)
    held = cells[n, MASS + 2 * side]
    share = min(1.0, rules.turnover * rules.entry_steps)
    closed = share * held
    joins = share * (wanted - held)
    for i in range(n):
        if cells[i, UNIT] > 0.0:
            joins = min(joins, held_by(rules, cells, i, side) / cells[i, UNIT])
    for i in range(n):
        coins = cells[i, UNIT] * joins
        if coins > 0.0:
            lift(rules, cells, i, side, coins)
        elif coins < 0.0:
            alone = lane_of(rules, side, FREE, LIQUIDATED)
            cells[i, alone + WAITING] -= coins
            cells[i, MASS + 2 * side] -= coins
    cells[n, lane + SCALE] *= 1.0 - share
    cells[n, lane + WAITING] *= 1.0 - share
    cells[n, lane + WAITING] += closed + joins
    cells[n, MASS + 2 * side] = held + joins
