from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqwarn.data.bars.head import Head, HeadReading, create_head, read_head, write_head

OLD = Head(turn=4, count=9, first=3_600, last=32_400, seal=bytes(range(32)))
NEW = replace(OLD, turn=5, count=10, last=36_000)


@pytest.fixture
def path(tmp_path):
    create_head(tmp_path / "head", OLD)
    write_head(tmp_path / "head", NEW)
    return tmp_path / "head"


def test_the_newest_head_is_read(path):
    assert read_head(path) == HeadReading(head=NEW, damaged=0)

    write_head(path, replace(NEW, turn=6))

    assert read_head(path).head == replace(NEW, turn=6)
    assert path.stat().st_size == 1_024


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(at=st.integers(0, 1_023), bit=st.integers(0, 7))
def test_a_damaged_slot_is_noticed_and_the_other_one_stands(path, at, bit):
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.with_name("other").write_bytes(content)

    found = read_head(path.with_name("other"))

    assert found == HeadReading(head=NEW if at < 512 else OLD, damaged=1)


def test_without_a_whole_slot_there_is_no_head(path, tmp_path):
    assert read_head(tmp_path / "none") == HeadReading(head=None, damaged=2)
    path.write_bytes(b"")
    assert read_head(path) == HeadReading(head=None, damaged=2)
    path.write_bytes(bytes(1_024))
    assert read_head(path) == HeadReading(head=None, damaged=2)


def test_a_head_that_has_grown_is_damaged(path):
    path.write_bytes(path.read_bytes() + b"x")

    assert read_head(path) == HeadReading(head=NEW, damaged=1)
