"""Bybit's frames: whose side was liquidated, what is unchanged, missing or refused."""

import json
import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.collectors.bybit import Bybit
from liqwarn.collectors.happenings import Liquidation
from liqwarn.errors import DataError

F = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("bybit_frames.py"))))
T0 = F.T0


@pytest.fixture
def reader():
    return Bybit().reader(["BTCUSDT"])


def values(heard):
    return {reading.field: reading.value for reading in heard.happenings}


def edited(frame, change):
    found = json.loads(frame)
    change(found)
    return json.dumps(found).encode()


def test_the_example_of_the_documentation_is_a_short():
    """``allLiquidation``: "When you receive a Buy update, this means that a long position has been
    liquidated"; the example there is a ``Sell``."""
    reader = Bybit().reader(["ROSEUSDT"])
    frame = F.packed(
        topic="allLiquidation.ROSEUSDT",
        type="snapshot",
        ts=1_739_502_303_204,
        data=[{"T": 1_739_502_302_929, "s": "ROSEUSDT", "S": "Sell", "v": "20000", "p": "0.04499"}],
    )

    assert reader.read("liquidations-1", frame).happenings == (
        Liquidation(
            symbol="ROSEUSDT",
            time_ms=1_739_502_302_929,
            side="short",
            price=0.04499,
            price_is="bankruptcy",
            size=20_000.0,
        ),
    )


def test_buy_is_a_long_and_several_come_in_one_frame(reader):
    rows = [("Buy", "0.5", "60000.5", 20), ("Sell", "1.25", "61000", 3), ("Buy", "2", "60001", 0)]
    heard = reader.read("liquidations-1", F.liquidation(*rows))

    assert [(h.side, h.size, h.time_ms) for h in heard.happenings] == [
        ("long", 0.5, T0 + 480),
        ("short", 1.25, T0 + 497),
        ("long", 2.0, T0 + 500),
    ]
    assert heard.keep
    assert heard.topic == "allLiquidation.BTCUSDT"


def test_liquidations_that_come_twice_are_told_once(reader):
    first = F.liquidation(("Buy", "0.5", "60000", 20))
    later = F.liquidation(("Buy", "0.5", "60000", 20), ts=T0 + 1_000)

    told = [reader.read("liquidations-1", frame).happenings for frame in (first, later, first)]
    reader.opened("liquidations-1")

    assert [len(happenings) for happenings in told] == [1, 1, 0]
    assert reader.read("liquidations-1", first).happenings == ()


def test_a_liquidation_that_another_connection_tells_again_is_told_once(reader):
    told = F.liquidation(("Buy", "0.5", "60000", 20), ("Buy", "0.5", "60000", 20))
    again = F.liquidation(("Buy", "0.5", "60000", 23), ("Buy", "0.5", "60000", 23), ts=T0 + 503)
    more = F.liquidation(*[("Buy", "0.5", "60000", 25)] * 3, ts=T0 + 505)

    assert [len(reader.read("x", frame).happenings) for frame in (told, again, more)] == [2, 0, 1]


def test_a_change_leaves_what_it_does_not_name(reader):
    reader.read("market-1", F.ticker())
    heard = reader.read("market-1", F.changed(indexPrice="63600.5"))

    assert values(heard) == {
        "mark": 63560.8,
        "index": 63600.5,
        "open_interest": 30000.125,
        "funding_rate": -0.00005,
        "funding_interval_h": 8.0,
    }
    assert {reading.time_ms for reading in heard.happenings} == {T0 + 200}


def test_open_interest_is_of_one_side(reader):
    told = values(reader.read("market-1", F.ticker()))

    assert told["open_interest"] == float(F.TICKER["singleOpenInterest"])
    assert told["open_interest"] == float(F.TICKER["openInterest"]) / 2


def test_a_change_before_its_snapshot_is_a_gap_said_once(reader):
    first = reader.read("market-1", F.changed(markPrice="1"))
    again = reader.read("market-1", F.changed(markPrice="2"))

    assert "a change came before its snapshot" in first.gap
    assert (again.gap, again.happenings) == ("", ())
    assert reader.read("market-1", F.ticker()).happenings


