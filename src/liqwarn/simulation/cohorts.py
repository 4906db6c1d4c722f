"""Compiled operations on cohorts: a ring of bins a lane, entered, crossed, called, moved.

A lane's ring holds coins by the own coordinate at which they leave, in bins of 0.1 %; the number of
bins is a power of two, so ``place & last`` is ``place`` modulo it. Compiled into the engine: after
a change here delete ``__pycache__``, numba's cache watches the callers' own files only.
"""

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.simulation.layout import (
    BIN_WIDTH,
    FAR,
    FRONT,
    IN_ROOM,
    LANE_SIZE,
    LANES,
    LIQUIDATED,
    LOWEST,
    MASS,
    MIX,
    OBEDIENT,
    PAID,
    PULL,
    SCALE,
    TOP,
    VALUE,
    WAITING,
)
from liqwarn.simulation.rules import Rules
from liqwarn.windows.arguments import inlined

__all__ = [
    "add",
    "call_margin",
    "clear",
    "cross",
    "enter_waiting",
    "held_by",
    "highest",
    "lane_of",
    "lift",
    "own",
    "rescale",
    "ring_of",
    "shrink",
    "squeeze",
]

LOWEST_SCALE = 1e-60


@inlined
def lane_of(rules: Rules, side: int, population: int, kind: int) -> int:
    """A lane's first column."""
    return LANES + LANE_SIZE * ((side * rules.populations + population) * 2 + kind)


@inlined
def ring_of(lane: int) -> int:
    """A lane's place among the rings."""
    return (lane - LANES) // LANE_SIZE


@inlined
def own(cells: FloatArray, i: int, side: int) -> float:
    """Own coordinate of a side, from which its cohorts' distances are measured."""
    price = cells[i, VALUE] + cells[i, PULL]
    return float((1 - 2 * side) * price - cells[i, PAID + side])


@inlined
def clear(cells: FloatArray, ring: FloatArray, i: int, lane: int) -> None:
    """A lane that was closed whole starts anew: nothing scaled by nothing is nothing."""
    of = ring_of(lane)
    for place in range(ring.shape[2]):
        ring[i, of, place] = 0.0
    cells[i, lane + FAR] = 0.0
    cells[i, lane + SCALE] = 1.0


@inlined
def add(cells: FloatArray, ring: FloatArray, i: int, lane: int, place: int, coins: float) -> None:
    """Put coins into a bin; what falls off the lower end of the ring is out of reach."""
    of, n_bins = ring_of(lane), ring.shape[2]
    if cells[i, lane + SCALE] == 0.0:
        clear(cells, ring, i, lane)
    top = int(cells[i, lane + TOP])
    if place > top:
        for new in range(max(top + 1, place + 1 - n_bins), place + 1):
            cells[i, lane + FAR] += ring[i, of, new & (n_bins - 1)]
            ring[i, of, new & (n_bins - 1)] = 0.0
        cells[i, lane + TOP] = place
        top = place
    stored = coins / cells[i, lane + SCALE]
    if place > top - n_bins:
        ring[i, of, place & (n_bins - 1)] += stored
    else:
        cells[i, lane + FAR] += stored


@inlined
def cross(
    cells: FloatArray, ring: FloatArray, i: int, lane: int, lowest: float
) -> tuple[float, float]:
    """Take out what price has crossed: coins, and the mean own coordinate where they left."""
    of, last = ring_of(lane), ring.shape[2] - 1
    top = int(cells[i, lane + TOP])
    first = int(np.ceil(lowest / BIN_WIDTH))
    if first > top:
        return 0.0, 0.0
    stored = 0.0
    level = 0.0
    for place in range(max(first, top - last), top + 1):
        coins = ring[i, of, place & last]
        stored += coins
        level += coins * place
        ring[i, of, place & last] = 0.0
    cells[i, lane + TOP] = first - 1
    if stored <= 0.0:
        return 0.0, 0.0
    return stored * cells[i, lane + SCALE], BIN_WIDTH * level / stored


@inlined
def shrink(
    rules: Rules, cells: FloatArray, i: int, side: int, population: int, left: float
) -> None:
    """Close a share of all positions of a side and population."""
    lane = lane_of(rules, side, population, LIQUIDATED)
    cells[i, lane + SCALE] *= left
    cells[i, lane + WAITING] *= left
    cells[i, lane + LANE_SIZE + SCALE] *= left
    cells[i, MASS + 2 * side + population] *= left


@inlined
def held_by(rules: Rules, cells: FloatArray, i: int, side: int) -> float:
    """Coins in the lanes of a side."""
    total = 0.0
    for population in range(rules.populations):
        total += cells[i, MASS + 2 * side + population]
    return total


@inlined
def highest(rules: Rules, cells: FloatArray, i: int, side: int) -> float:
    """The highest bin of a side that may be occupied."""
    first = lane_of(rules, side, 0, LIQUIDATED)
    top = cells[i, first + TOP]
    for k in range(1, 2 * rules.populations):
        top = max(top, cells[i, first + LANE_SIZE * k + TOP])
    return float(top)


