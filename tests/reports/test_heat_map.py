import dataclasses
import runpy
import time
from pathlib import Path

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.charts import save_figure
from liqwarn.reports.heat_map import heat_map_figure
from liqwarn.reports.map_export import bin_centres
from liqwarn.reports.profile_chart import COLOURS

maps = runpy.run_path(str(Path(__file__).with_name("synthetic_maps.py")))


@pytest.fixture(scope="module")
def heat_map():
    return maps["simulate"](n_times=120, n_bins=100)


def mesh_of(figure):
    return figure.axes[0].collections[0]


def cells_of(figure):
    """Drawn volumes, (n_columns, n_bins)."""
    return np.ma.asarray(mesh_of(figure).get_array()).T


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def rows_of(heat_map, keep):
    """Some of the moments."""
    names = ("times", "long", "short", "high", "low", "close")
    return dataclasses.replace(heat_map, **{name: getattr(heat_map, name)[keep] for name in names})


def test_a_cell_is_the_volume_of_both_sides_in_usd():
    heat_map = maps["small"](unknown=False)
    drawn = cells_of(heat_map_figure(heat_map, title="X"))

    assert drawn.data == pytest.approx(
        (heat_map.long + heat_map.short) * bin_centres(heat_map.edges)
    )
    assert not np.ma.getmaskarray(drawn).any()


def test_in_coins_nothing_is_multiplied():
    heat_map = maps["small"](unknown=False)
    figure = heat_map_figure(heat_map, title="X", unit="coins")

    assert cells_of(figure).data == pytest.approx(heat_map.long + heat_map.short)
    assert ", coins, " in figure.axes[-1].get_xlabel()


def test_apart_a_cell_shows_its_heavier_side_and_longs_are_negative():
    heat_map = maps["small"](unknown=False)
    short = heat_map.short.copy()
    short[0, 0], short[1, 0] = 1.0, 2.5  # beside longs of 3 and 2
    mixed = dataclasses.replace(heat_map, short=short)
    drawn = cells_of(heat_map_figure(mixed, title="X", unit="coins", sides="apart"))

    assert drawn[:, 0].tolist() == [-3.0, 2.5, -2.0]
    assert drawn[1].tolist() == [2.5, 0.0, 0.0, 5.0]


@pytest.mark.parametrize("sides", ["summed", "apart"])
def test_unknown_cells_are_left_out_and_the_ground_under_them_is_hatched(sides):
    figure = heat_map_figure(maps["small"](), title="X", sides=sides)
    axes, mesh = figure.axes[0], mesh_of(figure)

    assert np.argwhere(np.ma.getmaskarray(cells_of(figure))).tolist() == [[1, 1]]
    assert mesh.get_cmap().get_bad()[3] == 0.0
    assert axes.patch.get_hatch() == "///"
    assert legend_of(figure) == ["high to low", "close", "unknown"]


def test_nothing_is_called_unknown_when_all_is_known(heat_map):
    assert legend_of(heat_map_figure(heat_map, title="X")) == ["high to low", "close"]


def test_the_price_lies_inside_the_axes_and_the_axes_inside_the_bins(heat_map):
    axes = heat_map_figure(heat_map, title="X", reach_frac=0.1).axes[0]
    low, high = axes.get_ylim()

    assert low == pytest.approx(heat_map.low.min() * 0.9)
    assert high == pytest.approx(heat_map.high.max() * 1.1)
    assert heat_map_figure(heat_map, title="X", reach_frac=0.9).axes[0].get_ylim() == (
        heat_map.edges[0],
        heat_map.edges[-1],
    )
    assert axes.get_yscale() == "log"


def test_a_price_that_left_the_bins_is_shown_over_unknown_ground():
    heat_map = maps["small"](unknown=False)
    figure = heat_map_figure(dataclasses.replace(heat_map, low=heat_map.low - 30.0), title="X")

    assert figure.axes[0].get_ylim() == (67.0, pytest.approx(120.0))
    assert legend_of(figure)[-1] == "unknown"


