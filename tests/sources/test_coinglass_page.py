"""Replies of CoinGlass: golden drifts, laws, mutants, and the samples as published."""

import json
import os
import runpy
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import BusyError, DataError, LiqwarnError, RefusedError, SourceError
from liqwarn.sources.coinglass import HISTORIES
from liqwarn.sources.coinglass_page import BALANCE_COLUMNS, read_balance, read_history

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
                deadline=None)  # fmt: skip
BROKEN = runpy.run_path(str(Path(__file__).parent / "mutated_replies.py"))
HOUR = 3_600_000
FIRST = 1_704_067_200_000
SPAN = (FIRST, FIRST + 40 * HOUR)


def liquidations(*hours, long="2369935.19562", short="6947459.43674"):
    return [{"time": FIRST + n * HOUR, "long_liquidation_usd": long,
             "short_liquidation_usd": short} for n in hours]  # fmt: skip


def page(rows, **more):
    return {"code": "0", "msg": "success", "data": rows} | more


def read(body, kind="liquidations", span=SPAN, step=HOUR):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_history(content, HISTORIES[kind].rows, step, span, "page 1")


ROW = liquidations(0)[0]
CANDLE = {"time": FIRST, "open": "2.0", "high": "3.0", "low": "1.0", "close": "2.5"}
BOOK = {"bids_usd": 99.0, "bids_quantity": 1.0, "asks_usd": 101.0, "asks_quantity": 1.0,
        "time": FIRST}  # fmt: skip
ACCOUNTS = {"time": FIRST, "global_account_long_percent": 73.88,
            "global_account_short_percent": 26.12,
            "global_account_long_short_ratio": 2.83}  # fmt: skip


def but(row, **changes):
    """The row with fields changed; a field that is None is gone."""
    return {k: v for k, v in (row | changes).items() if v is not None}


