"""A tape read again: frames by a fresh reader, samples as they are, faults counted."""

import runpy
from pathlib import Path

import pytest

from liqwarn.collectors.tape_tables_reading import Said, TapeReading

PAPER = runpy.run_path(str(Path(__file__).with_name("paper_venue.py")))
ORDER = ["BTCUSDT", 5, "long", 100.0, 1.0]


@pytest.fixture
def reading():
    return TapeReading(PAPER["PaperVenue"](), ["BTCUSDT"])


def test_a_frame_that_was_refused_is_tried_with_the_reader_of_today(reading):
    reading.read(PAPER["rules"](1))

    said = reading.read(PAPER["orders"](2, ORDER, what="refused"))

    assert (len(said.happenings), said.unread) == (1, False)
    assert (reading.counts.mended, reading.counts.unread) == (1, 0)


def test_a_frame_that_cannot_be_read_is_counted_and_named(reading):
    assert reading.read(PAPER["orders"](2, ORDER)) == Said(unread=True)
    assert reading.counts.unread == 1
    assert reading.counts.first_fault == "paper orders: size of a contract unknown"


def test_a_mistake_of_a_reader_ends_no_reading(reading):
    reading.read(PAPER["rules"](1))

    said = reading.read(PAPER["event"](2, "frame", content=b'{"orders": [[1]]}'))

    assert said.unread
    assert "values to unpack" in reading.counts.first_fault


def test_what_a_reader_must_know_can_come_from_before(reading):
    once = {"rules": PAPER["rules"](1, coins=3.0)}
    later = TapeReading(PAPER["PaperVenue"](), ["BTCUSDT"], once)

    assert later.read(PAPER["orders"](2, ORDER)).happenings[0].size == 3.0
    assert later.once == once


def test_the_newest_reply_is_the_one_to_go_on_with(reading):
    newest = PAPER["rules"](5, coins=2.0)
    for record in (PAPER["rules"](1), newest, PAPER["orders"](6, ORDER)):
        reading.read(record)

    assert reading.once == {"rules": newest}


def test_samples_need_no_reader_and_damaged_ones_are_counted(reading):
    told = PAPER["reading"](5, 1.0)

    assert reading.read(PAPER["samples"](6, told)) == Said(happenings=(told,))
    assert reading.read(PAPER["event"](7, "happenings", content=b"{}")) == Said()
    assert (reading.counts.samples, reading.counts.damaged) == (1, 1)


def test_the_reader_is_told_of_lines_that_open_and_nothing_else_is_read(reading):
    said = [reading.read(PAPER["event"](1, what)) for what in ("opened", "closed", "silent", "gap")]

    assert said == [Said()] * 4
    assert reading._reader.openings == ["orders"]


def test_given_up_samples_are_counted(reading):
    reading.read(PAPER["event"](1, "dropped"))

    assert reading.counts.to_dict()["dropped"] == 1
