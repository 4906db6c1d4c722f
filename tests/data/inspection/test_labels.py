"""Starts declared as ends, and the other way round, as a file shows them by itself."""

import pytest

from liqwarn.data.inspection.clock import measure_clock
from liqwarn.data.inspection.labels import label_doubts

ENDS = {"column": "t", "unit": "s", "label": "end", "step": "1h"}
STARTS = ENDS | {"label": "start"}


def doubts(reading):
    return [f"{d.level} {d.kind}: {d.text}" for d in label_doubts(reading, measure_clock(reading))]


@pytest.mark.parametrize(
    ("column", "label", "words"),
    [
        ("open_time", "end", "look-ahead if it is a start"),
        ("close_time", "start", "one step late"),
        ("open_time", "start", None),
        ("stamp", "end", None),
    ],
)
def test_a_name_that_says_otherwise_is_doubted(read, bars, column, label, words):
    bars = bars.rename(columns={"t": column}).iloc[3:40]

    found = doubts(read(bars, time=ENDS | {"column": column, "label": label}))

    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_a_column_of_ends_proves_a_start(read, bars):
    bars["close_time"] = (bars["t"] + 3_599) * 1_000
    bars = bars.iloc[3:40]

    assert doubts(read(bars, time=STARTS)) == []
    (found,) = doubts(read(bars, time=ENDS))
    assert found.startswith("wrong label: 'close_time' is 3599s after 't'")
    assert "every value is then known 1h too early" in found


def test_a_column_of_starts_doubts_a_start(read, bars):
    bars["begins_at"] = bars["t"] - 3_600
    bars = bars.iloc[3:40]

    assert doubts(read(bars, time=ENDS)) == []
    assert "before 't'" in doubts(read(bars, time=STARTS))[0]


def test_a_later_column_of_times_doubts_the_lag(read, bars):
    bars["published_utc"] = bars["t"] + 3 * 3_600
    bars = bars.iloc[3:40]

    assert "known_lag 0s is look-ahead" in doubts(read(bars, time=STARTS))[0]
    assert doubts(read(bars, time=STARTS, known_lag="2h")) == []


def test_whole_days_tell_starts_from_ends(read, bars):
    assert doubts(read(bars, time=STARTS)) == []
    assert "whole days from 00:00 on" in doubts(read(bars, time=ENDS))[0]
    bars["t"] += 3_600
    assert doubts(read(bars, time=ENDS)) == []
    assert "as ends do" in doubts(read(bars, time=STARTS))[0]


def test_a_date_declared_an_end_is_doubted(read, bars):
    daily = bars.iloc[::24]
    told = {"step": "1d"}

    found = doubts(read(daily, time=ENDS | told, panel={"bar": "24h"}))

    assert "doubt daily stamp" in found[0]
    assert doubts(read(daily, time=STARTS | told, panel={"bar": "24h"})) == []


def test_a_column_that_is_no_time_says_nothing(read, bars):
    bars["updated"] = "yes"
    assert doubts(read(bars, time=STARTS)) == []
