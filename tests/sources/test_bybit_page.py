"""The parsers of Bybit's replies: laws, and every drift of a reply with the words it is told in."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import BusyError, DataError, RefusedError
from liqwarn.sources import bybit_page

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
                deadline=None)  # fmt: skip
STEP = 300_000
FIRST = 1_704_067_200_000
SPAN = (FIRST, FIRST + 100 * STEP)
TIMES = st.sets(st.integers(0, 99), min_size=1, max_size=8).map(sorted)
KINDS = ("funding", "interest", "ratio", "candles", "prices")
STAMPS = {"funding": "fundingRateTimestamp", "interest": "timestamp", "ratio": "timestamp",
          "candles": 0, "prices": 0}  # fmt: skip


def row(kind, n=0):
    time = str(FIRST + n * STEP)
    return {
        "funding": {"symbol": "BTCUSDT", "fundingRate": "-0.00012340",
                    "fundingRateTimestamp": time},
        "interest": {"openInterest": "52664.64200000", "singleOpenInterest": "26332.321",
                     "timestamp": time},
        "ratio": {"symbol": "BTCUSDT", "buyRatio": "0.4927", "sellRatio": "0.5073",
                  "timestamp": time},
        "candles": [time, "17071", "17073.50", "17027", "17055.5", "268.611", "4585000.10"],
        "prices": [time, "17071", "17073.50", "17027", "17055.5"],
    }[kind]  # fmt: skip


CELLS = {
    "funding": ("-0.00012340",),
    "interest": ("52664.64200000", "26332.321"),
    "ratio": ("0.4927", "0.5073"),
    "candles": ("17071", "17073.50", "17027", "17055.5", "268.611", "4585000.10"),
    "prices": ("17071", "17073.50", "17027", "17055.5"),
}


def envelope(rows, **changes):
    result = {"category": "linear", "symbol": "BTCUSDT", "list": rows}
    page = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1}
    return page | changes


def read(kind, page):
    content = page if isinstance(page, bytes) else json.dumps(page).encode()
    if kind == "funding":
        return bybit_page.read_funding(content, "BTCUSDT", SPAN, "page")
    reader = {
        "interest": bybit_page.read_open_interest,
        "ratio": bybit_page.read_ratio,
        "candles": bybit_page.read_candles,
        "prices": bybit_page.read_prices,
    }[kind]
    return reader(content, "BTCUSDT", STEP, SPAN, "page")


def newest_first(kind, times):
    return [row(kind, n) for n in times][::-1]


@MANY
@given(kind=st.sampled_from(KINDS), times=TIMES)
def test_rows_come_oldest_first_as_their_text(kind, times):
    readings = read(kind, envelope(newest_first(kind, times)))

    assert [reading.time for reading in readings] == [FIRST + n * STEP for n in times]
    assert {reading.cells for reading in readings} == {CELLS[kind]}


def put(name, value):
    return lambda found: found.__setitem__(name, value)


def drop(name):
    return lambda found: found.pop(name)


def rename(old, new):
    return lambda found: found.__setitem__(new, found.pop(old))


def scale(by):
    def change(found, name):
        found[name] = str(int(int(found[name]) * by))

    return change


NAMED = {
    "funding": [
        (put("symbol", "ETHUSDT"), "field 'symbol': found 'ETHUSDT', expected 'BTCUSDT'"),
        (put("fundingRate", -0.0001), "field 'fundingRate': found -0.0001, expected a number as"),
        (put("fundingRate", None), "field 'fundingRate': found null, expected a number as text"),
        (put("fundingRate", ""), "field 'fundingRate': found '', expected a number as text"),
        (put("fundingRate", "NaN"), "field 'fundingRate': found 'NaN', expected a number as text"),
        (put("fundingRateTimestamp", FIRST), "found 1704067200000, expected a number as text"),
        (put("fundingRateTimestamp", "-1"), "found '-1', expected whole milliseconds"),
        (put("fundingRateTimestamp", "1.5"), "found '1.5', expected whole milliseconds"),
        (put("rate8h", "0.1"), "field 'rate8h': new, expected symbol, fundingRate"),
        (rename("fundingRate", "funding_rate"), "missing, found symbol, fundingRateTimestamp"),
        (drop("fundingRateTimestamp"), "field 'fundingRateTimestamp': missing"),
        (drop("symbol"), "field 'symbol': missing, found fundingRate"),
    ],
    "interest": [
        (put("openInterest", "26332.321"), "expected twice 'singleOpenInterest' ('26332.321')"),
        (put("singleOpenInterest", "52664.642"), "does it count other sides than before?"),
        (put("singleOpenInterest", 26332.321), "found 26332.321, expected a number as text"),
        (put("openInterest", None), "field 'openInterest': found null, expected a number as text"),
        (put("openInterest", "inf"), "field 'openInterest': found 'inf', expected a number as"),
        (put("openInterest", "-5"), "field 'openInterest': found '-5', expected 0 or more"),
        (put("timestamp", FIRST), "field 'timestamp': found 1704067200000, expected a number as"),
        (put("timestamp", "2024-01-01"), "found '2024-01-01', expected a number as text"),
        (put("value", "1"), "field 'value': new, expected openInterest, singleOpenInterest"),
        (rename("singleOpenInterest", "oneOpenInterest"), "renamed to 'oneOpenInterest'?"),
        (drop("singleOpenInterest"), "field 'singleOpenInterest': missing, found openInterest"),
        (drop("openInterest"), "field 'openInterest': missing, found singleOpenInterest"),
    ],
    "ratio": [
        (put("symbol", "BTCUSD"), "field 'symbol': found 'BTCUSD', expected 'BTCUSDT'"),
        (put("buyRatio", "49.27"), "expected shares that add up to 1"),
        (put("sellRatio", "0.9"), "expected shares that add up to 1"),
        (put("buyRatio", "-0.2"), "field 'buyRatio': found '-0.2', expected 0 or more"),
        (put("buyRatio", 0.4927), "field 'buyRatio': found 0.4927, expected a number as text"),
        (put("sellRatio", None), "field 'sellRatio': found null, expected a number as text"),
        (put("sellRatio", "1,0"), "field 'sellRatio': found '1,0', expected a number as text"),
        (put("timestamp", None), "field 'timestamp': found null, expected a number as text"),
        (put("longRatio", "1"), "field 'longRatio': new, expected symbol, buyRatio"),
        (rename("buyRatio", "longRatio"), "field 'buyRatio': missing"),
        (drop("sellRatio"), "field 'sellRatio': missing, found symbol, buyRatio, timestamp"),
        (drop("timestamp"), "field 'timestamp': missing"),
    ],
}
PRICED = [
    (put(1, "0"), "expected a low above 0 and a high around the others"),
    (put(2, "17000"), "found o 17071, h 17000, l 17027, c 17055.5"),
    (put(3, "17072"), "expected a low above 0 and a high around the others"),
    (put(4, "99999"), "expected a low above 0 and a high around the others"),
    (put(1, 17071), "field 'open': found 17071, expected a number as text"),
    (put(1, None), "field 'open': found null, expected a number as text"),
    (put(2, "NaN"), "field 'high': found 'NaN', expected a number as text"),
    (put(3, "-inf"), "field 'low': found '-inf', expected a number as text"),
    (put(0, "1704067200000.5"), "field 'start': found '1704067200000.5', expected whole"),
    (put(0, FIRST), "field 'start': found 1704067200000, expected a number as text"),
    (lambda found: found.pop(), "cells, expected"),
    (lambda found: found.append("1"), "cells, expected"),
]
NAMED["prices"] = PRICED
NAMED["candles"] = [
    *PRICED,
    (put(5, "-1"), "field 'volume': found '-1', expected 0 or more"),
    (put(6, "n/a"), "field 'turnover': found 'n/a', expected a number as text"),
]
DRIFTS = [
    pytest.param(kind, edit, said, id=f"{kind}-{n}")
    for kind in KINDS
    for n, (edit, said) in enumerate(NAMED[kind], 1)
]


@pytest.mark.parametrize(("kind", "edit", "said"), DRIFTS)
def test_a_drift_is_refused_in_these_words(kind, edit, said):
    found = row(kind)
    edit(found)

    with pytest.raises(DataError, match=r"^page, row 1[,:]") as refused:
        read(kind, envelope([found]))
    assert said in str(refused.value)


@MANY
@given(kind=st.sampled_from(KINDS), times=TIMES, data=st.data())
def test_a_mutant_is_refused_by_its_row(kind, times, data):
    rows = newest_first(kind, times)
    at = data.draw(st.integers(0, len(rows) - 1))
    data.draw(st.sampled_from(NAMED[kind]))[0](rows[at])

    with pytest.raises(DataError, match=rf"^page, row {at + 1}[,:]"):
        read(kind, envelope(rows))


@MANY
@given(kind=st.sampled_from(KINDS), times=TIMES, by=st.sampled_from([1e-3, 1e3, 1e6, -1]))
def test_stamps_of_another_unit_are_refused(kind, times, by):
    rows = newest_first(kind, times)
    for found in rows:
        scale(by)(found, STAMPS[kind])

    with pytest.raises(DataError, match=r"another unit, or another page\?|whole milliseconds"):
        read(kind, envelope(rows))


@MANY
@given(kind=st.sampled_from(KINDS), times=TIMES.filter(lambda t: len(t) > 1), data=st.data())
def test_rows_that_are_there_twice_or_go_back_are_refused(kind, times, data):
    rows = newest_first(kind, times)
    at = data.draw(st.integers(0, len(rows) - 1))
    wrong = data.draw(st.sampled_from([rows[::-1], [*rows[:at], rows[at], *rows[at:]]]))

    with pytest.raises(DataError, match=r"from its end, row .* later than the row before"):
        read(kind, envelope(wrong))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"funding"}))
def test_stamps_off_the_grid_are_refused(kind):
    found = row(kind)
    found[STAMPS[kind]] = str(FIRST + 1)

    with pytest.raises(DataError, match="expected a multiple of 300000 ms"):
        read(kind, envelope([found]))


ENVELOPES = [
    (b"", "page: found nothing, expected JSON"),
    (b"<!DOCTYPE html><html>403</html>", "page: found a page of HTML or XML, expected JSON"),
    (b'{"retCode": 0, "result": {"list": [', "cut short?"),
    (b"[]", r"page: found \[\], expected an object"),
    (b"null", "page: found null, expected an object"),
    (b'{"retCode": NaN}', "found NaN, expected a finite number"),
    (envelope([], retCode=10001, retMsg="params error"), r"found 10001 \('params error'\)"),
    (envelope([], retCode="0x"), "field 'retCode': found '0x'"),
    (envelope([], result=None), "field 'result': found null, expected an object"),
    (envelope([], result={}), "field 'list': found null, expected a list"),
    (envelope([], result={"list": {}}), r"field 'list': found {}, expected a list"),
    (envelope([], result={"rows": []}), r"field 'result', field 'rows': new"),
    (envelope([], data=[]), "field 'data': new"),
    ({"result": {"list": []}}, r"field 'retCode': found null \(''\), expected 0"),
    ({"code": "0", "data": []}, "field 'retCode': found null"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("page", "match"), ENVELOPES)
def test_another_envelope_is_refused(kind, page, match):
    with pytest.raises(DataError, match=match):
        read(kind, page)


@pytest.mark.parametrize("name", ["category", "symbol"])
def test_the_rows_of_something_else_are_refused(name):
    page = envelope([row("interest")])
    page["result"][name] = "inverse"

    with pytest.raises(DataError, match=f"page, field '{name}': found 'inverse', expected"):
        read("interest", page)


def test_an_empty_reply_may_name_nothing():
    assert read("interest", envelope([], result={"symbol": "", "category": "", "list": []})) == []


@pytest.mark.parametrize("code", [10000, 10006, 10016, 10018])
def test_a_reply_that_asks_for_patience_is_no_refusal(code):
    with pytest.raises(BusyError, match=rf"found {code} \('Too many visits!'\)"):
        read("funding", envelope([], retCode=code, retMsg="Too many visits!", result={}))


def test_open_interest_of_one_side_may_be_unknown_and_both_are_kept():
    found = row("interest") | {"singleOpenInterest": None}

    assert read("interest", envelope([found]))[0].cells == ("52664.64200000", "")


@pytest.mark.parametrize(
    ("both", "single"),
    [("63910691.00000000", "31955346"), ("54656.19300000", "27328.097"), ("0.00000000", "0")],
)
def test_sides_agree_up_to_the_last_digit(both, single):
    """The first two are the documentation's and those of a public report."""
    found = row("interest") | {"openInterest": both, "singleOpenInterest": single}

    assert read("interest", envelope([found]))[0].cells == (both, single)


