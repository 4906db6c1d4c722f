"""The loop by itself: in which order a bar is written, scored and told, and what may fail."""

import runpy
import threading
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liqwarn.data.bars.assembler import Assembler
from liqwarn.data.bars.journal import Journal
from liqwarn.data.bars.replay_feed import columns_of, messages_of
from liqwarn.errors import FrameError, StoreError
from liqwarn.serving.live_loop import LiveLoop, LoopParts

given = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("live_given.py"))))
HOUR = timedelta(hours=1)


@pytest.fixture
def panel():
    return given.small_panel()


@pytest.fixture
def begun(panel, policy, noon, tmp_path):
    """Make a loop over a real journal, with an engine, a feed and a clock by hand."""
    opened = []

    def make(n_bars=3, *, record=None, frame=None, **changes):
        clock = given.HandClock(noon)
        feed = given.HandFeed(clock)
        frame = frame or given.small_frame(n_bars)
        feed.put_columns(frame)
        journal = Journal.open(tmp_path / "bars", panel)
        opened.append(journal)
        parts = LoopParts(
            **{
                "panel": panel,
                "policy": policy,
                "feed": feed,
                "assembler": Assembler(
                    panel, first=frame.times[0], patience=timedelta(seconds=20), joined=True
                ),
                "journal": journal,
                "record": record or given.Told(recorded_until=lambda: noon + timedelta(days=9)),
                "models": given.Told(),
                "clock": clock,
                "watch": given.Told(),
                "rebuild": lambda engine, _: engine,
            }
            | changes
        )
        if record is None:
            parts.record.owes = False
        return LiveLoop(parts, given.HandEngine(policy, noon)), parts

    yield make
    for one in opened:
        one.close()


def run(loop):
    loop.run(threading.Event())


class Outlet:
    def __init__(self, told=None, fault=None):
        self.sets, self.told, self.fault = [], told, fault

    def publish(self, flags):
        self.sets.append(flags)
        if self.told is not None:
            self.told.append("published")
        if self.fault is not None:
            raise self.fault


def test_a_bar_is_on_disk_before_it_is_scored_and_recorded_after_it_is_told(begun, monkeypatch):
    told = []
    append = Journal.append
    monkeypatch.setattr(
        Journal, "append", lambda self, cs: (told.append("journal"), append(self, cs))[1]
    )
    outlet = Outlet(told)
    loop, parts = begun(1, outlets=(outlet,))
    step = loop.engine.step
    loop.engine.step = lambda column: (told.append("engine"), step(column))[1]
    parts.record._answers["flags"] = lambda *_: told.append("flags.json")
    parts.record._answers["audit"] = lambda *_, **__: told.append("audit")
    parts.record._answers["history"] = lambda *_, **__: told.append("history")

    run(loop)

    assert told[-6:] == ["journal", "engine", "published", "flags.json", "audit", "history"]


def test_every_bar_becomes_one_publication(begun, noon):
    outlet = Outlet()
    loop, parts = begun(3, outlets=(outlet,))

    run(loop)

    assert [flags.generated_at for flags in outlet.sets] == [
        noon + k * HOUR + timedelta(seconds=1) for k in (1, 2, 3)
    ]
    for k, flags in enumerate(outlet.sets):
        assert set(flags.flags) == {"BTCUSDT", "DOGEUSDT"}
        assert flags.market == "simulated"
        for flag in flags.flags.values():
            assert flag.as_of == noon + (k + 1) * HOUR
            assert flag.issued_at == flags.generated_at
    hashes = {flag.data_sha256 for flags in outlet.sets for flag in flags.flags.values()}
    assert len(hashes) == 3
    assert parts.feed.taken_ >= 3
    assert parts.journal.end == np.datetime64("2024-08-05T15:00:00")


def test_what_fails_at_one_target_reaches_the_others(begun):
    broken, whole = Outlet(fault=ValueError("a bug")), Outlet()
    loop, parts = begun(2, outlets=(broken, whole))
    parts.record._answers["flags"] = lambda *_: (_ for _ in ()).throw(OSError("full"))

    run(loop)

    assert len(whole.sets) == 2
    failed = [call[1] for call in parts.watch.calls if call[0] == "failed"]
    assert failed == ["Outlet", "flags.json"] * 2
    assert [call[1] for call in parts.watch.calls if call[0] == "published"][:2] == [
        "Outlet",
        "history",
    ]


def test_the_loop_stops_when_it_is_told_and_when_nothing_will_follow(begun):
    loop, parts = begun(2)
    stop = threading.Event()
    stop.set()
    loop.run(stop)
    assert loop.engine.number == int(parts.clock.now.timestamp()) // 3_600

    run(loop)
    assert loop.engine.as_of == parts.clock.now - timedelta(seconds=1)


