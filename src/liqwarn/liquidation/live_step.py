"""One bar of every symbol walked by all its maps: the compiled inner step of the live maps."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray, FloatArray
from liqwarn.liquidation.kernel import STEP, Reading, run
from liqwarn.liquidation.side_values import EDGES
from liqwarn.windows.arguments import compiled

__all__ = ["advance_all"]

_EDGES: Final[FloatArray] = np.ascontiguousarray(EDGES / STEP)


@compiled
def advance_all(
    maps: tuple[FloatArray, FloatArray],
    tables: NDArray[np.int32],
    path: FloatArray,
    steps: NDArray[np.int64],
    weights: FloatArray,
    usable: BoolArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Move every map of the symbols that have a price over one bar, in place.

    Parameters
    ----------
    maps : tuple of ndarray
        Cells of a :class:`~liqwarn.liquidation.paged_mass.PagedMass`, and the work of each map,
        shape (n_symbols, n_maps, WORK_SIZE).
    tables : ndarray of int32, shape (n_symbols, n_maps, TILES, LANES)
        Its pages.
    path : ndarray of shape (6, n_symbols * n_steps)
        The kernel's path, symbol after symbol.
    steps : ndarray of int64, shape (n_symbols,)
        Steps walked before; below 0 for a bar without a price, which is left out.
    weights : ndarray of shape (n_maps,)
        Of each map; those of no weight are not read.
    usable : ndarray of bool, shape (n_symbols,)
        Whether the maps say anything after the bar.

    Returns
    -------
    within, square, swept : ndarray
        As in :class:`~liqwarn.liquidation.readings.Trace`, one bar a symbol.
    """
    cells, work = maps
    n_symbols, n_steps = steps.size, path.shape[1] // steps.size
    within, square = np.zeros((2, n_symbols, 2, _EDGES.size))
    gone = np.zeros((n_symbols, 2))
    swept, at = np.empty((n_steps, 2)), np.full(n_steps, -1)
    seen = np.empty((2, 1, 2, _EDGES.size))
    reading = Reading(swept, at, _EDGES, seen[0], seen[1], np.empty((2, int(_EDGES[-1]) + 3)))
    for s in range(n_symbols):
        if steps[s] >= 0:
            ours = path[:, s * n_steps : (s + 1) * n_steps].copy()
            for k in range(weights.size):
                swept[:], seen[:] = 0.0, 0.0
                at[n_steps - 1] = 0 if weights[k] > 0.0 else -1
                run(cells, work[s, k], ours, steps[s], reading, tables[s, k])
                if weights[k] > 0.0:
                    _add(weights[k], reading, (within[s], square[s], gone[s]))
        if not usable[s]:
            within[s], gone[s] = np.nan, np.nan
    return within, square, gone


@compiled
def _add(weight: float, reading: Reading, sums: tuple[FloatArray, FloatArray, FloatArray]) -> None:
    """Add what a map says of one bar to the sums over the maps."""
    within, square, gone = sums
    for side in range(2):
        for edge in range(within.shape[1]):
            within[side, edge] += weight * reading.within[0, side, edge]
            square[side, edge] += weight * reading.square[0, side, edge]
        total = reading.swept[0, side]
        for t in range(1, reading.swept.shape[0]):
            total += reading.swept[t, side]
        gone[side] += weight * total
