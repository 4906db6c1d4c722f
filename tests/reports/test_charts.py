import matplotlib as mpl
import pytest

from liqwarn.errors import FrameError
from liqwarn.reports.charts import (
    forest_figure,
    molchan_figure,
    recall_figure,
    reliability_figure,
    save_figure,
)

RELIABILITY = {"long": {"predicted": [0.01, 0.1], "observed": [0.02, 0.08], "n": [900, 10]}}
MOLCHAN = {"long": {"alarm_time": [0.0, 0.5, 1.0], "miss_rate": [1.0, 0.2, 0.0]}}

RECALL = {"long": {"alarm_time": [0.01, 0.05], "event_recall": [0.1, 0.4]}}

FIGURES = [
    (recall_figure, RECALL),
    (reliability_figure, RELIABILITY),
    (molchan_figure, MOLCHAN),
]


@pytest.mark.parametrize(("draw", "curves"), FIGURES)
@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_data_give_the_same_bytes(tmp_path, draw, curves, suffix):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    save_figure(draw(curves), first)
    save_figure(draw(curves), second)

    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 1_000


def test_no_time_stamp_is_written(tmp_path):
    save_figure(molchan_figure(MOLCHAN), tmp_path / "a.svg")

    assert "<dc:date>" not in (tmp_path / "a.svg").read_text()


def test_global_settings_are_left_alone(tmp_path):
    before = dict(mpl.rcParams)
    save_figure(reliability_figure(RELIABILITY), tmp_path / "a.svg")

    assert dict(mpl.rcParams) == before


def test_the_line_is_the_data():
    axes = molchan_figure(MOLCHAN).axes[0]
    drawn = next(line for line in axes.lines if line.get_label() == "long")

    assert drawn.get_xydata().tolist() == [[0.0, 1.0], [0.5, 0.2], [1.0, 0.0]]


def test_a_bin_without_events_lies_on_the_edge_and_an_unknown_one_nowhere(tmp_path):
    curves = {
        "long": {"predicted": [0.1, 0.2, float("nan")], "observed": [0.2, 0.0, 0.1], "n": [5, 1, 0]}
    }
    figure = reliability_figure(curves)
    save_figure(figure, tmp_path / "a.png")
    drawn = next(line for line in figure.axes[0].lines if line.get_label() == "long")

    assert drawn.get_ydata().tolist() == [0.2, figure.axes[0].get_ylim()[0], 0.1]


@pytest.mark.parametrize(("draw", "curves"), FIGURES)
def test_no_curve_is_still_a_figure(draw, curves):
    assert len(draw({}).axes) == 1


def test_a_missing_column_is_named():
    with pytest.raises(FrameError, match=r"curve 'long' lacks \['n'\]"):
        reliability_figure({"long": {"predicted": [0.1], "observed": [0.1]}})


def test_columns_of_different_sizes_are_refused():
    with pytest.raises(FrameError, match=r"sizes \[1, 2\]"):
        molchan_figure({"long": {"alarm_time": [0.1], "miss_rate": [0.1, 0.2]}})


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(FrameError, match=r"'a\.pdf', expected \.png or \.svg"):
        save_figure(molchan_figure(MOLCHAN), tmp_path / "a.pdf")


def test_a_forest_holds_every_estimate_from_top_to_bottom():
    axes = forest_figure(
        [("a", 0.2, (0.1, 0.3)), ("b", -0.1, None)], title="t", reference=0.05
    ).axes[0]

    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert axes.get_xlim()[0] <= -0.1


def test_a_forest_without_rows_is_still_a_figure(tmp_path):
    save_figure(forest_figure([], title="t"), tmp_path / "a.png")
