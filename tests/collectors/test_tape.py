"""The tape: what was acknowledged is read again, whatever happened to the file or to us."""

import errno
import os
import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.collectors.tape import TapeWriter, read_tape
from liqwarn.collectors.taped import Taped
from liqwarn.errors import DataError, StoreError

_GIVEN = runpy.run_path(str(Path(__file__).with_name("tape_given.py")))
T0, record, written = (_GIVEN[name] for name in ("T0", "record", "written"))

HOUR = 3_600_000


def read(folder, since_ms=0, until_ms=2 * T0, **options):
    return list(read_tape(folder, "okx", since_ms=since_ms, until_ms=until_ms, **options))


def the_segment(folder):
    return sorted((folder / "okx").rglob("*.tape"))[-1]


@pytest.mark.parametrize("close", [False, True])
def test_what_was_synced_is_read_in_order(tmp_path, close):
    records = [record(n) for n in range(10)]
    written(tmp_path, [records[:4], records[4:]], close=close)

    assert read(tmp_path) == records


def test_only_the_time_asked_for_is_read(tmp_path):
    records = [record(n, seen_ms=T0 + n * HOUR // 4) for n in range(20)]
    written(tmp_path, [records])

    since, until = T0 + HOUR, T0 + 3 * HOUR

    assert read(tmp_path, since, until) == [r for r in records if since <= r.seen_ms < until]


def test_another_hour_and_many_bytes_begin_another_segment(tmp_path):
    records = [record(n) for n in range(40)]
    later = [record(41, seen_ms=T0 + HOUR)]
    written(tmp_path, [records[:20], records[20:], later], roll_bytes=400)

    names = sorted(p.name for p in (tmp_path / "okx").rglob("*.tape"))

    assert [name[:2] for name in names] == ["20", "20", "20", "20", "21"]
    assert read(tmp_path) == [*records, *later]


def test_closed_segments_are_compressed_and_read_the_same(tmp_path):
    records = [record(n, seen_ms=T0 + n * HOUR // 2) for n in range(6)]
    written(tmp_path, [records], close=True)

    names = [p.suffix for p in (tmp_path / "okx").rglob("*") if p.is_file()]

    assert names == [".gz"] * 3
    assert read(tmp_path) == records


def test_a_clock_set_back_keeps_the_order_of_writing(tmp_path):
    records = [record(n, seen_ms=T0 - n * HOUR) for n in range(3)]
    written(tmp_path, [records], close=True)

    assert read(tmp_path) == records


def test_a_writer_goes_on_behind_what_is_there(tmp_path):
    records = [record(n) for n in range(9)]
    written(tmp_path, [records[:3]])
    written(tmp_path, [records[3:6]])
    written(tmp_path, [records[6:]], close=True)

    assert read(tmp_path) == records


def test_what_is_appended_while_it_syncs_waits_for_the_next_one(tmp_path, monkeypatch):
    writer = written(tmp_path, [[record(0)]])
    real = os.fdatasync

    def meanwhile(descriptor):
        monkeypatch.setattr(os, "fdatasync", real)
        writer.append(record(2))
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", meanwhile)
    writer.append(record(1))
    writer.sync()

    assert read(tmp_path) == [record(0), record(1), record(2)]
    assert writer.waiting_bytes == 0
    assert writer.acknowledged_ms == T0 + 2


def test_a_full_disk_loses_and_doubles_nothing(tmp_path, monkeypatch):
    writer = written(tmp_path, [[record(0)]])
    real, room = os.pwrite, [7]

    def full(descriptor, content, at):
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        content, room[0] = content[: room[0]], max(0, room[0] - len(content))
        return real(descriptor, content, at)

    monkeypatch.setattr(os, "pwrite", full)
    writer.append(record(1))
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            writer.sync()
    assert writer.acknowledged_ms == T0
    assert writer.waiting_bytes > 0

    monkeypatch.setattr(os, "pwrite", real)
    writer.append(record(2))
    writer.sync()

    assert read(tmp_path) == [record(0), record(1), record(2)]
    assert writer.waiting_bytes == 0


def test_a_disk_that_is_full_when_a_segment_begins_is_tried_again(tmp_path, monkeypatch):
    writer = TapeWriter(tmp_path, "okx")
    writer.append(record(0))

    def full(descriptor, content, at):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            writer.sync()
        assert read(tmp_path) == []
    writer.sync()

    assert read(tmp_path) == [record(0)]


def test_an_unfinished_end_of_the_last_segment_is_dropped_and_told(tmp_path):
    written(tmp_path, [[record(0), record(1)]])
    path = the_segment(tmp_path)
    path.write_bytes(path.read_bytes()[:-3])
    faults = []

    assert read(tmp_path) == [record(0)]
    assert read(tmp_path, on_fault=faults.append) == [record(0)]
    assert [(fault.what, fault.path) for fault in faults] == [("torn", path)]


def test_damage_inside_names_file_and_byte_and_the_rest_can_be_saved(tmp_path):
    written(tmp_path, [[record(n) for n in range(5)]])
    path = the_segment(tmp_path)
    content = bytearray(path.read_bytes())
    at = content.index(b'{"n":2}')
    content[at] ^= 1
    path.write_bytes(content)
    faults = []

    with pytest.raises(StoreError, match=rf"{path}: damaged at byte \d+, \d+ bytes .* expected"):
        read(tmp_path)
    assert read(tmp_path, on_fault=faults.append) == [record(n) for n in (0, 1, 3, 4)]
    assert faults[0].offset < at < faults[0].offset + faults[0].size


def test_a_record_at_another_place_is_none(tmp_path):
    written(tmp_path, [[record(n, content=b"x") for n in range(3)]])
    path = the_segment(tmp_path)
    content = path.read_bytes()
    size = len(content) // 2
    doubled = content + content[-size:]
    path.write_bytes(doubled)

    assert read(tmp_path) == [record(n, content=b"x") for n in range(3)]


def test_an_earlier_segment_that_was_cut_is_an_error(tmp_path):
    written(tmp_path, [[record(0), record(1), record(9, seen_ms=T0 + HOUR)]])
    path = sorted((tmp_path / "okx").rglob("*.tape"))[0]
    path.write_bytes(path.read_bytes()[:-60])

    with pytest.raises(StoreError, match=r"torn at byte|cut at byte"):
        read(tmp_path)


def test_an_empty_folder_has_an_empty_tape(tmp_path):
    assert read(tmp_path) == []


def test_a_record_that_is_too_large_is_refused_at_once(tmp_path):
    writer = TapeWriter(tmp_path, "okx")

    with pytest.raises(DataError, match="expected at most"):
        writer.append(record(0, content=bytes((1 << 24) + 1)))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small tape in two states, and where it is."""
    made = {}
    for close in (False, True):
        folder = tmp_path_factory.mktemp("small")
        written(folder, [[record(0), record(1)], [record(2)], [record(3)]], close=close)
        path = next(p for p in (folder / "okx").rglob("*") if p.is_file())
        made[close] = folder, path, path.read_bytes()
    return made


def saved(folder):
    """What can be read when faults are told, and whether there were any."""
    faults = []
    try:
        return read(folder, on_fault=faults.append), bool(faults)
    except StoreError:
        return [], True


@pytest.mark.parametrize("close", [False, True])
def test_every_bit_flip_of_a_small_tape_is_noticed(small, close):
    folder, path, content = small[close]
    records = [record(n) for n in range(4)]
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        found, _ = saved(folder)
        strict = None
        try:
            strict = read(folder)
        except StoreError as error:
            assert str(path) in str(error)  # noqa: PT017  an error or a prefix, both are right
        assert found == [r for r in records if r in found]
        assert strict is None or strict == records[: len(strict)]
        if strict is not None and not close:
            assert len(strict) in (0, 3)  # a header of nothing, or the unfinished last record
    path.write_bytes(content)


@pytest.mark.parametrize("close", [False, True])
def test_every_cut_of_a_small_tape_leaves_its_beginning_or_an_error(small, close):
    folder, path, content = small[close]
    records = [record(n) for n in range(4)]
    for size in range(len(content)):
        path.write_bytes(content[:size])
        found, _ = saved(folder)
        assert found == records[: len(found)]
        assert not (close and found)
    path.write_bytes(content)


@settings(max_examples=60)
@given(
    st.sampled_from([False, True]),
    st.lists(st.tuples(st.integers(0, 5_000), st.binary(max_size=8)), min_size=1, max_size=4),
)
def test_no_change_makes_a_record_that_was_not_written(small, close, patches):
    folder, path, content = small[close]
    changed = bytearray(content)
    for place, patch in patches:
        changed[place % len(content) : place % len(content) + len(patch)] = patch
    path.write_bytes(changed)
    known = {record(n) for n in range(4)}
    try:
        assert set(saved(folder)[0]) <= known
    finally:
        path.write_bytes(content)


RECORD = st.builds(
    Taped,
    seen_ms=st.integers(0, 3 * HOUR),
    line=st.sampled_from(["a", "public-2"]),
    what=st.sampled_from(["frame", "happenings", "refused", "opened", "gap", "dropped"]),
    content=st.binary(max_size=50),
)


@settings(max_examples=40)
@given(st.lists(st.lists(RECORD, max_size=5), max_size=6), st.booleans(), st.integers(60, 600))
def test_whatever_is_written_is_read(tmp_path_factory, batches, close, roll_bytes):
    folder = tmp_path_factory.mktemp("any")
    written(folder, batches, close=close, roll_bytes=roll_bytes)

    assert read(folder) == [one for batch in batches for one in batch]
