"""A replay and its clock: never past the next bar, and nothing lost by a slow machine."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.assembler import Assembler
from liqwarn.serving.replay_source import ReplaySource

live = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("live_given.py"))))
FIRST = datetime(2024, 8, 5, 13, tzinfo=UTC)


class Time:
    """A real clock by hand, on which sleeping takes time and so does work."""

    def __init__(self):
        self.now, self.slept = 50.0, 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0.0
        self.now += seconds
        self.slept += seconds


def source_of(n_bars, factor):
    clock = Time()
    frame = live.small_frame(n_bars)
    return ReplaySource(frame, factor=factor, monotonic=clock, sleep=clock.sleep), clock, frame


def test_it_stands_still_until_it_is_asked():
    source, clock, _ = source_of(3, 60.0)
    clock.now += 1e6

    assert source.wall() == FIRST
    assert source.monotonic() == 0.0


def test_a_bar_comes_when_it_has_closed():
    source, clock, frame = source_of(3, 3_600.0)
    first = source.poll(0.5)

    assert {one.time for one in first.messages} == {frame.times[0]}
    assert {one.symbol for one in first.messages} == set(frame.symbols)
    assert source.poll(0.5).messages == ()
    assert clock.slept == pytest.approx(0.5)
    second = source.poll(0.5)
    assert {one.time for one in second.messages} == {frame.times[1]}
    assert clock.slept == pytest.approx(1.0)
    assert source.wall() == FIRST + timedelta(hours=1)


@settings(max_examples=60, deadline=None)
@given(
    factor=st.sampled_from([1.0, 3_600.0, 1e5, 1e9]),
    work=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=30),
    wait_s=st.floats(0.01, 2.0),
)
def test_both_clocks_run_on_together_and_never_past_the_next_bar(factor, work, wait_s):
    n_bars = 4
    source, clock, frame = source_of(n_bars, factor)
    played, last = 0, 0.0
    for took in work:
        delivery = source.poll(wait_s)
        if delivery.messages:
            assert {one.time for one in delivery.messages} == {frame.times[played]}
            played += 1
        assert delivery.ended == (played == n_bars and not delivery.messages)
        for _ in range(2):
            assert source.monotonic() >= last
            last = source.monotonic()
            assert source.wall() == FIRST + timedelta(seconds=last)
            if played < n_bars:
                assert last <= played * 3_600.0
            clock.now += took
    if played:
        assert last >= (played - 1) * 3_600.0 - 1e-3


def test_after_the_end_the_clock_runs_on_from_there():
    source, clock, _ = source_of(2, 60.0)
    while not source.poll(0.5).ended:
        clock.now += 500.0
    stood = source.monotonic()
    clock.now += 10.0
    source.poll(0.5)

    assert stood == 2 * 3_600.0  # one bar after the last close, no later
    assert source.monotonic() == stood + 600.0


def test_a_machine_too_slow_for_the_factor_loses_nothing():
    source, clock, frame = source_of(5, 1e6)
    seen = []
    while not (delivery := source.poll(0.5)).ended:
        seen += sorted({one.time for one in delivery.messages})
        clock.now += 30.0  # in which the replay would have played them all

    assert seen == list(frame.times)
    assert clock.slept == 0.0


def test_on_its_clock_no_bar_is_late_and_none_is_missed():
    """Nor is any closed after the last, however long the machine takes over that one."""
    source, clock, frame = source_of(6, 1e6)
    assembler = Assembler(
        live.small_panel(), first=frame.times[0], patience=timedelta(seconds=20), joined=True
    )
    columns = []
    while not (delivery := source.poll(0.5)).ended:
        for message in delivery.messages:
            columns += assembler.take(message, source.wall())
        columns += assembler.tick(source.wall())
        clock.now += 7.0
        source.taken()
    source.close()

    assert [column.time for column in columns] == list(frame.times)
    for column, bar in zip(columns, range(6), strict=True):
        assert column.fields["close"].tolist() == frame.fields["close"][:, bar].tolist()


def test_the_clock_of_the_fastest_replay_stands_before_there_is_no_date_left():
    source, clock, _ = source_of(2, 1e9)
    while not source.poll(0.5).ended:
        clock.now += 1.0
    clock.now += 3_600.0

    assert source.wall().year == FIRST.year + 1_002