def launch(found, **changes):
    page = envelope([found], **changes)
    page["result"].pop("symbol")
    return bybit_page.read_launch(json.dumps(page).encode(), "BTCUSDT", "instrument")


def test_the_launch_is_told_and_the_rest_left():
    told = {"symbol": "BTCUSDT", "launchTime": "1584230400000", "fundingInterval": 480, "x": {}}

    assert launch(told) == 1_584_230_400_000
    assert launch(told | {"launchTime": "0"}) is None


@pytest.mark.parametrize(
    ("found", "match"),
    [
        ({"symbol": "ETHUSDT", "launchTime": "1"}, "field 'symbol': found 'ETHUSDT'"),
        ({"symbol": "BTCUSDT"}, "field 'launchTime': found '', expected ms"),
        ({"symbol": "BTCUSDT", "launchTime": "soon"}, "field 'launchTime': found 'soon'"),
        (None, "row 1: found null, expected an object"),
    ],
)
def test_an_instrument_that_is_not_as_told_is_refused(found, match):
    with pytest.raises(DataError, match=match):
        launch(found)


def test_a_perpetual_that_is_none_is_refused_by_its_name():
    with pytest.raises(RefusedError, match=r"no perpetual 'BTCUSDT' \('params error: symbol inv"):
        launch({}, retCode=10001, retMsg="params error: symbol invalid")
