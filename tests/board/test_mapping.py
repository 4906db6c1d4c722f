import os

import pytest

from liqwarn.board import mapping
from liqwarn.board.mapping import BoardMap, file_identity, need_little_endian, open_map
from liqwarn.errors import StoreError


def test_a_board_is_mapped_and_its_symbols_are_found(board, path):
    found = open_map(path)

    assert isinstance(found, BoardMap)
    assert (found.find("BTCUSDT"), found.find("ETHUSDT"), found.find("SOLUSDT")) == (0, 1, None)
    assert found.identity == file_identity(path)


def test_a_symbol_that_comes_later_is_found(board, path, make_flag, deadline):
    found = open_map(path)
    assert found.find("SOLUSDT") is None
    board.write(make_flag("SOLUSDT"), deadline_ns=deadline)
    assert found.find("SOLUSDT") == 2


def test_what_is_not_there_is_missing(tmp_path):
    assert open_map(tmp_path / "none").kind == "missing"
    assert file_identity(tmp_path / "none") is None
    assert open_map(tmp_path).kind == "missing"


def test_a_pipe_in_its_place_does_not_hang_the_reader(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert open_map(tmp_path / "pipe").kind == "missing"


@pytest.mark.parametrize("size", [0, 63, 255, 256, 257, 1000])
def test_a_cut_file_is_refused(board, path, tmp_path, size):
    (tmp_path / "cut").write_bytes(path.read_bytes()[:size])
    assert open_map(tmp_path / "cut").kind in ("unknown version", "damaged")


def test_a_file_that_grew_is_refused(board, path, tmp_path):
    (tmp_path / "long").write_bytes(path.read_bytes() + b"\0")
    assert open_map(tmp_path / "long").kind == "damaged"


def test_another_file_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"{}" * 1000)
    assert "expected b'LIQBOARD'" in open_map(tmp_path / "x").detail


def test_a_big_endian_host_is_refused(monkeypatch):
    monkeypatch.setattr(mapping.sys, "byteorder", "big")
    with pytest.raises(StoreError, match="host is big-endian, expected little-endian"):
        need_little_endian()
