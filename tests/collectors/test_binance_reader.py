"""What Binance's frames say, by hand; whatever is not as documented is refused whole."""

import re
import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.binance import Binance
from liqwarn.collectors.happenings import Candle, Liquidation, Reading
from liqwarn.errors import DataError

GIVEN = runpy.run_path(str(Path(__file__).with_name("binance_given.py")))
AT, force_order, mark_price = GIVEN["AT"], GIVEN["force_order"], GIVEN["mark_price"]
kline, dumped, framed = GIVEN["kline"], GIVEN["dumped"], GIVEN["framed"]
open_interest, funding_info = GIVEN["open_interest"], GIVEN["funding_info"]


@pytest.fixture
def reader():
    return Binance().reader(["BTCUSDT", "ETHUSDT"])


def read(reader, content, line="liquidations"):
    return reader.read(line, content)


def values(heard):
    return {one.field: one.value for one in heard.happenings}


def test_the_price_fell_and_a_long_was_sold(reader):
    """The numbers of the documentation's example, at a time of our own.

    The price falls, a long is out of margin, and the venue sells it: the order's side is SELL.
    """
    frame = force_order(q="0.014", p="9910", ap="9910", l="0.014", z="0.014", S="SELL")

    (told,) = read(reader, frame).happenings

    assert told == Liquidation(
        symbol="BTCUSDT", time_ms=AT, side="long", price=9910.0, price_is="average", size=0.014
    )


def test_the_price_rose_and_a_short_was_bought_back(reader):
    """A short is out of margin as the price rises: the venue buys."""
    (told,) = read(reader, force_order(S="BUY")).happenings

    assert told.side == "short"


def test_size_and_price_are_those_of_the_fills_not_of_the_order_or_the_last_fill(reader):
    frame = force_order(q="0.500", z="0.250", l="0.100", p="78650.10", ap="79012.40", X="EXPIRED")

    heard = read(reader, frame)

    (told,) = heard.happenings
    assert (told.size, told.price, told.price_is) == (0.25, 79_012.4, "average")
    assert told.usd == 0.25 * 79_012.4
    assert (heard.topic, heard.keep) == ("!forceOrder@arr", True)


def test_an_order_of_which_nothing_was_filled_is_kept_and_tells_no_liquidation(reader):
    heard = read(reader, force_order(z="0", ap="0", l="0", X="NEW"))

    assert heard.happenings == ()
    assert heard.keep


def test_a_frame_that_comes_over_two_lines_is_told_once(reader):
    assert len(read(reader, force_order()).happenings) == 1

    again = read(reader, force_order())

    assert (again.happenings, again.keep, again.topic) == ((), False, "!forceOrder@arr")
    assert len(read(reader, force_order(at=AT + 1000)).happenings) == 1


def test_symbols_that_nobody_asked_for_are_counted_not_fatal(reader):
    for _ in range(3):
        assert read(reader, force_order("DOGEUSDT")).happenings == ()
    read(reader, force_order("BTCUSD_PERP", q="1500", z="1500", st=2))

    assert reader.others == {"DOGEUSDT": 3, "BTCUSD_PERP": 1}


def test_sizes_of_the_coin_margined_market_are_never_taken_for_coins(reader):
    heard = read(reader, force_order(q="1500", z="1500", st=2))

    assert heard.happenings == ()
    assert reader.others == {"BTCUSDT": 1}


def test_frames_before_the_markets_shared_their_sockets_are_read(reader):
    frame = force_order().replace(b',"ps":"BTCUSDT","st":1', b"")

    assert len(read(reader, frame).happenings) == 1


def test_fields_that_a_venue_adds_are_ignored(reader):
    frame = force_order(new="x", outer={"more": [1]}).replace(b'{"stream"', b'{"v":2,"stream"')

    assert len(read(reader, frame).happenings) == 1


def test_mark_index_and_the_rate_of_the_coming_settlement(reader):
    heard = read(reader, mark_price(), "market")

    assert heard.topic == "btcusdt@markPrice@1s"
    assert not heard.keep
    assert values(heard) == {"mark": 79_001.5, "index": 79_040.25, "funding_rate": -0.0000321}
    assert {one.time_ms for one in heard.happenings} == {AT}


