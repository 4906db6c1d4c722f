import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.price_chart import fan_charts, line_charts

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulation_documents.py"))))


def small(**fan):
    symbols = {"A": {"p05": [0, -8], "p25": [0, -4], "p50": [0, -3], "p75": [0, 1], "p95": [0, 2]}}
    return {
        "symbols": ["A"],
        "shocks": [{"kind": "price", "at": "6h"}, {"kind": "adl", "at": "3h", "symbols": ["B"]}],
        "fan": {"times_h": [0.0, 12.0], "symbols": symbols} | fan,
    }


def test_a_fan_has_two_bands_and_a_median():
    view = fan_charts(small())
    (chart,) = view.charts

    assert chart.outer == "M0 20L100 100L100 0L0 20Z"
    assert chart.line == "M0 20L100 50"
    assert (chart.zero, chart.last) == (20.0, "−3.0 %")
    assert chart.label == (
        "A: simulated price change, at the end −3.0 %, 5 % of paths below −8.0 %, 5 % above +2.0 %"
    )


def test_a_chart_shows_the_shocks_of_its_own_symbol():
    (chart,) = fan_charts(small()).charts

    assert chart.shocks == (50.0,)


def test_numbers_under_the_pointer_are_listed_from_high_to_low():
    payload = fan_charts(small()).payload

    assert payload["times"] == [0.0, 12.0]
    names = [name for name, _ in payload["symbols"]["A"]]
    assert names == ["95 %", "75 %", "median", "25 %", "5 %"]
    assert payload["symbols"]["A"][0][1] == [0.0, 2.0]


def test_all_symbols_share_one_scale():
    view = fan_charts(made.scenario_document())

    assert len(view.charts) == 12
    assert len({chart.zero for chart in view.charts}) == 1
    assert [label for _, label in view.x_ticks][:2] == ["0", "4 h"]


def test_a_single_line_has_no_bands():
    (chart,) = line_charts({"times_h": [0, 1, 2], "symbols": {"A": [0, None, -4]}}).charts

    assert (chart.outer, chart.inner) == ("", "")
    assert chart.line.count("M") == 2
    assert "below" not in chart.label


def test_quantiles_of_another_size_are_refused():
    with pytest.raises(FrameError, match=re.escape("sizes [3, 2, 2]")):
        fan_charts(small(times_h=[0.0, 6.0, 12.0]))


@pytest.mark.parametrize("fan", [None, {}, {"times_h": [0.0], "symbols": {"A": {}}}])
def test_without_prices_there_is_no_chart(fan):
    assert fan_charts({"symbols": ["A"], "fan": fan}) is None
