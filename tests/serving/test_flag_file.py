import os

import orjson
import pytest

from liqwarn.decisions import flag_to_dict
from liqwarn.errors import PolicyError
from liqwarn.serving.flag_file import FlagFile, parse_flags

EMPTY = {
    "schema": "liqwarn.flags/1",
    "generated_at": "2024-08-05T12:00:00Z",
    "market": "real",
    "flags": [],
}


def test_a_file_is_read_whole(write_flags, make_flag):
    reading = FlagFile(write_flags(make_flag("A"), make_flag("B"))).read()
    assert sorted(reading.latest.flags) == ["A", "B"]
    assert reading.latest.flags["A"] == make_flag("A")
    assert reading.fault is None


def test_a_folder_holds_flags_json(write_flags, make_flag, tmp_path):
    write_flags(make_flag())
    assert FlagFile(tmp_path).read().fault is None


def test_it_is_parsed_once_and_again_after_a_change(write_flags, make_flag, tmp_path):
    source = FlagFile(tmp_path)
    write_flags(make_flag("A"))
    first = source.read().latest
    assert source.read().latest is first
    write_flags(make_flag("B"))
    assert sorted(source.read().latest.flags) == ["B"]


def test_a_torn_file_keeps_what_was_known_and_says_so(write_flags, make_flag, tmp_path):
    path = write_flags(make_flag("A"))
    source = FlagFile(path)
    good = source.read().latest
    whole = path.read_bytes()
    for cut in range(0, len(whole), 37):
        path.write_bytes(whole[:cut])
        reading = source.read()
        assert reading.latest is good
        assert reading.fault.startswith("flags.json: ")
    path.unlink()
    assert source.read().fault == "flags.json: No such file or directory"
    write_flags(make_flag("A"))
    assert source.read().fault is None


def test_a_file_that_was_never_there_is_a_fault(tmp_path):
    reading = FlagFile(tmp_path).read()
    assert reading.latest is None
    assert "No such file" in reading.fault


def test_a_folder_in_its_place_is_a_fault(tmp_path):
    (tmp_path / "flags.json").mkdir()
    assert "Is a directory" in FlagFile(tmp_path).read().fault


def test_a_file_completed_in_place_is_read_again(write_flags, make_flag, tmp_path):
    path = write_flags(make_flag())
    whole = path.read_bytes()
    source = FlagFile(path)
    path.write_bytes(whole[:-1] + b" ")
    assert source.read().fault is not None
    path.write_bytes(whole)
    os.utime(path, ns=(1, 2))
    assert source.read().fault is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "liqwarn.flags/2"}, "schema is 'liqwarn.flags/2'"),
        ({"generated_at": "noon"}, "generated_at is 'noon', expected a time in UTC"),
        ({"generated_at": 5}, "generated_at is 5, expected text"),
        ({"generated_at": "9999-12-31T23:59:59-23:00"}, "expected a time in UTC"),
        ({"generated_at": "2024-08-05T12:00:00"}, "without a timezone"),
        ({"flags": None}, "unreadable: TypeError"),
        ({"flags": [{}]}, "flag schema is None"),
        ({"flags": [3]}, "flag schema is 'int'"),
        ({"market": 3}, "market is 3, expected real or simulated"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(change, message):
    with pytest.raises(PolicyError, match=message):
        parse_flags(orjson.dumps({**EMPTY, **change}))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_noise_is_refused(content):
    with pytest.raises(PolicyError, match=r"not JSON|schema is None"):
        parse_flags(content)


def test_two_flags_of_one_symbol_are_refused(make_flag):
    twice = [flag_to_dict(make_flag()), flag_to_dict(make_flag(tier="T4"))]
    with pytest.raises(PolicyError, match="2 flags of 1 symbols"):
        parse_flags(orjson.dumps({**EMPTY, "flags": twice}))