def test_the_interval_of_funding_is_told_with_the_marks_once_it_is_known(reader):
    assert read(reader, funding_info(ETHUSDT=4), "funding-info").happenings == ()

    assert values(read(reader, mark_price(), "market"))["funding_interval_h"] == 8.0
    ether = mark_price("ETHUSDT", p="2710.1", i="2711.0")
    assert values(read(reader, ether, "market"))["funding_interval_h"] == 4.0


def test_a_closed_minute(reader):
    heard = read(reader, kline(), "market")

    assert heard.topic == "btcusdt@kline_1m"
    assert heard.happenings == (
        Candle(symbol="BTCUSDT", time_ms=1_790_000_100_000, open=79_000.0, high=79_055.0,
               low=78_990.1, close=79_040.5, volume=41.25, taker_buy_volume=20.125),
    )  # fmt: skip


def test_a_minute_that_still_forms_tells_nothing(reader):
    assert read(reader, kline(x=False), "market").happenings == ()


def test_open_interest_is_in_coins(reader):
    assert read(reader, open_interest(), "open-interest-BTCUSDT").happenings == (
        Reading(symbol="BTCUSDT", time_ms=AT, field="open_interest", value=101_234.567),
    )


@pytest.mark.parametrize(
    "answer", [{"result": None, "id": 1}, {"result": ["!forceOrder@arr"], "id": 1}]
)
def test_answers_to_pings_say_nothing(reader, answer):
    heard = read(reader, dumped(answer))

    assert (heard.happenings, heard.topic, heard.refused) == ((), "", "")


@pytest.mark.parametrize(
    ("line", "answer", "why"),
    [
        ("market", {"error": {"code": 2, "msg": "Invalid request: unknown"}, "id": 3}, "code 2"),
        ("market", {"code": 2, "msg": "Invalid request", "id": 3}, "code 2: 'Invalid request'"),
        ("market", {"result": [], "id": 1}, r"found result \[\], expected null or the streams"),
        ("open-interest-BTCUSDT", {"code": -1121, "msg": "Invalid symbol."}, "Invalid symbol"),
        ("depth-BTCUSDT", {"code": -1003, "msg": "Too many requests."}, "code -1003"),
        ("funding-info", {"code": -1003, "msg": "Too many requests."}, "code -1003"),
    ],
)
def test_what_the_venue_refuses_is_told(reader, line, answer, why):
    assert re.search(why, read(reader, dumped(answer), line).refused)


