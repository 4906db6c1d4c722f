"""Happenings as bytes: every one comes back with the same bits, anything else is refused."""

import math
import struct

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.happening_codec import decode_happenings, encode_happenings
from liqwarn.collectors.happenings import Candle, Liquidation, Position, Reading, Trade
from liqwarn.errors import DataError

NUMBER = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = NUMBER | st.just(math.nan)
TIME = st.integers(-(2**53), 2**53)
HAPPENING = st.one_of(
    st.builds(
        Liquidation,
        symbol=st.text(max_size=9),
        time_ms=TIME,
        side=st.sampled_from(["long", "short"]),
        price=NUMBER,
        price_is=st.sampled_from(["average", "bankruptcy", "order"]),
        size=NUMBER,
    ),
    st.builds(Reading, symbol=st.text(), time_ms=TIME, field=st.text(), value=NUMBER),
    st.builds(
        Candle,
        symbol=st.just("BTCUSDT"),
        time_ms=TIME,
        open=NUMBER,
        high=NUMBER,
        low=NUMBER,
        close=NUMBER,
        volume=NUMBER,
        taker_buy_volume=MAYBE,
    ),
    st.builds(
        Trade,
        symbol=st.just("A"),
        time_ms=TIME,
        side=st.sampled_from(["buy", "sell"]),
        price=NUMBER,
        size=NUMBER,
        key=st.text(),
    ),
    st.builds(
        Position,
        symbol=st.just("A"),
        time_ms=TIME,
        owner=st.text(),
        size=NUMBER,
        entry=MAYBE,
        liquidation_price=MAYBE,
        leverage=MAYBE,
    ),
)
MARK = Reading(symbol="BTCUSDT", time_ms=1, field="mark", value=2.5)


def bits(happening):
    values = (getattr(happening, name) for name in type(happening).__slots__)
    return [struct.pack("<d", v) if isinstance(v, float) else v for v in values]


@given(st.lists(HAPPENING, max_size=4))
def test_what_is_written_comes_back_with_the_same_bits(happenings):
    again = decode_happenings(encode_happenings(happenings))

    assert [type(one) for one in again] == [type(one) for one in happenings]
    assert [bits(one) for one in again] == [bits(one) for one in happenings]


def test_the_format_is_as_it_was():
    told = Liquidation(
        symbol="BTCUSDT", time_ms=7, side="long", price=0.1, price_is="bankruptcy", size=3.0
    )

    assert encode_happenings([told]) == (
        b'{"schema":"liqwarn.happenings/1","rows":'
        b'[["liquidation","BTCUSDT",7,"long",0.1,"bankruptcy",3.0]]}'
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1, "1"])
def test_a_value_that_could_not_be_read_again_is_not_written(value):
    with pytest.raises(DataError, match=r"happening 0: value is .*, expected"):
        encode_happenings([Reading(symbol="A", time_ms=1, field="mark", value=value)])


@pytest.mark.parametrize(
    ("place", "value", "match"),
    [
        (0, "nothing", "found 'nothing', expected one of"),
        (1, None, "symbol is None, expected str"),
        (2, 1.0, "time_ms is 1.0, expected int"),
        (2, True, "time_ms is True, expected int"),
        (4, 1, "value is 1, expected float"),
        (4, None, "value is None, expected float"),
    ],
)
def test_a_row_of_other_fields_is_refused(place, value, match):
    told = orjson.loads(encode_happenings([MARK]))
    told["rows"][0][place] = value

    with pytest.raises(DataError, match=match):
        decode_happenings(orjson.dumps(told))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "found no JSON"),
        (b"<html>", "found no JSON"),
        (b"[]", "other keys"),
        (b'{"schema":"liqwarn.happenings/2","rows":[]}', "schema is"),
        (b'{"schema":"liqwarn.happenings/1","rows":{}}', "rows is dict"),
        (b'{"schema":"liqwarn.happenings/1","rows":[3]}', "expected a list"),
        (b'{"schema":"liqwarn.happenings/1","rows":[["reading"]]}', "0 fields, expected 4"),
    ],
)
def test_bytes_of_something_else_are_refused(content, match):
    with pytest.raises(DataError, match=match):
        decode_happenings(content)


@given(st.integers(0, 10**6), st.binary(max_size=3))
def test_changed_bytes_are_refused_or_say_something_that_can_be(place, patch):
    content = bytearray(encode_happenings([MARK]))
    place %= len(content)
    content[place : place + 1] = patch

    try:
        for told in decode_happenings(bytes(content)):
            assert encode_happenings([told])
    except DataError:
        pass