def test_the_close_line_and_the_range_are_the_price(heat_map):
    axes = heat_map_figure(heat_map, title="X").axes[0]
    line = next(line for line in axes.lines if line.get_label() == "close")
    days = mdates.date2num(heat_map.times)
    spread = axes.patches[0].get_data()

    assert line.get_xdata() == pytest.approx(days)
    assert line.get_ydata() == pytest.approx(heat_map.close)
    assert spread.values == pytest.approx(heat_map.high)
    assert spread.baseline == pytest.approx(heat_map.low)
    assert spread.edges[1:] == pytest.approx(days)


def test_a_column_starts_where_its_map_is_known_and_ends_at_the_next_close(heat_map):
    figure = heat_map_figure(heat_map, title="X")
    columns = np.asarray(mesh_of(figure).get_coordinates())[0, :, 0]
    days = mdates.date2num(heat_map.times)

    assert columns[:-1] == pytest.approx(days)
    assert columns[-1] - columns[-2] == pytest.approx(1 / 24)
    assert figure.axes[0].get_xlim() == (columns[0], columns[-1])


def test_a_gap_of_time_is_unknown_and_not_the_last_map_stretched(heat_map):
    figure = heat_map_figure(rows_of(heat_map, np.r_[0:40, 60:120]), title="X")
    columns = np.asarray(mesh_of(figure).get_coordinates())[0, :, 0]
    close = figure.axes[0].lines[0].get_ydata()

    assert np.flatnonzero(np.ma.getmaskarray(cells_of(figure)).all(axis=1)).tolist() == [40]
    assert columns[41] - columns[40] == pytest.approx(20 / 24)
    assert np.flatnonzero(np.isnan(close)).tolist() == [40]


@pytest.mark.parametrize("sides", ["summed", "apart"])
def test_the_scale_ends_at_the_stated_percentile_of_what_is_not_empty(heat_map, sides):
    figure = heat_map_figure(heat_map, title="X", sides=sides)
    size = np.abs(cells_of(figure).compressed())
    norm = mesh_of(figure).norm

    assert norm.vmax == pytest.approx(np.percentile(size[size > 0], 99))
    assert norm.vmin == (0.0 if sides == "summed" else -norm.vmax)
    assert "99th percentile of cells not empty" in figure.axes[-1].get_xlabel()
    assert ", USD, " in figure.axes[-1].get_xlabel()
    assert norm(norm.vmax / 4) == pytest.approx(0.5 if sides == "summed" else 0.75)


def test_dates_and_prices_are_readable(heat_map):
    figure = heat_map_figure(heat_map, title="X")
    figure.canvas.draw()
    axes = figure.axes[0]
    dates = [label.get_text() for label in axes.get_xticklabels()]
    prices = [label.get_text() for label in axes.get_yticklabels()]

    assert axes.get_xlabel() == "UTC"
    assert "03 May" in dates
    assert axes.xaxis.get_offset_text().get_text() == "2024"
    assert {"55,000", "60,000"} <= set(prices)
    assert 5 <= len(prices) <= 12


def test_the_panel_is_the_last_moment_when_no_profile_is_given(heat_map):
    panel = heat_map_figure(heat_map, title="X", unit="coins").axes[1]
    long, short = panel.patches[0], panel.patches[3]

    assert long.get_data().values == pytest.approx(heat_map.long[-1])
    assert short.get_data().values == pytest.approx(heat_map.short[-1])
    assert mpl.colors.same_color(long.get_facecolor()[:3], COLOURS["long"])
    assert mpl.colors.same_color(short.get_facecolor()[:3], COLOURS["short"])
    assert panel.get_title() == "at 2024-05-06 00:00 UTC"
    assert panel.get_ylim() == heat_map_figure(heat_map, title="X").axes[0].get_ylim()


def test_a_profile_brings_its_bands(heat_map):
    profile = maps["last_profile"](heat_map)
    panel = heat_map_figure(heat_map, title="X", unit="coins", profile=profile).axes[1]

    assert panel.patches[1].get_data().values == pytest.approx(profile.long_band[0])
    assert panel.patches[5].get_data().values == pytest.approx(profile.short_band[1])
    assert panel.get_xlim()[1] >= profile.short_band[1][profile.prices < 60_000].max()


