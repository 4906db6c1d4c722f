"""The arrays of the liquidation map: what :mod:`liqwarn.liquidation.kernel` advances.

Coordinates: a price is ``log(price) / STEP`` for longs and its negative for shorts, so both sides
are swept downwards by the same code. A lane is one leverage of one side: ten of longs, then ten
of shorts. ``work`` is one flat array of blocks of 20 numbers (see :data:`BLOCKS`): flat, because a
compiler that knows the distance between two blocks knows that they do not overlap.
"""

from typing import Final, NamedTuple

import numpy as np

from liqwarn.frames import FloatArray

__all__ = [
    "BINS",
    "BLOCKS",
    "LANES",
    "NOTHING",
    "ROWS",
    "STATE_SIZE",
    "STEP",
    "WORK_SIZE",
    "Reading",
    "fresh_lanes",
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

NOTHING: Final = 1.0e18
"""Front of an empty lane is minus this; its bottom is this."""


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
        Scratch: coins by bin below the price. Holds all of the last edge, and at least two bins
        more; at most :data:`BINS`.
    """

    swept: FloatArray
    at: np.ndarray
    edges: FloatArray
    within: FloatArray
    square: FloatArray
    density: FloatArray


def fresh_lanes() -> FloatArray:
    """State of a map that holds nothing: shape (STATE_SIZE,).

    >>> fresh_lanes().shape
    (80,)
    """
    total, growth = np.zeros(LANES), np.ones(LANES)
    return np.concatenate([total, growth, np.full(LANES, -NOTHING), np.full(LANES, NOTHING)])
