import dataclasses
import runpy
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.charts import save_figure
from liqwarn.reports.map_export import heaviest_clusters
from liqwarn.reports.profile_chart import (
    COLOURS,
    clusters_in_reach,
    dark_axes,
    dark_figure,
    price_axis,
    profile_figure,
)

maps = runpy.run_path(str(Path(__file__).with_name("synthetic_maps.py")))


@pytest.fixture(scope="module")
def profile():
    return maps["last_profile"](maps["simulate"](n_times=200, n_bins=120))


def steps_of(figure):
    """Values of the filled steps: for each side 95th percentile, estimate, 5th percentile."""
    return [patch.get_data().values for patch in figure.axes[0].patches]


def test_bars_and_bands_are_the_profile_in_usd(profile):
    steps = steps_of(profile_figure(profile))
    expected = [
        plane
        for side in ("long", "short")
        for band in [getattr(profile, f"{side}_band")]
        for plane in (band[1], getattr(profile, side), band[0])
    ]

    assert len(steps) == 6
    for drawn, coins in zip(steps, expected, strict=True):
        assert drawn == pytest.approx(coins * profile.prices)


def test_in_coins_nothing_is_multiplied(profile):
    figure = profile_figure(profile, unit="coins")

    assert steps_of(figure)[1] == pytest.approx(profile.long)
    assert figure.axes[0].get_ylabel().endswith("of price, coins")


def test_sides_have_their_colours_and_names(profile):
    figure = profile_figure(profile)
    long, short = figure.axes[0].patches[1], figure.axes[0].patches[4]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]

    assert mpl.colors.same_color(long.get_facecolor()[:3], COLOURS["long"])
    assert mpl.colors.same_color(short.get_facecolor()[:3], COLOURS["short"])
    assert legend == [
        "longs liquidated",
        "shorts liquidated",
    ]


def test_thin_bins_are_added_up_with_their_bands():
    profile = maps["last_profile"](maps["simulate"](n_times=200, n_bins=1_500))
    figure = profile_figure(profile, unit="coins", reach_frac=0.5)
    steps = figure.axes[0].patches
    edges = steps[1].get_data().edges

    assert np.count_nonzero((edges > profile.price * 0.5) & (edges < profile.price * 1.5)) <= 241
    assert steps[1].get_data().values.sum() == pytest.approx(profile.long.sum())
    assert steps[3].get_data().values.sum() == pytest.approx(profile.short_band[1].sum())
    assert "each adds up 7 bins of the map, and their bands" in figure.get_supxlabel()


def test_the_price_is_a_line_in_the_middle_of_a_log_axis(profile):
    axes = profile_figure(profile, reach_frac=0.1).axes[0]

    assert axes.get_xlim() == pytest.approx((profile.price * 0.9, profile.price * 1.1))
    assert axes.get_xscale() == "log"
    assert any(list(line.get_xdata()) == [profile.price] * 2 for line in axes.lines)


def test_curves_sum_each_side_from_the_price_outwards(profile):
    sums = profile_figure(profile, unit="coins", reach_frac=0.5).axes[1]
    down, up = (line.get_ydata() for line in sums.lines)

    assert down == pytest.approx(np.cumsum(profile.long[::-1]))
    assert up == pytest.approx(np.cumsum(profile.short))
    assert (np.diff(sums.lines[0].get_xdata()) < 0).all()
    assert (np.diff(down) >= 0).all()
    assert (np.diff(up) >= 0).all()
    assert sums.get_ylim()[1] >= max(down[-1], up[-1])


def test_labels_name_the_heaviest_clusters(profile):
    labels = {text.get_text() for text in profile_figure(profile, reach_frac=0.5).axes[0].texts}
    first = heaviest_clusters(profile, "long", 1)[0]

    assert len(labels) == 6
    assert any(
        f"{first.price:,.0f}  −{-100 * first.distance_frac:.1f} %  ${first.usd / 1e6:.1f}" in label
        for label in labels
    )