DRIFT = [
    ("side renamed", force_order().replace(b'"S":', b'"side":'), "field 'S': missing"),
    ("side of another vocabulary", force_order(S="Sell"), "found 'Sell', expected BUY or SELL"),
    ("average removed", force_order().replace(b'"ap":"79012.40",', b""), "field 'ap': missing"),
    ("average as a number", force_order(ap=79012.4), "expected a number as text"),
    ("average 0 of a fill", force_order(ap="0"), "expected a number above 0"),
    ("average of another scale", force_order(ap="7.90124"), "at most 3 times apart"),
    ("size negative", force_order(z="-0.25"), "expected a number above 0"),
    ("more filled than sent", force_order(z="0.3"), "found 0.3 filled of 0.25"),
    ("contracts for coins", force_order(q="900000", z="900000"), "contracts taken for coins"),
    ("time in seconds", force_order(at=AT // 1000), "milliseconds of 2010 to 2100"),
    ("trade time in seconds", force_order(T=AT // 1000), "milliseconds of 2010 to 2100"),
    ("trade time in microseconds", force_order(T=AT * 1000), "milliseconds of 2010 to 2100"),
    ("time as text that is none", force_order(T="2026-09-21"), "expected whole milliseconds"),
    ("trade of another day", force_order(T=AT - 2 * 86_400_000), "told 172801 s after the trade"),
    ("order as a list", framed("!forceOrder@arr", {"e": "forceOrder", "E": AT, "o": []}),
     "expected an object"),
    ("all liquidations as a list", framed("!forceOrder@arr", []), "expected an object"),
    ("another event", force_order().replace(b'"forceOrder"', b'"forcedOrder"'),
     "expected forceOrder"),
    ("a third market", force_order(st=3), r"expected 1 \(USD-M\) or 2"),
    ("market as text", force_order(st="1"), "expected a whole number"),
    ("no envelope", dumped({"e": "forceOrder", "E": AT, "o": {}}), "expected stream and data"),
    ("a stream that was not asked for", mark_price("SOLUSDT"), "was not asked for"),
    ("a stream of another kind", framed("btcusdt@aggTrade", {}), "was not asked for"),
    ("mark of another symbol", mark_price().replace(b'"s":"BTCUSDT"', b'"s":"ETHUSDT"'),
     "found 'ETHUSDT', expected BTCUSDT"),
    ("mark without a point", mark_price(p="7900150"), "mark and index: found 7.90015e"),
    ("index empty", mark_price(i=""), "expected a number as text"),
    ("rate in per cent", mark_price(r="0.3210"), "expected a rate of -0.1 to 0.1"),
    ("rate empty", mark_price(r=""), "expected a number as text"),
    ("next funding in seconds", mark_price(T=1_790_006_400), "milliseconds of 2010 to 2100"),
    ("next funding long ago", mark_price(T=AT - 3_600_000), "expected within a day"),
    ("coin-margined mark", mark_price(st=2), r"found 2, expected 1 \(USD-M\)"),
    ("candle of five minutes", kline(i="5m"), "expected 1m"),
    ("closed as a number", kline(x=1), "expected true or false"),
    ("candle by its close", kline(T=1_790_000_100_000), "expected a whole one"),
    ("candle not on a minute", kline(opens=1_790_000_041_000), "expected a whole one"),
    ("high below close", kline(h="79010.00"), "lie outside low and high"),
    ("more bought than traded", kline(V="50"), "no more bought than traded"),
    ("volume negative", kline(v="-1", V="-2"), "expected 0 to"),
    ("interest of another symbol", open_interest(symbol="ETHUSDT"), "expected BTCUSDT"),
    ("interest 0", open_interest(openInterest="0"), "expected a number above 0"),
    ("interest as a number", open_interest(openInterest=101234.5), "expected a number as text"),
    ("funding of no symbol", funding_info(), "found no symbol"),
    ("funding every 5 h", funding_info(BTCUSDT=5), "a divisor of a day"),
    ("funding twice", funding_info(BTCUSDT=8).replace(b"}]", b"},") + funding_info(BTCUSDT=4)[1:],
     "each symbol once"),
    ("a page", b"<html>busy</html>", "expected JSON"),
    ("nothing", b"", "expected JSON"),
    ("cut short", force_order()[:-20], "expected JSON"),
    ("not a number", force_order().replace(b'"0.250"', b"NaN"), "found NaN"),
    ("side twice", force_order().replace(b'"S":', b'"S":"BUY","S":'), "is there twice"),
    ("a list", b"[]", "expected an object"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "why"),
    [pytest.param(content, why, id=name) for name, content, why in DRIFT],
)
def test_drift_is_refused_by_its_place(reader, content, why):
    line = "market"
    if b"openInterest" in content:
        line = "open-interest-BTCUSDT"
    if content.startswith(b'[{"symbol"') or content == b"[]":
        line = "funding-info" if b"symbol" in content else "market"
    with pytest.raises(DataError, match=why):
        reader.read("funding-info" if why == "found no symbol" else line, content)


def test_one_wrong_time_of_a_book_does_not_silence_its_depth_for_good(reader):
    depth, reply, ladder = GIVEN["depth"], GIVEN["depth_reply"], GIVEN["ladder"]
    read(reader, depth(1, 2, 10), "depth")
    read(reader, reply(10, *ladder()), "depth-BTCUSDT")
    times = (AT, AT, AT + 10**10, AT + 1_000, AT + 2_000)
    told = [
        read(reader, depth(9 + n, 10 + n, 10 + n, at=at), "depth").happenings
        for n, at in enumerate(times, 1)
    ]

    assert [bool(readings) for readings in told] == [True, False, True, True, True]
