"""Replies of Coinalyze: golden drifts, laws, mutants."""

import json
import os
import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError, LiqwarnError, RefusedError
from liqwarn.sources.coinalyze import ENDPOINTS
from liqwarn.sources.coinalyze_page import check_market, read_markets

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
                deadline=None)  # fmt: skip
BROKEN = runpy.run_path(str(Path(__file__).parent / "mutated_replies.py"))
HOUR = 3_600
FIRST = 1_704_067_200
SPAN = (FIRST * 1_000, (FIRST + 40 * HOUR) * 1_000)
BTC, ETH = "BTCUSDT_PERP.A", "ETHUSDT_PERP.A"
LIQ = {"t": FIRST, "l": 0.068, "s": 0.088}
CANDLE = {"t": FIRST, "o": 2.0, "h": 3.0, "l": 1.0, "c": 2.5}
TRADED = CANDLE | {"v": 10.0, "bv": 4.0, "tx": 90, "btx": 40}
RATIO = {"t": FIRST, "r": 2.8285, "l": 73.88, "s": 26.12}


def market(*rows, symbol=BTC):
    return {"symbol": symbol, "history": list(rows)}


def read_all(body, kind="liquidations", symbols=(BTC, ETH)):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_markets(content, symbols, ENDPOINTS[kind].rows, HOUR * 1_000, SPAN)


def read(body, kind="liquidations"):
    found = read_all(body, kind)[BTC]
    if isinstance(found, DataError):
        raise found
    return found


def but(row, **changes):
    """The row with fields changed; a field that is None is gone."""
    return {k: v for k, v in (row | changes).items() if v is not None}


