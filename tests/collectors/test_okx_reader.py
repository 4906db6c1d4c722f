"""What OKX's messages say, by hand; whatever is not as documented is refused whole."""

import math
import re
import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.happenings import Liquidation, Reading
from liqwarn.collectors.okx import Okx
from liqwarn.errors import DataError

GIVEN = runpy.run_path(str(Path(__file__).with_name("okx_given.py")))
AT, HOUR, SETTLES, dumped = GIVEN["AT"], GIVEN["HOUR"], GIVEN["SETTLES"], GIVEN["dumped"]
liquidations, swap_row, detail = GIVEN["liquidations"], GIVEN["swap_row"], GIVEN["detail"]
instruments, instrument, candle = GIVEN["instruments"], GIVEN["instrument"], GIVEN["candle"]
mark_price, index_ticker = GIVEN["mark_price"], GIVEN["index_ticker"]
funding_rate, open_interest, message = (
    GIVEN["funding_rate"], GIVEN["open_interest"], GIVEN["message"]
)  # fmt: skip


@pytest.fixture
def fresh():
    return Okx().reader(["BTCUSDT", "ETHUSDT"])


@pytest.fixture
def reader(fresh):
    assert fresh.read("instruments", instruments()).keep  # without it the sizes cannot be re-read
    return fresh


def read(reader, content, line="liquidations"):
    return reader.read(line, content)


def test_the_price_rose_and_a_short_of_the_documentation_s_example_was_bought_back():
    """13 contracts of a short, bought back at 0.007831 as the price rose; a contract of 1000."""
    reader = Okx().reader(["IOSTUSDT"])
    row = instrument("IOST", ctVal="1000")
    reader.read("instruments", instruments(row))
    told = detail(posSide="short", side="buy", sz="13", bkPx="0.007831")

    assert read(reader, liquidations(swap_row([told], "IOST"))).happenings == (
        Liquidation(symbol="IOSTUSDT", time_ms=AT, side="short", price=0.007831, price_is="mark",
                    size=13_000.0),
    )  # fmt: skip


def test_the_price_fell_and_a_long_was_sold(reader):
    heard = read(reader, liquidations())

    assert heard.happenings == (
        Liquidation(symbol="BTCUSDT", time_ms=AT, side="long", price=79_012.4, price_is="mark",
                    size=0.125),
    )  # fmt: skip
    assert (heard.topic, heard.keep) == ("liquidation-orders", True)


@pytest.mark.parametrize(("order", "side"), [("sell", "long"), ("buy", "short")])
def test_in_net_mode_only_the_order_says_who_was_liquidated(reader, order, side):
    (told,) = read(reader, liquidations(posSide="net", side=order)).happenings

    assert told.side == side


@pytest.mark.parametrize(("position", "order"), [("long", "buy"), ("short", "sell")])
def test_sides_that_contradict_one_another_are_refused(reader, position, order):
    with pytest.raises(DataError, match=f"posSide {position} with side {order}"):
        read(reader, liquidations(posSide=position, side=order))


def test_all_details_of_all_rows_are_told(reader):
    rows = [
        swap_row([detail(sz="1"), detail(sz="2"), detail(sz="3")]),
        swap_row([detail(sz="4", bkPx="2700")], "ETH"),
    ]

    told = read(reader, liquidations(*rows)).happenings

    assert [(one.symbol, one.size) for one in told] == [
        ("BTCUSDT", 0.01), ("BTCUSDT", 0.02), ("BTCUSDT", 0.03), ("ETHUSDT", 0.4)
    ]  # fmt: skip


def test_a_size_in_contracts_of_unknown_size_is_refused_never_guessed(fresh):
    with pytest.raises(DataError, match="the size of a contract of BTCUSDT is not known yet"):
        read(fresh, liquidations())

    fresh.read("instruments", instruments())
    assert len(read(fresh, liquidations()).happenings) == 1