@inlined
def lift(rules: Rules, cells: FloatArray, i: int, side: int, coins: float) -> float:
    """Close coins of a side, of all its populations alike; returns what there was to close."""
    total = held_by(rules, cells, i, side)
    if total <= 0.0 or coins <= 0.0:
        return 0.0
    left = max(0.0, 1.0 - coins / total)
    for population in range(rules.populations):
        shrink(rules, cells, i, side, population, left)
    return min(coins, total)


@inlined
def enter_waiting(
    rules: Rules, cells: FloatArray, ring: FloatArray, i: int, side: int, pop: int
) -> None:
    """Turn what was opened of late into cohorts at the price of now.

    The obedient take no less than their least distance to liquidation.
    """
    room = cells[i, IN_ROOM + side] if pop == OBEDIENT else 0.0
    lane = lane_of(rules, side, pop, LIQUIDATED)
    coins = cells[i, lane + WAITING]
    if coins <= 0.0:
        return
    cells[i, lane + WAITING] = 0.0
    if rules.leverage_off:
        if cells[i, lane + SCALE] == 0.0:
            clear(cells, ring, i, lane)
        cells[i, lane + FAR] += coins / cells[i, lane + SCALE]
        return
    here = own(cells, i, side)
    stops = rules.stop_share if i < cells.shape[0] - 1 else 0.0
    n = rules.rungs
    for rung in range(n):
        away = max(cells[i, MIX + (2 + side) * n + rung], room)
        part = coins * (1.0 - stops) * cells[i, MIX + side * n + rung]
        add(cells, ring, i, lane, int(np.floor((here - away) / BIN_WIDTH)), part)
    if stops > 0.0:
        part = coins * stops / rules.stops
        for k in range(rules.stops):
            away = cells[i, MIX + 6 * n + k]
            place = int(np.floor((here - away) / BIN_WIDTH))
            add(cells, ring, i, lane + LANE_SIZE, place, part)


@inlined
def call_margin(rules: Rules, cells: FloatArray, ring: FloatArray, i: int, side: int) -> float:
    """Margin calls to whoever came near: some add collateral, some are closed; returns the latter.

    A bin is called once; again only after price has moved away by the call's distance.
    """
    closed = 0.0
    here = own(cells, i, side)
    last = ring.shape[2] - 1
    near = int(np.ceil((here - rules.call_distance) / BIN_WIDTH))
    for pop in range(rules.populations):
        lane = lane_of(rules, side, pop, LIQUIDATED)
        of = ring_of(lane)
        front = int(cells[i, lane + FRONT])
        if near > front + int(rules.call_distance / BIN_WIDTH):
            cells[i, lane + FRONT] = near
            continue
        bottom = int(cells[i, lane + TOP]) - last
        for place in range(min(front - 1, int(cells[i, lane + TOP])), max(near, bottom) - 1, -1):
            stored = ring[i, of, place & last]
            if stored > 0.0:
                lower = place - rules.top_up
                topped = rules.topped_up * stored if lower >= bottom else 0.0
                ring[i, of, place & last] = stored * (1.0 - rules.cut) - topped
                ring[i, of, lower & last] += topped
                sold = rules.cut * stored * cells[i, lane + SCALE]
                cells[i, MASS + 2 * side + pop] -= sold
                closed += sold
        cells[i, lane + FRONT] = min(front, near)
    return closed


@inlined
def squeeze(
    rules: Rules, cells: FloatArray, ring: FloatArray, i: int, side: int, left: float
) -> None:
    """A haircut on collateral: with `left` of the equity, distances shrink.

    Equity over notional is the distance and the maintenance rate: ``d' = (d + m)*left - m``.
    """
    lane = lane_of(rules, side, 0, LIQUIDATED)
    of, last = ring_of(lane), ring.shape[2] - 1
    top = int(cells[i, lane + TOP])
    here = own(cells, i, side)
    m = rules.maintenance_rate
    near = int(np.floor(here / BIN_WIDTH))
    before = ring[i, of].copy()  # what is moved up must not be met again
    for place in range(last + 1):
        ring[i, of, place] = 0.0
    scale = cells[i, lane + SCALE]
    for place in range(top, top - last - 1, -1):
        stored = before[place & last]
        if stored > 0.0 and place > near:
            add(cells, ring, i, lane, place, stored * scale)
        elif stored > 0.0:
            away = (here - place * BIN_WIDTH + m) * left - m
            level = (here - away) / BIN_WIDTH
            lower = int(np.floor(level))
            upper = (level - lower) * stored  # split, so that small haircuts add up
            add(cells, ring, i, lane, min(near + 1, lower + 1), upper * scale)
            add(cells, ring, i, lane, min(near + 1, lower), (stored - upper) * scale)
    cells[i, LOWEST + side] = here


@inlined
def rescale(cells: FloatArray, ring: FloatArray, i: int) -> None:
    """Keep the lazily shrinking scales away from underflow."""
    for k in range(ring.shape[1]):
        lane = LANES + LANE_SIZE * k
        scale = cells[i, lane + SCALE]
        if scale < LOWEST_SCALE:
            for place in range(ring.shape[2]):
                ring[i, k, place] *= scale
            cells[i, lane + FAR] *= scale
            cells[i, lane + SCALE] = 1.0
