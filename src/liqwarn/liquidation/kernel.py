"""The liquidation map's inner loop: one map, both sides, ten leverages, compiled.

Coordinates: a price is ``log(price) / STEP`` for longs and its negative for shorts, so both sides
are swept downwards by the same code. A lane is one leverage of one side: ten of longs, then ten
of shorts. ``mass[lane, bin & mask]`` holds coins by the bin of their **liquidation** price, times
the lane's growth, so that ageing changes one number instead of a row (lazy decay). Nothing lies
above a lane's front, so a sweep visits only what price reaches for the first time since it was
filled. Nothing lies below its bottom: what is deeper than the ring holds is folded into it.
Inside a bin coins are spread evenly, up to the front.

``work`` is one flat array of blocks of 20 numbers (see :data:`BLOCKS`): flat, because a compiler
that knows the distance between two blocks knows that they do not overlap.
"""

from typing import Final, NamedTuple

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.windows.arguments import compiled

__all__ = [
    "BINS",
    "BLOCKS",
    "LANES",
    "ROWS",
    "STATE_SIZE",
    "STEP",
    "WORK_SIZE",
    "Reading",
    "fresh_lanes",
    "run",
]

ROWS: Final = 10
"""Leverages."""

LANES: Final = 2 * ROWS
"""Lanes of a map: longs first."""

BINS: Final = 2048
"""Bins of a lane's ring, a power of two: a bin's slot is a mask away."""

STEP: Final = 0.001
"""Width of a bin in log price."""

BLOCKS: Final = (
    "total",  # coins of the lane
    "growth",  # what mass is multiplied by
    "front",  # coordinate above which the lane is empty
    "bottom",  # lowest bin that may hold anything
    "kept",  # share of the lane that outlives a step
    "grow",  # 1 / kept
    "distance",  # bins from entry to liquidation
    "mix",  # share of what is opened
    "raised",  # added to the mix when this side is fully crowded
    "lowered",  # added to the mix when the other side is
    "bin",  # scratch: bin of this step's deposit
    "new",  # scratch: this step's deposit, times growth
)
"""Blocks of ``work``, each of :data:`LANES` numbers; the first four are the map's state."""

STATE_SIZE: Final = 4 * LANES
WORK_SIZE: Final = len(BLOCKS) * LANES

_TOTAL, _GROWTH, _FRONT, _BOTTOM, _KEPT, _GROW, _DISTANCE, _MIX, _RAISED, _LOWERED, _BIN, _NEW = (
    LANES * block for block in range(len(BLOCKS))
)
_MASK: Final = BINS - 1
_NOTHING: Final = 1.0e18
_LARGE: Final = 1.0e60
_CHECK: Final = 15
"""Growth is looked at every 16 steps: 16 steps of the fastest ageing stay far from overflow."""


class Reading(NamedTuple):
    """What a run leaves behind.

    Attributes
    ----------
    swept : ndarray of shape (n_steps, 2)
        Coins liquidated in the step, longs and shorts.
    at : ndarray of int64, shape (n_steps,)
        Row of `within` to fill after the step, or -1.
    edges : ndarray of shape (n_edges,)
        Distances from the price in bins, ascending.
    within, square : ndarray of shape (n_reads, 2, n_edges)
        Coins within each distance, and their squares, are added to what is there.
    density : ndarray of shape (2, room)
        Scratch: coins by bin below the price.
    """

    swept: FloatArray
    at: np.ndarray
    edges: FloatArray
    within: FloatArray
    square: FloatArray
    density: FloatArray


def fresh_lanes() -> FloatArray:
    """State of a map that holds nothing: shape (STATE_SIZE,)."""
    lanes = np.zeros(STATE_SIZE)
    lanes[_GROWTH:_FRONT] = 1.0
    lanes[_FRONT:_BOTTOM] = -_NOTHING
    lanes[_BOTTOM:] = _NOTHING
    return lanes


