"""The parser of Deribit's candles: laws, mutants, and the sample."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import BusyError, DataError
from liqwarn.sources.deribit import read_candles

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
                deadline=None)  # fmt: skip
HOUR = 3_600_000
FIRST = 1_704_067_200_000
SPAN = (FIRST, FIRST + 100 * HOUR)
HOURS = st.sets(st.integers(0, 99), min_size=1, max_size=8).map(sorted)


def page(hours, more=None):
    rows = [[FIRST + n * HOUR, 50.1, 52.25, 49.0, 51.5] for n in hours]
    return {"jsonrpc": "2.0", "result": {"data": rows, "continuation": more}, "usIn": 1,
            "usOut": 2, "usDiff": 1, "testnet": False}  # fmt: skip


def read(body, step=HOUR, span=SPAN):
    return read_candles(json.dumps(body).encode(), step, span, "page 1")


def test_numbers_come_as_their_text():
    text = json.dumps(page([0])).replace("52.25", "52.2500").encode()

    ((reading,), more) = read_candles(text, HOUR, SPAN, "x")

    assert reading.cells == ("50.1", "52.2500", "49.0", "51.5")
    assert (reading.time, more) == (FIRST, None)


@MANY
@given(hours=HOURS, low=st.decimals(1, 90, places=4), more=st.none() | st.integers(0, 2**42))
def test_what_is_told_is_read(hours, low, more):
    body = page(hours, more)
    for row in body["result"]["data"]:
        row[1:] = [float(low), 99.5, float(low), 99.0]

    readings, found = read(body)

    assert [r.time for r in readings] == [FIRST + n * HOUR for n in hours]
    assert {float(r.cells[2]) for r in readings} == {float(low)}
    assert found == more


def _time(scale):
    return lambda row: row.__setitem__(0, int(row[0] * scale))


def _put(at, value):
    return lambda row: row.__setitem__(at, value)


MUTANTS = [
    _time(1e-3),
    _time(1e3),
    _time(1e6),
    _put(0, FIRST + 1),
    _put(0, str(FIRST)),
    _put(0, FIRST + 0.5),
    _put(0, None),
    _put(1, "50.1"),
    _put(2, None),
    _put(2, 40.0),
    _put(3, 0.0),
    _put(3, -1.0),
    _put(4, True),
    lambda row: row.append(1.0),
    lambda row: row.pop(),
    lambda row: row.reverse(),
]


@MANY
@given(hours=HOURS, mutate=st.sampled_from(MUTANTS), data=st.data())
def test_a_mutant_is_refused_by_its_row(hours, mutate, data):
    body = page(hours)
    at = data.draw(st.integers(0, len(hours) - 1))
    mutate(body["result"]["data"][at])

    with pytest.raises(DataError, match=rf"page 1, row ({at + 1}|{at + 2})(,|:)"):
        read(body)


@MANY
@given(hours=HOURS.filter(lambda h: len(h) > 1), data=st.data())
def test_a_row_that_is_there_twice_is_refused(hours, data):
    body = page(hours)
    rows = body["result"]["data"]
    at = data.draw(st.integers(0, len(rows) - 1))
    rows.insert(at, rows[at])

    with pytest.raises(DataError, match="later than the row before"):
        read(body)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"error": {"code": 11050, "message": "bad_request"}}, "found an error .*bad_request"),
        ({"error": None}, "found an error null"),
        ({"testnet": True}, "expected the real market"),
        ({"more": 1}, "found fields"),
        ({"result": []}, r"field 'result': found \[\], expected an object"),
        ({"result": {"data": []}}, "expected continuation and data"),
        ({"result": {"data": [], "continuation": "1"}}, "field 'continuation': found '1'"),
        ({"result": {"data": None, "continuation": None}}, "field 'data': found null"),
        ({"result": {"data": [{}], "continuation": None}}, r"row 1: found \{\}, expected a list"),
    ],
)
def test_an_envelope_that_is_not_as_told_is_refused(change, match):
    with pytest.raises(DataError, match=match):
        read({**page([0]), **change})


def test_the_error_that_asks_for_patience_passes():
    with pytest.raises(BusyError, match="too_many_requests"):
        read({"jsonrpc": "2.0", "error": {"code": 10028, "message": "too_many_requests"}})


def test_the_sample_is_read_every_value(raw_samples):
    """Days with their close, as somebody kept them (the end is cut off): candles without a body."""
    text = (raw_samples / "deribit_dvol_btc_head.json.txt").read_text()
    days = json.loads(text[: text.rindex("]") + 1] + "]")
    body = page([])
    body["result"]["data"] = [[t, c, c, c, c] for t, c in days]

    readings, _ = read(body, 86_400_000, (0, 1 << 41))

    assert [(r.time, float(r.cells[3])) for r in readings] == [tuple(day) for day in days]
    assert len(readings) >= 30
