"""Rows of the worker: laws, and every drift of a row with the words it is told in."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ConfigError, DataError, RefusedError
from liqwarn.sources.ccxt_series import _FUNDING as FUNDING
from liqwarn.sources.ccxt_series import _INTEREST as INTEREST
from liqwarn.sources.ccxt_series import AMOUNTS, ccxt_series, read_rows
from liqwarn.sources.json_page import parse_page

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 30,
                deadline=None)  # fmt: skip
HOUR = 3_600_000
FIRST = 1_704_067_200_000
SPAN = (FIRST, FIRST + 100 * HOUR)
TIMES = st.sets(st.integers(-50, 150), min_size=1, max_size=9).map(sorted)
SHAPES = {
    "funding": (FUNDING, ("fundingRate", "interval")),
    "interest": (INTEREST, ("openInterestAmount",)),
}


def row(kind, n=0):
    time = {"timestamp": FIRST + n * HOUR}
    if kind == "funding":
        return time | {"fundingRate": "-0.00012340", "interval": None}
    return time | {"openInterestAmount": "2851725.0", "openInterestValue": None}


def read(kind, rows, told="rows"):
    shape, names = SHAPES[kind]
    reply = parse_page(json.dumps({"told": told, "rows": rows}).encode(), "x")
    return read_rows(reply, shape, names, SPAN, "page")


@MANY
@given(kind=st.sampled_from(sorted(SHAPES)), times=TIMES)
def test_rows_of_the_span_come_as_their_text_and_others_are_left(kind, times):
    readings = read(kind, [row(kind, n) for n in times])

    assert [r.time for r in readings] == [FIRST + n * HOUR for n in times if 0 <= n < 100]
    expected = ("-0.00012340", "") if kind == "funding" else ("2851725.0",)
    assert all(reading.cells == expected for reading in readings)


def put(name, value):
    return lambda found: found.__setitem__(name, value)


TIMED = [
    (put("timestamp", str(FIRST)), "field 'timestamp': found '1704067200000', expected a whole"),
    (put("timestamp", FIRST / 1e3 + 0.5), "field 'timestamp': found 1704067200.5, expected a who"),
    (put("timestamp", None), "field 'timestamp': found null, expected a whole number"),
    (put("timestamp", FIRST // 1_000), "another unit, or another page?"),
    (put("timestamp", FIRST * 1_000), "another unit, or another page?"),
    (lambda found: found.pop("timestamp"), "field 'timestamp': missing"),
]
NAMED = {
    "funding": [
        *TIMED,
        (put("fundingRate", -0.0001), "field 'fundingRate': found -0.0001, expected a number as"),
        (put("fundingRate", None), "field 'fundingRate': found null, expected a number as text"),
        (put("fundingRate", "nan"), "field 'fundingRate': found 'nan', expected a number as text"),
        (put("interval", 8), "field 'interval': found 8, expected text"),
        (put("rate", "1"), "field 'rate': new, expected timestamp, fundingRate, interval"),
        (lambda found: found.pop("interval"), "field 'interval': missing"),
        (lambda found: found.pop("fundingRate"), "field 'fundingRate': missing"),
    ],
    "interest": [
        *TIMED,
        (put("openInterestAmount", 5.5), "field 'openInterestAmount': found 5.5, expected a num"),
        (put("openInterestAmount", "Infinity"), "found 'Infinity', expected a number as text"),
        (put("openInterestAmount", ""), "field 'openInterestAmount': found '', expected a number"),
        (put("openInterestValue", 1), "field 'openInterestValue': found 1, expected a number as"),
        (put("baseVolume", "1"), "field 'baseVolume': new, expected timestamp, openInterest"),
        (lambda found: found.pop("openInterestAmount"), "field 'openInterestAmount': missing"),
        (lambda found: found.pop("openInterestValue"), "field 'openInterestValue': missing"),
    ],
}
DRIFTS = [(kind, *drift) for kind in sorted(NAMED) for drift in NAMED[kind]]


@pytest.mark.parametrize(("kind", "edit", "said"), DRIFTS)
def test_a_drift_is_refused_in_these_words(kind, edit, said):
    found = row(kind)
    edit(found)

    with pytest.raises(DataError, match=r"^page, row 1, ") as refused:
        read(kind, [found])
    assert said in str(refused.value)


@MANY
@given(kind=st.sampled_from(sorted(NAMED)), times=TIMES, data=st.data())
def test_a_mutant_is_refused_by_its_row(kind, times, data):
    rows = [row(kind, n) for n in times]
    at = data.draw(st.integers(0, len(rows) - 1))
    data.draw(st.sampled_from(NAMED[kind]))[0](rows[at])

    with pytest.raises(DataError, match=rf"^page, row ({at + 1}|{at + 2}), "):
        read(kind, rows)


@MANY
@given(kind=st.sampled_from(sorted(NAMED)), times=TIMES, data=st.data())
def test_a_row_that_is_there_twice_is_refused(kind, times, data):
    rows = [row(kind, n) for n in times]
    rows.insert(data.draw(st.integers(0, len(rows))), data.draw(st.sampled_from(rows)))

    with pytest.raises(DataError, match="later than the row before"):
        read(kind, rows)


@pytest.mark.parametrize(
    ("rows", "told", "match"),
    [
        (None, "rows", "field 'rows': found null, expected a list"),
        ({}, "rows", "field 'rows': found {}, expected a list"),
        ([None], "rows", "row 1: found null, expected an object"),
        ([[FIRST, "1"]], "rows", "row 1: found .*, expected an object"),
        ([], "market", "field 'told': found 'market', expected 'rows'"),
    ],
)
def test_what_is_no_list_of_rows_is_refused(rows, told, match):
    with pytest.raises(DataError, match=match):
        read("funding", rows, told)


class Worker:
    """A worker that answers from memory."""

    def __init__(self, amounts, size="0.01", **market):
        self.opened = {"version": "4.5.90", "funding": False, "open-interest": True}
        self._rows = [row("interest", n) | {"openInterestAmount": a} for n, a in enumerate(amounts)]
        self._market = {"told": "market", "swap": True, "linear": True, "contractSize": size}
        self._market |= market

    def ask(self, what, **_):
        reply = self._market if what == "market" else {"told": "rows", "rows": self._rows}
        return parse_page(json.dumps(reply).encode(), "x"), 7


def interest(worker, exchange="gate", amount=None):
    (series,) = ccxt_series(worker, exchange, ["BTC/USDT:USDT"], "1h", amount)
    return [reading.cells for rows, _ in series.ask(SPAN) for reading in rows]


@MANY
@given(
    amount=st.from_regex(r"\A[0-9]{1,15}(\.[0-9]{1,10})?\Z"),
    size=st.sampled_from(["1", "0.01", "0.0001", "1000", "1e-05"]),
)
def test_contracts_become_coins_exactly(amount, size):
    from fractions import Fraction  # noqa: PLC0415  for this law only

    (cells,) = interest(Worker([amount], size))

    assert cells[:2] == (amount, size)
    assert Fraction(cells[2]) == Fraction(amount) * Fraction(size)


def test_coins_stay_coins_and_contracts_are_told_by_the_exchange():
    assert interest(Worker(["5.50"]), "binance") == [("5.50", "0.01", "5.50")]
    assert interest(Worker(["5.50"]), "okx") == [("5.50", "0.01", "0.0550")]
    assert interest(Worker(["5.50"], None), "novel", "base") == [("5.50", "1", "5.50")]
    assert interest(Worker(["5.50"]), "gate", "base") == [("5.50", "0.01", "5.50")]


@pytest.mark.parametrize(
    ("worker", "exchange", "error", "match"),
    [
        (Worker(["1"]), "bybit", RefusedError, "counts both sides: use liqwarn fetch bybit"),
        (Worker(["1"]), "novel", RefusedError, "say it with --amount-in base or contracts"),
        (Worker([None]), "gate", RefusedError, "no openInterestAmount; openInterestValue is in a"),
        (Worker(["-1"]), "gate", DataError, "'openInterestAmount': found -1, expected 0 or more"),
        (Worker(["1"], None), "gate", DataError, "has no contractSize, expected coins a contract"),
        (Worker(["1"], "0"), "gate", DataError, "field 'contractSize': found '0', expected > 0"),
        (Worker(["1"], "NaN"), "gate", DataError, "field 'contractSize': found 'NaN', expected >"),
        (Worker(["1"], "x"), "gate", DataError, "field 'contractSize': found 'x', expected > 0"),
        (Worker(["1"], 0.01), "gate", DataError, "field 'contractSize': found 0.01, expected > 0"),
        (Worker(["1"], linear=False), "gate", RefusedError, "is no linear perpetual such as BTC"),
        (Worker(["1"], swap="yes"), "gate", RefusedError, "is no linear perpetual"),
    ],
)
def test_a_unit_that_is_not_sure_is_refused(worker, exchange, error, match):
    with pytest.raises(error, match=match):
        interest(worker, exchange)


def test_no_history_at_all_is_told():
    worker = Worker([])
    worker.opened["open-interest"] = False

    with pytest.raises(ConfigError, match=r"'quiet': ccxt 4.5.90 has no history of its funding or"):
        ccxt_series(worker, "quiet", ["BTC/USDT:USDT"], "1h", None)


def test_what_counts_both_sides_is_refused_whatever_is_said():
    assert {name for name, amount in AMOUNTS.items() if amount is None} == {
        "bybit", "bybiteu", "bybitid"
    }  # fmt: skip
    with pytest.raises(RefusedError, match="counts both sides"):
        interest(Worker(["1"]), "bybit", "base")
