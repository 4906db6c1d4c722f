"""Binance's book: joined as documented, told only where it is known, begun anew after a hole."""

import math
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.binance import Binance
from liqwarn.collectors.binance_book import BinanceBook, Change, Snapshot
from liqwarn.errors import DataError

GIVEN = runpy.run_path(str(Path(__file__).with_name("binance_given.py")))
AT, depth, depth_reply, ladder = (GIVEN[x] for x in ("AT", "depth", "depth_reply", "ladder"))
BIDS, ASKS = ladder()


@pytest.fixture
def reader():
    return Binance().reader(["BTCUSDT"])


def change(reader, *args, second=0, **fields):
    return reader.read("depth", depth(*args, at=AT + int(1000 * second), **fields))


def reply(reader, last, bids=BIDS, asks=ASKS):
    return reader.read("depth-BTCUSDT", depth_reply(last, bids, asks))


def values(heard):
    return {one.field: one.value for one in heard.happenings}


def test_a_snapshot_and_the_events_beyond_it_by_hand(reader):
    change(reader, 90, 91, 100, bids=[("78950.0", "9.0")])  # in the snapshot already
    change(reader, 100, 101, 110, bids=[("78900.0", "2.5")])
    reply(reader, 105)

    heard = change(reader, 110, 111, 120, asks=[("79050.0", "0")], second=1)

    # mid is now 79 025 and the band 78 234.75 to 79 815.25: fifteen levels on either side
    bids = sum((78_950.0 - 50.0 * n) * 1.5 for n in range(15)) + 78_900.0 * 1.0
    asks = sum((79_100.0 + 50.0 * n) * 1.5 for n in range(15))
    assert values(heard) == pytest.approx({"bid_depth_usd": bids, "ask_depth_usd": asks})
    assert (heard.topic, heard.gap, heard.keep) == ("btcusdt@depth@500ms", "", False)


def test_a_snapshot_ahead_of_the_events_waits_for_them(reader):
    reply(reader, 105)
    assert change(reader, 90, 91, 100).happenings == ()
    assert change(reader, 100, 101, 104, second=1).happenings == ()

    assert len(change(reader, 104, 105, 110, second=2).happenings) == 2


def test_a_snapshot_older_than_the_events_is_of_no_use(reader):
    change(reader, 100, 101, 110)
    reply(reader, 99)

    assert change(reader, 110, 111, 120, second=1).happenings == ()
    reply(reader, 112)
    assert len(change(reader, 120, 121, 130, second=2).happenings) == 2


def test_a_hole_is_told_once_and_the_book_begins_anew(reader):
    change(reader, 90, 91, 100)
    reply(reader, 100)
    assert len(change(reader, 100, 101, 110, second=1).happenings) == 2

    heard = change(reader, 111, 112, 120, second=2)

    assert heard.gap == "btcusdt@depth@500ms: found pu=111, expected 110"
    assert heard.happenings == ()
    assert change(reader, 120, 121, 130, second=3).gap == ""
    assert change(reader, 130, 131, 140, second=4).happenings == ()
    reply(reader, 125)
    assert len(change(reader, 140, 141, 150, second=5).happenings) == 2


def test_an_event_that_comes_twice_changes_nothing(reader):
    change(reader, 90, 91, 100)
    reply(reader, 100)
    change(reader, 100, 101, 110, bids=[("78950.0", "4.0")], second=1)

    for _ in range(2):
        heard = change(reader, 100, 101, 110, bids=[("78950.0", "4.0")], second=2)
        assert heard.gap == ""
    assert change(reader, 110, 111, 120, second=3).gap == ""


def test_a_line_opened_again_begins_anew_without_a_hole(reader):
    change(reader, 90, 91, 100)
    reply(reader, 100)
    reader.opened("market")
    assert len(change(reader, 100, 101, 110, second=1).happenings) == 2

    reader.opened("depth")

    heard = change(reader, 500, 501, 510, second=2)
    assert (heard.gap, heard.happenings) == ("", ())


def test_depth_is_told_once_a_second(reader):
    change(reader, 90, 91, 100)
    reply(reader, 100)

    told = [
        len(change(reader, 100 + n, 101 + n, 101 + n, second=1 + n / 4).happenings)
        for n in range(8)
    ]

    assert told == [2, 0, 0, 0, 2, 0, 0, 0]


