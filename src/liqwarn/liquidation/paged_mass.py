"""The mass of many symbols' maps in one pool of pages: memory only where there are coins.

A dense mass is 7.9 MB a symbol of 24 maps, of which a tenth of the bins hold anything. The pool
is as large as all of it would be, but of addresses only: the system gives memory to what has been
written, and pages are taken from the low end. What was once taken is used again, not returned.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray
from liqwarn.liquidation.kernel_arrays import BINS, LANES
from liqwarn.liquidation.kernel_pages import (
    PAGE,
    TILES,
    Pages,
    give_back_lane,
    held_pages,
    new_pool,
    own,
    page_at,
)
from liqwarn.windows.arguments import compiled

__all__ = ["PagedMass"]

_NUMBER: Final = np.dtype(np.float64).itemsize


class PagedMass:
    """Mass of several symbols' maps. One owner: the kernel changes it in place.

    Parameters
    ----------
    n_symbols, n_maps : int

    Attributes
    ----------
    cells : ndarray of float64, shape (2 + n_pages, PAGE)
        The pool; see :mod:`liqwarn.liquidation.kernel_pages`.
    tables : ndarray of int32, shape (n_symbols, n_maps, TILES, LANES)
        Page of each stretch of a lane's ring; 0 is none.

    Examples
    --------
    >>> paged = PagedMass(2, 3)
    >>> mass = np.zeros((3, LANES, BINS))
    >>> mass[1, 4, 100] = 7.0
    >>> paged.put(1, mass)
    >>> paged.held_bytes, bool((paged.dense(1) == mass).all())
    (1024, True)
    """

    def __init__(self, n_symbols: int, n_maps: int) -> None:
        shape = (n_symbols, n_maps, TILES, LANES)
        self.cells = new_pool(math.prod(shape))
        self.tables: NDArray[np.int32] = np.zeros(shape, dtype=np.int32)

    @property
    def held_bytes(self) -> int:
        """Bytes of the pages that hold coins."""
        return held_pages(self.cells) * PAGE * _NUMBER

    def put(self, row: int, mass: FloatArray) -> None:
        """Make a dense mass, shape (n_maps, LANES, BINS), that of a symbol."""
        cells = self.cells.reshape(-1)
        for ours, theirs in zip(self.tables[row], mass, strict=True):
            _put(cells, ours, theirs)

    def dense(self, row: int) -> FloatArray:
        """A symbol's mass as an array of its own, shape (n_maps, LANES, BINS)."""
        mass = np.empty((self.tables.shape[1], LANES, BINS))
        cells = self.cells.reshape(-1)
        for ours, theirs in zip(self.tables[row], mass, strict=True):
            _get(cells, ours, theirs)
        return mass


@compiled
def _put(cells: FloatArray, pages: Pages, mass: FloatArray) -> None:
    for tile in range(TILES):
        first = tile * PAGE
        for lane in range(LANES):
            given = mass[lane, first : first + PAGE]
            if np.any(given):
                at = own(cells, pages, lane, first)
                cells[at : at + PAGE] = given
            else:
                at = page_at(pages, lane, tile)
                cells[at : at + PAGE] = 0.0
    for lane in range(LANES):
        give_back_lane(cells, pages, lane)


@compiled
def _get(cells: FloatArray, pages: Pages, mass: FloatArray) -> None:
    for tile in range(TILES):
        for lane in range(LANES):
            at = page_at(pages, lane, tile)
            mass[lane, tile * PAGE : tile * PAGE + PAGE] = cells[at : at + PAGE]