def test_clusters_out_of_reach_have_no_label(profile):
    reach = (profile.price * 0.95, profile.price * 1.05)
    found = clusters_in_reach(profile, "short", "coins", reach)

    assert found
    assert all(reach[0] < price < reach[1] for price, _ in found)
    assert all(text.endswith(" coins") for _, text in found)


def test_the_note_says_what_lies_beyond(profile):
    note = profile_figure(profile, unit="coins", reach_frac=0.05).get_supxlabel()
    outside = profile.prices >= profile.price * 1.05

    assert "Beyond ±5 %: longs " in note
    assert f"shorts {profile.short[outside].sum() / 1e3:.1f} k coins" in note


def test_distances_stand_above_and_prices_below(profile):
    axes = profile_figure(profile).axes[0]
    above = [label.get_text() for label in axes.child_axes[0].get_xticklabels()]

    assert {"−20 %", "+5 %"} <= set(above)
    assert above[len(above) // 2] == f"{profile.price:,.0f}"


def test_unknown_bins_are_hatched(profile):
    long = profile.long.copy()
    long[10:13] = np.nan
    figure = profile_figure(dataclasses.replace(profile, long=long))
    hatched = [p for p in figure.axes[0].patches if p.get_hatch()]

    assert len(hatched) == 1
    assert np.flatnonzero(hatched[0].get_data().values == 1.0).tolist() == [10, 11, 12]
    assert "unknown" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_an_empty_profile_is_still_a_figure(tmp_path, profile):
    nothing, bands = np.zeros_like(profile.long), np.zeros_like(profile.long_band)
    empty = dataclasses.replace(
        profile,
        long=nothing,
        short=nothing,
        long_band=bands,
        short_band=bands,
        open_interest=float("nan"),
    )
    figure = profile_figure(empty)
    save_figure(figure, tmp_path / "a.png")

    assert len(figure.axes[0].texts) == 0
    assert "open interest" not in figure.get_suptitle()


def test_a_single_bin_is_still_a_figure(profile):
    one = dataclasses.replace(
        profile,
        **{name: getattr(profile, name)[:1] for name in ("prices", "long", "short")},
        long_band=profile.long_band[:, :1],
        short_band=profile.short_band[:, :1],
    )

    assert len(steps_of(profile_figure(one))) == 6


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_data_give_the_same_bytes(tmp_path, profile, suffix):
    before = dict(mpl.rcParams)
    for name in "ab":
        save_figure(profile_figure(profile), tmp_path / f"{name}{suffix}")

    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf")])
def test_an_unknown_price_is_refused(profile, price):
    with pytest.raises(FrameError, match=r"BTCUSDT has price .*, expected a positive one"):
        profile_figure(dataclasses.replace(profile, price=price))


def test_a_profile_without_bins_is_refused(profile):
    nothing = np.zeros(0)
    bare = dict.fromkeys(("prices", "long", "short"), nothing)
    bands = {name: np.zeros((2, 0)) for name in ("long_band", "short_band")}
    with pytest.raises(FrameError, match="BTCUSDT has no bin"):
        profile_figure(dataclasses.replace(profile, **bare, **bands))


@pytest.mark.parametrize("reach_frac", [0.0, 1.0, float("nan")])
def test_an_impossible_reach_is_refused(profile, reach_frac):
    with pytest.raises(FrameError, match=r"reach_frac is .*, expected a number between 0 and 1"):
        profile_figure(profile, reach_frac=reach_frac)


@pytest.mark.parametrize(
    ("low", "high"),
    [(50_000.0, 75_000.0), (21_000.0, 80_000.0), (0.0000101, 0.0000152), (1.0, 900.0)],
)
def test_prices_on_an_axis_are_round_few_and_inside(low, high):
    axes = dark_figure(4, 3).add_subplot()
    dark_axes(axes)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    price_axis(axes.yaxis, low, high)
    ticks = axes.get_yticks()

    assert 4 <= len(ticks) <= 14
    assert ticks.min() >= low
    assert ticks.max() <= high
    assert len({label.get_text() for label in axes.get_yticklabels()}) == len(ticks)
