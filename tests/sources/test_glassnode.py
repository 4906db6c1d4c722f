"""The parser of Glassnode's rows: golden values, drift, laws, mutants, and the sample."""

import csv
import json
import os
import re
from itertools import cycle, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError
from liqwarn.sources.glassnode import GLASSNODE_METRICS, INTERVALS, read_values

pytestmark = pytest.mark.timeout(1_200)

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
MANY = settings(max_examples=20_000 if FULL else 25, deadline=None)
START = 1_704_067_200
SPAN = (START * 1_000, (START + 31 * 86_400) * 1_000)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,17})?", fullmatch=True)
LISTED = st.sets(st.integers(0, 30), max_size=8).map(sorted)
SOME = st.sets(st.integers(0, 30), min_size=1, max_size=6).map(sorted)
PLAIN, PIT, CANDLE = "inflow", "inflow-pit", "price"

FLOWS = """[{"t":1704067200,"v":1013.25000,"computed_at":1704153731},
{"t":1704153600,"v":null,"computed_at":1704240134}]"""
CANDLES = '[{"t":1704067200,"o":{"c":42280.5,"h":42554,"l":42261.02,"o":42475.23}}]'


def row(n, name=PLAIN, interval="1h", cell=lambda n, key: 1.5):
    metric = GLASSNODE_METRICS[name]
    t = START + n * INTERVALS[interval] // 1_000
    value = {key: cell(n, key) for key in metric.keys} if metric.keys else cell(n, "v")
    told = {"t": t, ("o" if metric.keys else "v"): value}
    return told | ({"computed_at": t + 86_531} if metric.pit else {})


def read(body, name=PLAIN, interval="1h", span=SPAN):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_values(content, GLASSNODE_METRICS[name], interval, span, "reply")


def test_golden_values_that_say_when_they_were_computed():
    first, second = read(FLOWS.encode(), PIT, "24h")

    assert GLASSNODE_METRICS[PIT].recorded == ("inflow", "computed_at", "public_at")
    assert first.time == START * 1_000
    assert first.cells == ("1013.25000", "1704153731", "2024-01-02T00:12:11.000Z")
    assert second.cells == ("", "1704240134", "2024-01-03T00:12:14.000Z")


def test_golden_values_of_a_candle_by_their_names():
    (reading,) = read(CANDLES.encode(), CANDLE)

    assert dict(zip(GLASSNODE_METRICS[CANDLE].recorded, reading.cells, strict=True)) == {
        "open": "42475.23",
        "high": "42554",
        "low": "42261.02",
        "close": "42280.5",
    }


def test_no_rows_are_no_fault():
    assert read([]) == []


def test_a_row_without_values_has_empty_cells():
    (reading,) = read([{"t": START, "o": None}], CANDLE)

    assert reading.cells == ("", "", "", "")


GOOD = FLOWS.replace("\n", "")


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