def test_swaps_that_nobody_asked_for_are_counted_not_fatal(reader):
    heard = read(reader, liquidations(swap_row([detail()], "DOGE"), swap_row([detail()], "DOGE")))

    assert (heard.happenings, heard.keep) == ((), False)
    assert reader.others == {"DOGE-USDT-SWAP": 2}


def test_fields_that_a_venue_adds_are_ignored(reader):
    assert len(read(reader, liquidations(liqType="full")).happenings) == 1


def test_a_contract_that_changed_its_size_counts_from_then_on(reader):
    reader.read("instruments", instruments(ctVal="0.001"))

    assert read(reader, liquidations()).happenings[0].size == pytest.approx(0.0125)


def test_mark_and_index(reader):
    assert read(reader, mark_price(), "readings").happenings == (
        Reading(symbol="BTCUSDT", time_ms=AT, field="mark", value=79_001.5),
    )
    heard = read(reader, index_ticker(), "readings")
    assert heard.happenings == (
        Reading(symbol="BTCUSDT", time_ms=AT, field="index", value=79_040.2),
    )
    assert heard.topic == "index-tickers:BTC-USDT"


def test_a_price_far_from_both_mark_and_index_is_refused_and_a_wrong_first_one_is_outlived(reader):
    read(reader, mark_price("7900.15"), "readings")  # nothing to doubt it by
    read(reader, index_ticker(), "readings")
    read(reader, mark_price(), "readings")
    read(reader, index_ticker(), "readings")

    for broken in (mark_price("7900.15"), index_ticker("790402")):
        with pytest.raises(DataError, match="at most 5 times the last mark and index"):
            read(reader, broken, "readings")
    later = AT + 601_000
    assert read(reader, mark_price("7900.15", at=later), "readings").happenings


def test_a_liquidation_far_from_the_last_two_is_refused_and_a_wrong_first_one_is_outlived(reader):
    read(reader, liquidations(bkPx="7901.24"))  # nothing to doubt it by
    read(reader, liquidations(at=AT + 1))
    read(reader, liquidations(at=AT + 2))

    with pytest.raises(DataError, match=r"found 7901\.24, expected at most 3 times the last two"):
        read(reader, liquidations(bkPx="7901.24", at=AT + 3))
    assert read(reader, liquidations(bkPx="7901.24", at=AT + 601_000)).happenings


def test_a_message_that_comes_over_two_lines_is_told_once(reader):
    assert len(read(reader, liquidations(), "liquidations").happenings) == 1

    again = read(reader, liquidations(), "liquidations")

    assert (again.happenings, again.keep, again.topic) == ((), False, "liquidation-orders")


def test_the_rate_of_the_coming_settlement_and_its_hours(reader):
    heard = read(reader, funding_rate(), "readings")

    assert heard.happenings == (
        Reading(symbol="BTCUSDT", time_ms=AT, field="funding_rate", value=-0.0000321012345678),
        Reading(symbol="BTCUSDT", time_ms=AT, field="funding_interval_h", value=8.0),
    )


def test_an_interval_that_will_change_is_the_one_the_rate_is_for(reader):
    frame = funding_rate(prevFundingTime=str(SETTLES - 4 * HOUR))

    assert read(reader, frame, "readings").happenings[1].value == 4.0


def test_without_the_settlement_before_the_one_after_gives_the_hours(reader):
    frame = funding_rate(prevFundingTime="", nextFundingTime=str(SETTLES + 2 * HOUR))

    assert read(reader, frame, "readings").happenings[1].value == 2.0


def test_open_interest_is_in_coins_and_its_contracts_agree(reader):
    assert read(reader, open_interest(), "readings").happenings == (
        Reading(symbol="BTCUSDT", time_ms=AT, field="open_interest", value=27_123.4567),
    )
    with pytest.raises(DataError, match=r"'oi' and 'oiCcy': found .* expected the same"):
        read(reader, open_interest(oiCcy="271234.567"), "readings")


