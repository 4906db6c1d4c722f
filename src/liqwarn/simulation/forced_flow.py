"""Flow that cannot wait: liquidations, stops and margin calls meet the book, compiled.

Price crosses cohorts, their flow moves price, and the move crosses more. Who pays when a position
is closed below its bankruptcy price: the insurance fund, then the other side. See
:mod:`liqwarn.simulation.engine`.
"""

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.cohorts import (
    add,
    call_margin,
    cross,
    lane_of,
    lift,
    own,
    shrink,
)
from liqwarn.simulation.layout import (
    ADL_USD,
    BIN_WIDTH,
    DEPTH,
    FREE,
    FUND,
    HELD,
    IN_DEPTH,
    IN_RUSH,
    LEVEL,
    LIQUIDATED,
    LIQUIDATED_COINS,
    LIQUIDATED_USD,
    LIQUIDATION,
    LOWEST,
    MASS,
    OWED,
    PULL,
    QUEUE,
    RUSHED_USD,
    STOPPED,
    THIN,
    VALUE,
    WAITING,
)
from liqwarn.simulation.rules import Rules
from liqwarn.simulation.slow_flow import move_price
from liqwarn.windows.arguments import inlined

__all__ = ["await_entry", "cascade", "settle"]

ROUNDS = 4  # of liquidation and impact inside one step; what is left waits for the next step
PARTIAL, TIERED = 1, 2  # venue engines


@inlined
def cascade(rules: Rules, cells: FloatArray, ring: FloatArray, i: int) -> float:
    """Liquidate what price has crossed; its impact crosses more, round after round."""
    forced = 0.0
    for again in range(ROUNDS):
        total = 0.0
        for side in range(2):
            lowest = min(cells[i, LOWEST + side], own(cells, i, side))
            cells[i, LOWEST + side] = np.inf  # who enters from here on never saw that price
            waited, saved, owed = 0.0, 0.0, 0.0
            level = cells[i, LEVEL + side]
            if again == 0:
                waited, saved = _release(rules, cells, i, side)
                owed = cells[i, OWED + side]
                cells[i, OWED + side] = 0.0
            coins, crossed = _liquidate(rules, cells, ring, i, side, lowest)
            stops = _stop(rules, cells, ring, i, side, lowest)
            if saved > 0.0:  # put back after this step's low has passed: they never saw it
                lane = lane_of(rules, side, FREE, LIQUIDATED)
                add(cells, ring, i, lane, int(np.rint(level / BIN_WIDTH)), saved)
                cells[i, MASS + 2 * side] += saved
            if waited > 0.0:
                level = (coins * crossed + waited * level) / (coins + waited)
                coins += waited
            else:
                level = crossed
            if coins + stops + owed > 0.0:
                flow = (coins, owed, stops, 0.0)
                forced += _hit_book(rules, cells, i, side, level, flow)
                total += coins + stops + owed
        if total == 0.0:
            break
    for side in range(2):
        called = call_margin(rules, cells, ring, i, side)
        rushed = _rush(rules, cells, i, side, cells[i, IN_RUSH + side])
        if called + rushed > 0.0:
            forced += _hit_book(rules, cells, i, side, 0.0, (0.0, 0.0, rushed, called))
    return forced


@inlined
def _liquidate(
    rules: Rules, cells: FloatArray, ring: FloatArray, i: int, side: int, lowest: float
) -> tuple[float, float]:
    """What the venue takes at once of the cohorts that were crossed, and the level they were at."""
    coins = 0.0
    level = 0.0
    for pop in range(rules.populations):
        lane = lane_of(rules, side, pop, LIQUIDATED)
        found, at = cross(cells, ring, i, lane, lowest)
        if found > 0.0:
            cells[i, MASS + 2 * side + pop] -= found
            coins += found
            level += found * at
            if rules.venue == TIERED:
                kept = (1.0 - rules.at_once) * found
                place = int(np.ceil(lowest / BIN_WIDTH)) - 1 - rules.relief
                add(cells, ring, i, lane, place, kept)
                cells[i, MASS + 2 * side + pop] += kept
    if coins == 0.0:
        return 0.0, 0.0
    level /= coins
    if rules.venue == PARTIAL:
        rest = (1.0 - rules.at_once) * coins
        waiting = cells[i, QUEUE + side]
        mean = waiting * cells[i, LEVEL + side] + rest * level
        cells[i, LEVEL + side] = mean / (waiting + rest)
        cells[i, QUEUE + side] = waiting + rest
    return rules.at_once * coins, level


@inlined
def _release(rules: Rules, cells: FloatArray, i: int, side: int) -> tuple[float, float]:
    """The second part of partial liquidations of earlier steps: what is due, and what is saved.

    All of it is saved where price has come back.
    """
    waiting = cells[i, QUEUE + side]
    if waiting <= 0.0:
        return 0.0, 0.0
    if own(cells, i, side) > cells[i, LEVEL + side] + rules.maintenance_rate:
        cells[i, QUEUE + side] = 0.0
        return 0.0, float(waiting)
    due = float(rules.released * waiting)
    cells[i, QUEUE + side] = waiting - due
    return due, 0.0


