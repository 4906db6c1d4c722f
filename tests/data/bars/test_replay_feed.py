from datetime import timedelta

import numpy as np
import pytest

from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.replay_feed import ReplayFeed, column_at, columns_of, messages_of
from liqwarn.data.bars.tail import Tail


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.now = 50.0

    def sleep(self, seconds):
        self.now += seconds

    def clock(self):
        return self.now


@pytest.fixture
def frame(panel, make_column):
    """Values the border believes: positive where they must be."""
    frame = Tail(
        columns=tuple(make_column(panel, k) for k in range(30)), missing=(), damages=()
    ).frame(panel)
    price = np.abs(frame.field("close")) + 1.0
    candle = dict.fromkeys(("open", "high", "low", "close"), price)
    return frame.joined(
        candle | {n: np.abs(frame.field(n)) for n in ("volume", "open_interest", "next_macro_h")}
    )


@pytest.fixture
def dated(frame):
    """Ages as a frame has them: there where the value is, whole seconds, none below 0."""
    ages = {name: np.where(np.isnan(frame.field(name)), np.nan, 60.0) for name in frame.ages}
    return type(frame)(
        symbols=frame.symbols, times=frame.times, bar=frame.bar, fields=frame.fields, ages=ages
    )


def test_a_replay_through_the_assembler_gives_the_frame_back_to_the_last_bit(
    dated, panel, moment, bits_of
):
    feed = ReplayFeed(dated, clock=Time().clock)
    assembler = Assembler(panel, first=dated.times[0], patience=timedelta(0), joined=True)
    columns = []
    while not (got := feed.poll(0.0)).ended:
        for message in got.messages:
            columns += assembler.take(message, moment(message.time, -0.1))
        feed.taken()
    feed.close()

    assert [bits_of(c) for c in columns] == [bits_of(c) for c in columns_of(dated)]
    assert len(columns) == 30
    assert assembler.refusals == {}


def test_one_bar_of_a_frame_holds_its_values_and_no_other_s(dated):
    column = column_at(dated, 7)

    assert (column.time, column.symbols, column.bar_s) == (
        dated.times[7],
        dated.symbols,
        dated.bar_s,
    )
    for ours, planes in ((column.fields, dated.fields), (column.ages, dated.ages)):
        assert set(ours) == set(planes)
        for name, plane in planes.items():
            np.testing.assert_array_equal(ours[name], plane[:, 7])
            assert ours[name].flags.c_contiguous


def test_every_symbol_reports_every_bar(dated):
    [column, *_] = columns_of(dated)

    assert [m.symbol for m in messages_of(column)] == list(dated.symbols)


def test_a_replay_keeps_its_pace(dated):
    time = Time()
    feed = ReplayFeed(dated, factor=3_600.0, clock=time.clock, sleep=time.sleep)
    seen = []
    while not (got := feed.poll(0.4)).ended:
        seen += [(time.now - 50.0, message.time) for message in got.messages[:1]]
        assert got.messages or got.silence_s > 0.0

    np.testing.assert_allclose([at for at, _ in seen], np.arange(30.0), atol=1e-9)
    assert [when for _, when in seen] == list(dated.times)


def test_the_end_is_silence(dated):
    time = Time()
    feed = ReplayFeed(dated.between(0, 1), clock=time.clock, sleep=time.sleep)
    assert feed.poll(1.0).silence_s == 0.0
    time.now += 7.0

    assert (feed.poll(1.0).ended, feed.poll(1.0).silence_s) == (True, 7.0)
