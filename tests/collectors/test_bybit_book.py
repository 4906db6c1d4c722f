"""Bybit's book: as many levels as were asked for, and no word about what lies beyond."""

import pytest

from liqwarn.collectors.bybit_book import BookFrame, start_book
from liqwarn.errors import DataError


def frame(bids, asks, *, u, kind="delta", at=0):
    return BookFrame.read({"s": "X", "b": bids, "a": asks, "u": u}, kind, at, "x")


def deep(step, count):
    bids = [[f"{100 - step * n:.4f}", "1"] for n in range(1, count + 1)]
    asks = [[f"{100 + step * n:.4f}", "1"] for n in range(1, count + 1)]
    return frame(bids, asks, u=7, kind="snapshot")


def told(book, at=1_000):
    return {reading.field for reading in book.readings("X", at)}


def test_a_book_that_ends_before_the_band_tells_no_depth():
    assert told(start_book(deep(0.01, 50), 50)) == set()
    assert told(start_book(deep(0.03, 50), 50)) == {"bid_depth_usd", "ask_depth_usd"}


def test_a_side_of_a_few_levels_is_all_there_is():
    assert told(start_book(deep(0.01, 20), 50)) == {"bid_depth_usd", "ask_depth_usd"}


def test_a_side_that_lost_a_few_of_its_levels_is_not_taken_for_all_there_is():
    book = start_book(deep(0.01, 50), 50)
    book.apply(frame([["99.9900", "0"]], [["100.0100", "0"]], u=8))

    assert told(book) == set()


def test_levels_beyond_those_asked_for_do_not_count():
    book = start_book(deep(0.01, 50), 50)
    book.apply(frame([["95", "1000"]], [["105", "1000"]], u=8))

    assert told(book) == set()


def test_depth_is_told_once_a_second():
    book = start_book(deep(0.03, 50), 50)

    assert told(book, 1_000)
    assert told(book, 1_999) == set()
    assert told(book, 2_000)


@pytest.mark.parametrize(
    ("bids", "asks"), [([["9", "0"]], [["10", "1"]]), ([["10", "1"]], [["10", "1"]])]
)
def test_a_snapshot_without_a_side_or_crossed_is_refused(bids, asks):
    with pytest.raises(DataError, match="expected bids below asks"):
        frame(bids, asks, u=7, kind="snapshot")