def test_after_a_line_was_opened_a_change_needs_a_snapshot_again(reader):
    reader.read("market-1", F.ticker())
    reader.opened("market-1")

    assert reader.read("market-1", F.changed(markPrice="63000")).gap


def test_a_late_ticker_says_nothing_and_one_of_long_ago_begins_anew(reader):
    reader.read("market-1", F.ticker(ts=T0 + 100_000))

    assert reader.read("market-1", F.ticker(ts=T0 + 50_000)).happenings == ()
    assert "before the newest" in reader.read("market-1", F.ticker(ts=T0)).gap
    assert reader.read("market-1", F.ticker(ts=T0 + 1)).happenings


def test_depth_is_told_of_the_book_with_its_changes(reader):
    first = values(reader.read("books-1", F.snapshot()))
    change = F.book([["99.5", "0"], ["99.8", "1"]], [["100.1", "3"]], u=101, ts=T0 + 1_500)
    second = values(reader.read("books-1", change))

    assert first == {
        "bid_depth_usd": 99.9 * 10 + 99.5 * 20 + 99.1 * 4,
        "ask_depth_usd": 100.1 * 1 + 100.9 * 2,
    }
    assert second == {
        "bid_depth_usd": pytest.approx(99.9 * 10 + 99.1 * 4 + 99.8 * 1),
        "ask_depth_usd": 100.1 * 3 + 100.9 * 2,
    }


def test_a_missing_change_of_the_book_is_a_gap_and_the_book_waits_for_a_snapshot(reader):
    reader.read("books-1", F.snapshot())
    heard = reader.read("books-1", F.book([["99.5", "1"]], [], u=103, ts=T0 + 1_500))

    assert heard.gap == "orderbook.1000.BTCUSDT: found update 103, expected 101"
    assert reader.read("books-1", F.book([], [], u=104, ts=T0 + 1_600)).happenings == ()
    assert reader.read("books-1", F.snapshot(u=500, ts=T0 + 3_000)).happenings


def test_changes_of_the_book_that_come_again_say_nothing(reader):
    change = F.book([["99.5", "1"]], [], u=101, ts=T0 + 1_500)
    reader.read("books-1", F.snapshot())
    reader.read("books-1", change)

    assert reader.read("books-1", change).gap == ""
    assert reader.read("books-1", F.book([], [], u=102, ts=T0 + 1_600)).gap == ""


def test_update_1_is_a_snapshot_after_a_restart_of_the_venue(reader):
    reader.read("books-1", F.snapshot())
    restart = F.book([["80", "1"], ["70", "1"]], [["81", "1"], ["90", "1"]], u=1, ts=T0 + 2_000)

    assert reader.read("books-1", restart).gap == ""
    assert reader.read("books-1", F.book([["79.9", "3"]], [], u=2, ts=T0 + 3_000)).gap == ""


def test_a_book_whose_sides_cross_after_a_change_begins_anew(reader):
    reader.read("books-1", F.snapshot())

    assert "cross" in reader.read("books-1", F.book([["101", "1"]], [], u=101)).gap


def test_only_a_confirmed_minute_is_told_by_its_close_and_once(reader):
    open_now = reader.read("market-1", F.kline(confirm=False, ts=T0 + 30_000))
    closed = reader.read("market-1", F.kline())

    assert open_now.happenings == ()
    (candle,) = closed.happenings
    assert (candle.time_ms, candle.open, candle.high, candle.low, candle.close, candle.volume) == (
        (T0 + 60_000, 100.0, 102.5, 99.5, 101.0, 12.5)
    )
    assert math.isnan(candle.taker_buy_volume)
    assert reader.read("market-1", F.kline()).happenings == ()


