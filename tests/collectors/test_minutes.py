"""Minutes are the same however their happenings come."""

import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.happenings import Liquidation
from liqwarn.collectors.minutes import ASTRAY_MS, MinuteTally

PAPER = runpy.run_path(str(Path(__file__).with_name("paper_venue.py")))
MINUTE, reading, candle = PAPER["MINUTE"], PAPER["reading"], PAPER["candle"]


def order(time_ms, side="long", price=100.0, size=1.0, symbol="BTCUSDT"):
    return Liquidation(
        symbol=symbol, time_ms=time_ms, side=side, price=price, price_is="order", size=size
    )


TIMES = st.integers(0, 4 * MINUTE)
TOLD = st.one_of(
    st.builds(order, time_ms=TIMES, side=st.sampled_from(["long", "short"]),
              symbol=st.sampled_from(["BTCUSDT", "ETHUSDT"])),
    st.builds(reading, time_ms=TIMES, value=st.floats(1, 9),
              field=st.sampled_from(["mark", "open_interest"])),
    st.builds(candle, close_ms=TIMES.map(lambda t: t // MINUTE * MINUTE),
              price=st.floats(10, 20), taker=st.sampled_from([math.nan, 1.0])),
)  # fmt: skip
RECORDS = st.lists(st.tuples(st.lists(TOLD, min_size=1, max_size=3), st.integers(0, 6 * MINUTE)))


def tally(records):
    found = MinuteTally()
    for told, seen_ms in records:
        found.take(told, seen_ms)
    return found


@given(RECORDS, st.randoms())
def test_the_order_of_records_does_not_matter(records, random):
    shuffled = list(records)
    random.shuffle(shuffled)

    assert tally(shuffled) == tally(records)


@given(RECORDS, RECORDS)
def test_parts_of_a_tape_add_up_to_the_whole(first, second):
    merged = tally(first)
    merged.merge(tally(second))

    assert merged == tally(first + second)


def test_what_happens_at_the_end_of_a_minute_is_of_the_next_one_and_candles_go_by_their_close():
    found = tally([([order(MINUTE - 1), order(MINUTE), candle(MINUTE, 50.0)], MINUTE)])

    first, second = found.minutes["BTCUSDT", 0], found.minutes["BTCUSDT", 1]
    assert (first.orders.side("long").count, second.orders.side("long").count) == (1, 1)
    assert first.candle is not None
    assert second.candle is None


def test_the_candle_and_the_reading_of_one_time_are_those_seen_first_and_the_last_reading_wins():
    found = tally(
        [
            ([candle(MINUTE, 50.0), reading(9, 1.0)], 70_000),
            ([candle(MINUTE, 60.0), reading(9, 2.0), reading(8, 3.0)], 71_000),
        ]
    )

    minute = found.minutes["BTCUSDT", 0]
    assert minute.candle[:2] == (70_000.0, 50.0)
    assert minute.readings["mark"] == (9, -70_000, 1.0)


@pytest.mark.parametrize("off", [-1, 1])
def test_what_is_seen_more_than_an_hour_off_is_astray(off):
    now = 10 * ASTRAY_MS
    found = tally([([order(now + off * ASTRAY_MS), order(now + off * (ASTRAY_MS + 1))], now)])

    assert (found.astray, len(found.minutes)) == (1, 1)


def test_what_cannot_be_is_counted_and_not_placed():
    bad = [order(5, price=0.0), order(5, size=-1.0), replace(candle(MINUTE, 5.0), low=0.0)]
    found = tally([([*bad, candle(MINUTE + 1, 5.0)], 10)])

    assert (found.impossible, found.astray, found.minutes) == (3, 1, {})


def test_finished_minutes_can_be_forgotten():
    found = tally([([order(5), order(MINUTE + 5)], 10)])
    found.forget_before(1)

    assert list(found.minutes) == [("BTCUSDT", 1)]