def test_a_closed_minute_has_its_volume_in_coins(reader):
    (told,) = read(reader, candle(), "candles").happenings

    assert (told.time_ms, told.open, told.high, told.low, told.close) == (
        1_790_000_100_000, 79_000.0, 79_055.0, 78_990.1, 79_040.5
    )  # fmt: skip
    assert told.volume == 41.255
    assert math.isnan(told.taker_buy_volume)


def test_a_minute_that_still_forms_tells_nothing(reader):
    assert read(reader, candle(confirm="0"), "candles").happenings == ()


@pytest.mark.parametrize(
    "content",
    [
        b"pong",
        dumped({"event": "subscribe", "arg": {"channel": "books"}, "connId": "a4d3ae55"}),
        dumped({"event": "channel-conn-count", "channel": "books", "connCount": "2"}),
        dumped({"event": "notice", "code": "64008", "msg": "The connection will soon be closed"}),
    ],
)
def test_answers_say_nothing(reader, content):
    heard = read(reader, content)

    assert (heard.happenings, heard.topic, heard.refused, heard.keep) == ((), "", "", False)


@pytest.mark.parametrize(
    ("line", "answer", "why"),
    [
        ("candles", {"event": "error", "code": "60018", "msg": "Wrong URL or channel"}, "60018"),
        ("books", {"event": "channel-conn-count-error", "channel": "books"}, "code null"),
        ("instruments", {"code": "50011", "msg": "Too Many Requests", "data": []}, "Too Many"),
    ],
)
def test_what_the_venue_refuses_is_told(reader, line, answer, why):
    assert re.search(why, read(reader, dumped(answer), line).refused)


def test_a_refusal_names_the_channel_that_is_not_there(reader):
    words = "Wrong URL or channel:mark-price,instId:NO-USDT-SWAP doesn't exist. Please use"
    answer = {"event": "error", "code": "60018", "msg": words, "connId": "x"}

    assert read(reader, dumped(answer), "readings").refused_topics == ("mark-price:NO-USDT-SWAP",)
    for vague in ("Invalid request", None, 7):
        told = dumped({**answer, "msg": vague})
        assert read(reader, told, "readings").refused_topics == ()