def test_a_trade_bears_the_takers_side_and_is_told_once(reader):
    heard = reader.read("trades-1", F.trades("one", "two", side="Sell"))

    assert [(t.side, t.key) for t in heard.happenings] == [("sell", "one"), ("sell", "two")]
    assert [t.key for t in reader.read("trades-1", F.trades("two", "three")).happenings] == [
        "three"
    ]


def test_answers_say_whether_the_venue_refuses(reader):
    why = "error:handler not found,topic:tickers.NOSUCHUSDT"

    assert reader.read("market-1", F.answer()).refused == ""
    assert reader.read("market-1", F.answer(ret_msg="pong", op="ping")).refused == ""
    assert why in reader.read("market-1", F.answer(success=False, ret_msg=why)).refused
    again = F.answer(success=False, ret_msg="error:already subscribed,topic:tickers.BTCUSDT")
    assert reader.read("market-1", again).refused == ""


def test_a_refusal_names_the_topics_of_its_request(reader):
    why = "error:handler not found,topic:tickers.BTCUSDT"
    heard = reader.read("market-1", F.answer(success=False, ret_msg=why))

    assert {"tickers.BTCUSDT", "kline.1.BTCUSDT"} <= set(heard.refused_topics)
    assert all(topic.endswith(".BTCUSDT") for topic in heard.refused_topics)
    nobody = F.answer(success=False, ret_msg=why).replace(b'"BTCUSDT"', b'""')
    assert reader.read("market-1", nobody).refused_topics == ()


def test_a_symbol_that_was_not_asked_for_is_counted(reader):
    heard = reader.read("liquidations-1", F.liquidation(("Buy", "1", "10", 0), symbol="XUSDT"))

    assert (heard.happenings, heard.keep, reader.passed_over) == ((), False, 1)


@pytest.mark.parametrize("frame", range(len(F.session())))
def test_fields_that_are_new_are_ignored(frame):
    plain, wider = (Bybit().reader(["BTCUSDT"]) for _ in range(2))

    def widen(found):
        found["news"] = {"a": [1]}
        rows = found.get("data", [])
        for row in rows if isinstance(rows, list) else [rows]:
            row["news"] = "x"

    for n, (line, content) in enumerate(F.session()[: frame + 1]):
        given = edited(content, widen) if n == frame else content
        expected, found = plain.read(line, content), wider.read(line, given)
        assert repr(found) == repr(expected)


DRIFT = {
    "side renamed": (F.liquidation(("Buy", "1", "60000", 0)), "S", "side", "field 'S': missing"),
    "size renamed": (F.liquidation(("Buy", "1", "60000", 0)), "v", "q", "field 'v': missing"),
    "price renamed": (F.liquidation(("Buy", "1", "60000", 0)), "p", "P", "field 'p': missing"),
    "time renamed": (F.liquidation(("Buy", "1", "60000", 0)), "T", "t", "field 'T': missing"),
    "mark renamed": (F.ticker(), "markPrice", "mark", "field 'markPrice': missing"),
    "one side gone": (F.ticker(), "singleOpenInterest", "oi", "'singleOpenInterest': missing"),
    "rate renamed": (F.ticker(), "fundingRate", "rate", "field 'fundingRate': missing"),
    "number renamed": (F.snapshot(), "u", "U", "field 'u': missing"),
    "bids renamed": (F.snapshot(), "b", "bids", "field 'b': found null, expected a list"),
    "confirm renamed": (F.kline(), "confirm", "closed", "field 'confirm': missing"),
    "trade id renamed": (F.trades("one"), "i", "id", "field 'i': missing"),
}


@pytest.mark.parametrize("name", DRIFT)
def test_a_needed_field_that_is_renamed_refuses_the_frame(reader, name):
    frame, old, new, why = DRIFT[name]

    def rename(found):
        row = found["data"][0] if isinstance(found["data"], list) else found["data"]
        row[new] = row.pop(old)

    with pytest.raises(DataError, match=why):
        reader.read("market-1", edited(frame, rename))


