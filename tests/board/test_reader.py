"""A good flag or none, by both clocks, through every change of the file."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.board import BoardReader, BoardWriter, mapping
from liqwarn.board.layout import CRC_AT, SLOT_SIZE, slot_at
from liqwarn.signing import generate_key

KEY = generate_key()


class Halved(BoardWriter):
    """Dies in the middle of a payload."""

    def _put(self, at, content):
        if len(content) > 100:
            super()._put(at, content[:200])
            raise KeyboardInterrupt
        super()._put(at, content)


def test_an_unchanged_slot_is_the_same_object(board, path, make_flag, deadline):
    reader = BoardReader(path)
    board.write(make_flag(), deadline_ns=deadline)
    first = reader.read("BTCUSDT")
    assert reader.read("BTCUSDT") is first
    assert reader.refusal("BTCUSDT") is None
    board.write(make_flag(later=1), deadline_ns=deadline)
    assert reader.read("BTCUSDT").sequence == first.sequence + 1


def test_each_symbol_has_its_own(board, path, make_flag, deadline):
    reader = BoardReader(path)
    board.write(make_flag("ETHUSDT", completeness=0.5), deadline_ns=deadline)
    board.write(make_flag("BTCUSDT"), deadline_ns=deadline)
    assert reader.read("ETHUSDT").completeness == 0.5
    assert reader.read("BTCUSDT").completeness == 0.875
    assert reader.refusal("SOLUSDT").kind == "unknown symbol"
    board.write(make_flag("SOLUSDT"), deadline_ns=deadline)
    assert reader.read("SOLUSDT").symbol == "SOLUSDT"


def test_it_waits_for_a_board_that_is_not_there_yet(path, make_flag, deadline):
    reader = BoardReader(path)
    assert (reader.read("BTCUSDT"), reader.silence_s) == (None, float("inf"))
    with BoardWriter.create(path, ["BTCUSDT"]) as board:
        board.write(make_flag(), deadline_ns=deadline)
        assert reader.read("BTCUSDT") is not None
        assert 0 <= reader.silence_s < 60


def test_a_writer_that_died_within_a_write_leaves_no_flag(path, make_flag, deadline):
    with Halved.create(path, ["BTCUSDT"]) as board:
        BoardWriter._put(board, slot_at(0) + 8, b"BTCUSDT")
        with pytest.raises(KeyboardInterrupt):
            board.write(make_flag(), deadline_ns=deadline)
        assert BoardReader(path).refusal("BTCUSDT").kind == "torn"


def test_a_write_under_way_hides_the_flag_that_was_good(path, make_flag, deadline):
    """Its counter alone says so: the heartbeat comes after the write."""
    with Halved.create(path, ["BTCUSDT"]) as board:
        put, board._put = board._put, super(Halved, board)._put
        board.write(make_flag(), deadline_ns=deadline)
        reader = BoardReader(path, max_wait_s=0.001)
        assert reader.read("BTCUSDT") is not None
        board._put = put
        with pytest.raises(KeyboardInterrupt):
            board.write(make_flag(later=1), deadline_ns=deadline)

        assert (reader.read("BTCUSDT"), reader.refusal("BTCUSDT").kind) == (None, "torn")


@pytest.mark.parametrize("marked", [True, False])
def test_a_restarted_writer_is_followed(path, make_flag, deadline, fake, monkeypatch, marked):
    old = BoardWriter.create(path, ["BTCUSDT"])
    old.write(make_flag(), deadline_ns=deadline)
    reader = BoardReader(path, clocks=fake.clocks)
    first = reader.read("BTCUSDT")
    old._lock.close()
    if not marked:
        path.unlink()  # then nobody can mark the old file
    with BoardWriter.create(path, ["X", "BTCUSDT"]) as new:
        if not marked:
            assert reader.read("BTCUSDT") is first  # for a second at most
            fake.run(1.0)
        assert reader.refusal("BTCUSDT").kind == "no flag yet"
        new.write(make_flag(later=1), deadline_ns=deadline)
        assert reader.read("BTCUSDT").sequence == first.sequence + 1


def test_a_board_that_is_gone_is_noticed_within_a_second(board, path, make_flag, deadline, fake):
    board.write(make_flag(), deadline_ns=deadline)
    reader = BoardReader(path, clocks=fake.clocks)
    assert reader.read("BTCUSDT") is not None
    path.unlink()
    fake.run(1.0)
    assert reader.refusal("BTCUSDT").kind == "missing"


class TestClocks:
    def test_it_expires_by_the_wall(self, board, path, make_flag, deadline, fake):
        flag = make_flag(valid_until=datetime.now(UTC) + timedelta(minutes=1))
        board.write(flag, deadline_ns=deadline)
        reader = BoardReader(path, clocks=fake.clocks)
        assert reader.read("BTCUSDT") is not None
        fake.set_wall(120)
        assert "valid until" in reader.refusal("BTCUSDT").detail

    @pytest.mark.parametrize("jump", [-600, -3600, -86_300])
    def test_a_wall_clock_set_back_buys_no_time(self, board, path, make_flag, fake, jump):
        board.write(make_flag(), deadline_ns=fake.boot + 60 * 10**9)
        reader = BoardReader(path, clocks=fake.clocks)
        fake.set_wall(jump)
        assert reader.read("BTCUSDT") is not None
        fake.run(59.9)
        assert reader.read("BTCUSDT") is not None
        fake.run(0.1)
        assert reader.read("BTCUSDT") is None
        assert reader.refusal("BTCUSDT").kind == "expired"

    def test_a_wall_clock_set_forward_ends_it_sooner(self, board, path, make_flag, deadline, fake):
        board.write(make_flag(), deadline_ns=deadline)
        reader = BoardReader(path, clocks=fake.clocks)
        fake.set_wall(70 * 60)
        assert reader.read("BTCUSDT") is None
        fake.set_wall(-70 * 60)
        assert reader.read("BTCUSDT") is not None

    def test_a_machine_that_slept_wakes_without_a_flag(self, board, path, make_flag, fake):
        board.write(make_flag(), deadline_ns=fake.boot + 600 * 10**9)
        reader = BoardReader(path, clocks=fake.clocks)
        assert reader.read("BTCUSDT") is not None
        fake.run(8 * 3600)
        assert reader.refusal("BTCUSDT").kind == "expired"

    def test_the_last_nanosecond_is_good_and_the_next_is_not(self, board, path, make_flag, fake):
        board.write(make_flag(), deadline_ns=fake.boot + 5)
        reader = BoardReader(path, clocks=fake.clocks)
        fake.boot += 4
        assert reader.read("BTCUSDT") is not None
        fake.boot += 1
        assert reader.read("BTCUSDT") is None

    def test_a_flag_of_tomorrow_is_refused(self, board, path, make_flag, deadline, fake):
        board.write(make_flag(), deadline_ns=deadline)
        fake.set_wall(-2 * 86_400)
        assert BoardReader(path, clocks=fake.clocks).refusal("BTCUSDT").kind == "inconsistent"

    def test_a_deadline_beyond_a_day_is_refused(self, board, path, make_flag, fake):
        board.write(make_flag(), deadline_ns=fake.boot + 86_401 * 10**9)
        assert BoardReader(path, clocks=fake.clocks).refusal("BTCUSDT").kind == "inconsistent"


class TestHeartbeat:
    def test_a_silent_writer_is_no_writer(self, board, path, make_flag, deadline, fake):
        board.write(make_flag(), deadline_ns=deadline)
        reader = BoardReader(path, max_silence_s=15, clocks=fake.clocks)
        patient = BoardReader(path, clocks=fake.clocks)
        board.beat(fake.boot)
        fake.run(15)
        assert reader.read("BTCUSDT") is not None
        fake.run(0.1)
        assert (reader.read("BTCUSDT"), reader.refusal("BTCUSDT").kind) == (None, "silent")
        assert patient.read("BTCUSDT") is not None
        board.beat(fake.boot)
        assert reader.read("BTCUSDT") is not None

    def test_one_of_another_clock_is_refused(self, board, path, make_flag, deadline, fake):
        board.write(make_flag(), deadline_ns=deadline)
        board.beat(fake.boot + 3600 * 10**9)
        assert BoardReader(path, clocks=fake.clocks).refusal("BTCUSDT").kind == "silent"


def test_a_board_of_an_earlier_start_of_the_machine_is_dead(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    reader = BoardReader(path)
    reader._boot = bytes(16)
    assert "earlier start" in reader.refusal("BTCUSDT").detail


class TestSignatures:
    def test_each_counter_is_verified_once(self, path, make_flag, deadline):
        calls = []

        class Counting:
            key_id = KEY.key_id

            def verify(self, content, signature):
                calls.append(1)
                return KEY.public.verify(content, signature)

        with BoardWriter.create(path, ["BTCUSDT"], key=KEY) as board:
            reader = BoardReader(path, keys=[Counting()])
            for later in range(3):
                board.write(make_flag(later=later), deadline_ns=deadline)
                assert all(reader.read("BTCUSDT") is not None for _ in range(5))
            assert len(calls) == 3

    def test_unsigned_and_strangers_have_no_flag(self, path, make_flag, deadline):
        strict = BoardReader(path, keys=[KEY.public])
        with BoardWriter.create(path, ["BTCUSDT"]) as board:
            board.write(make_flag(), deadline_ns=deadline)
            assert strict.refusal("BTCUSDT").kind == "unsigned"
        with BoardWriter.create(path, ["BTCUSDT"], key=generate_key()) as board:
            board.write(make_flag(), deadline_ns=deadline)
            assert strict.refusal("BTCUSDT").kind == "bad signature"


@pytest.fixture(scope="module")
def content(tmp_path_factory, make_flag):
    """The bytes of a board with a signed flag, its slots full of zeros but one."""
    path = tmp_path_factory.mktemp("whole") / "board"
    with BoardWriter.create(path, ["BTCUSDT"], key=KEY, capacity=1) as board:
        board.write(make_flag(), deadline_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME) + 10**12)
        return path.read_bytes()


@given(at=st.integers(0, SLOT_SIZE - 1), bits=st.integers(1, 255))
@settings(deadline=None)
def test_any_flipped_byte_of_a_slot_is_found_or_is_padding(tmp_path_factory, content, at, bits):
    path = tmp_path_factory.mktemp("flip") / "board"
    changed = bytearray(content)
    changed[slot_at(0) + at] ^= bits
    path.write_bytes(changed)
    found = BoardReader(path, max_wait_s=0.0005).read("BTCUSDT")
    assert (found is None) == (at < CRC_AT + 4)


@given(at=st.integers(0, slot_at(0) - 1), bits=st.integers(1, 255))
@settings(deadline=None)
def test_any_flipped_byte_of_the_header_is_found_or_changes_nothing(
    tmp_path_factory, content, at, bits
):
    paths = [tmp_path_factory.mktemp("flip") / name for name in ("whole", "changed")]
    changed = bytearray(content)
    changed[at] ^= bits
    for path, raw in zip(paths, (content, changed), strict=True):
        path.write_bytes(raw)
    whole, found = (BoardReader(path).read("BTCUSDT") for path in paths)
    assert found in (None, whole)
    assert found is None or at >= 64


def test_threads_share_a_reader_through_restarts(path, make_flag, deadline):
    reader, stop, seen, wrong = BoardReader(path), threading.Event(), set(), []

    def read():
        while not stop.is_set():
            flag = reader.read("BTCUSDT")
            if flag is not None:
                seen.add(flag.sequence)
                if flag.symbol != "BTCUSDT":
                    wrong.append(flag)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for later in range(8):
        with BoardWriter.create(path, ["BTCUSDT"]) as board:
            board.write(make_flag(later=later), deadline_ns=deadline)
            time.sleep(0.002)
    stop.set()
    for thread in threads:
        thread.join()
    assert (wrong, len(seen) > 1) == ([], True)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_reads_on(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    reader = BoardReader(path)
    reader.read("BTCUSDT")
    child = os.fork()
    if child == 0:
        time.sleep(0.05)
        os._exit(0 if reader.read("BTCUSDT").sequence == make_flag(later=1).sequence else 1)
    board.write(make_flag(later=1), deadline_ns=deadline)
    assert os.waitpid(child, 0)[1] == 0


def test_damage_is_looked_at_again(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    raw, reader = mapping.open_map(path, writable=True), BoardReader(path)
    raw.memory[slot_at(0) + 100] ^= 1
    assert reader.refusal("BTCUSDT").kind == "damaged"
    raw.memory[slot_at(0) + 100] ^= 1
    assert reader.read("BTCUSDT") is not None


def test_closed_it_lets_go_and_opens_again(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    with BoardReader(path) as reader:
        assert reader.read("BTCUSDT") is not None
    assert reader._view is None
    assert reader.read("BTCUSDT") is not None


_STEPS = st.one_of(
    st.tuples(st.just("run"), st.sampled_from([0.0, 0.4, 1.0, 7.5, 14.9, 15.0, 60.0])),
    st.tuples(st.just("set_wall"), st.integers(-7_200, 7_200)),
    st.tuples(st.just("beat"), st.sampled_from([-20.0, -15.0, -1.0, 0.0, 0.9, 1.1, 30.0])),
    st.tuples(st.just("write"), st.integers(0, 50)),
)


@given(steps=st.lists(_STEPS, max_size=12))
@settings(deadline=None, max_examples=60)
def test_the_short_way_says_what_a_reader_that_knows_nothing_says(
    tmp_path_factory, make_flag, clocks_by_hand, steps
):
    """Whatever is remembered of a good flag: clocks, heartbeat and counter are asked each time."""
    path, fake = tmp_path_factory.mktemp("law") / "board", clocks_by_hand()
    with BoardWriter.create(path, ["BTCUSDT"]) as board:
        board.write(make_flag(), deadline_ns=fake.boot + 100 * 10**9)
        board.beat(fake.boot)
        warm = BoardReader(path, max_silence_s=15, clocks=fake.clocks)
        for what, value in steps:
            if what == "beat":
                board.beat(fake.boot + int(value * 1e9))
            elif what == "write":
                board.write(make_flag(later=value), deadline_ns=fake.boot + 100 * 10**9)
            else:
                getattr(fake, what)(value)
            fresh = BoardReader(path, max_silence_s=15, clocks=fake.clocks)
            assert warm.read("BTCUSDT") == fresh.read("BTCUSDT")
            assert warm.read("BTCUSDT") is warm.read("BTCUSDT")
