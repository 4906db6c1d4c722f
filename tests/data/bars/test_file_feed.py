import os

import pytest

from liqwarn.data.bars.codec import encode_message
from liqwarn.data.bars.file_feed import FileFeed


class Time:
    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        assert seconds > 0.0
        self.now += seconds

    def clock(self):
        return self.now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bars.jsonl"


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def feed(path, time):
    feed = FileFeed(path, clock=time.clock, sleep=time.sleep)
    yield feed
    feed.close()


def write(path, *pieces, mode="ab"):
    with path.open(mode) as file:
        file.write(b"".join(pieces))


def test_lines_are_followed_as_they_are_written(path, feed, make_message):
    said = [make_message(bar) for bar in range(4)]
    lines = [encode_message(one) for one in said]
    write(path, lines[0], lines[1])
    assert feed.poll(0.0).messages == tuple(said[:2])

    write(path, lines[2], lines[3][:30])
    assert feed.poll(0.0).messages == (said[2],)
    assert feed.poll(0.0).messages == ()
    write(path, lines[3][30:])
    assert feed.poll(0.0).messages == (said[3],)
    feed.taken()


def test_a_file_that_is_not_there_is_silence(path, feed, time, make_message):
    got = feed.poll(12.0)
    assert (got.messages, got.refused) == ((), 0)
    assert got.silence_s == pytest.approx(12.0)

    write(path, encode_message(make_message(0)))
    assert feed.poll(1.0).silence_s == 0.0
    assert feed.poll(2.0).silence_s == pytest.approx(2.0)


def test_garbage_is_told_and_is_silence(path, feed, make_message):
    write(path, b"garbage\n", encode_message(make_message(0)), b'{"schema": 1}\n')

    got = feed.poll(0.0)

    assert got.messages == (make_message(0),)
    assert got.refused == 2
    assert got.faults[0].startswith("bars.jsonl: line 1: not JSON")
    write(path, b"garbage\n" * 300)
    got = feed.poll(0.0)
    assert (got.refused, len(got.faults)) == (300, 100)


def test_a_replaced_file_is_read_to_its_end_before_the_new_one(path, feed, make_message):
    said = [make_message(bar) for bar in range(4)]
    lines = [encode_message(one) for one in said]
    write(path, lines[0])
    assert feed.poll(0.0).messages == (said[0],)
    write(path, lines[1], b'{"torn')
    path.rename(path.with_suffix(".1"))
    write(path, lines[2])

    assert feed.poll(0.0).messages == (said[1],)
    got = feed.poll(0.0)
    assert got.faults == ("bars.jsonl: 6 bytes of a line without an end",)
    assert feed.poll(0.0).messages == (said[2],)
    write(path, lines[3])
    assert feed.poll(0.0).messages == (said[3],)


def test_a_cut_file_is_read_from_its_start(path, feed, make_message):
    write(path, encode_message(make_message(0)), encode_message(make_message(1)), b"part")
    assert len(feed.poll(0.0).messages) == 2
    write(path, encode_message(make_message(2)), mode="wb")

    got = feed.poll(0.0)
    assert got.faults == (
        "bars.jsonl: the file was cut; reading it from its start",
        "bars.jsonl: 4 bytes of a line without an end",
    )
    assert feed.poll(0.0).messages == (make_message(2),)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_fault(path, feed):
    write(path, b"")
    path.chmod(0)

    assert feed.poll(0.0).faults == ("bars.jsonl: cannot be read (Permission denied)",)


def test_a_folder_in_its_place_is_a_fault(path, feed):
    path.mkdir()

    assert feed.poll(0.0).faults == ("bars.jsonl: cannot be read (Is a directory)",)


def test_a_backlog_is_told(path, feed, make_message):
    lines = [encode_message(make_message(bar)) for bar in range(2_000)]
    write(path, *lines)
    got = [feed.poll(0.0)]
    while got[-1].more:
        got.append(feed.poll(0.0))

    assert len(got) > 1
    assert [m for one in got for m in one.messages] == [make_message(k) for k in range(2_000)]
