"""The parsers of Hyperliquid's replies: laws, mutants, and the sample."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError, SourceError
from liqwarn.sources.hyperliquid import read_candles, read_contexts, read_funding

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
                deadline=None)  # fmt: skip
HOUR = 3_600_000
FIRST = 1_704_067_200_000
SPAN = (FIRST, FIRST + 100 * HOUR)
HOURS = st.sets(st.integers(0, 99), min_size=1, max_size=8).map(sorted)
RATES = st.from_regex(r"-?0\.[0-9]{1,12}", fullmatch=True)


def funding(hours, rate="0.0000125"):
    return [{"coin": "BTC", "fundingRate": rate, "premium": "-0.00012340",
             "time": FIRST + n * HOUR + n % 150} for n in hours]  # fmt: skip


def candles(hours):
    return [{"t": FIRST + n * HOUR, "T": FIRST + (n + 1) * HOUR - 1, "s": "BTC", "i": "1h",
             "o": "100.0", "c": "101.50", "h": "102.0", "l": "99.0", "v": "3.10", "n": 7}
            for n in hours]  # fmt: skip


def contexts(coins=("BTC", "ETH")):
    row = {"funding": "0.0000125", "openInterest": "688.110", "prevDayPx": "15.3",
           "dayNtlVlm": "1169046.29", "dayBaseVlm": "1.0", "premium": None, "oraclePx": "14.3",
           "markPx": "14.31", "midPx": None, "impactPxs": None}  # fmt: skip
    universe = [{"name": coin, "szDecimals": 5, "maxLeverage": 50} for coin in coins]
    return [{"universe": universe, "marginTables": []}, [dict(row) for _ in coins]]


def read(kind, rows, coin="BTC"):
    content = json.dumps(rows).encode()
    if kind == "funding":
        return read_funding(content, coin, SPAN, "reply")
    return read_candles(content, coin, "1h", SPAN, "reply")


@MANY
@given(hours=HOURS, rate=RATES)
def test_funding_comes_as_its_text(hours, rate):
    readings = read("funding", funding(hours, rate))

    assert [r.time for r in readings] == [FIRST + n * HOUR + n % 150 for n in hours]
    assert {r.cells for r in readings} == {(rate, "-0.00012340")}


@MANY
@given(hours=HOURS)
def test_candles_come_as_their_text(hours):
    readings = read("candles", candles(hours))

    assert [r.time for r in readings] == [FIRST + n * HOUR for n in hours]
    assert readings[0].cells == ("100.0", "102.0", "99.0", "101.50", "3.10", "7")


def _scale(*names, by):
    return lambda row: row.update({name: int(row[name] * by) for name in names})


def _set(name, value):
    return lambda row: row.update({name: value})


def _rename(old, new):
    return lambda row: row.update({new: row.pop(old)})


MUTANTS = {
    "funding": [
        *(_scale("time", by=by) for by in (1e-3, 1e3, 1e6)),
        _set("time", FIRST + 30 * 60_000),
        _set("time", str(FIRST)),
        _set("coin", "ETH"),
        _set("fundingRate", 0.0000125),
        _set("fundingRate", None),
        _set("premium", "n/a"),
        _set("extra", "1"),
        _rename("fundingRate", "rate"),
        lambda row: row.pop("premium"),
    ],
    "candles": [
        *(_scale("t", "T", by=by) for by in (1e-3, 1e3, 1e6)),
        _scale("T", by=1e-3),
        _set("t", FIRST + 1),
        _set("s", "ETH"),
        _set("i", "4h"),
        _set("h", "100.5"),
        _set("l", "0.0"),
        _set("c", 101.5),
        _set("v", None),
        _set("n", "7"),
        _set("q", "1"),
        _rename("v", "vol"),
        lambda row: row.pop("T"),
    ],
}


@MANY
@given(kind=st.sampled_from(sorted(MUTANTS)), hours=HOURS, data=st.data())
def test_a_mutant_is_refused_by_its_row(kind, hours, data):
    rows = {"funding": funding, "candles": candles}[kind](hours)
    at = data.draw(st.integers(0, len(rows) - 1))
    data.draw(st.sampled_from(MUTANTS[kind]))(rows[at])

    with pytest.raises(DataError, match=rf"^reply, row ({at + 1}|{at + 2})(,|:)"):
        read(kind, rows)


@MANY
@given(kind=st.sampled_from(sorted(MUTANTS)), hours=HOURS, data=st.data())
def test_a_row_that_is_there_twice_is_refused(kind, hours, data):
    rows = {"funding": funding, "candles": candles}[kind](hours)
    at = data.draw(st.integers(0, len(rows) - 1))
    rows.insert(at, rows[at])

    with pytest.raises(DataError, match="later than the row before"):
        read(kind, rows)


@pytest.mark.parametrize("kind", sorted(MUTANTS))
@pytest.mark.parametrize(
    ("body", "match"),
    [
        (None, "found null, expected a list"),
        ({"error": "bad"}, "found {'error': 'bad'}, expected a list"),
        ({"status": "err", "response": "x"}, "expected a list"),
        ([None], "row 1: found null, expected an object"),
    ],
)
def test_an_error_with_status_200_is_refused(kind, body, match):
    with pytest.raises(DataError, match=match):
        read(kind, body)


def test_contexts_are_found_by_the_place_of_the_coin():
    page = contexts()
    page[1][1]["openInterest"] = "7.70"

    told = read_contexts(json.dumps(page).encode(), "ETH", "contexts")

    assert told == ("7.70", "14.31", "14.3", "0.0000125", "", "1169046.29")


@MANY
@given(
    name=st.sampled_from(["openInterest", "markPx", "oraclePx", "funding", "dayNtlVlm"]),
    value=st.sampled_from([1.5, None, "", "NaN", True, [], "1,0"]) | st.just("gone"),
)
def test_a_context_that_is_not_as_told_is_refused(name, value):
    page = contexts()
    if value == "gone":
        page[1][1].pop(name)
    else:
        page[1][1][name] = value

    with pytest.raises(DataError, match=rf"contexts, row 2 \(ETH\), field '{name}'"):
        read_contexts(json.dumps(page).encode(), "ETH", "contexts")


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda page: page.pop(), "found 1 parts"),
        (lambda page: page[1].pop(), "found 2 coins and 1 contexts"),
        (lambda page: page[0].pop("universe"), "field 'universe': found null"),
        (lambda page: page[1][0].update(new="1"), "field 'new': new"),
    ],
)
def test_contexts_whose_places_may_be_wrong_are_refused(edit, match):
    page = contexts()
    edit(page)

    with pytest.raises(DataError, match=match):
        read_contexts(json.dumps(page).encode(), "BTC", "contexts")


def test_a_coin_that_is_none_is_told_with_the_nearest():
    with pytest.raises(SourceError, match=r"no coin 'KPEPE' among 2, did you mean 'kPEPE'\?"):
        read_contexts(json.dumps(contexts(("BTC", "kPEPE"))).encode(), "KPEPE", "contexts")


def test_the_sample_is_read_every_row(raw_samples):
    content = (raw_samples / "hyperliquid" / "fundingHistory_BTC_first500.json").read_bytes()

    readings = read_funding(content, "BTC", (FIRST, FIRST + 501 * HOUR), "sample")

    told = [(r["time"], (r["fundingRate"], r["premium"])) for r in json.loads(content)]
    assert [(r.time, r.cells) for r in readings] == told
    assert len(readings) == 500