@compiled
def run(
    mass: FloatArray, work: FloatArray, path: FloatArray, first_step: int, reading: Reading
) -> None:
    """Advance one map over a path of steps, in place.

    Parameters
    ----------
    mass : ndarray of shape (LANES, BINS)
        Coins by bin, times growth.
    work : ndarray of shape (WORK_SIZE,)
        The map's state and its rates.
    path : ndarray of shape (6, n_steps)
        Coordinates of low, high, close and entry; coins to hold (NaN: sweep only); crowding from
        -1 (shorts crowded) to 1 (longs).
    first_step : int
        Steps this map has seen before.
    reading : Reading
        Filled in place.
    """
    for t in range(path.shape[1]):
        low, high, close, entry = path[0, t], path[1, t], path[2, t], path[3, t]
        reading.swept[t, 0] += _sweep(mass, work, 0, low)
        reading.swept[t, 1] += _sweep(mass, work, ROWS, -high)
        if path[4, t] == path[4, t]:
            _settle(mass, work, path[4, t], entry, close, path[5, t])
        if ((first_step + t) & _CHECK) == 0:
            _rescale(mass, work)
        if reading.at[t] >= 0:
            _read(mass, work, close, reading, reading.at[t])


@compiled
def _sweep(mass: FloatArray, work: FloatArray, lane0: int, limit: float) -> float:
    """Remove what is liquidated when price reaches `limit`; returns the coins."""
    swept = 0.0
    last = int(np.floor(limit))
    for lane in range(lane0, lane0 + ROWS):
        front = work[_FRONT + lane]
        if front <= limit:
            continue
        top = int(np.ceil(front)) - 1
        if last < work[_BOTTOM + lane]:
            for b in range(int(work[_BOTTOM + lane]), top + 1):
                mass[lane, b & _MASK] = 0.0
            swept += work[_TOTAL + lane]
            _empty(work, lane)
            continue
        coins = 0.0
        for b in range(last + 1, top + 1):
            coins += mass[lane, b & _MASK]
            mass[lane, b & _MASK] = 0.0
        ceiling = min(front, last + 1.0)
        part = mass[lane, last & _MASK] * ((ceiling - limit) / (ceiling - last))
        mass[lane, last & _MASK] -= part
        coins = min((coins + part) / work[_GROWTH + lane], work[_TOTAL + lane])
        work[_TOTAL + lane] -= coins
        work[_FRONT + lane] = limit
        swept += coins
    return swept


@compiled
def _empty(work: FloatArray, lane: int) -> None:
    work[_TOTAL + lane] = 0.0
    work[_GROWTH + lane] = 1.0
    work[_FRONT + lane] = -_NOTHING
    work[_BOTTOM + lane] = _NOTHING


@compiled
def _held(work: FloatArray, lane0: int) -> float:
    """Coins of a side, added in one fixed order."""
    t = _TOTAL + lane0
    low = (work[t] + work[t + 1]) + (work[t + 2] + work[t + 3])
    middle = (work[t + 4] + work[t + 5]) + (work[t + 6] + work[t + 7])
    return (low + middle) + (work[t + 8] + work[t + 9])


@compiled
def _settle(
    mass: FloatArray, work: FloatArray, stock: float, entry: float, close: float, crowding: float
) -> None:
    """Age the cohorts of both sides, then open or close coins so that each holds `stock`."""
    for lane in range(LANES):
        work[_TOTAL + lane] *= work[_KEPT + lane]
        work[_GROWTH + lane] *= work[_GROW + lane]
    longs = stock - _held(work, 0)
    shorts = stock - _held(work, ROWS)
    if longs < 0.0:
        _close(mass, work, 0, -longs)
        longs = 0.0
    if shorts < 0.0:
        _close(mass, work, ROWS, -shorts)
        shorts = 0.0
    _open(work, 0, longs, entry, close, crowding)
    _open(work, ROWS, shorts, -entry, -close, -crowding)
    for lane in range(LANES):
        if work[_BIN + lane] - work[_BOTTOM + lane] >= BINS:
            _fold(mass, work, lane)
        mass[lane, int(work[_BIN + lane]) & _MASK] += work[_NEW + lane]