def test_a_journal_that_cannot_be_written_is_tried_again_and_nothing_is_scored(begun, monkeypatch):
    monkeypatch.setattr("liqwarn.serving.live_loop._AGAIN_S", 0.01)
    trouble, outlet = [], Outlet()
    loop, parts = begun(1, outlets=(outlet,), trouble=trouble.append)
    append, tries = Journal.append, []

    def full(self, columns):
        tries.append(len(outlet.sets))
        if len(tries) < 4:
            raise StoreError("no room")
        return append(self, columns)

    monkeypatch.setattr(Journal, "append", full)
    run(loop)

    assert tries[:4] == [0, 0, 0, 0]
    assert trouble[:4] == ["the journal cannot be written: no room"] * 3 + [None]
    assert len(outlet.sets) == 1
    assert parts.journal.end == np.datetime64("2024-08-05T13:00:00")


def test_told_to_stop_while_the_journal_fails_it_ends_without_scoring(begun, monkeypatch):
    stop = threading.Event()
    outlet = Outlet()
    loop, _ = begun(1, outlets=(outlet,), trouble=lambda _: stop.set())
    monkeypatch.setattr(Journal, "append", lambda *_: (_ for _ in ()).throw(StoreError("no room")))
    loop.run(stop)

    assert outlet.sets == []


def test_a_new_quarter_is_rebuilt_for_before_its_bar_is_scored(begun, policy, noon):
    asked = []

    def rebuild(engine, column):
        asked.append(str(column.time))
        return given.HandEngine(policy, noon + HOUR, version="2")

    outlet = Outlet()
    loop, parts = begun(3, outlets=(outlet,), rebuild=rebuild)
    loop.engine.unready.add("2024-08-05T14:00:00")

    run(loop)

    assert asked == ["2024-08-05T14:00:00"]
    assert "rebuilding" in parts.watch.names()
    versions = [flags.flags["BTCUSDT"].model.version for flags in outlet.sets]
    assert versions == ["1", "2", "2"]


def test_the_model_of_record_is_asked_for_before_every_bar(begun):
    loop, parts = begun(3)

    run(loop)

    assert parts.models.names() == ["refresh"] * 3
    assert all(call[1] is loop.engine for call in parts.models.calls)


def test_every_decision_is_logged_once_a_day_and_changes_at_once(begun):
    loop, parts = begun(14)

    run(loop)

    every = [dict(call[-1:])["every"] for call in parts.record.calls if call[0] == "audit"]
    assert every == [k in (0, 11) for k in range(14)]  # the 12th bar closes at midnight


def test_a_day_whose_log_failed_is_logged_whole_the_next_time(begun):
    loop, parts = begun(3)
    tries = []

    def audit(*_, every):
        tries.append(every)
        if len(tries) == 1:
            raise OSError("no room")

    parts.record._answers["audit"] = audit
    run(loop)

    assert tries == [True, True, False]
    assert parts.watch.names().count("audit_failed") == 1
    assert parts.watch.names().count("audited") == 2


@pytest.mark.parametrize(("hours", "expected"), [(1, 6), (2, 3), (6, 1), (7, 0)])
def test_snapshots_come_by_the_bars_time(begun, hours, expected):
    loop, parts = begun(6, snapshot_every=hours * HOUR)

    run(loop)

    assert parts.record.names().count("snapshot") == expected


def test_there_is_no_snapshot_while_the_log_is_behind(begun):
    loop, parts = begun(3, snapshot_every=HOUR)
    parts.record.owes = True

    run(loop)
    loop.snapshot()

    assert "snapshot" not in parts.record.names()


def test_every_round_beats_and_is_told(begun):
    beats = []
    loop, parts = begun(2, beats=(lambda: beats.append(1), lambda: beats.append(2)))

    run(loop)

    assert beats == [1, 2] * 3
    assert parts.watch.names().count("delivered") == 3
    assert parts.watch.names().count("flagged") == 2


def test_of_bars_taken_again_only_the_last_is_told(begun, noon):
    outlet = Outlet()
    loop, parts = begun(0, outlets=(outlet,), frame=given.small_frame(1, "2024-08-06T13:00:00"))
    columns = list(columns_of(given.small_frame(5)))

    taken = loop.catch_up(columns, noon + 3 * HOUR)

    assert taken == 5
    assert loop.engine.as_of == noon + 5 * HOUR
    assert [flags.flags["BTCUSDT"].as_of for flags in outlet.sets] == [noon + 5 * HOUR]
    logged = [call[1].scores.as_of for call in parts.record.calls if call[0] == "audit"]
    assert logged == [noon + 4 * HOUR, noon + 5 * HOUR]