def test_a_book_that_does_not_reach_the_band_has_no_depth_and_says_how_far_it_is_known(reader):
    """A thousand levels of a tick of 0.1 reach 100 of the 790 that 1 % of 79 000 are."""
    bids, asks = ladder(step=0.1, count=1000)
    change(reader, 90, 91, 100)
    reply(reader, 100, bids, asks)

    assert change(reader, 100, 101, 110, second=1).happenings == ()
    assert reader.reach["BTCUSDT"] == pytest.approx((100 / 79_000, 100 / 79_000))


def test_a_side_with_fewer_levels_than_a_snapshot_holds_is_known_to_its_end(reader):
    change(reader, 90, 91, 100)
    reply(reader, 100)
    change(reader, 100, 101, 110, second=1)

    assert reader.reach["BTCUSDT"] == (math.inf, math.inf)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (depth(100, 101, 100), "expected pu < u, U <= u"),
        (depth(100, 111, 110), "expected pu < u, U <= u"),
        (depth(100, 101, 110, bids=[("1", "2", "3")[:1]]), "expected price, size"),
        (depth(100, 101, 110, bids=[("-1", "2")]), "expected a price above 0"),
        (depth(100, 101, 110, bids=[(79000.0, "2")]), "expected a number as text"),
        (depth(100, 101, 110, asks=[("5", "1"), ("5", "2")]), "there twice"),
        (depth(100, 101, 110, a=None), "expected a list"),
        (depth(100, 101, 110, u="110"), "expected a whole number"),
        (depth(100, 101, 110, pu=-1), "expected a whole number"),
        (depth(100, 101, 110, at=AT // 1000), "milliseconds of 2010 to 2100"),
        (depth(100, 101, 110, st=2), "found 2, expected 1"),
        (depth(100, 101, 110).replace(b'"pu"', b'"pU"'), "field 'pu': missing"),
    ],
)
def test_drift_of_events_is_refused(reader, frame, why):
    with pytest.raises(DataError, match=why):
        reader.read("depth", frame)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (depth_reply(100, [], ASKS), "a side is empty"),
        (depth_reply(100, ASKS, BIDS), "the sides cross"),
        (depth_reply(100, BIDS, ASKS).replace(b"lastUpdateId", b"updateId"), "missing"),
        (depth_reply(100, BIDS, ASKS).replace(b'"bids":', b'"b":'), "expected a list"),
        (depth_reply("100", BIDS, ASKS), "expected a whole number"),
        (depth_reply(100, BIDS, ASKS, at=AT // 1000), "milliseconds of 2010 to 2100"),
    ],
)
def test_drift_of_snapshots_is_refused(reader, frame, why):
    with pytest.raises(DataError, match=why):
        reader.read("depth-BTCUSDT", frame)


def test_a_snapshot_of_a_symbol_that_was_not_asked_for_is_refused(reader):
    with pytest.raises(DataError, match="expected stream and data"):
        reader.read("depth-ETHUSDT", depth_reply(100, BIDS, ASKS))


@given(
    changes=st.lists(
        st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), max_size=4,
                 unique_by=lambda level: level[0]),
        min_size=6, max_size=40,
    ),
    asked=st.integers(0, 39),
    came=st.integers(0, 8),
    lost=st.one_of(st.none(), st.integers(0, 39)),
)  # fmt: skip
def test_a_book_is_the_venue_s_book_or_none(changes, asked, came, lost):
    """A snapshot is taken as of one event and comes some events later; one event may be lost."""
    book, venue = BinanceBook(), {1000.0: 1.0}
    snapshot, holes = None, 0
    for number, levels in enumerate(changes):
        bids = [(100.0 + price, float(size)) for price, size in levels]
        venue |= dict(bids)
        if number == asked:
            resting = [(price, size) for price, size in venue.items() if size]
            snapshot = Snapshot(last=10 * number + 10, bids=resting, asks=[(2000.0, 1.0)])
        if number != lost:
            event = Change(
                before=10 * number, last=10 * number + 10, time_ms=AT, bids=bids, asks=[]
            )
            holes += bool(book.change(event))
        if snapshot is not None and number == asked + came:
            book.snapshot(snapshot)
        if book.book is not None and number != lost:
            assert book.book.bids == {price: size for price, size in venue.items() if size}

    assert holes == (lost is not None and 0 < lost < len(changes) - 1)
    told = asked + came < len(changes)
    if told and (lost is None or lost >= len(changes)):
        assert book.book is not None
