"""Months and quarters: what ends when, and what may be known by then."""

from itertools import pairwise

import numpy as np
import pytest

from liqwarn.liquidation.schedule import blocks_of, month_of, quarter_of


def closes(first, last, hours):
    return np.arange(first, np.datetime64(last) + 1, np.timedelta64(hours, "h")).astype(
        "datetime64[s]"
    )


def month(text):
    return int(np.datetime64(text, "M").astype(int))


@pytest.fixture(scope="module")
def hourly():
    return closes("2023-11-15T01", "2025-02-10T00", 1)


def test_no_bars_have_no_months():
    assert blocks_of(np.zeros(0, "datetime64[s]")) == ()


def test_blocks_are_every_bar_once(hourly):
    blocks = blocks_of(hourly)
    assert blocks[0].start == 0
    assert blocks[-1].stop == len(hourly)
    assert all(a.stop == b.start for a, b in pairwise(blocks))
    assert [b.month for b in blocks] == list(range(month("2023-11"), month("2025-03")))


@pytest.mark.parametrize("hours", [1, 4, 24])
def test_midnight_of_the_first_ends_its_month(hours):
    times = closes("2024-02-28T00", "2024-03-02T00", hours)
    february, march = blocks_of(times)
    assert times[february.stop - 1] == np.datetime64("2024-03-01T00:00:00")
    assert times[march.start] == np.datetime64("2024-03-01T00:00:00") + np.timedelta64(hours, "h")


def test_quarters_begin_in_january_april_july_and_october(hourly):
    for block in blocks_of(hourly):
        first = np.datetime64(block.evidence_until, "M")
        assert int(str(first)[5:]) in (1, 4, 7, 10)
        assert 0 <= block.month - block.evidence_until <= 2


def test_evidence_is_of_months_that_are_over(hourly):
    for block in blocks_of(hourly):
        end = np.datetime64(block.evidence_until, "M").astype("datetime64[s]")
        opened = hourly[block.start] - np.timedelta64(1, "h")
        assert end <= opened


@pytest.mark.parametrize("length", [1, 2, 400, 5_000])
def test_fewer_bars_have_the_same_months(hourly, length):
    short, whole = blocks_of(hourly[:length]), blocks_of(hourly)
    assert short[:-1] == whole[: len(short) - 1]
    last, same = short[-1], whole[len(short) - 1]
    assert (last.start, last.month, last.evidence_until) == (
        same.start,
        same.month,
        same.evidence_until,
    )
    assert last.stop == length


def test_one_bar_is_one_month():
    (block,) = blocks_of(np.array(["2024-07-01T00:00:00"], "datetime64[s]"))
    assert (block.start, block.stop, block.month) == (0, 1, month("2024-06"))
    assert block.evidence_until == month("2024-04")


def test_month_and_quarter_of_one_close_are_those_of_its_block(hourly):
    for block in blocks_of(hourly):
        for row in (block.start, block.stop - 1):
            assert month_of(hourly[row]) == block.month
            assert quarter_of(block.month) == block.evidence_until