GOLDEN = {  # name: (kind, body, the error it is)
    "an error with status 200": ("liquidations", {"message": "Invalid symbols"},
                                 "found {'message': 'Invalid symbols'}, expected a list"),
    "an envelope": ("liquidations", {"code": "0", "data": []}, "expected a list"),
    "a page of HTML": ("liquidations", b"<html>", "found a page of HTML or XML"),
    "nothing": ("liquidations", b" ", "found nothing, expected JSON"),
    "cut short": ("liquidations", json.dumps([market(LIQ)]).encode()[:-3], "cut short?"),
    "a market without its name": ("liquidations", [{"history": []}],
                                  "market 1: found fields ['history'], expected history, symbol"),
    "a market with more": ("liquidations", [market(LIQ) | {"unit": "USD"}],
                           "found fields ['history', 'symbol', 'unit']"),
    "a market nobody asked for": ("liquidations", [market(LIQ, symbol="XRPUSDT_PERP.A")],
                                  "market 1, field 'symbol': found 'XRPUSDT_PERP.A', expected"),
    "a market twice": ("liquidations", [market(LIQ), market(LIQ)], "market 2, field 'symbol'"),
    "no history but null": ("liquidations", [{"symbol": BTC, "history": None}],
                            "field 'history': found null, expected a list"),
    "rows as lists": ("liquidations", [market([FIRST, 1, 2])], "row 1: found ['1704067200'"),
    "milliseconds": ("liquidations", [market(LIQ | {"t": FIRST * 1_000})],
                     "row 1, field 'time': found 1704067200000000 ms, expected from 17"),
    "time as text": ("liquidations", [market(LIQ | {"t": str(FIRST)})],
                     "field 't': found '1704067200', expected a whole number"),
    "a fraction of a second": ("liquidations", [market(LIQ | {"t": FIRST + 0.5})],
                               "field 't': found 1704067200.5, expected a whole number"),
    "a stamp off the grid": ("liquidations", [market(LIQ | {"t": FIRST + 60})],
                             "expected a multiple of 3600000 ms"),
    "a row twice": ("liquidations", [market(LIQ, LIQ)], "row 2, field 'time': found"),
    "the newest first": ("liquidations", [market(LIQ | {"t": FIRST + HOUR}, LIQ)],
                         "later than the row before"),
    "longs renamed": ("liquidations", [market(but(LIQ, l=None, long=1))],
                      "row 1, field 'l': missing, found t, s, long"),
    "shorts gone": ("liquidations", [market(but(LIQ, s=None))], "row 1, field 's': missing"),
    "a column more": ("liquidations", [market(LIQ | {"n": 1})], "row 1, field 'n': new"),
    "negative": ("liquidations", [market(LIQ | {"l": -1})],
                 "row 1: field 'long_liquidation_usd': found -1, expected 0 or more"),
    "not a number": ("liquidations", [market(LIQ | {"l": "n/a"})], "field 'l': found 'n/a'"),
    "candles instead of liquidations": ("liquidations", [market(CANDLE)],
                                        "row 1, field 's': missing"),
    "liquidations instead of candles": ("open-interest", [market(LIQ)], "field 'o': missing"),
    "high and low traded": ("candles", [market(TRADED | {"h": 1.0, "l": 3.0})],
                            "row 1: found open 2.0, high 1.0, low 3.0"),
    "more bought than traded": ("candles", [market(TRADED | {"bv": 11.0})],
                                "found buy_volume 11.0 of volume 10.0, expected a part of it"),
    "a negative stock": ("open-interest", [market(CANDLE | {"l": -1.0})], "expected 0 or more"),
    "sides of the accounts traded": ("long-short", [market(RATIO | {"l": 26.12, "s": 73.88})],
                                     "ratio 2.8285, expected a ratio of 0.3535"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_a_reply_that_drifted_is_refused_by_its_place(name):
    kind, body, expected = GOLDEN[name]

    with pytest.raises(DataError) as caught:
        read(body, kind)

    assert expected in str(caught.value)


def test_longs_are_longs_and_shorts_are_shorts():
    """Golden: ``l`` is longs in liquidations, the low in candles, a share in ratios."""
    assert list(ENDPOINTS["liquidations"].rows.columns) == [
        "long_liquidation_usd", "short_liquidation_usd"]  # fmt: skip
    assert read([market(LIQ)])[0].cells == ("0.068", "0.088")
    assert read([market(dict(reversed(LIQ.items())))])[0].cells == ("0.068", "0.088")
    assert read([market(CANDLE)], "open-interest")[0].cells == ("2.0", "3.0", "1.0", "2.5")
    assert read([market(RATIO)], "long-short")[0].cells == ("2.8285", "73.88", "26.12")
    assert read([market(RATIO | {"l": 0.7388, "s": 0.2612})], "long-short")
    assert read([market(TRADED)], "candles")[0].cells[4:] == ("10.0", "4.0", "90", "40")


def test_a_fault_is_of_one_market_and_a_market_that_is_absent_has_no_rows():
    found = read_all([market(LIQ | {"s": -1}), market(LIQ, symbol=ETH)])
    assert isinstance(found[BTC], DataError)
    assert [r.time for r in found[ETH]] == [SPAN[0]]
    assert read_all([market(LIQ)])[ETH] == []
    assert read_all([]) == {BTC: [], ETH: []}


def test_volumes_of_buyers_may_be_absent():
    assert read([market(CANDLE | {"v": 10})], "candles")[0].cells[4:] == ("10", "", "", "")
    assert read([market(LIQ | {"l": None})])[0].cells == ("", "0.088")


GOOD = {
    "liquidations": [LIQ, LIQ | {"t": FIRST + 3 * HOUR}],
    "open-interest": [CANDLE, CANDLE | {"t": FIRST + HOUR}],
    "candles": [TRADED],
    "long-short": [RATIO],
}


def told(kind, rows):
    letters = ENDPOINTS[kind].rows.columns.values()
    return [(int(row["t"]) * 1_000, tuple(BROKEN["said"](row.get(k)) for k in letters))
            for row in rows]  # fmt: skip


@MANY
@given(kind=st.sampled_from(sorted(GOOD)), data=st.data())
def test_an_edited_row_is_refused_or_changes_no_number(kind, data):
    how, rows = data.draw(BROKEN["broken_rows"](GOOD[kind], "t"))
    content = json.dumps([market(*rows)]).replace("Infinity", '"x"').encode()
    try:
        readings = read(content, kind)
    except LiqwarnError:
        return
    assert [(r.time, r.cells) for r in readings] == told(kind, rows)
    optional = kind == "candles" and how == "drop"
    if how in ("drop", "rename", "add", "scale", "twice") and not optional:
        assert rows == GOOD[kind]


@MANY
@given(content=BROKEN["broken_bytes"](
    [json.dumps([market(*rows)]).encode() for rows in GOOD.values()]))  # fmt: skip
def test_broken_bytes_are_refused_or_read_as_they_say(content):
    for kind in GOOD:
        try:
            readings = read(content, kind)
        except LiqwarnError:
            continue
        found = [m["history"] for m in BROKEN["parsed"](content) if m["symbol"] == BTC]
        expected = told(kind, found[0]) if found else []
        assert [(r.time, r.cells) for r in readings] == expected


def test_a_market_that_is_none_is_refused_with_the_nearest():
    content = json.dumps([{"symbol": name, "exchange": "A"} for name in (BTC, ETH)]).encode()

    check_market(content, BTC)
    with pytest.raises(RefusedError, match=r"no market 'BTCUSD_PERP\.A' among 2, did you mean BTC"):
        check_market(content, "BTCUSD_PERP.A")


@pytest.mark.parametrize("body", [b"[]", b"{}", b"[1]", b'[{"name": "x"}]', b'[{"symbol": 1}, {}]'])
def test_a_list_of_markets_that_is_none_is_refused(body):
    with pytest.raises(DataError, match="future-markets"):
        check_market(body, BTC)
