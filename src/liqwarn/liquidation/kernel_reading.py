"""What one map says at one moment: coins within each distance of the price.

A part of :mod:`liqwarn.liquidation.kernel`, apart for its length.
"""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray
from liqwarn.liquidation.kernel_arrays import BINS, BLOCKS, LANES, ROWS, Reading
from liqwarn.liquidation.kernel_pages import PAGE, Pages, slot, tile_of
from liqwarn.windows.arguments import compiled, inlined

__all__ = ["read"]

_GROWTH, _FRONT, _BOTTOM, _NEW = (
    LANES * BLOCKS.index(block) for block in ("growth", "front", "bottom", "new")
)
_MASK: Final = BINS - 1


@compiled
def read(
    bins: FloatArray,
    cells: FloatArray,
    pages: Pages | None,
    work: FloatArray,
    reading: Reading,
    where: tuple[float, int],
) -> None:
    """Add what lies within each distance of the price, longs below it and shorts above.

    Parameters
    ----------
    bins : ndarray
        The reading's scratch as one row.
    where : tuple of float and int
        Coordinate of the price, and the row of the reading to fill.
    """
    close, row = where
    for k in range(bins.shape[0]):
        bins[k] = 0.0
    _spread(bins, cells, pages, work, 0, close)
    _spread(bins, cells, pages, work, 1, -close)
    longs = shorts = 0.0
    room = bins.shape[0] // 2
    for k in range(room - 1, -1, -1):
        longs += bins[k]
        bins[k] = longs
        shorts += bins[room + k]
        bins[room + k] = shorts
    _add_within(reading, row, 0, close - np.floor(close))
    _add_within(reading, row, 1, -close - np.floor(-close))


@inlined
def _spread(
    bins: FloatArray,
    cells: FloatArray,
    pages: Pages | None,
    work: FloatArray,
    side: int,
    price: float,
) -> None:
    """Coins of a side by bin, ascending up to the price's own."""
    room, lane0 = bins.shape[0] // 2, side * ROWS
    at = side * room
    lowest = int(np.floor(price)) + 1 - room
    for lane in range(lane0, lane0 + ROWS):
        work[_NEW + lane] = 1.0 / work[_GROWTH + lane]
        if lowest + room - work[_BOTTOM + lane] > BINS:
            _add_front(bins, cells, pages, lowest, work, lane)
    if pages is None:
        first = lowest & _MASK
        here = min(room, BINS - first)
        for lane in range(lane0, lane0 + ROWS, 5):
            _add_rows(bins, at, here, cells, lane * BINS + first, work)
            _add_rows(bins, at + here, room - here, cells, lane * BINS, work)
    else:
        done = 0
        while done < room:
            inside = (lowest + done) & (PAGE - 1)
            count = min(room - done, PAGE - inside)
            table = pages[tile_of(lowest + done)]
            for lane in range(lane0, lane0 + ROWS, 5):
                held = table[lane] | table[lane + 1] | table[lane + 2] | table[lane + 3]
                if (held | table[lane + 4]) != 0:
                    _add_pages(bins, (at + done, count, inside), cells, table, work, lane)
            done += count


@inlined
def _add_rows(
    bins: FloatArray, at: int, count: int, cells: FloatArray, start: int, work: FloatArray
) -> None:
    """Add five lanes. An unsigned index cannot count from the end: the loop becomes vectors."""
    share = _NEW + start // BINS
    s0, s1, s2 = work[share], work[share + 1], work[share + 2]
    s3, s4 = work[share + 3], work[share + 4]
    for k in range(count):
        i = start + k
        a = cells[np.uint64(i)] * s0 + cells[np.uint64(i + BINS)] * s1
        b = cells[np.uint64(i + 2 * BINS)] * s2 + cells[np.uint64(i + 3 * BINS)] * s3
        bins[np.uint64(at + k)] += (a + b) + cells[np.uint64(i + 4 * BINS)] * s4


@inlined
def _add_pages(
    bins: FloatArray,
    span: tuple[int, int, int],
    cells: FloatArray,
    table: Pages,
    work: FloatArray,
    lane: int,
) -> None:
    """Add a part of a page each of five lanes, in the order of :func:`_add_rows`."""
    at, count, inside = span
    share = _NEW + lane
    s0, s1, s2 = work[share], work[share + 1], work[share + 2]
    s3, s4 = work[share + 3], work[share + 4]
    i0, i1 = PAGE * table[lane] + inside, PAGE * table[lane + 1] + inside
    i2, i3 = PAGE * table[lane + 2] + inside, PAGE * table[lane + 3] + inside
    i4 = PAGE * table[lane + 4] + inside
    for k in range(count):
        a = cells[np.uint64(i0 + k)] * s0 + cells[np.uint64(i1 + k)] * s1
        b = cells[np.uint64(i2 + k)] * s2 + cells[np.uint64(i3 + k)] * s3
        bins[np.uint64(at + k)] += (a + b) + cells[np.uint64(i4 + k)] * s4


@compiled
def _add_front(
    bins: FloatArray,
    cells: FloatArray,
    pages: Pages | None,
    lowest: int,
    work: FloatArray,
    lane: int,
) -> None:
    """Add a lane that reaches deeper below the price than its ring is long.

    Above its front the slots hold bins that lie a whole ring deeper.
    """
    room = bins.shape[0] // 2
    at = room * (lane // ROWS)
    filled = min(room, int(max(np.ceil(work[_FRONT + lane]) - lowest, 0.0)))
    for k in range(filled):
        bins[at + k] += cells[slot(pages, lane, lowest + k)] * work[_NEW + lane]
    work[_NEW + lane] = 0.0


@inlined
def _add_within(reading: Reading, row: int, side: int, offset: float) -> None:
    """Read the coins above each edge; the price's own bin reaches `offset` bins below it."""
    coins, edges = reading.density, reading.edges
    within, square = reading.within, reading.square
    last, inside = coins.shape[1] - 1, 0
    while inside < edges.shape[0] and edges[inside] < offset:
        part = coins[side, last] * (edges[inside] / offset)
        within[row, side, inside] += part
        square[row, side, inside] += part * part
        inside += 1
    for edge in range(inside, edges.shape[0]):
        beyond = edges[edge] - offset
        k = int(beyond)
        above = coins[side, np.uint64(last - k)]
        part = above + (coins[side, np.uint64(last - k - 1)] - above) * (beyond - k)
        within[row, side, np.uint64(edge)] += part
        square[row, side, np.uint64(edge)] += part * part