DRIFT = {
    "empty": (PIT, "", "reply: found nothing, expected JSON"),
    "html": (PIT, "<!DOCTYPE html>", "reply: found a page of HTML or XML, expected JSON"),
    "cut": (PIT, GOOD[:-3], "reply: found b'[{"),
    "null": (PIT, "null", "reply: found null, expected a list"),
    "text of an error": (PIT, "unsupported asset", "reply: found b'unsupported asset', expected"),
    "error envelope": (
        PIT,
        '{"error": "tier"}',
        "reply: found an object {'error': 'tier'}, expected rows",
    ),
    "bulk": (PIT, '{"data": []}', "reply: found an object {'data': []}, expected rows"),
    "added": (
        PIT,
        changed('"v":1013', '"side":"long","v":1013'),
        "reply, row 1, field 'side': new, expected t, computed_at, v",
    ),
    "removed": (
        PIT,
        changed(',"computed_at":1704240134', ""),
        "reply, row 2, field 'computed_at': missing, found t, v",
    ),
    "renamed": (PIT, changed('"v":1013', '"value":1013'), "reply, row 1, field 'v': missing"),
    "of another variant": (
        PLAIN,
        GOOD,
        "reply, row 1, field 'computed_at': new, expected t, v",
    ),
    "number as text": (
        PIT,
        changed("1013.25000", '"1013.25"'),
        "reply, row 1, field 'v': found '1013.25', expected a number",
    ),
    "several values": (
        PIT,
        changed("1013.25000", '{"a": 1}'),
        "reply, row 1, field 'v': found {'a': '1'}, expected a number",
    ),
    "not a number": (PIT, changed("1013.25000", "NaN"), "reply: found NaN, expected a finite"),
    "infinite": (
        PIT,
        changed("1013.25000", "1e999"),
        "reply, row 1, field 'v': found 1e999, expected a number",
    ),
    "milliseconds": (
        PIT,
        changed("1704067200,", "1704067200000,"),
        "reply, row 1, field 'computed_at': found 1704153731, expected seconds not before",
    ),
    "all in milliseconds": (
        PIT,
        GOOD.replace("1704067200", "1704067200000").replace("1704153731", "1704153731000"),
        "reply, row 1, field 'computed_at': found 1704153731000, expected seconds not before",
    ),
    "humanized": (
        PIT,
        changed('"t":1704067200', '"t":"2024-01-01T00:00:00Z"'),
        "reply, row 1, field 't': found '2024-01-01T00:00:00Z', expected a whole number",
    ),
    "within the day": (
        PIT,
        changed('"t":1704067200', '"t":1704070800'),
        "reply, row 1, field 'time': found 1704070800000 ms, expected a multiple of 86400000",
    ),
    "twice": (
        PIT,
        changed("1704153600", "1704067200"),
        "reply, row 2, field 'time': found 1704067200000 ms, expected later than the row before",
    ),
    "not asked for": (
        PIT,
        changed('"t":1704067200', '"t":1672531200'),
        "reply, row 1, field 'time': found 1672531200000 ms, expected from 1704067200000",
    ),
    "a candle without its low": (
        CANDLE,
        CANDLES.replace(',"l":42261.02', ""),
        "reply, row 1, field 'o', field 'l': missing, found c, h, o",
    ),
    "a candle of text": (
        CANDLE,
        CANDLES.replace("42554", '"42554"'),
        "reply, row 1, field 'o', field 'h': found '42554', expected a number",
    ),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_drift_is_told_by_its_place(drift):
    name, body, told = DRIFT[drift]

    with pytest.raises(DataError, match=re.escape(told)):
        read(body.encode(), name, "24h")


@MANY
@given(
    steps=LISTED,
    name=st.sampled_from(sorted(GLASSNODE_METRICS)),
    interval=st.sampled_from(sorted(INTERVALS)),
    texts=st.lists(NUMBERS | st.none(), min_size=1, max_size=4),
)
def test_every_number_comes_as_its_text(steps, name, interval, texts):
    metric = GLASSNODE_METRICS[name]
    keys = metric.keys or ("v",)
    told = dict(zip(product(steps, keys), cycle(texts), strict=False))
    body = json.dumps([row(n, name, interval, lambda n, k: f"<{n} {k}>") for n in steps])
    for (n, k), text in told.items():
        body = body.replace(f'"<{n} {k}>"', "null" if text is None else text)

    readings = read(body.encode(), name, interval)

    step = INTERVALS[interval]
    assert [r.time for r in readings] == [START * 1_000 + n * step for n in steps]
    assert [r.cells[: len(keys)] for r in readings] == [
        tuple(told[n, k] or "" for k in keys) for n in steps
    ]
    assert all(len(r.cells) == len(metric.recorded) for r in readings)


def _put(name, value):
    return lambda row: row.update({name: value})


def _times(name, factor):
    return lambda row: row.update({name: int(row[name] * factor)})


MUTANTS = [
    _times("t", 1_000),
    _times("t", 1e-3),
    _times("t", 1_000_000),
    _times("computed_at", 1_000),
    _times("computed_at", 1e-3),
    _put("computed_at", None),
    _put("computed_at", -1),
    _put("t", None),
    _put("t", str(START)),
    _put("t", START + 0.5),
    _put("t", START + 1),
    _put("v", "1.5"),
    _put("v", True),
    _put("v", [1.5]),
    _put("e", "binance"),
    lambda row: row.pop("v"),
    lambda row: row.pop("t"),
    lambda row: row.update(o=row.pop("v")),
    lambda row: row.update(T=row.pop("t")),
]


@MANY
@given(steps=SOME, mutate=st.sampled_from(MUTANTS), data=st.data())
def test_a_mutant_is_refused_by_its_row(steps, mutate, data):
    body = [row(n, PIT) for n in steps]
    at = data.draw(st.integers(0, len(body) - 1))
    mutate(body[at])

    with pytest.raises(DataError, match=rf"reply, row ({at + 1}|{at + 2}), field"):
        read(body, PIT)


@MANY
@given(
    steps=SOME.filter(lambda n: len(n) > 1),
    how=st.sampled_from(["twice", "swap"]),
    data=st.data(),
)
def test_rows_that_are_there_twice_or_in_disorder_are_refused(steps, how, data):
    body = [row(n) for n in steps]
    at = data.draw(st.integers(0, len(body) - 2))
    if how == "twice":
        body.insert(at, body[at])
    else:
        body[at], body[at + 1] = body[at + 1], body[at]

    with pytest.raises(DataError, match="later than the row before"):
        read(body)


def outcome(content):
    try:
        return read(content, PIT, "24h"), ""
    except DataError as error:
        return [], str(error)


@MANY
@given(cut=st.integers(0, len(GOOD) - 2), noise=st.binary(max_size=3))
def test_a_cut_or_noisy_page_is_a_clear_error_or_rows(cut, noise):
    content = GOOD[:cut].encode() + noise + GOOD[cut:].encode() if noise else GOOD[:cut].encode()

    readings, told = outcome(content)

    assert len(readings) in (1, 2) or "reply" in told


def test_the_sample_is_read_every_value(raw_samples):
    """It is kept as CSV in milliseconds; here it is what the API says."""
    with (raw_samples / "glassnode_exchange_inflow_volume_head.csv").open(newline="") as stream:
        days = [(int(r["start_time"]), r["v"]) for r in csv.DictReader(stream)]
    body = ", ".join(f'{{"t": {time // 1_000}, "v": {value}}}' for time, value in days)

    readings = read(f"[{body}]".encode(), PLAIN, "24h", (0, 1 << 41))

    assert [(r.time, r.cells) for r in readings] == [(time, (value,)) for time, value in days]
    assert len(days) == 59
