"""The liquidation map's inner loop: one map, both sides, ten leverages, compiled.

``mass[lane, bin & mask]`` holds coins by the bin of their **liquidation** price, times the lane's
growth, so that ageing changes one number instead of a row (lazy decay). Nothing lies above a
lane's front, so a sweep visits only what price reaches for the first time since it was filled.
Nothing lies below its bottom: what is deeper than the ring holds is folded into it. Inside a bin
coins are spread evenly, up to the front. The arrays: :mod:`liqwarn.liquidation.kernel_arrays`.

What every step does is inlined, and :func:`_open` is one loop over all lanes, large enough to
become vector instructions; what is rare is called. ``cells`` is ``mass`` as one row, and where in
it a bin lies is told by :mod:`liqwarn.liquidation.kernel_pages`. What a map says of the price's
neighbourhood: :mod:`liqwarn.liquidation.kernel_reading`. The compiler's disk cache watches this
file only: after a change to the others or to a constant delete ``__pycache__``.
"""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.liquidation.kernel_arrays import (
    BINS,
    BLOCKS,
    LANES,
    NOTHING,
    ROWS,
    STATE_SIZE,
    STEP,
    WORK_SIZE,
    Reading,
    fresh_lanes,
)
from liqwarn.liquidation.kernel_pages import (
    PAGE,
    TILES,
    Pages,
    give_back,
    give_back_lane,
    own,
    page_at,
    slot,
    tile_of,
)
from liqwarn.liquidation.kernel_reading import read
from liqwarn.windows.arguments import compiled, inlined

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

_TOTAL, _GROWTH, _FRONT, _BOTTOM, _KEPT, _GROW, _DISTANCE, _MIX, _RAISED, _LOWERED, _BIN, _NEW = (
    LANES * block for block in range(len(BLOCKS))
)
_LARGE: Final = 1.0e60
_GOLDEN: Final = 1.618033988749895
_CHECK: Final = 15
"""Growth is looked at every 16 steps: 16 steps of the fastest ageing stay far from overflow."""


@compiled
def run(
    mass: FloatArray,
    work: FloatArray,
    path: FloatArray,
    first_step: int,
    reading: Reading,
    pages: Pages | None,
) -> None:
    """Advance one map over a path of steps, in place.

    Parameters
    ----------
    mass : ndarray of shape (LANES, BINS), or of a pool of pages: (n_pages, PAGE)
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
    pages : ndarray of int32, shape (TILES, LANES), or None
        Which pages of a pool are this map's; None for a mass of its own.
    """
    swept, at = reading.swept, reading.at
    cells, bins = mass.reshape(mass.size), reading.density.reshape(reading.density.size)
    near_long = work[_DISTANCE : _DISTANCE + ROWS].min()
    near_short = work[_DISTANCE + ROWS : _DISTANCE + LANES].min()
    top_long, top_short = _highest(work, 0), _highest(work, ROWS)
    room_long, room_short = _room(work, 0), _room(work, ROWS)
    for t in range(path.shape[1]):
        low, high, close, entry = path[0, t], path[1, t], path[2, t], path[3, t]
        if low < top_long:
            swept[t, 0] += _sweep(cells, pages, work, 0, low)
            top_long = _highest(work, 0)
        if -high < top_short:
            swept[t, 1] += _sweep(cells, pages, work, ROWS, -high)
            top_short = _highest(work, ROWS)
        if path[4, t] == path[4, t]:
            if entry > room_long or -entry > room_short:
                _fold(cells, pages, work, entry, close)
                room_long, room_short = _room(work, 0), _room(work, ROWS)
            _settle(cells, pages, work, path, t)
            top_long, room_long = _widened(top_long, room_long, entry, near_long, close)
            top_short, room_short = _widened(top_short, room_short, -entry, near_short, -close)
        if ((first_step + t) & _CHECK) == 0:
            _rescale(cells, pages, work)
        if at[t] >= 0:
            read(bins, cells, pages, work, reading, (close, at[t]))


@inlined
def _bin(entry: float, distance: float, price: float, chance: float) -> float:
    """Bin of the liquidation price of a cohort that enters at `entry`.

    Where the step's own close would have liquidated it, the cohort entered later in the step, by
    chance anywhere from the close to the furthest entry that outlives it.
    """
    level, highest = entry - distance, price - 0.5
    later = highest - (distance - 0.5) * chance if distance > 0.5 else highest
    return float(np.floor(level if level < highest else later))


