import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.codec import LONGEST_LINE, decode_message, encode_message
from liqwarn.data.bars.message import BarMessage
from liqwarn.errors import DataError
from liqwarn.frames import FIELDS

NUMBERS = st.dictionaries(st.sampled_from(sorted(FIELDS)), st.floats(allow_nan=False))


def line(**changes):
    told = {
        "schema": "liqwarn.bar/1",
        "symbol": "BTCUSDT",
        "time": "2024-08-05T06:00:00Z",
        "bar_s": 3600,
        "fields": {"close": 50_123.1},
        "ages": {"open_interest": 12.0},
    }
    return json.dumps({k: v for k, v in (told | changes).items() if v != "absent"}).encode()


@settings(deadline=None)
@given(
    st.text(min_size=1, max_size=64).filter(lambda s: s.isprintable()),
    st.integers(0, 4_000_000_000),
    NUMBERS,
    NUMBERS,
)
def test_a_message_survives_the_wire_to_the_last_bit(symbol, time, fields, ages):
    at = np.datetime64(time // 60 * 60, "s")
    finite = {name: value for name, value in fields.items() if math.isfinite(value)}
    said = BarMessage(symbol=symbol, time=at, bar_s=60, fields=fields, ages=ages)

    found = decode_message(encode_message(said))

    assert (found.symbol, found.time, found.bar_s) == (symbol, at, 60)
    assert {n: v.hex() for n, v in found.fields.items()} == {n: v.hex() for n, v in finite.items()}
    assert {n: v.hex() for n, v in found.ages.items()} == {
        n: v.hex() for n, v in ages.items() if n in finite and math.isfinite(v)
    }


def test_null_and_absent_are_missing():
    found = decode_message(line(fields={"close": None, "open": 1}, ages="absent"))

    assert dict(found.fields) == {"open": 1.0}
    assert dict(found.ages) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 7: not JSON"),
        (b"\xff\xfe", "line 7: not JSON"),
        (b"[1]", r"line 7: found \[1\] \(list\), expected an object"),
        (b"x" * (LONGEST_LINE + 1), f"line 7: found 16385 bytes, expected at most {LONGEST_LINE}"),
        (line(schema="liqwarn.bar/2"), "schema: found 'liqwarn.bar/2', expected 'liqwarn.bar/1'"),
        (line(symbol="absent"), "no 'symbol', expected schema, symbol, time, bar_s, fields, ages"),
        (line(filds={}), "unknown key 'filds', did you mean 'fields'"),
        (line(symbol=""), "symbol: found '', expected text of 1 to 64 characters"),
        (line(symbol="A" * 65), "symbol: found 'A{40}', expected text"),
        (line(symbol=7), r"symbol: found 7 \(int\)"),
        (line(time="2024-08-05T06:00:00"), "time: found '2024-08-05T06:00:00', expected a close"),
        (line(time="2024-08-05T06:00:00+02:00"), "expected a close such as"),
        (line(time="2024-02-30T06:00:00Z"), "expected a close such as"),
        (line(time="2024-08-05T06:00:01Z"), "expected a close of 3600 s bars"),
        (line(time=1722837600), r"time: found 1722837600 \(int\)"),
        (line(bar_s="3600"), "bar_s: found '3600', expected whole seconds"),
        (line(bar_s=True), "bar_s: found True"),
        (line(bar_s=7), "bar_s: found 7, expected a divisor of a day"),
        (line(bar_s=-60), "bar_s: found -60, expected a divisor of a day"),
        (line(fields=[1.0]), r"fields: found \[1.0\] \(list\), expected an object of numbers"),
        (line(fields={"close": "50123.1"}), "field 'close': found '50123.1', expected a number"),
        (line(fields={"close": True}), r"field 'close': found True \(bool\), expected a number"),
        (line(fields={"close": [1.0]}), r"field 'close': found \[1.0\] \(list\), expected a num"),
        (line(fields={"clsoe": 1.0}), "unknown field 'clsoe', did you mean 'close'"),
        (line(ages={"close": "1"}), "ages: field 'close': found '1', expected a number"),
        (line(fields={"close": math.nan}), "line 7: not JSON"),
        (line(fields={"close": math.inf}), "line 7: not JSON"),
        (line().replace(b"50123.1", b"1e999"), "line 7: not JSON, number is infinity"),
    ],
)
def test_a_line_of_another_shape_is_refused_whole(content, message):
    with pytest.raises(DataError, match=message):
        decode_message(content, 7)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_decode_or_be_refused(content):
    with pytest.raises(DataError, match="line 1: "):
        decode_message(content)
