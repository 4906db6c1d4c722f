import pytest

from liqwarn.board import BoardReader, BoardWriter
from liqwarn.board.clocks import SYSTEM_CLOCKS
from liqwarn.client.board_source import BoardSource
from liqwarn.client.seen import Seen


@pytest.fixture
def board(tmp_path):
    with BoardWriter.create(tmp_path / "board", ["BTCUSDT", "ETHUSDT"]) as writer:
        yield writer


@pytest.fixture
def source(tmp_path, board):
    return BoardSource(BoardReader(tmp_path / "board"))


def deadline():
    return SYSTEM_CLOCKS.boot_ns() + 10**12


def test_an_unchanged_flag_is_the_same_object(source, board, make_flag):
    board.write(make_flag(), deadline_ns=deadline())
    first = source.find("BTCUSDT")
    assert isinstance(first, Seen)
    assert source.find("BTCUSDT") is first
    board.write(make_flag(later=1), deadline_ns=deadline())
    assert source.find("BTCUSDT").order > first.order


def test_a_refusal_is_handed_on(source, board):
    assert source.find("ETHUSDT").kind == "no flag yet"
    assert source.find("NOPE").kind == "unknown symbol"


def test_its_state_is_the_writers_heartbeat(source, board):
    assert source.status()["fault"] is None
    assert 0 <= source.status()["age_s"] < 60
    board.close()
    assert source.status() == {"age_s": None, "fault": "no board"}
    source.close()
