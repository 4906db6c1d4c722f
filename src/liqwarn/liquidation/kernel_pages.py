"""Where a bin of a lane is: in a dense ring, or on a page that exists only where there are coins.

A ring is cut into pages of 128 bins. The maps of one symbol and its history lie densely, lane after
lane, and ``pages`` is None: the compiler then leaves all of this out. The live maps of hundreds of
symbols share one pool of pages, and ``pages`` is a map's table of them, shape (TILES, LANES). A
page is taken when coins first come to it and given back when the last one is gone. The numbers
are the same either way, for only where they lie differs.

Of the pool's pages the first is empty for ever: whatever has no page reads it, and nothing but
zeros is ever written to it. The second holds the pool's own three numbers. A page that was given
back holds, in its first cell, which one was given back before it.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray
from liqwarn.liquidation.kernel_arrays import BINS
from liqwarn.windows.arguments import compiled, inlined

__all__ = [
    "PAGE",
    "TILES",
    "Pages",
    "give_back",
    "give_back_lane",
    "held_pages",
    "new_pool",
    "own",
    "page_at",
    "slot",
    "tile_of",
]

PAGE: Final = 128
"""Bins of a page, a power of two."""

TILES: Final = BINS // PAGE
"""Pages of a whole ring."""

_SHIFT: Final = 7  # PAGE is two to this power
_RING: Final = BINS - 1


_FREED: Final = PAGE  # cell: page that was given back last, 0 for none
_FRESH: Final = PAGE + 1  # cell: first page that was never taken
_HELD: Final = PAGE + 2  # cell: pages that hold coins

Pages: TypeAlias = NDArray[np.int32]
"""Page of each stretch of 128 bins of each lane, shape (TILES, LANES); 0 where there is none."""


def new_pool(n_pages: int) -> FloatArray:
    """Cells of a pool of so many pages that can be taken: shape (2 + n_pages, PAGE)."""
    cells = np.zeros((2 + n_pages, PAGE))
    cells.reshape(-1)[_FRESH] = 2.0
    return cells


def held_pages(cells: FloatArray) -> int:
    """How many pages of a pool hold coins.

    >>> held_pages(new_pool(5))
    0
    """
    return int(cells.reshape(-1)[_HELD])


@inlined
def tile_of(b: int) -> int:
    """Which page of its ring a bin is on."""
    return (b >> _SHIFT) & (TILES - 1)


@inlined
def page_at(pages: Pages | None, lane: int, tile: int) -> int:
    """First cell of a page."""
    if pages is None:
        return lane * BINS + tile * PAGE
    return PAGE * int(pages[tile, lane])


@inlined
def slot(pages: Pages | None, lane: int, b: int) -> int:
    """Cell of a bin."""
    if pages is None:
        return lane * BINS + (b & _RING)
    return page_at(pages, lane, tile_of(b)) + (b & (PAGE - 1))


@inlined
def own(cells: FloatArray, pages: Pages | None, lane: int, b: int) -> int:
    """Cell of a bin that is about to be filled: it has a page from now on."""
    if pages is not None and pages[tile_of(b), lane] == 0:
        _take(cells, pages, lane, tile_of(b))
    return slot(pages, lane, b)


@compiled
def _take(cells: FloatArray, pages: Pages, lane: int, tile: int) -> None:
    page = int(cells[_FREED])
    if page != 0:
        cells[_FREED] = cells[PAGE * page]
        cells[PAGE * page] = 0.0
    else:
        page = int(cells[_FRESH])
        cells[_FRESH] += 1.0
    pages[tile, lane] = page
    cells[_HELD] += 1.0


@compiled
def give_back(cells: FloatArray, pages: Pages | None, lane: int, first: int, last: int) -> None:
    """Give back the pages of tiles `first` to `last`, counted without end, that hold nothing."""
    if pages is not None:
        for tile in range(first, last + 1):
            page = int(pages[tile & (TILES - 1), lane])
            if page != 0 and _is_empty(cells, page):
                pages[tile & (TILES - 1), lane] = 0
                cells[PAGE * page] = cells[_FREED]
                cells[_FREED] = page
                cells[_HELD] -= 1.0


@inlined
def _is_empty(cells: FloatArray, page: int) -> bool:
    empty = True
    for k in range(PAGE * page, PAGE * page + PAGE):
        empty &= cells[k] == 0.0
    return empty


@inlined
def give_back_lane(cells: FloatArray, pages: Pages | None, lane: int) -> None:
    """Give back whatever a lane has no need of."""
    if pages is not None:
        give_back(cells, pages, lane, 0, TILES - 1)
