"""Price over the map: cells, candles, and the map as the onset bar began."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure

from liqwarn.reports.canvas import heat_map_canvas, heat_map_from_canvas
from liqwarn.reports.event_axes import days
from liqwarn.reports.event_map_panel import price_panel, standing_panel
from liqwarn.reports.map_export import bin_centres

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("event_documents.py"))))


@pytest.fixture
def document():
    return made.event_document()


@pytest.fixture
def axes():
    return Figure().add_subplot()


def mesh_of(axes):
    return next(one for one in axes.collections if isinstance(one, QuadMesh))


def test_longs_are_below_zero_and_shorts_above_on_one_scale(document, axes):
    price_panel(axes, document)
    mesh = mesh_of(axes)
    heat_map = heat_map_from_canvas(document["map"])
    drawn = np.ma.filled(mesh.get_array(), np.nan).T
    worth = bin_centres(heat_map.edges)
    long, short = heat_map.long * worth, heat_map.short * worth

    np.testing.assert_allclose(drawn, np.where(short >= long, short, -long))
    low, high = mesh.get_clim()
    assert low == -high
    assert (drawn < 0).any()
    assert (drawn > 0).any()


def test_a_column_reaches_from_its_close_to_the_next(document, axes):
    price_panel(axes, document)
    edges = np.unique(mesh_of(axes).get_coordinates()[0, :, 0])

    closes = days(document["series"]["time"])
    np.testing.assert_allclose(edges, np.append(closes, closes[-1] + 1 / 24))


def test_what_the_map_does_not_know_is_not_drawn(document, axes):
    heat_map = heat_map_from_canvas(document["map"])
    heat_map.long[3] = np.nan
    document["map"] = heat_map_canvas(heat_map)
    price_panel(axes, document)

    assert np.ma.getmaskarray(mesh_of(axes).get_array()).T[3].all()


def test_candles_are_hollow_where_the_price_rose(document, axes):
    price_panel(axes, document)
    series = document["series"]
    rose = np.array(series["close"]) >= np.array(series["open"])
    bodies = axes.patches[-made.BARS :]

    assert [body.get_facecolor()[0] == 1.0 for body in bodies] == rose.tolist()
    wicks = next(one for one in axes.collections if isinstance(one, LineCollection))
    ends = np.array(wicks.get_segments())[:, :, 1]
    np.testing.assert_allclose(ends[:, 0], series["low"])
    np.testing.assert_allclose(ends[:, 1], series["high"])


def test_a_panel_of_closes_alone_is_drawn(document, axes):
    for name in ("open", "high", "low"):
        document["series"][name] = [None] * made.BARS

    price_panel(axes, document)

    low, high = axes.get_ylim()
    assert low < min(document["series"]["close"]) < max(document["series"]["close"]) < high


def test_many_bars_are_a_range_and_a_line(document, axes):
    for name, values in document["series"].items():
        document["series"][name] = values * 7
    document["series"]["time"] = [made.at(k) for k in range(7 * made.BARS)]
    price_panel(axes, document)

    assert not axes.patches
    assert len(axes.lines) == 1


def test_the_map_beside_is_the_one_known_as_the_onset_bar_began(document, axes):
    price_panel(axes, document)
    beside = Figure().add_subplot()
    beside.set_ylim(axes.get_ylim())
    standing_panel(beside, document)
    heat_map = heat_map_from_canvas(document["map"])
    known = made.ONSET - 1

    assert beside.lines[0].get_ydata()[0] == heat_map.close[known]
    drawn = beside.patches[0].get_data().values
    np.testing.assert_allclose(drawn, heat_map.long[known] * bin_centres(heat_map.edges))
