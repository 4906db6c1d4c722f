"""Flags on a board die when they should, by a clock that nobody can set."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from liqwarn.board import BoardReader, BoardWriter
from liqwarn.serving.board_outlet import BoardOutlet
from liqwarn.serving.clock import SystemClock


class Writer:
    def __init__(self):
        self.written, self.beats, self.closed = [], [], False

    def write(self, flag, *, deadline_ns):
        self.written.append((flag.symbol, deadline_ns / 1e9))

    def beat(self, now_ns):
        self.beats.append(now_ns / 1e9)

    def close(self):
        self.closed = True


@pytest.fixture
def writer():
    return Writer()


@pytest.fixture
def outlet(writer, clock):
    return BoardOutlet(writer, clock=clock)


def test_a_flag_has_what_is_left_of_its_life(outlet, writer, clock, flag_set, make_flag):
    outlet.publish(flag_set(make_flag("A"), make_flag("B")))

    assert writer.written == [("A", 1_000.0 + 69 * 60), ("B", 1_000.0 + 69 * 60)]
    assert writer.beats == [1_000.0]


@pytest.mark.parametrize("back_s", [1, 600, 86_400 * 365])
def test_a_wall_clock_set_back_gives_nobody_a_longer_life(
    outlet, writer, clock, flag_set, make_flag, back_s
):
    clock.set_wall(seconds=-back_s)
    outlet.publish(flag_set(make_flag("A")))

    ((_, deadline),) = writer.written
    flag = make_flag("A")
    assert deadline - 1_000.0 == (flag.valid_until - flag.issued_at).total_seconds()


@pytest.mark.parametrize("later_s", [70 * 60, 10**7])
def test_what_has_expired_dies_at_once(outlet, writer, clock, flag_set, make_flag, later_s):
    clock.set_wall(seconds=later_s)
    outlet.publish(flag_set(make_flag("A")))

    assert writer.written == [("A", 1_000.0)]


def test_it_beats_by_the_steady_clock_and_is_given_up(outlet, writer, clock):
    clock.run(seconds=7)
    clock.set_wall(days=-1)
    outlet.beat()
    outlet.close()

    assert writer.beats == [1_007.0]
    assert writer.closed


def test_a_reader_of_the_board_sees_it_come_and_go(tmp_path, make_flag, flag_set):
    """A real board and real clocks: a flag of 0.6 seconds is read, and then it is not."""
    now = datetime.now(UTC)
    flag = replace(
        make_flag("BTCUSDT", as_of=now),
        issued_at=now,
        valid_until=now + timedelta(seconds=0.6),
    )
    path = tmp_path / "flags.board"
    outlet = BoardOutlet(BoardWriter.create(path, ("BTCUSDT",)), clock=SystemClock())
    with BoardReader(path) as reader:
        assert reader.read("BTCUSDT") is None
        outlet.publish(flag_set(flag))
        found = reader.read("BTCUSDT")
        assert found.sequence == flag.sequence
        assert found.valid_until_ns == int(flag.valid_until.timestamp() * 1e6) * 1_000
        time.sleep(0.7)
        assert reader.read("BTCUSDT") is None
        assert reader.refusal("BTCUSDT").kind == "expired"
    outlet.close()