WRONG = {
    "side in words": (F.liquidation(("LONG", "1", "60000", 0)), "expected Buy, Sell"),
    "a size of 0": (F.liquidation(("Buy", "0", "60000", 0)), "above 0"),
    "a negative price": (F.liquidation(("Buy", "1", "-60000", 0)), "above 0"),
    "an absurd price": (F.liquidation(("Buy", "1", "9e9", 0)), "expected 1e-12 to 1e"),
    "contracts for coins": (F.liquidation(("Buy", "9000000", "60000", 0)), "contracts taken for"),
    "seconds": (F.liquidation(("Buy", "1", "60000", 0), ts=T0 // 1_000), "expected milliseconds"),
    "microseconds": (F.liquidation(("Buy", "1", "60000", 0), ts=T0 * 1_000), "milliseconds"),
    "a number without quotes": (F.liquidation(("Buy", 1.5, "60000", 0)), "a number as text"),
    "of last week": (F.liquidation(("Buy", "1", "60000", 600_000_000)), "ms apart"),
    "a rate in percent": (F.ticker({**F.TICKER, "fundingRate": "1.5"}), "a rate of -0.1 to 0.1"),
    "mark and index of two coins": (F.ticker({**F.TICKER, "markPrice": "3"}), "mark and index"),
    "both sides for one": (
        F.ticker({**F.TICKER, "singleOpenInterest": "70000"}),
        "above openInterest",
    ),
    "an interval in minutes": (F.ticker({**F.TICKER, "fundingIntervalHour": "480"}), "24 hours"),
    "mark and symbol of another": (F.ticker({**F.TICKER, "symbol": "ETHUSDT"}), "found symbol"),
    "crossed": (F.book([["101", "1"]], [["100", "1"]], u=5, kind="snapshot"), "below asks"),
    "an empty side": (F.book([], [["100", "1"]], u=5, kind="snapshot"), "below asks"),
    "a price twice": (F.book([["9", "1"], ["9", "2"]], [], u=5), "twice"),
    "a minute of an hour": (F.kline(end=T0 + 3_599_999), "expected a minute"),
    "a high below the close": (F.kline(high="100.5"), "expected low and high around"),
    "another type": (F.ticker(kind="partial"), "expected snapshot, delta"),
    "another stream": (F.packed(topic="liquidation.BTCUSDT", type="snapshot", ts=T0), "expected"),
    "no topic and no answer": (b'{"code":500}', "field 'op': missing"),
    "another answer": (b'{"op":"auth","success":true}', "expected subscribe, ping"),
    "rows that are no list": (
        F.packed(topic="publicTrade.BTCUSDT", type="snapshot", ts=T0, data={}),
        "a list",
    ),
    "a page": (b"<html>Bad Gateway</html>", "expected JSON"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_refuses_the_frame(reader, name):
    frame, why = WRONG[name]

    with pytest.raises(DataError, match=why):
        reader.read("market-1", frame)


def test_the_same_frames_say_the_same(reader):
    again = Bybit().reader(["BTCUSDT"])

    first = [repr(reader.read(line, frame)) for line, frame in F.session()]
    assert [repr(again.read(line, frame)) for line, frame in F.session()] == first


def test_the_frames_of_the_tape_alone_say_the_same_again(reader):
    kept, told = [], []
    for line, frame in F.session():
        heard = reader.read(line, frame)
        if heard.keep:
            kept.append((line, frame))
            told.append(heard.happenings)
    again = Bybit().reader(["BTCUSDT"])

    assert [again.read(line, frame).happenings for line, frame in kept] == told
    assert sum(len(happenings) for happenings in told) == 6


def test_one_wrong_time_of_a_minute_does_not_silence_them_for_good(reader):
    later = T0 + 3_600_000 * 24 * 365
    told = [reader.read("market-1", F.kline(start=at, ts=at + 60_000)).happenings
            for at in (T0, later, T0 + 60_000, T0 + 60_000, T0 + 120_000)]  # fmt: skip

    assert [len(candles) for candles in told] == [1, 1, 1, 0, 1]