def test_flags_that_the_history_lacks_are_added_when_bars_are_taken_again(begun, noon):
    outlet = Outlet()
    loop, parts = begun(0, outlets=(outlet,), frame=given.small_frame(1, "2024-08-06T13:00:00"))
    parts.record._answers["recorded_until"] = lambda: noon + 2 * HOUR

    floor = {("BTCUSDT", "long"): "where it stood"}
    loop.catch_up(list(columns_of(given.small_frame(5))), noon + 9 * HOUR, floor)

    assert loop.engine.held == [floor]
    added = [call[1].scores.as_of for call in parts.record.calls if call[0] == "history"]
    assert added == [noon + k * HOUR for k in (3, 4, 5)]
    assert len(outlet.sets) == 1


def test_at_the_end_of_the_feed_no_bar_is_closed_for_want_of_patience(begun):
    outlet = Outlet()
    loop, parts = begun(2, outlets=(outlet,))
    poll = parts.feed.poll

    def late(wait_s):
        delivery = poll(wait_s)
        if delivery.ended:
            parts.clock.forward(40 * HOUR)
        return delivery

    parts.feed.poll = late
    run(loop)

    assert len(outlet.sets) == 2


def speaking(frame):
    """Of each bar, what each symbol says: a delivery each, behind which more waits."""
    for column in columns_of(frame):
        yield from messages_of(column)


def test_a_flood_that_closes_no_bar_does_not_keep_the_flags_of_others_back(begun, noon):
    outlet = Outlet()
    loop, parts = begun(1, outlets=(outlet,), stopwatch=count(0.0, 10.0).__next__)
    said = next(speaking(given.small_frame(1)))
    parts.feed.waiting.clear()
    for _ in range(20):
        parts.feed.put(said, at=noon + HOUR + timedelta(minutes=1), more=True)

    run(loop)

    [told] = outlet.sets
    assert told.flags[said.symbol].as_of == noon + HOUR
    assert 6 <= parts.feed.taken_ - parts.assembler.counts["late"] <= 8


def test_a_backlog_is_no_flood_however_long_it_is_read(begun, noon):
    frame = given.small_frame(30)
    loop, parts = begun(30, stopwatch=count(0.0, 4.0).__next__)
    parts.feed.waiting.clear()
    for said in speaking(frame):
        parts.feed.put(said, at=noon + 100 * HOUR, more=True)

    run(loop)

    assert parts.assembler.counts["accepted"] == 60
    assert parts.assembler.counts["late"] == 0


@pytest.mark.parametrize("paused", [False, True])
def test_only_a_flood_that_has_not_paused_closes_a_bar(begun, noon, paused):
    """A bar is open for an hour: what came an hour ago says nothing of what waits to be read."""
    ticks, outlet = [0.0], Outlet()
    loop, parts = begun(1, outlets=(outlet,), stopwatch=lambda: ticks[0])
    first, second = speaking(given.small_frame(1))
    parts.feed.waiting.clear()
    parts.feed.put(first, at=noon + timedelta(minutes=1), more=True)
    parts.feed.put(*(() if paused else (first,)), more=not paused)
    parts.feed.put(first, at=noon + HOUR + timedelta(minutes=1), more=True)
    parts.feed.put(second)
    poll = parts.feed.poll

    def later(wait_s):
        ticks[0] += 40.0
        return poll(wait_s)

    parts.feed.poll = later
    run(loop)

    assert parts.assembler.counts["late"] == (0 if paused else 1)
    assert len(outlet.sets) == 1


def test_what_a_loop_before_left_open_is_taken_first(begun):
    first, second = list(speaking(given.small_frame(1)))
    outlet = Outlet()
    loop, parts = begun(1, outlets=(outlet,), waiting=(first,))
    [(at, _)] = parts.feed.waiting
    parts.feed.waiting.clear()
    parts.feed.put(second, at=at)
    parts.clock.now = at

    run(loop)

    assert len(outlet.sets) == 1
    assert parts.assembler.counts["accepted"] == 2


def test_nothing_to_take_again_is_nothing(begun, noon):
    loop, parts = begun(1)

    assert loop.catch_up([], noon) == 0
    assert set(parts.record.names()) <= {"recorded_until"}


def test_a_bar_that_the_engine_refuses_ends_the_loop(begun):
    loop, _ = begun(2, frame=given.small_frame(2, "2024-08-05T14:00:00"))

    with pytest.raises(FrameError, match="expected the one after"):
        run(loop)
