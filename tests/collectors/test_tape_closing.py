"""Compressed segments: whole or not there, and read like the others."""

import errno
import gzip
import os
import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.tape import read_tape
from liqwarn.collectors.tape_closing import compress_closed, fault_of, segment_bytes
from liqwarn.collectors.tape_segment import segments_of
from liqwarn.errors import StoreError

_GIVEN = runpy.run_path(str(Path(__file__).with_name("tape_given.py")))
T0, record, written = (_GIVEN[name] for name in ("T0", "record", "written"))

HOURS = [record(n, seen_ms=T0 + n * 3_600_000) for n in range(3)]


def read(folder):
    return list(read_tape(folder, "okx", since_ms=0, until_ms=2 * T0))


def test_only_segments_that_were_ended_are_compressed(tmp_path):
    writer = written(tmp_path, [HOURS])

    assert compress_closed(tmp_path, "okx", before=writer.number) == 2
    assert [segment.closed for segment in segments_of(tmp_path, "okx")] == [True, True, False]
    assert read(tmp_path) == HOURS


def test_a_full_disk_leaves_the_segment_as_it_was(tmp_path, monkeypatch):
    writer = written(tmp_path, [HOURS])

    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            compress_closed(tmp_path, "okx", before=writer.number)
    assert read(tmp_path) == HOURS

    assert compress_closed(tmp_path, "okx", before=writer.number) == 2


def test_a_crash_between_the_two_files_leaves_no_double(tmp_path):
    writer = written(tmp_path, [HOURS])
    plain = segments_of(tmp_path, "okx")[0].path
    content = plain.read_bytes()
    compress_closed(tmp_path, "okx", before=writer.number)
    plain.write_bytes(content)

    assert read(tmp_path) == HOURS
    compress_closed(tmp_path, "okx", before=writer.number)
    assert not plain.exists()


def test_a_segment_that_is_not_whole_is_not_compressed(tmp_path):
    writer = written(tmp_path, [HOURS])
    first, second = segments_of(tmp_path, "okx")[:2]
    first.path.write_bytes(first.path.read_bytes()[:-1])
    second.path.write_bytes(second.path.read_bytes() + b"x")

    assert "torn at byte" in fault_of(first, "okx")
    assert compress_closed(tmp_path, "okx", before=writer.number) == 0


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("liqwarn.collectors.tape_closing.LARGEST_SEGMENT", 1_000)
    path = tmp_path / "13-000000001.tape.gz"
    path.write_bytes(gzip.compress(bytes(100_000)))

    with pytest.raises(StoreError, match="more than 1000 bytes, expected a segment"):
        segment_bytes(path)


@pytest.mark.parametrize("content", [b"<html>", gzip.compress(b"LIQTAPE\n", mtime=0)[:-5]])
def test_something_else_or_a_part_is_refused(tmp_path, content):
    path = tmp_path / "13-000000001.tape.gz"
    path.write_bytes(content)

    with pytest.raises(StoreError, match=os.fspath(path)):
        segment_bytes(path)


def test_a_file_compressed_while_it_is_read_is_found(tmp_path):
    path = tmp_path / "13-000000001.tape"
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(b"content"))

    assert segment_bytes(path) == b"content"
