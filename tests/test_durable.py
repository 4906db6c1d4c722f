"""A file is either whole or not there, whatever happens to its writer."""

import signal
import subprocess
import sys
import time
from hashlib import sha256

import pytest

from liqwarn.durable import replace_file, sha256_of, write_bytes, write_json

WRITER = """
import sys
from pathlib import Path
from liqwarn.durable import write_bytes
turn = 0
while True:
    write_bytes(Path(sys.argv[1]), bytes([turn % 256]) * 2_000_000)
    turn += 1
"""


def test_a_new_file_replaces_the_old_one(tmp_path):
    path = tmp_path / "deep" / "file.bin"

    write_bytes(path, b"old")
    write_bytes(path, b"new")

    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_a_writer_that_fails_changes_nothing(tmp_path):
    path = tmp_path / "file.bin"
    write_bytes(path, b"old")

    def fail(temporary):
        temporary.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_file(path, fail)

    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.bin"]


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path):
    path = tmp_path / "file.bin"
    for turn in range(8):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        while not path.exists():
            time.sleep(0.005)
        time.sleep(0.01 * turn)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = path.read_bytes()
        assert len(content) == 2_000_000
        assert len(set(content)) == 1
        path.unlink()


def test_json_says_null_for_nan_and_the_hash_is_of_the_bytes(tmp_path):
    path = tmp_path / "file.json"

    write_json(path, {"a": float("nan")})

    assert path.read_text() == '{\n  "a": null\n}\n'
    assert sha256_of(path) == sha256(path.read_bytes()).hexdigest()
