"""Where the compiled engine keeps what: names of the columns of its arrays.

Arrays with named columns, not objects, because compiled code passes them around for nothing.
Amounts are coins, prices are logs. Sides are those of :data:`liqwarn.frames.SIDES`.

A side sees price in its own direction, ``y = log price`` for longs and ``y = -log price`` for
shorts, so that liquidation prices lie below ``y`` on both sides. The rows of a market are its
symbols and, last, the basket that cross-margin accounts hold.
"""

from typing import Final, NamedTuple

from liqwarn.frames import FloatArray

__all__ = ["BANDS", "BIN_WIDTH", "CHANNELS", "Books"]

BIN_WIDTH: Final = 0.001  # of log price
BANDS: Final = (0.0, 0.01, 0.02, 0.03, 0.05, 0.10)
"""Edges of the distance bands in which true cohort mass is recorded, as shares of price."""

CHANNELS: Final = (
    "news",
    "thin_book",
    "liquidation",
    "stop",
    "margin_call",
    "cross_margin",
    "contagion",
    "slow_flow",
    "arbitrage",
)
"""What moves price; the parts of a move sum to it."""
NEWS, THIN_BOOK, LIQUIDATION, STOP, MARGIN_CALL, CROSS_MARGIN, CONTAGION, SLOW_FLOW, ARBITRAGE = (
    range(9)
)

# Columns of a row. What it is:
DEPTH, BETA, WEIGHT, OPEN_INTEREST, UNIT, DAILY_VOLUME = range(6)
"""Coins that move price by 1 % in a calm book; share of the market's forced move that passes here;
weight in the market; long-run coins; coins in a unit of the basket; coins traded in a usual day."""

# What it remembers:
VALUE, PULL = 6, 7  # log price without the part that rebounds, and that part
LOWEST = 8  # and 9: y of each side at its lowest inside the step
THIN = 10  # and 11: log depth withdrawn, bids first
HELD = 12  # open interest
TREND, CROWDING, GROWTH = 13, 14, 15
FUND = 16  # insurance fund, quote
PAID = 17  # and 18: log distance by which funding paid has brought a side's cohorts nearer
QUEUE = 19  # and 20: coins in liquidation that wait for their second part
LEVEL = 21  # and 22: y at which they were liquidated
OWED = 23  # and 24: coins of cross-margin accounts to be closed
ORDERS = 25  # and 26: slow sells and buys of late, which price has already moved for
MASS = 27  # to 30: coins in the lanes of a side, by population: MASS + 2*side + population
MOVED = 31  # to 39: log price moved since the start, by channel

# What a step is told of it:
IN_NEWS = 40
IN_DOWN = 41  # and 42: unit exponentials: how far price strays down and up; or minus the uniforms
# they are made of, which costs less where straying would reach nobody
IN_STD, IN_ACTIVITY = 43, 44
IN_DEPTH = 45  # and 46: log of calm bid and ask depth over the long-run depth
IN_SUPPLY = 47  # coins sold slowly; negative: bought
IN_OPEN = 48  # 0 while the venue is down
IN_ENTRY = 49  # and 50: share of their new positions that the obedient may open
IN_ROOM = 51  # and 52: least log distance to liquidation that they may keep
IN_CUT = 53  # and 54: share of what lies nearer that they put right in a step
IN_RUSH = 55  # and 56: share of the others that leaves in a step because it fears a line
IN_ERODE = 57  # and 58: log distance that funding takes in this step

# What a bar adds up:
TALLY = 59
LIQUIDATED_COINS = 59  # and 60
LIQUIDATED_USD = 61  # and 62
HIGH, LOW, PULL_SUM, ADL_USD = 63, 64, 65, 66
CUT_USD = 67  # and 68: closed by the obedient because they must
SLIPPAGE_USD = 69
MISSED = 70  # and 71: coins they could not open
OPENED = 72  # and 73: coins they opened
RUSHED_USD = 74
TALLY_END = 75
BAR_OPEN = 75  # log price when the bar opened
OWN_FORCED = 76  # the move that forced flow caused here in the last step

# Its lanes, five columns each; a lane is named by its first column:
LANES = 77
LANE_SIZE = 5
SCALE = 0  # multiplies the whole lane, so that closing a share of everything costs nothing
FAR = 1  # coins that can never be reached
TOP = 2  # highest bin that may be occupied
FRONT = 3  # bins from here up have had their margin call
WAITING = 4  # coins opened since cohorts were last entered; not scaled
LANES_END = LANES + 8 * LANE_SIZE
LIQUIDATED, STOPPED = 0, 1  # kinds of lanes
FREE, OBEDIENT = 0, 1  # populations

# Then, each as long as the ladder has rungs (n):
MIX = LANES_END  # 2n: leverage mix of new positions, longs' then shorts'
# MIX + 2n, 2n: log distance from entry to liquidation, longs' then shorts'
# MIX + 4n: log leverage; MIX + 5n: mix in balanced times; MIX + 6n: log distances of stops
BLOCKS = 7

# Of the market, in the basket's row, which has no book of its own.
MEAN_THIN, FORCED, CLOCK = MOVED, MOVED + 1, MOVED + 2


class Books(NamedTuple):
    """The market between two steps, and what the current bar adds up."""

    cells: FloatArray  # (n_rows, MIX + BLOCKS * n_leverages)
    ring: FloatArray  # (n_rows, n_lanes, n_bins): coins by liquidation or stop price, unscaled
