"""Samples of what a line says."""

import math

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.happenings import Candle, Reading
from liqwarn.collectors.sampler import Sampler

READING = st.builds(
    Reading,
    symbol=st.sampled_from(["BTCUSDT", "ETHUSDT"]),
    time_ms=st.integers(0, 9),
    field=st.sampled_from(["mark", "index"]),
    value=st.floats(1.0, 2.0),
)


def candle(close, time_ms=60_000):
    return Candle(
        symbol="BTCUSDT",
        time_ms=time_ms,
        open=1.0,
        high=2.0,
        low=0.5,
        close=close,
        volume=1.0,
        taker_buy_volume=0.5 if close else math.nan,
    )


@given(st.lists(READING, max_size=20))
def test_the_newest_of_each_field_is_taken_once(readings):
    sampler = Sampler()
    for reading in readings:
        sampler.add(reading)
    newest = {(reading.symbol, reading.field): reading for reading in readings}

    assert {(one.symbol, one.field): one for one in sampler.take()} == newest
    assert sampler.take() == ()


def test_every_candle_is_taken_and_a_repeated_one_is_not():
    sampler = Sampler()
    for one in (candle(1.0), candle(1.0), candle(1.5), candle(1.5, 120_000)):
        sampler.add(one)
    first = sampler.take()
    sampler.add(candle(1.5, 120_000))

    assert first == (candle(1.0), candle(1.5), candle(1.5, 120_000))
    assert sampler.take() == ()