@inlined
def _stop(
    rules: Rules, cells: FloatArray, ring: FloatArray, i: int, side: int, lowest: float
) -> float:
    coins = 0.0
    for pop in range(rules.populations):
        found, _ = cross(cells, ring, i, lane_of(rules, side, pop, STOPPED), lowest)
        cells[i, MASS + 2 * side + pop] -= found
        coins += found
    return coins


@inlined
def _rush(rules: Rules, cells: FloatArray, i: int, side: int, share: float) -> float:
    """Those who fear a line leave before it is reached."""
    coins = float(share * cells[i, MASS + 2 * side])
    if coins > 0.0:
        shrink(rules, cells, i, side, FREE, 1.0 - share)
        cells[i, RUSHED_USD] += coins * np.exp(cells[i, VALUE] + cells[i, PULL])
    return coins


@inlined
def _depth(rules: Rules, cells: FloatArray, i: int, side: int) -> float:
    """Coins that move price by 1 %: makers', and value traders' who buy what is sold cheap."""
    makers = cells[i, DEPTH] * np.exp(cells[i, IN_DEPTH + side] - cells[i, THIN + side])
    pushed = max(0.0, -(1 - 2 * side) * cells[i, PULL])
    return float(makers + cells[i, DEPTH] * pushed / rules.bargain)


@inlined
def _hit_book(
    rules: Rules,
    cells: FloatArray,
    i: int,
    side: int,
    level: float,
    flow: tuple[float, float, float, float],
) -> float:
    """Linear impact of flow that cannot wait: part stays, part rebounds, the book gets thinner.

    `flow`: coins liquidated at the mean own coordinate `level`, owed by cross-margin accounts,
    stopped, called. Returns the log move.
    """
    liquidated, owed, stopped, called = flow
    depth = _depth(rules, cells, i, side)
    price = np.exp(cells[i, VALUE] + cells[i, PULL])
    cells[i, LIQUIDATED_COINS + side] += liquidated + owed
    cells[i, LIQUIDATED_USD + side] += (liquidated + owed) * price
    if liquidated > 0.0:
        drop = 0.005 * (liquidated + owed + stopped) / depth
        gain = own(cells, i, side) - drop - (level - rules.maintenance_rate)
        taken = _insure(rules, cells, i, (liquidated, price, gain))
        if taken > 0.0:
            liquidated -= _match(rules, cells, i, side, taken)
    coins = liquidated + owed + stopped + called
    move = -(1 - 2 * side) * 0.01 * coins / depth
    kept = rules.permanent
    parts = (liquidated, stopped, called, owed)
    for k in range(4):
        part = move * parts[k] / coins if coins > 0.0 else 0.0
        move_price(cells, i, LIQUIDATION + k, kept * part, (1.0 - kept) * part)
    cells[i, THIN + side] = min(cells[i, THIN + side] + rules.bite * coins / depth, rules.deepest)
    settle(rules, cells, i, side, coins)
    return move


@inlined
def _insure(rules: Rules, cells: FloatArray, i: int, sale: tuple[float, float, float]) -> float:
    """What is left of margins goes to the fund until it is full, what is missing comes from it.

    `sale`: coins, price, and log distance of the fill above the bankruptcy price. Returns the coins
    for which the fund has nothing left: they are closed against the other side.
    """
    coins, price, gain = sale
    if gain >= 0.0:
        full = rules.insurance * cells[i, HELD] * price
        more = cells[i, FUND] + coins * price * min(gain, rules.maintenance_rate)
        cells[i, FUND] = max(cells[i, FUND], min(full, more))
        return 0.0
    missing = -gain * coins * price
    if cells[i, FUND] >= missing:
        cells[i, FUND] -= missing
        return 0.0
    uncovered = float((1.0 - cells[i, FUND] / missing) * coins)
    cells[i, FUND] = 0.0
    cells[i, ADL_USD] += uncovered * price
    return uncovered


@inlined
def _match(rules: Rules, cells: FloatArray, i: int, side: int, coins: float) -> float:
    """Auto-deleveraging: the other side's positions are closed without touching the book.

    Returns how many there were to close.
    """
    closed = lift(rules, cells, i, 1 - side, coins)
    cells[i, HELD] -= closed
    return closed


@inlined
def settle(rules: Rules, cells: FloatArray, i: int, side: int, coins: float) -> None:
    """Closed positions pass to new holders, or close against the other side."""
    gone = lift(rules, cells, i, 1 - side, (1.0 - rules.replaced) * coins)
    cells[i, HELD] -= gone
    await_entry(rules, cells, i, side, FREE, coins - gone)


@inlined
def await_entry(rules: Rules, cells: FloatArray, i: int, side: int, pop: int, coins: float) -> None:
    """Coins opened by one population, to be entered as cohorts with all others of late."""
    cells[i, lane_of(rules, side, pop, LIQUIDATED) + WAITING] += coins
    cells[i, MASS + 2 * side + pop] += coins
