import os

import pytest

from liqwarn.client import file_fetch
from liqwarn.client.file_fetch import FileFetch
from liqwarn.errors import StoreError


def test_a_file_is_read_once_per_change(tmp_path):
    path = tmp_path / "flags.json"
    path.write_bytes(b"one")
    fetch = FileFetch(path)
    first = fetch()
    assert (first.content, first.written_ns) == (b"one", path.stat().st_mtime_ns)
    assert fetch().content is None
    part = tmp_path / "part"
    part.write_bytes(b"two")
    part.replace(path)
    assert fetch().content == b"two"
    fetch.forget()
    assert fetch().content == b"two"


def test_a_folder_is_read_as_its_flags(tmp_path):
    (tmp_path / "flags.json").write_bytes(b"x")
    assert FileFetch(tmp_path)().content == b"x"


def test_one_that_is_gone_is_no_answer(tmp_path):
    path = tmp_path / "flags.json"
    path.write_bytes(b"x")
    fetch = FileFetch(path)
    fetch()
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"flags\.json"):
        fetch()


def test_what_is_no_plain_file_is_no_answer(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(StoreError, match="expected a plain file"):
        FileFetch(tmp_path / "pipe.json")()
    (tmp_path / "long.json").write_bytes(b"x" * 100)
    monkeypatch.setattr(file_fetch, "MAX_CONTENT", 99)
    with pytest.raises(StoreError, match=r"has 100 bytes, expected a plain file of at most 99"):
        FileFetch(tmp_path / "long.json")()
