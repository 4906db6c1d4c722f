"""Stamps by themselves: unit, step, gaps, duplicates, order."""

import pandas as pd
import pytest

from liqwarn.data.inspection.clock import clock_doubts, guess_units, measure_clock


def doubts(reading):
    return {f"{d.level} {d.kind}": d.text for d in clock_doubts(reading, measure_clock(reading))}


def test_the_clock_of_good_bars_is_measured_and_not_doubted(read, bars):
    reading = read(bars)
    clock = measure_clock(reading)

    assert (clock.unit, clock.step_s, clock.steady) == ("s", 3_600, 1.0)
    assert (clock.gaps, clock.duplicates, clock.in_order) == (0, 0, True)
    assert clock.first == 1_704_067_200 + 3_600
    assert clock.last - clock.first == (len(bars) - 1) * 3_600
    assert doubts(reading) == {}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("said", ["s", "ms", "us", "ns"])
def test_a_unit_is_guessed_by_magnitude_and_another_one_is_wrong(read, bars, unit, said):
    bars["t"] *= {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[unit]
    time = {"column": "t", "unit": said, "label": "start", "step": "1h"}

    found = doubts(read(bars, time=time))

    if unit == said:
        assert found == {}
    else:
        assert f"are in {unit}, the panel says {said}" in found["wrong time unit"]


def test_a_unit_that_changes_inside_the_file_is_wrong(read, bars):
    bars.loc[400:, "t"] *= 1_000

    assert "400 rows in s and 80 rows in ms" in doubts(read(bars))["wrong time unit"]


def test_text_has_no_unit():
    assert guess_units(pd.Series(["2024-01-01T00:00:00Z"])) == {}
    assert guess_units(pd.Series(pd.to_datetime(["2024-01-01"]))) == {}


def test_another_step_than_the_panel_says_is_doubted(read, bars):
    assert "mostly 2h apart, the panel says 1h" in doubts(read(bars[::2]))["doubt step"]


def test_many_gaps_are_doubted_and_a_few_are_counted(read, bars):
    few, many = read(bars.drop(index=[5])), read(bars.drop(index=range(5, 30)))

    assert (measure_clock(few).gaps, doubts(few)) == (1, {})
    assert "25 steps of 1h" in doubts(many)["doubt gaps"]


def test_duplicates_are_doubted_whether_they_agree_or_not(read, bars):
    twice = pd.concat([bars, bars.iloc[[3, 4]]])
    other = twice.assign(volume=range(len(twice)))

    assert "2 rows repeat" in doubts(read(twice))["doubt duplicates"]
    assert measure_clock(read(other)).duplicates == 4


def test_an_order_that_is_not_of_time_is_told(read, bars):
    assert not measure_clock(read(bars[::-1])).in_order


def test_what_was_not_read_is_no_gap(read, bars, limits):
    ends = type(limits)(now=limits.now, most=50)

    assert measure_clock(read(bars, limits=ends)).gaps == 0
