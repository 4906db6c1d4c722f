"""OKX's book: joined by its numbers, told only as far as its 400 levels reach."""

import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.okx import Okx
from liqwarn.errors import DataError

GIVEN = runpy.run_path(str(Path(__file__).with_name("okx_given.py")))
AT, books, ladder, instruments = (GIVEN[x] for x in ("AT", "books", "ladder", "instruments"))
BIDS, ASKS = ladder()


@pytest.fixture
def reader():
    made = Okx().reader(["BTCUSDT"])
    made.read("instruments", instruments())
    return made


def page(reader, *args, second=0, **fields):
    return reader.read("books", books(*args, at=AT + int(1000 * second), **fields))


def values(heard):
    return {one.field: one.value for one in heard.happenings}


def test_contracts_times_their_size_within_the_band_by_hand(reader):
    page(reader, "snapshot", -1, 10, BIDS, ASKS)

    heard = page(reader, "update", 10, 15, [("78900.0", "250")], [("79050.0", "0")], second=1)

    # mid is now 79 025 and the band 78 234.75 to 79 815.25; 150 contracts are 1.5 coins
    bids = sum((78_950.0 - 50.0 * n) * 1.5 for n in range(15)) + 78_900.0 * 1.0
    asks = sum((79_100.0 + 50.0 * n) * 1.5 for n in range(15))
    assert values(heard) == pytest.approx({"bid_depth_usd": bids, "ask_depth_usd": asks})
    assert (heard.topic, heard.gap, heard.keep) == ("books:BTC-USDT-SWAP", "", False)


def test_the_documentation_s_run_of_numbers_has_no_hole(reader):
    """A change, a message that nothing changed, a reset of the numbers, a change."""
    page(reader, "snapshot", -1, 10, BIDS, ASKS)

    gaps = [
        page(reader, "update", before, last, second=n).gap
        for n, (before, last) in enumerate([(10, 15), (15, 15), (15, 3), (3, 5)])
    ]

    assert gaps == ["", "", "", ""]


def test_a_hole_is_told_once_and_the_book_begins_anew(reader):
    page(reader, "snapshot", -1, 10, BIDS, ASKS)

    heard = page(reader, "update", 11, 15, second=1)

    assert heard.gap == "books:BTC-USDT-SWAP: found prevSeqId=11, expected 10"
    after = page(reader, "update", 15, 20, second=2)
    assert (after.gap, after.happenings) == ("", ())
    assert len(page(reader, "snapshot", -1, 30, BIDS, ASKS, second=3).happenings) == 2


def test_a_line_opened_again_begins_anew(reader):
    page(reader, "snapshot", -1, 10, BIDS, ASKS)
    reader.opened("readings")
    assert len(page(reader, "update", 10, 15, second=1).happenings) == 2

    reader.opened("books")

    after = page(reader, "update", 99, 100, second=2)
    assert (after.gap, after.happenings) == ("", ())


def test_depth_is_told_once_a_second(reader):
    page(reader, "snapshot", -1, 0, BIDS, ASKS)

    told = [len(page(reader, "update", n, n + 1, second=1 + n / 4).happenings) for n in range(8)]

    assert told == [2, 0, 0, 0, 2, 0, 0, 0]


def test_400_levels_of_a_small_tick_do_not_reach_the_band_and_say_so(reader):
    """400 levels of a tick of 0.1 reach 40 of the 790 that 1 % of 79 000 are."""
    heard = page(reader, "snapshot", -1, 10, *ladder(step=0.1, count=400))

    assert heard.happenings == ()
    assert reader.reach["BTCUSDT"] == pytest.approx((40 / 79_000, 40 / 79_000))


def test_the_range_that_is_known_moves_with_the_best_levels(reader):
    """The price rises by 100 levels: the venue tells those that come into its best 400."""
    page(reader, "snapshot", -1, 10, *ladder(step=5.0, count=400))
    gone = [(f"{79_000 + 5 * (n + 1):.1f}", "0") for n in range(100)]
    come = [(f"{79_000 + 5 * (n + 401):.1f}", "150") for n in range(100)]
    bids = [(f"{79_000 + 5 * n:.1f}", "150") for n in range(100)]

    heard = page(reader, "update", 10, 15, bids, gone + come, second=1)

    assert len(heard.happenings) == 2
    assert reader.reach["BTCUSDT"] == pytest.approx((2000 / 79_500, 2000 / 79_500), rel=0.01)


def test_a_book_crossed_for_long_is_given_up(reader):
    page(reader, "snapshot", -1, 0, BIDS, [*ASKS, ("78000.0", "1")])

    told = [page(reader, "update", n, n + 1, second=1 + n) for n in range(10)]

    assert [heard.gap for heard in told[:8]] == [""] * 8
    assert all(heard.happenings == () for heard in told)
    assert [heard.gap for heard in told if heard.gap] == [
        "books:BTC-USDT-SWAP: the book has been crossed for long"
    ]


def test_without_the_size_of_a_contract_there_is_no_depth():
    reader = Okx().reader(["BTCUSDT"])

    assert page(reader, "snapshot", -1, 10, BIDS, ASKS).happenings == ()


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (books("partial", -1, 10), "found 'partial', expected snapshot or update"),
        (books(None, -1, 10), "found null, expected snapshot or update"),
        (books("snapshot", 5, 10), "prevSeqId 5 in a message of action snapshot"),
        (books("update", -1, 10), "prevSeqId -1 in a message of action update"),
        (books("update", "5", 10), "'prevSeqId': found '5', expected a whole number"),
        (books("update", -1.0, 10), "'prevSeqId': found -1.0, expected a whole number"),
        (books("update", 5, None), "'seqId': found null"),
        (books("update", 5, 10, at=AT // 1000), "milliseconds of 2010 to 2100"),
        (books("update", 5, 10, ts=AT), "'ts': found 1790000000000, expected text"),
        (books("update", 5, 10, bids=[("-1", "1")]), "expected a price above 0"),
        (books("update", 5, 10, asks=[("5", "1"), ("5", "0")]), "there twice"),
        (books("update", 5, 10).replace(b'"asks":', b'"a":'), "field 'asks': found null"),
        (books("update", 5, 10, bids=[("5", "1")]).replace(b',"0","1"]', b"]"), "of 4 columns"),
    ],
)
def test_drift_is_refused(reader, frame, why):
    with pytest.raises(DataError, match=why):
        reader.read("books", frame)
