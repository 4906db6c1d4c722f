"""The engine's memory at the start: a market whose positions are all far from liquidation."""

import numpy as np

from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.layout import (
    BIN_WIDTH,
    BLOCKS,
    CHANNELS,
    CLOCK,
    DAILY_VOLUME,
    FAR,
    FREE,
    FRONT,
    FUND,
    HELD,
    IN_ENTRY,
    LANE_SIZE,
    LANES,
    LIQUIDATED,
    MASS,
    MIX,
    MOVED,
    OPEN_INTEREST,
    SCALE,
    TALLY,
    TALLY_END,
    TOP,
    UNIT,
    VALUE,
    WEIGHT,
    Books,
)
from liqwarn.simulation.rules import Rules, columns_of, ladder_of

__all__ = ["HISTORY_BINS", "PATH_BINS", "copied", "new_books", "paused"]

HISTORY_BINS = 2048  # powers of two; price can rise e-fold before a cohort at 2x is out of reach
PATH_BINS = 1024


def new_books(config: MarketConfig, rules: Rules, *, n_bins: int = HISTORY_BINS) -> Books:
    """A market before its first step, whose participants may all do as they like."""
    n, populations = len(config.specs), rules.populations
    n_lanes = 2 * populations * 2
    cells = np.zeros((n + 1, MIX + BLOCKS * rules.rungs))
    cells[:n, : DAILY_VOLUME + 1] = columns_of(config)
    cells[:n, MIX:] = ladder_of(config, config.leverage.mix)
    cells[n, MIX:] = ladder_of(config, config.cross.mix)
    prices = np.array([spec.price for spec in config.specs])
    cells[:n, VALUE] = np.log(prices)
    cells[n, VALUE] = cells[:n, WEIGHT] @ np.log(prices)
    cells[:n, HELD] = cells[:n, OPEN_INTEREST]
    cells[:n, FUND] = config.venue.insurance_frac * cells[:n, OPEN_INTEREST] * prices
    cells[:n, IN_ENTRY : IN_ENTRY + 2] = 1.0
    shares = np.array([1.0 - rules.phi, rules.phi])[:populations]
    mass = np.zeros((n + 1, 2, populations))
    mass[:n] = (cells[:n, OPEN_INTEREST] - cells[:n, UNIT])[:, None, None] * shares
    mass[n, :, FREE] = float(cells[:n, UNIT].any())
    lanes = cells[:, LANES : LANES + n_lanes * LANE_SIZE]
    lanes = lanes.reshape(n + 1, 2, populations, 2, LANE_SIZE).copy()
    lanes[..., SCALE] = 1.0
    lanes[..., LIQUIDATED, FAR] = mass
    for side, sign in enumerate((1.0, -1.0)):
        cells[:, MASS + 2 * side : MASS + 2 * side + populations] = mass[:, side]
        bins = np.floor(sign * cells[:, VALUE] / BIN_WIDTH)[:, None, None]
        lanes[:, side, :, :, TOP] = bins - 1.0
        lanes[:, side, :, :, FRONT] = bins
    cells[:, LANES : LANES + n_lanes * LANE_SIZE] = lanes.reshape(n + 1, -1)
    return Books(cells=cells, ring=np.zeros((n + 1, n_lanes, n_bins)))


def paused(books: Books) -> Books:
    """The same market with its counters at zero, for another clock."""
    books.cells[:-1, MOVED : MOVED + len(CHANNELS)] = 0.0
    books.cells[:, TALLY:TALLY_END] = 0.0
    books.cells[-1, CLOCK] = 0.0
    return books


def copied(books: Books) -> Books:
    """The same market again, to run another future."""
    return Books(cells=books.cells.copy(), ring=books.ring.copy())