@inlined
def _chance(entry: float) -> float:
    """A number from 0 to 1 that looks random: where in its range a late entry is."""
    turns = abs(entry) * _GOLDEN
    return float(turns - np.floor(turns))


@inlined
def _front(b: float, price: float) -> float:
    """Where a lane begins whose highest cohort is in bin `b`."""
    return b + 1.0 if b + 1.0 < price else price


@compiled
def _highest(work: FloatArray, lane0: int) -> float:
    """Coordinate above which a side is empty."""
    highest = -NOTHING
    for lane in range(lane0, lane0 + ROWS):
        highest = max(highest, work[_FRONT + lane])
    return highest


@compiled
def _room(work: FloatArray, lane0: int) -> float:
    """Entry up to which the rings of a side surely hold its cohorts."""
    deepest = NOTHING
    for lane in range(lane0, lane0 + ROWS):
        deepest = min(deepest, work[_BOTTOM + lane] + work[_DISTANCE + lane])
    return deepest + (BINS - 1)


@inlined
def _widened(
    top: float, room: float, entry: float, nearest: float, price: float
) -> tuple[float, float]:
    """Bounds of a side's highest front and of its room, now that cohorts were opened.

    No cohort lies above the nearest lane's as if it had entered early, and none deeper below the
    entry, or the close if that is lower, than its distance and a bin.
    """
    front = _front(_bin(entry, nearest, price, 0.0), price)
    deepest = (entry if entry < price else price) + (BINS - 2)
    return front if front > top else top, deepest if deepest < room else room