CELLS = ["1790000040000", "79000", "79055", "78990.1", "79040.5", "4125.5", "41.255", "3260212"]
DRIFT = [
    ("detail renamed", liquidations().replace(b'"posSide"', b'"positionSide"'),
     "'posSide': missing, .*renamed to 'positionSide'"),
    ("price renamed", liquidations().replace(b'"bkPx"', b'"px"'), "'bkPx': missing"),
    ("sides upper case", liquidations(side="SELL"), "with side SELL"),
    ("both sides", liquidations(posSide="both"), "posSide both"),
    ("size as a number", liquidations(sz=12.5), "expected a number as text"),
    ("size 0", liquidations(sz="0"), "expected a number above 0"),
    ("size negative", liquidations(sz="-12.5"), "expected a number above 0"),
    ("size in quote", liquidations(sz="9876543210"), "contracts taken for coins"),
    ("price empty", liquidations(bkPx=""), "expected a number as text"),
    ("time as a number", liquidations(ts=AT), "expected text"),
    ("time in seconds", liquidations(at=AT // 1000), "milliseconds of 2010 to 2100"),
    ("time in microseconds", liquidations(at=AT * 1000), "milliseconds of 2010 to 2100"),
    ("no details", liquidations(swap_row([])), "found none, expected one or more"),
    ("details as an object", liquidations(swap_row({"0": detail()})), "expected a list"),
    ("one bad detail of many", liquidations(swap_row([detail(), detail(sz="x")])),
     "expected a number as text"),
    ("liquidations of options", liquidations().replace(b'"instType":"SWAP"},"data"',
     b'"instType":"OPTION"},"data"'), "found 'OPTION', expected SWAP"),
    ("a channel that was not asked for", message("trades", [{}], instId="BTC-USDT-SWAP"),
     "was not asked for"),
    ("a swap that was not asked for", message("mark-price", [{}], instId="SOL-USDT-SWAP"),
     "'SOL-USDT-SWAP' was not asked for"),
    ("mark of another swap", mark_price(instId="ETH-USDT-SWAP"), "expected BTC-USDT-SWAP"),
    ("mark as a number", mark_price(79001.5), "expected a number as text"),
    ("index of a swap", index_ticker(instId="BTC-USDT-SWAP"), "expected BTC-USDT"),
    ("rate in per cent", funding_rate(fundingRate="0.321"), "expected a rate of -0.1 to 0.1"),
    ("settlement in seconds", funding_rate(fundingTime="1790006400"), "milliseconds of 2010"),
    ("settlement off the hour", funding_rate(fundingTime=str(SETTLES + 1)), "expected whole hours"),
    ("settlement long ago", funding_rate(ts=str(AT + 3 * HOUR)), "told at"),
    ("settlements swapped", funding_rate(fundingTime=str(SETTLES + 8 * HOUR),
     nextFundingTime=str(SETTLES)), "expected whole hours"),
    ("interest 0", open_interest(oiCcy="0", oi="0"), "expected a number above 0"),
    ("interest renamed", open_interest().replace(b"oiCcy", b"oiCoin"), "'oiCcy': missing"),
    ("candle of seven columns", candle(*CELLS[:6], "1"), "found 7 columns, expected 9"),
    ("candle of numbers", candle(*map(float, CELLS), "1"), "expected text"),
    ("closed as true", candle(*CELLS, True), "expected text"),
    ("closed as 2", candle(*CELLS, "2"), "found '2', expected 0 or 1"),
    ("contracts and coins swapped", candle(*CELLS[:5], CELLS[6], CELLS[5], CELLS[7], "1"),
     "vol and volCcy: found .*, expected the same"),
    ("close above high", candle(*CELLS[:4], "79100", *CELLS[5:], "1"), "lie outside low and high"),
    ("a candle by its close", candle("1790000099999", *CELLS[1:], "1"), "expected a whole one"),
    ("no row", message("mark-price", [], instId="BTC-USDT-SWAP"), "found no row"),
    ("no data", dumped({"arg": {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}}),
     "field 'data': found null, expected a list"),
    ("no arg", dumped({"data": []}), "field 'arg': found null, expected an object"),
    ("an unknown event", dumped({"event": "surprise"}), "found 'surprise'"),
    ("a page", b"<html>busy</html>", "expected JSON"),
    ("nothing", b"", "expected JSON"),
    ("cut short", liquidations()[:-9], "expected JSON"),
    ("side twice", liquidations().replace(b'"side":', b'"side":"buy","side":'), "there twice"),
    ("a list", b"[]", "expected an object"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "why"), [pytest.param(content, why, id=name) for name, content, why in DRIFT]
)
def test_drift_is_refused_by_its_place(reader, content, why):
    with pytest.raises(DataError, match=why):
        read(reader, content, "readings")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (instruments(ctVal=""), "'ctVal': found '', expected a number as text"),
        (instruments(ctVal="0"), "expected a number above 0"),
        (instruments(ctVal=0.01), "expected a number as text"),
        (instruments(ctType="inverse"), "'ctType': found 'inverse', expected linear"),
        (instruments(ctValCcy="USDT"), "'ctValCcy': found 'USDT', expected BTC"),
        (instruments(settleCcy="USDC"), "'settleCcy': found 'USDC', expected USDT"),
        (instruments(instType="FUTURES"), "'instType': found 'FUTURES', expected SWAP"),
        (instruments(ctMult="10"), "'ctMult': found '10', expected 1"),
        (instruments(instrument(), instrument()), "BTC-USDT-SWAP is there twice"),
        (dumped({"code": "0", "data": [], "msg": ""}), "found no instrument"),
        (dumped({"code": 0, "data": [], "msg": ""}), "'code': found 0, expected text"),
        (dumped({"code": "0", "data": {}}), "expected a list"),
    ],
)
def test_drift_of_instruments_is_refused(fresh, content, why):
    with pytest.raises(DataError, match=why):
        fresh.read("instruments", content)