@compiled
def _open(
    work: FloatArray, lane0: int, coins: float, entry: float, close: float, crowding: float
) -> None:
    """Say where a side's new cohorts go, and how large they are.

    One that the step's own close would have liquidated is put just below the close instead.
    """
    raised = crowding if crowding > 0.0 else 0.0
    lowered = -crowding if crowding < 0.0 else 0.0
    highest = close - 0.5
    for lane in range(lane0, lane0 + ROWS):
        share = work[_MIX + lane] + raised * work[_RAISED + lane] + lowered * work[_LOWERED + lane]
        level = entry - work[_DISTANCE + lane]
        b = np.floor(level if level < highest else highest)
        front = b + 1.0 if b + 1.0 < close else close
        work[_FRONT + lane] = front if front > work[_FRONT + lane] else work[_FRONT + lane]
        work[_BOTTOM + lane] = b if b < work[_BOTTOM + lane] else work[_BOTTOM + lane]
        new = coins * share
        work[_TOTAL + lane] += new
        work[_BIN + lane] = b
        work[_NEW + lane] = new * work[_GROWTH + lane]


@compiled
def _close(mass: FloatArray, work: FloatArray, lane0: int, coins: float) -> None:
    """Close coins by the age hazard: a lane in proportion to its coins and to its ageing."""
    for _ in range(ROWS):
        weight = 0.0
        for lane in range(lane0, lane0 + ROWS):
            weight += (1.0 - work[_KEPT + lane]) * work[_TOTAL + lane]
        over = 0.0
        for lane in range(lane0, lane0 + ROWS):
            share = coins * (1.0 - work[_KEPT + lane]) / weight
            if share >= 1.0:
                over += (share - 1.0) * work[_TOTAL + lane]
                mass[lane, :] = 0.0
                _empty(work, lane)
            else:
                work[_TOTAL + lane] *= 1.0 - share
                work[_GROWTH + lane] /= 1.0 - share
        if over == 0.0:
            break
        coins = over
    _rescale(mass, work)


@compiled
def _rescale(mass: FloatArray, work: FloatArray) -> None:
    for lane in range(LANES):
        growth = work[_GROWTH + lane]
        if growth > _LARGE:
            for k in range(BINS):
                mass[lane, k] /= growth
            work[_GROWTH + lane] = 1.0


@compiled
def _fold(mass: FloatArray, work: FloatArray, lane: int) -> None:
    """Move what the ring can no longer hold into its new lowest bin."""
    bottom = int(work[_BIN + lane]) - BINS + 1
    deep = 0.0
    for b in range(int(work[_BOTTOM + lane]), bottom):
        deep += mass[lane, b & _MASK]
        mass[lane, b & _MASK] = 0.0
    mass[lane, bottom & _MASK] += deep
    work[_BOTTOM + lane] = bottom


@compiled
def _read(mass: FloatArray, work: FloatArray, close: float, reading: Reading, row: int) -> None:
    """Add what lies within each distance of the price, longs below it and shorts above."""
    room = reading.density.shape[1]
    for side in range(2):
        density = reading.density[side]
        density[:] = 0.0
        price = close if side == 0 else -close
        top = int(np.floor(price))
        for lane in range(side * ROWS, side * ROWS + ROWS):
            if work[_TOTAL + lane] == 0.0:
                continue
            share = 1.0 / work[_GROWTH + lane]
            slot = top & _MASK
            here = min(room, slot + 1)
            for k in range(here):
                density[k] += mass[lane, slot - k] * share
            for k in range(here, room):
                density[k] += mass[lane, slot - k + BINS] * share
        _add_within(density, price - top, reading, row, side)


@compiled
def _add_within(density: FloatArray, offset: float, reading: Reading, row: int, side: int) -> None:
    """Running sum over bins below the price, read at each edge.

    The price's own bin reaches `offset` bins below it.
    """
    coins, k, reach = 0.0, 0, offset
    for edge in range(reading.edges.shape[0]):
        distance = reading.edges[edge]
        while reach <= distance:
            coins += density[k]
            k += 1
            reach += 1.0
        if k == 0:
            part = density[0] * (distance / offset)
        else:
            part = density[k] * (distance - reach + 1.0)
        reading.within[row, side, edge] += coins + part
        reading.square[row, side, edge] += (coins + part) ** 2