@compiled
def _sweep(
    cells: FloatArray, pages: Pages | None, work: FloatArray, lane0: int, limit: float
) -> float:
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
                cells[slot(pages, lane, b)] = 0.0
            swept += work[_TOTAL + lane]
            _empty(work, lane)
            give_back_lane(cells, pages, lane)
            continue
        coins = 0.0
        for b in range(last + 1, top + 1):
            coins += cells[slot(pages, lane, b)]
            cells[slot(pages, lane, b)] = 0.0
        ceiling = min(front, last + 1.0)
        part = cells[slot(pages, lane, last)] * ((ceiling - limit) / (ceiling - last))
        cells[slot(pages, lane, last)] -= part
        coins = min((coins + part) / work[_GROWTH + lane], work[_TOTAL + lane])
        work[_TOTAL + lane] -= coins
        work[_FRONT + lane] = limit
        swept += coins
        if last // PAGE != top // PAGE:
            give_back(cells, pages, lane, last // PAGE + 1, top // PAGE)
    return swept


@compiled
def _empty(work: FloatArray, lane: int) -> None:
    work[_TOTAL + lane] = 0.0
    work[_GROWTH + lane] = 1.0
    work[_FRONT + lane] = -NOTHING
    work[_BOTTOM + lane] = NOTHING


@inlined
def _aged(work: FloatArray, lane: int) -> float:
    """Coins of a lane that outlive the step."""
    return float(work[_TOTAL + lane] * work[_KEPT + lane])


@inlined
def _held(work: FloatArray, lane: int) -> float:
    """Coins of the side that begins at `lane`, aged, added in one fixed order."""
    a = (_aged(work, lane) + _aged(work, lane + 4)) + _aged(work, lane + 8)
    b = (_aged(work, lane + 1) + _aged(work, lane + 5)) + _aged(work, lane + 9)
    c = _aged(work, lane + 2) + _aged(work, lane + 6)
    d = _aged(work, lane + 3) + _aged(work, lane + 7)
    return (a + c) + (b + d)


@inlined
def _settle(
    cells: FloatArray, pages: Pages | None, work: FloatArray, path: FloatArray, t: int
) -> None:
    """Age the cohorts of both sides, then open or close coins so that each holds the step's."""
    longs = path[4, t] - _held(work, 0)
    shorts = path[4, t] - _held(work, ROWS)
    if longs < 0.0:
        _close(cells, pages, work, 0, -longs)
        longs = 0.0
    if shorts < 0.0:
        _close(cells, pages, work, ROWS, -shorts)
        shorts = 0.0
    _open(work, longs, shorts, path[3, t], path[2, t], path[5, t])
    if pages is not None and _homeless(pages, work):
        for lane in range(LANES):
            if work[_NEW + lane] != 0.0:
                own(cells, pages, lane, int(work[_BIN + lane]))
    for lane in range(LANES):
        cells[slot(pages, lane, int(work[_BIN + lane]))] += work[_NEW + lane]


@inlined
def _homeless(pages: Pages, work: FloatArray) -> bool:
    """Whether coins are to be opened where there is no page.

    Apart from taking it: around a call the compiler counts references, at every lane.
    """
    missing = False
    for lane in range(LANES):
        none = pages[tile_of(int(work[_BIN + lane])), lane] == 0
        missing |= none and work[_NEW + lane] != 0.0
    return missing


@inlined
def _open(
    work: FloatArray, longs: float, shorts: float, entry: float, close: float, crowding: float
) -> None:
    """Age every lane, and say where its new cohort goes and how large it is."""
    up = crowding if crowding > 0.0 else 0.0
    down = -crowding if crowding < 0.0 else 0.0
    chance = _chance(entry)
    for lane in range(LANES):
        long = lane < ROWS
        price = close if long else -close
        b = _bin(entry if long else -entry, work[_DISTANCE + lane], price, chance)
        front = _front(b, price)
        work[_FRONT + lane] = front if front > work[_FRONT + lane] else work[_FRONT + lane]
        work[_BOTTOM + lane] = b if b < work[_BOTTOM + lane] else work[_BOTTOM + lane]
        share = work[_MIX + lane] + (up if long else down) * work[_RAISED + lane]
        share += (down if long else up) * work[_LOWERED + lane]
        new = (longs if long else shorts) * share
        growth = work[_GROWTH + lane] * work[_GROW + lane]
        work[_TOTAL + lane] = _aged(work, lane) + new
        work[_GROWTH + lane] = growth
        work[_BIN + lane] = b
        work[_NEW + lane] = new * growth


@compiled
def _close(
    cells: FloatArray, pages: Pages | None, work: FloatArray, lane0: int, coins: float
) -> None:
    """Close coins by the age hazard: a lane in proportion to its aged coins and to its ageing.

    A lane that holds less than its part is emptied, and the others close the rest.
    """
    for _ in range(ROWS):
        weight = 0.0
        for lane in range(lane0, lane0 + ROWS):
            weight += (1.0 - work[_KEPT + lane]) * _aged(work, lane)
        if weight == 0.0:
            break
        ratio, over = coins / weight, 0.0
        for lane in range(lane0, lane0 + ROWS):
            left = 1.0 - ratio * (1.0 - work[_KEPT + lane])
            if left > 0.0:
                work[_TOTAL + lane] *= left
                work[_GROWTH + lane] /= left
            elif work[_TOTAL + lane] > 0.0:
                over -= left * _aged(work, lane)
                for tile in range(TILES):
                    first = page_at(pages, lane, tile)
                    cells[first : first + PAGE] = 0.0
                _empty(work, lane)
                give_back_lane(cells, pages, lane)
        if over == 0.0:
            break
        coins = over
    _rescale(cells, pages, work)


@compiled
def _rescale(cells: FloatArray, pages: Pages | None, work: FloatArray) -> None:
    for lane in range(LANES):
        growth = work[_GROWTH + lane]
        if growth > _LARGE:
            for tile in range(TILES):
                first = page_at(pages, lane, tile)
                for k in range(first, first + PAGE):
                    cells[k] /= growth
            work[_GROWTH + lane] = 1.0
            give_back_lane(cells, pages, lane)


@compiled
def _fold(
    cells: FloatArray, pages: Pages | None, work: FloatArray, entry: float, close: float
) -> None:
    """Move what a ring cannot hold beside this step's cohort into its new lowest bin."""
    chance = _chance(entry)
    for lane in range(LANES):
        long = lane < ROWS
        price = close if long else -close
        b = _bin(entry if long else -entry, work[_DISTANCE + lane], price, chance)
        lowest, bottom = int(work[_BOTTOM + lane]), int(b) - (BINS - 1)
        if bottom <= work[_BOTTOM + lane]:
            continue
        deep = 0.0
        for k in range(lowest, bottom):
            deep += cells[slot(pages, lane, k)]
            cells[slot(pages, lane, k)] = 0.0
        if deep != 0.0:
            cells[own(cells, pages, lane, bottom)] += deep
        work[_BOTTOM + lane] = bottom
        give_back(cells, pages, lane, lowest // PAGE, bottom // PAGE)
