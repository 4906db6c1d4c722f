"""Files are read again when they changed, or when reading them failed."""

import os

import pytest

from liqwarn.pipelines.file_changes import FileChanges


def test_a_file_is_new_once_and_again_when_it_grew(tmp_path):
    path, changes = tmp_path / "a.csv", FileChanges()
    path.write_text("a")

    with changes.since_last_time() as changed:
        assert changed(path)
    with changes.since_last_time() as changed:
        assert not changed(path)
    path.write_text("ab")
    with changes.since_last_time() as changed:
        assert changed(path)


def test_a_file_of_the_same_size_written_later_is_changed(tmp_path):
    path, changes = tmp_path / "a.csv", FileChanges()
    path.write_text("a")
    with changes.since_last_time() as changed:
        changed(path)
    path.write_text("b")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000))

    with changes.since_last_time() as changed:
        assert changed(path)


def test_after_a_fault_everything_of_that_look_is_looked_at_again(tmp_path):
    path, changes = tmp_path / "a.csv", FileChanges()
    path.write_text("a")

    def fails():
        with changes.since_last_time() as changed:
            changed(path)
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        fails()

    with changes.since_last_time() as changed:
        assert changed(path)


def test_what_grows_while_it_is_read_counts_as_changed(tmp_path):
    path, changes = tmp_path / "a.csv", FileChanges()
    path.write_text("a")
    with changes.since_last_time() as changed:
        changed(path)
        path.write_text("abc")

    with changes.since_last_time() as changed:
        assert changed(path)
