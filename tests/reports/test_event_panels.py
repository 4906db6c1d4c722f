"""The panels below the price: what is drawn is what the document says."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from liqwarn.reports.event_axes import COLOURS, days
from liqwarn.reports.event_panels import (
    TIER_COLOURS,
    funding_panel,
    interest_panel,
    liquidation_panel,
    probability_panel,
    tier_panel,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("event_documents.py"))))


@pytest.fixture
def document():
    return made.event_document()


@pytest.fixture
def axes():
    return Figure().add_subplot()


def line_of(axes, colour, size):
    return next(
        line for line in axes.lines if line.get_color() == colour and len(line.get_ydata()) == size
    )


def test_open_interest_is_in_coins(document, axes):
    interest_panel(axes, document)

    assert axes.lines[0].get_ydata().tolist() == document["series"]["open_interest"]


def test_funding_is_in_percent_per_8_hours(document, axes):
    funding_panel(axes, document)

    rate = axes.lines[1].get_ydata()
    np.testing.assert_allclose(rate, 100 * np.array(document["series"]["funding_8h"]))
    low, high = axes.get_ylim()
    assert low < rate.min() < 0 < rate.max() < high


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (interest_panel, ["open_interest"]),
        (funding_panel, ["funding_8h"]),
        (liquidation_panel, ["long_liq_usd", "short_liq_usd"]),
    ],
)
def test_what_is_not_known_is_said(document, axes, draw, names):
    for name in names:
        document["series"][name] = [None] * made.BARS

    draw(axes, document)

    assert "not in the data" in axes.texts[0].get_text()


def test_liquidated_longs_go_down_and_shorts_up(document, axes):
    liquidation_panel(axes, document)
    heights = np.array([patch.get_height() for patch in axes.patches])

    series = document["series"]
    np.testing.assert_allclose(heights[: made.BARS], -np.array(series["long_liq_usd"]))
    np.testing.assert_allclose(heights[made.BARS :], series["short_liq_usd"])


def test_both_sides_hold_from_their_close_to_the_next(document, axes):
    probability_panel(axes, document)
    line = line_of(axes, COLOURS["long"], made.BARS + 1)

    assert line.get_drawstyle() == "steps-post"
    np.testing.assert_allclose(line.get_ydata()[:-1], document["series"]["p_4h_long"])
    assert line.get_xdata()[-1] == pytest.approx(days(document["series"]["time"])[-1] + 1 / 24)
    assert line_of(axes, COLOURS["short"], made.BARS + 1).get_linestyle() == "--"


def test_thresholds_are_those_of_the_events_side(axes):
    document = made.event_document("short")
    probability_panel(axes, document)

    levels = {
        float(line.get_ydata()[0])
        for line in axes.lines
        if len(set(line.get_ydata())) == 1 and line.get_color() == COLOURS["short"]
    }
    asked = {one["threshold"] for one in document["warning"]["budgets"].values()}
    assert asked <= levels
    told = " ".join(text.get_text() for text in axes.texts)
    assert "alarm above 3.10 %\n(5 % of the time)" in told
    assert "first alarm, 120 min ahead" in told


def test_a_miss_has_no_alarm_to_mark(axes):
    probability_panel(axes, made.missed_document())

    assert not any("first alarm" in text.get_text() for text in axes.texts)


def test_the_hours_in_which_an_alarm_counts_end_with_the_onset_bars_start(document, axes):
    probability_panel(axes, document)
    onset, start = days([document["event"]["onset"], document["event"]["onset_start"]])
    yellow = axes.patches[0].get_extents().transformed(axes.transData.inverted())

    assert (yellow.x0, yellow.x1) == pytest.approx((onset - 4 / 24, start))


def test_every_line_fits_the_axis(document, axes):
    probability_panel(axes, document)
    low, high = axes.get_ylim()
    values = document["series"]["p_4h_long"]

    assert low < min(values) < max(values) < high


def test_tiers_are_strips_with_their_numbers(document, axes):
    document["series"]["tier_short"] = [0] * made.BARS
    tier_panel(axes, document)

    told = sorted(text.get_text() for text in axes.texts)
    assert told == ["T0", "T0", "T1", "T2", "T4"]
    assert len(axes.collections) == 5
    assert [label.get_text() for label in axes.get_yticklabels()] == ["short", "long"]
    assert len(set(TIER_COLOURS)) == 6