def test_the_panel_names_the_price_and_the_heaviest_clusters(heat_map):
    panel = heat_map_figure(heat_map, title="X").axes[1]
    labels = texts_of(panel)
    places = np.sort([text.xyann[1] for text in panel.texts])

    assert len(labels) == 7
    assert sum(" −" in label for label in labels) == 3
    assert sum(" +" in label for label in labels) == 3
    assert np.diff(places).min() >= 0.028 - 1e-9
    assert sorted(labels, key=lambda label: float(label.split()[0].replace(",", ""))) == [
        label for _, label in sorted((t.xyann[1], t.get_text()) for t in panel.texts)
    ]


def test_thin_bins_are_added_up_and_many_moments_thinned():
    heat_map = maps["simulate"](n_times=2_500, n_bins=1_500)
    figure = heat_map_figure(heat_map, title="X", unit="coins", reach_frac=0.99)
    drawn, spread = cells_of(figure), figure.axes[0].patches[0].get_data()

    assert drawn.shape == (1_250, 500)
    both = heat_map.long + heat_map.short
    assert drawn[-1].sum() == pytest.approx(both[-1].sum())
    assert drawn[0].sum() == pytest.approx(both[1].sum())
    assert spread.values.max() == heat_map.high.max()
    assert spread.baseline.min() == heat_map.low.min()


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_data_give_the_same_bytes(tmp_path, heat_map, suffix):
    before = dict(mpl.rcParams)
    for name in "ab":
        figure = heat_map_figure(heat_map, title="X", profile=maps["last_profile"](heat_map))
        save_figure(figure, tmp_path / f"{name}{suffix}")

    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert dict(mpl.rcParams) == before


def test_an_svg_holds_its_cells_as_one_image(tmp_path):
    save_figure(heat_map_figure(maps["simulate"](), title="X"), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()

    assert len(text) < 1_000_000
    assert mesh_of(heat_map_figure(maps["small"](), title="X")).get_rasterized()
    assert text.count("<image") >= 1


def test_two_thousand_moments_of_four_hundred_bins_draw_in_three_seconds(tmp_path):
    heat_map = maps["simulate"](n_times=2_000, n_bins=400)
    start = time.perf_counter()
    save_figure(heat_map_figure(heat_map, title="X"), tmp_path / "a.png")

    assert time.perf_counter() - start < 3.0


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_empty_or_unknown_map_is_still_a_picture(tmp_path, heat_map, value):
    plane = np.full_like(heat_map.long, value)
    figure = heat_map_figure(dataclasses.replace(heat_map, long=plane, short=plane), title="X")
    save_figure(figure, tmp_path / "a.png")

    assert mesh_of(figure).norm.vmax == 1.0
    assert len(texts_of(figure.axes[1])) == 1


def test_one_moment_without_its_price_range_is_still_a_picture(tmp_path, heat_map):
    one = rows_of(heat_map, np.s_[-1:])
    unknown = np.full(1, np.nan)
    figure = heat_map_figure(dataclasses.replace(one, high=unknown, low=unknown), title="$a$ $b$")
    save_figure(figure, tmp_path / "a.png")

    assert cells_of(figure).shape[0] == 1


def test_a_map_without_a_moment_is_refused(heat_map):
    with pytest.raises(FrameError, match="BTCUSDT has no moment"):
        heat_map_figure(rows_of(heat_map, np.s_[:0]), title="X")


@pytest.mark.parametrize("factor", [100.0, 0.01, np.nan])
def test_prices_outside_all_bins_are_refused(heat_map, factor):
    prices = {name: getattr(heat_map, name) * factor for name in ("high", "low", "close")}
    with pytest.raises(FrameError, match="expected some within the bins"):
        heat_map_figure(dataclasses.replace(heat_map, **prices), title="X")
