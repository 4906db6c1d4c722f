"""No two columns share a place, and names say what order says."""

from itertools import pairwise

from liqwarn.simulation import layout as at

WIDTHS = {  # of the columns that are more than one; the others are one wide
    **dict.fromkeys(("LOWEST", "THIN", "PAID", "QUEUE", "LEVEL", "OWED", "ORDERS"), 2),
    **dict.fromkeys(
        ("IN_DOWN", "IN_DEPTH", "IN_ENTRY", "IN_ROOM", "IN_CUT", "IN_RUSH", "IN_ERODE"), 2
    ),
    **dict.fromkeys(("LIQUIDATED_COINS", "LIQUIDATED_USD", "CUT_USD", "MISSED", "OPENED"), 2),
    "MASS": 4,
    "MOVED": len(at.CHANNELS),
    "LANES": 8 * at.LANE_SIZE,
}
NOT_COLUMNS = {
    *("BANDS", "BIN_WIDTH", "CHANNELS", "BLOCKS", "LANES_END", "LANE_SIZE", "TALLY", "TALLY_END"),
    *("SCALE", "FAR", "TOP", "FRONT", "WAITING", "LIQUIDATED", "STOPPED", "FREE", "OBEDIENT"),
    *("MEAN_THIN", "FORCED", "CLOCK", "NEWS", "THIN_BOOK", "LIQUIDATION", "STOP", "MARGIN_CALL"),
    *("CROSS_MARGIN", "CONTAGION", "SLOW_FLOW", "ARBITRAGE"),
}


def columns():
    names = [n for n in vars(at) if n.isupper() and n not in NOT_COLUMNS]
    return sorted((getattr(at, name), name) for name in names)


def test_every_column_starts_where_the_one_before_ends():
    for (start, name), (following, other) in pairwise(columns()):
        assert start + WIDTHS.get(name, 1) == following, (name, other)
    assert columns()[-1] == (at.MIX, "MIX")
    assert at.LANES_END == at.MIX


def test_what_a_bar_adds_up_is_one_block():
    assert (at.TALLY, at.TALLY_END) == (at.LIQUIDATED_COINS, at.RUSHED_USD + 1)


def test_channels_are_in_the_order_of_their_names():
    for k, name in enumerate(at.CHANNELS):
        assert getattr(at, name.upper()) == k


def test_bands_ascend_from_price():
    assert at.BANDS[0] == 0.0
    assert all(a < b for a, b in pairwise(at.BANDS))


def test_what_the_basket_keeps_of_the_market_is_no_lane_of_its_own():
    kept = (at.MEAN_THIN, at.FORCED, at.CLOCK)
    assert all(at.MOVED <= column < at.IN_NEWS for column in kept)
    assert len(set(kept)) == 3
