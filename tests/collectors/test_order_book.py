"""The depth near the price is told only as far as the book is known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.happenings import Reading
from liqwarn.collectors.order_book import Book, depth_readings, read_levels
from liqwarn.errors import DataError


def ladder(count, step=0.1):
    bids = [(100 - step * (n + 1), 1.0) for n in range(count)]
    asks = [(100 + step * (n + 1), 2.0) for n in range(count)]
    return bids, asks


def test_depth_within_the_band_by_hand():
    book = Book.of([(99.5, 2.0), (99.1, 1.0), (98.0, 7.0)], [(100.5, 4.0)], most=1000)

    depth = book.depth()

    assert depth.bid == 99.5 * 2 + 99.1
    assert depth.ask == 100.5 * 4
    assert (depth.bid_reach, depth.ask_reach) == (math.inf, math.inf)


def test_a_side_that_is_not_known_to_the_end_of_the_band_has_no_depth():
    bids, asks = ladder(5)

    depth = Book.of(bids, [*asks, (103.0, 1.0)], most=5).depth()

    assert depth.bid is None  # the fifth of five levels is 0.5 % away: more may lie behind it
    assert depth.ask is not None
    assert depth.bid_reach == pytest.approx(0.005)
    assert depth.ask_reach == pytest.approx(0.03)


def test_changes_beyond_the_known_range_are_left_out_and_size_0_takes_a_level_away():
    bids, asks = ladder(3)
    book = Book.of(bids, asks, most=3)

    book.apply([(99.9, 0.0), (50.0, 9.0), (99.85, 4.0), (99.0, 0.0)], [(100.1, 3.0), (150.0, 1.0)])

    assert sorted(book.bids) == pytest.approx([99.7, 99.8, 99.85])
    assert book.asks[100.1] == 3.0
    assert 150.0 not in book.asks


def test_only_the_best_are_kept():
    bids, asks = ladder(10)
    book = Book.of(bids, asks, most=1000)

    book.keep_best(4)

    assert (book.bids_from, book.asks_to) == (min(book.bids), max(book.asks))
    assert min(book.bids) == pytest.approx(99.6)
    assert max(book.asks) == pytest.approx(100.4)


@pytest.mark.parametrize("bids", [[], [(101.0, 1.0)]])
def test_an_empty_side_or_a_crossed_book_has_no_depth(bids):
    assert Book.of(bids, [(100.0, 1.0)], most=10).depth() is None


def test_readings_of_the_sides_that_are_known():
    bids, _ = ladder(5)
    depth = Book.of(bids, [(100.5, 4.0)], most=5).depth()

    assert depth_readings("BTCUSDT", 7, depth, coins=0.01) == (
        Reading(symbol="BTCUSDT", time_ms=7, field="ask_depth_usd", value=depth.ask * 0.01),
    )


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ({}, "expected a list"),
        ([["1"]], "expected price, size of 2 columns"),
        (["12"], "expected price, size of 2 columns"),
        ([[1.0, "1"]], "field 'price': found 1.0, expected a number as text"),
        ([["1", True]], "field 'size': found True, expected a number as text"),
        ([["0", "1"]], "expected a price above 0"),
        ([["-1", "1"]], "expected a price above 0"),
        ([["1", "-1"]], "expected a price above 0, a size of 0 on"),
        ([["1", "1"], ["1.0", "2"]], "a price is there twice"),
        ([["1e9", "1"]], "expected a price above 0"),
    ],
)
def test_levels_of_another_kind_are_refused(levels, why):
    with pytest.raises(DataError, match=why):
        read_levels(levels, 2, "frame")


sides = st.lists(
    st.tuples(st.integers(1, 400), st.integers(0, 9)), max_size=60, unique_by=lambda level: level[0]
)


@given(start=sides, changes=st.lists(sides, max_size=8))
def test_a_book_after_changes_is_the_book_of_what_rests(start, changes):
    def level(pair):
        return 100 + pair[0] / 10, float(pair[1])

    book = Book.of([(1.0, 1.0)], map(level, start), most=1000)
    resting = dict(map(level, start))
    for change in changes:
        book.apply([], map(level, change))
        resting |= dict(map(level, change))

    assert book.asks == {price: size for price, size in resting.items() if size}


def test_a_level_of_more_than_there_is_money_is_refused():
    with pytest.raises(DataError, match="expected a price above 0"):
        read_levels([["60000", "100000000000000"]], 2, "x")