GOLDEN = {  # name: (kind, body, the error it is)
    "an error with status 200": (
        "liquidations", {"code": "50001", "msg": "Server Error"},
        "page 1: found an error, code '50001', 'Server Error', expected code '0'"),
    "no code": ("liquidations", {"data": []}, "page 1, field 'code': found null, expected '0'"),
    "a page of HTML": ("liquidations", b"<!DOCTYPE html>", "found a page of HTML or XML"),
    "nothing": ("liquidations", b"", "page 1: found nothing, expected JSON"),
    "cut short": ("liquidations", json.dumps(page([ROW])).encode()[:-9], "cut short?"),
    "gzip that nobody asked for": ("liquidations", b"\x1f\x8b\x08\x00", "expected JSON"),
    "rows in an object": ("liquidations", page({"list": [ROW]}), "field 'data': found {'list'"),
    "no rows but null": ("liquidations", page(None), "field 'data': found null, expected a list"),
    "an envelope that grew": ("liquidations", page([ROW], page=1), "found fields ['code', 'data'"),
    "a field renamed as in version 3": (
        "liquidations", page([but(ROW, long_liquidation_usd=None, longLiquidationUsd="1")]),
        "row 1, field 'long_liquidation_usd': missing.*, renamed to 'longLiquidationUsd'?"),
    "a field gone": ("liquidations", page([but(ROW, short_liquidation_usd=None)]),
                     "row 1, field 'short_liquidation_usd': missing"),
    "a field more": ("liquidations", page([ROW | {"total_usd": "1"}]),
                     "row 1, field 'total_usd': new, expected time, long_liquidation_usd"),
    "seconds": ("liquidations", page([ROW | {"time": FIRST // 1_000}]),
                "row 1, field 'time': found 1704067200 ms, expected from 1704067200000"),
    "microseconds": ("liquidations", page([ROW | {"time": FIRST * 1_000}]),
                     "found 1704067200000000 ms, expected from"),
    "time as text": ("liquidations", page([ROW | {"time": str(FIRST)}]),
                     "field 'time': found '1704067200000', expected a whole number"),
    "an ISO time": ("liquidations", page([ROW | {"time": "2024-01-01"}]),
                    "field 'time': found '2024-01-01', expected a whole number"),
    "a stamp off the grid": ("liquidations", page([ROW | {"time": FIRST + 1}]),
                             "expected a multiple of 3600000 ms"),
    "a row twice": ("liquidations", page([ROW, ROW]), "row 2, field 'time': .* there twice?"),
    "the newest first": ("liquidations", page(liquidations(1, 0)), "later than the row before"),
    "not a number": ("liquidations", page([ROW | {"long_liquidation_usd": "NaN"}]),
                     "row 1, field 'long_liquidation_usd': found 'NaN', expected a number"),
    "NaN without quotes": (
        "liquidations", b'{"code": "0", "data": [{"time": NaN}]}', "expected a finite number"),
    "infinite": ("liquidations", page([ROW | {"long_liquidation_usd": "Infinity"}]),
                 "found 'Infinity', expected a number"),
    "negative": ("liquidations", page([ROW | {"short_liquidation_usd": "-5"}]),
                 "row 1: field 'short_liquidation_usd': found -5, expected 0 or more"),
    "a list as a number": ("liquidations", page([ROW | {"long_liquidation_usd": ["1"]}]),
                           "found ['1'], expected a number"),
    "a key twice": ("liquidations", b'{"code": "0", "code": "0", "data": []}', "is there twice"),
    "high and low traded": ("open-interest", page([CANDLE | {"high": "1.0", "low": "3.0"}]),
                            "row 1: found open 2.0, high 1.0, low 3.0, close 2.5, expected"),
    "a negative stock": ("open-interest", page([CANDLE | {"low": "-1.0"}]),
                         "row 1: field 'low': found -1.0, expected 0 or more"),
    "sides of the book traded": (
        "depth",
        page([BOOK | {"bids_usd": BOOK["asks_usd"], "asks_usd": BOOK["bids_usd"]}]),
        "row 1: found bids at 101 and asks at 99 on average, expected bids below asks"),
    "sides of the accounts traded": (
        "long-short", page([ACCOUNTS | {"global_account_long_percent": 26.12,
                                        "global_account_short_percent": 73.88}]),
        "row 1: found long 26.12, short 73.88, ratio 2.83, expected a ratio of 0.3535"),
    "shares instead of percents": (
        "long-short", page([ACCOUNTS | {"global_account_long_percent": 0.7388,
                                        "global_account_short_percent": 0.2612}]),
        "expected shares of 100"),
    "rows of another endpoint": ("liquidations", page([CANDLE]),
                                 "row 1, field 'long_liquidation_usd': missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_a_reply_that_drifted_is_refused_by_its_place(name):
    kind, body, expected = GOLDEN[name]

    with pytest.raises((DataError, RefusedError)) as caught:
        read(body, kind)

    first, _, rest = expected.partition(".*")
    assert first in str(caught.value)
    assert rest in str(caught.value)


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        ("429", "Too Many Requests", BusyError),
        ("500", "Server Error", BusyError),
        ("408", "timeout", BusyError),
        ("401", "Upgrade plan", RefusedError),
        ("400", "The requested symbol does not exist", RefusedError),
        ("404", "x", RefusedError),
        ("422", "x", RefusedError),
        ("401", "x", SourceError),
        ("400", "API key missing.", SourceError),
        ("30001", "Invalid API key", SourceError),
    ],
)
def test_errors_in_the_envelope_mean_wait_not_this_or_nothing(code, said, kind):
    with pytest.raises(SourceError, match=f"code '{code}'") as caught:
        read({"code": code, "msg": said})
    assert type(caught.value) is kind


def test_longs_are_longs_and_shorts_are_shorts():
    """Golden: the column that names longs is the first cell, with quotes or without."""
    pair = read(page(liquidations(0, 1, long="1.10", short="2.20")))
    whole = page([{"time": FIRST, "aggregated_short_liquidation_usd": 4.5,
                   "aggregated_long_liquidation_usd": 3.5}])  # fmt: skip
    taken = page([{"time": FIRST, "taker_sell_volume_usd": "6.0", "taker_buy_volume_usd": "5.0"}])

    assert HISTORIES["liquidations"].rows.columns == ("long_liquidation_usd",
                                                      "short_liquidation_usd")  # fmt: skip
    assert [r.cells for r in pair] == [("1.10", "2.20")] * 2
    assert read(whole, "liquidations-all")[0].cells == ("3.5", "4.5")
    assert HISTORIES["taker"].rows.columns[0] == "taker_buy_volume_usd"
    assert read(taken, "taker")[0].cells == ("5.0", "6.0")
    assert read(page([BOOK]), "depth")[0].cells == ("99.0", "1.0", "101.0", "1.0")


def test_null_is_a_value_to_come():
    assert read(page([ROW | {"long_liquidation_usd": None}]))[0].cells == ("", "6947459.43674")


GOOD = {
    "liquidations": liquidations(0, 1, 5),
    "open-interest": [CANDLE, CANDLE | {"time": FIRST + HOUR}],
    "depth": [BOOK, BOOK | {"time": FIRST + 3 * HOUR}],
    "long-short": [ACCOUNTS],
}


def told(kind, rows):
    return [(row["time"], tuple(BROKEN["said"](row[c]) for c in HISTORIES[kind].rows.columns))
            for row in rows]  # fmt: skip


@MANY
@given(kind=st.sampled_from(sorted(GOOD)), data=st.data())
def test_an_edited_row_is_refused_or_changes_no_number(kind, data):
    how, rows = data.draw(BROKEN["broken_rows"](GOOD[kind], "time"))
    content = json.dumps(page(rows)).replace("Infinity", '"x"').encode()
    try:
        readings = read(content, kind)
    except LiqwarnError:
        return
    assert [(r.time, r.cells) for r in readings] == told(kind, rows)
    assert [r.time for r in readings] == sorted({r.time for r in readings})
    if how in ("drop", "rename", "add", "scale", "twice"):
        assert rows == GOOD[kind]


@MANY
@given(content=BROKEN["broken_bytes"]([json.dumps(page(rows)).encode() for rows in GOOD.values()]))
def test_broken_bytes_are_refused_or_read_as_they_say(content):
    for kind in GOOD:
        try:
            readings = read(content, kind)
        except LiqwarnError:
            continue
        rows = BROKEN["parsed"](content)["data"]
        expected = told(kind, [row | {"time": int(row["time"])} for row in rows])
        assert [(r.time, r.cells) for r in readings] == expected


BALANCES = [
    {"exchange_name": name, "total_balance": 564807.570798, "balance_change_1d": -6853.139197,
     "balance_change_percent_1d": -1.2, "balance_change_7d": -6915.5,
     "balance_change_percent_7d": -1.21, "balance_change_30d": -67681.4,
     "balance_change_percent_30d": -10.7}
    for name in ("Coinbase", "Binance")
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([BALANCES[0]], "no exchange 'Binance', found Coinbase"),
        ([], "no exchange 'Binance', found none"),
        ([*BALANCES, BALANCES[1]], "row 3: exchange 'Binance' is there twice"),
        ([BALANCES[1] | {"total_balance": -1}], "row 1, field 'total_balance': found -1, expected"),
        ([BALANCES[1] | {"total_balance": None}], "row 1, field 'total_balance': found null"),
        ([BALANCES[1] | {"exchange_name": 3}], "row 1, field 'exchange_name': found 3"),
        ([BALANCES[1] | {"balance": 3}], "row 1, field 'balance': new"),
    ],
)
def test_balances_that_drifted_are_refused(rows, expected):
    with pytest.raises((DataError, RefusedError)) as caught:
        read_balance(json.dumps(page(rows)).encode(), "Binance", "balances")
    assert expected in str(caught.value)


@MANY
@given(content=BROKEN["broken_bytes"]([json.dumps(page(BALANCES)).encode()]))
def test_broken_balances_are_refused_or_read_as_they_say(content):
    try:
        cells = read_balance(content, "Binance", "balances")
    except LiqwarnError:
        return
    rows = BROKEN["parsed"](content)["data"]
    row = next(row for row in rows if row["exchange_name"] == "Binance")
    assert cells == tuple(BROKEN["said"](row[name]) for name in BALANCE_COLUMNS)


SAMPLES = {
    "coinglass/api_futures_liquidation_aggregated_coin_history_BTC.parquet":
        ("liquidations-all", 4, 1_080),
    "coinglass/api_futures_openInterest_ohlc_aggregated_history_BTC.parquet":
        ("open-interest-all", 4, 1_080),
    "coinglass/api_futures_orderbook_ask_bids_history.parquet": ("depth", 4, 1_080),
    "coinglass_v4_api_futures_liquidation_aggregated_coin_history_BTC.parquet":
        ("liquidations-all", 4, 1_080),
    "coinglass_v4_api_futures_orderbook_aggregated_ask_bids_history_BTC.parquet":
        ("depth-all", 8, 553),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_read_every_cell(raw_samples, name):
    """They are kept as parquet; here their rows are what the API says, cell by cell."""
    kind, hours, count = SAMPLES[name]
    rows = pq.read_table(raw_samples / name).to_pylist()

    readings = read(page(rows), kind, (0, 1 << 41), hours * HOUR)

    assert [(r.time, r.cells) for r in readings] == told(kind, rows)
    assert len(readings) == count


def test_the_sample_of_balances_is_read_every_exchange(raw_samples):
    name = "coinglass_v4_api_exchange_balance_list_BTC.parquet"
    rows = pq.read_table(raw_samples / name).to_pylist()
    content = json.dumps(page(rows)).encode()

    for row in rows:
        cells = read_balance(content, row["exchange_name"], "balances")
        assert [float(cell) for cell in cells] == [row[column] for column in BALANCE_COLUMNS]
    assert len(rows) == 20
