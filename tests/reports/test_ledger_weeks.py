"""Weeks of a ledger as charts: inside their boxes, and honest about few onsets."""

import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.reports.ledger_weeks import ENOUGH_A_WEEK, week_charts

LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_documents.py")))
WEEKS = [f"2025-{month:02d}-{day:02d}" for month in (6, 7, 8) for day in (2, 9, 16, 23)]
NUMBERS = st.none() | st.floats(allow_nan=True, width=32) | st.integers(0, 50)
ROWS = st.fixed_dictionaries(
    {
        "week": st.sampled_from(WEEKS),
        "side": st.sampled_from(["long", "short"]),
        "onsets": NUMBERS,
        "pr_auc": st.none() | st.floats(0, 1),
        "brier": st.none() | st.floats(0, 1),
        "caught": NUMBERS,
        "missed": NUMBERS,
        "false_alarms": NUMBERS,
    }
)


def chart_of(charts, name, side="long"):
    (found,) = [chart for chart in charts if (chart.name, chart.side) == (name, side)]
    return found


@given(st.lists(ROWS, max_size=20))
def test_everything_drawn_lies_inside_its_box(rows):
    for chart in week_charts({"weekly": rows}):
        assert all(bar.height >= 0 and bar.width > 0 for bar in chart.bars)
        places = [at for at, _ in (*chart.x_ticks, *chart.y_ticks)]
        places += [end for bar in chart.bars for end in (bar.x, bar.x + bar.width)]
        places += [end for bar in chart.bars for end in (bar.y, bar.y + bar.height)]
        places += [at for spot in chart.spots for at in (spot.x, spot.y)]
        places += [float(number) for number in re.findall(r"[\d.]+", chart.path)]
        assert all(-1e-6 <= place <= 100 + 1e-6 for place in places)


def test_there_is_a_chart_a_measure_and_side():
    charts = week_charts(LEDGERS["make_account"]())

    assert [chart.side for chart in charts] == ["long", "short"] * 4
    assert len({chart.name for chart in charts}) == 4
    assert week_charts({"weekly": []}) == ()


@pytest.mark.parametrize(("onsets", "hollow"), [(ENOUGH_A_WEEK - 1, True), (ENOUGH_A_WEEK, False)])
def test_a_ranking_of_few_onsets_is_hollow(onsets, hollow):
    rows = [{"week": "2025-06-02", "side": "long", "onsets": onsets, "pr_auc": 0.2}]
    (spot,) = chart_of(week_charts({"weekly": rows}), "PR-AUC").spots

    assert spot.hollow is hollow
    assert spot.title == f"week of 2025-06-02: PR-AUC 0.200 on {onsets} onsets"


def test_a_week_without_a_figure_is_a_gap():
    rows = [
        {"week": week, "side": "long", "brier": brier, "caught": 0}
        for week, brier in zip(WEEKS[:4], (0.1, None, 0.2, 0.1), strict=True)
    ]
    charts = week_charts({"weekly": rows})

    assert chart_of(charts, "Brier score").path.count("M") == 2
    assert chart_of(charts, "Caught ↑ and missed ↓").bars == ()
    assert "PR-AUC" not in {chart.name for chart in charts}


def test_caught_stands_above_the_line_and_missed_hangs_below():
    rows = [{"week": "2025-06-02", "side": "long", "caught": 3, "missed": 1}]
    chart = chart_of(week_charts({"weekly": rows}), "Caught ↑ and missed ↓")
    caught, missed = chart.bars

    assert (caught.kind, caught.y, caught.height) == ("caught", 0.0, 50.0)
    assert (missed.kind, missed.y, round(missed.height, 1)) == ("missed", 50.0, 16.7)
    assert chart.label == "long side: 3 events caught and 1 missed"


def test_both_sides_have_the_same_scale():
    charts = week_charts(LEDGERS["make_account"]())

    for long, short in zip(charts[::2], charts[1::2], strict=True):
        assert (long.y_ticks, long.x_ticks) == (short.y_ticks, short.x_ticks)


@pytest.mark.parametrize("weeks", [1, 5, 6, 7, 10, 200])
def test_dates_are_few_and_at_one_distance(weeks):
    ticks = [at for at, _ in week_charts(LEDGERS["make_account"](weeks=weeks))[0].x_ticks]
    apart = {round(after - before, 6) for before, after in pairwise(ticks)}

    assert 1 <= len(ticks) <= 6
    assert len(apart) <= 1
