"""One writer, whole writes, and a new file for every start."""

import os
import subprocess
import sys

import pytest

from liqwarn.board import BoardReader, BoardWriter
from liqwarn.board.clocks import SYSTEM_CLOCKS
from liqwarn.board.layout import BEAT_WORD, DEAD, STATE_WORD, board_size, slot_at
from liqwarn.board.mapping import open_map
from liqwarn.errors import StoreError


def test_a_new_board_has_slots_and_no_flag(board, path):
    assert board.symbols == ("BTCUSDT", "ETHUSDT")
    assert path.stat().st_size == board_size(34)
    assert BoardReader(path).refusal("ETHUSDT").kind == "no flag yet"


def test_each_write_raises_the_counter_by_two_and_beats(board, path, make_flag, deadline):
    found = open_map(path)
    for written in range(1, 4):
        before = SYSTEM_CLOCKS.boot_ns()
        board.write(make_flag(later=written), deadline_ns=deadline)
        assert found.words[slot_at(0) // 8] == 2 * written
        assert before <= found.words[BEAT_WORD] <= SYSTEM_CLOCKS.boot_ns()


def test_a_heartbeat_is_what_it_was_told(board, path):
    board.beat(12345)
    assert open_map(path).words[BEAT_WORD] == 12345


def test_a_second_writer_is_refused_until_the_first_is_gone(board, path):
    with pytest.raises(StoreError, match="has another writer, expected one"):
        BoardWriter.create(path, [])
    program = "import sys; from pathlib import Path; from liqwarn.board import BoardWriter\n"
    program += "BoardWriter.create(Path(sys.argv[1]), [])"
    other = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert "has another writer" in other.stderr
    board.close()
    BoardWriter.create(path, []).close()


def test_a_restart_is_a_new_file_and_the_old_one_is_dead(board, path, make_flag, deadline):
    board.write(make_flag(), deadline_ns=deadline)
    old = open_map(path)
    board._lock.close()  # as if it were killed

    with BoardWriter.create(path, ["BTCUSDT"]):
        new = open_map(path)
        assert old.words[STATE_WORD] == DEAD
        assert new.header.generation > old.header.generation
        assert new.identity != old.identity
        assert BoardReader(path).refusal("BTCUSDT").kind == "no flag yet"


def test_closed_it_is_dead_at_once_and_may_be_closed_again(board, path, make_flag):
    board.close()
    board.close()
    assert BoardReader(path).refusal("BTCUSDT").kind == "dead"
    with pytest.raises(StoreError, match="board is closed, expected an open one"):
        board.write(make_flag(), deadline_ns=1)


def test_it_takes_the_place_of_whatever_is_there(path):
    path.write_bytes(b"something else")
    with BoardWriter.create(path, ["BTCUSDT"]):
        assert BoardReader(path).refusal("BTCUSDT").kind == "no flag yet"
    assert [p.name for p in path.parent.iterdir() if ".tmp" in p.name] == []


def test_new_symbols_get_slots_until_there_are_none(path, make_flag, deadline):
    with BoardWriter.create(path, ["A"], capacity=2) as board:
        board.write(make_flag("B"), deadline_ns=deadline)
        with pytest.raises(StoreError, match="2 slots, all taken, expected room for 'C'"):
            board.write(make_flag("C"), deadline_ns=deadline)
        assert BoardReader(path).read("B").symbol == "B"


@pytest.mark.parametrize(("symbols", "capacity"), [(["A", "A"], None), (["A", "B"], 1)])
def test_symbols_that_do_not_fit_are_refused(path, symbols, capacity):
    with pytest.raises(StoreError, match="expected different ones and room for all"):
        BoardWriter.create(path, symbols, capacity=capacity)
    assert not path.exists()


def test_after_a_failed_start_the_lock_is_free(path):
    with pytest.raises(StoreError, match="expected 1 to 48 bytes"):
        BoardWriter.create(path, ["X" * 49])
    BoardWriter.create(path, ["X"]).close()


def test_a_full_disk_leaves_the_old_board(board, path, make_flag, deadline, monkeypatch):
    board.write(make_flag(), deadline_ns=deadline)
    board._lock.close()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        BoardWriter.create(path, ["BTCUSDT"])
    assert BoardReader(path).read("BTCUSDT") is not None
    assert [p.name for p in path.parent.iterdir() if ".tmp" in p.name] == []
