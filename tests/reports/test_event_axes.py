"""What an event's panels share: times, moments, their names above the price."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from liqwarn.reports.event_axes import (
    column,
    days,
    mark_moments,
    moments_of,
    shade_event,
    time_axis,
    unknown,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("event_documents.py"))))


@pytest.fixture
def document():
    return made.event_document()


@pytest.fixture
def axes():
    return Figure().add_subplot()


def test_moments_of_one_bar_are_named_together(document):
    found = moments_of(document)

    assert [moment.names for moment in found] == [("onset",), ("confirmed",), ("peak", "end")]
    assert [moment.at for moment in found] == sorted(moment.at for moment in found)


def test_a_peak_before_the_confirmation_comes_first(document):
    document["event"] |= {"peak": made.at(made.ONSET), "confirmed": made.at(made.ONSET + 2)}

    assert [m.names for m in moments_of(document)] == [("onset", "peak"), ("confirmed",), ("end",)]


def test_a_column_of_json_has_nan_for_null(document):
    document["series"]["close"][0] = None

    assert np.isnan(column(document, "close")[0])
    assert np.isfinite(column(document, "close")[1:]).all()


def test_the_event_is_grey_from_the_start_of_the_onset_bar(document, axes):
    shade_event(axes, document)
    grey = axes.patches[0].get_extents().transformed(axes.transData.inverted())

    assert grey.x0 == pytest.approx(days([document["event"]["onset_start"]])[0])
    assert grey.x1 == pytest.approx(days([document["event"]["end"]])[0])
    lines = [line.get_xdata()[0] for line in axes.lines]
    assert lines == [moment.at for moment in moments_of(document)]


def test_names_that_are_close_stand_at_different_heights(document, axes):
    time_axis(axes, document, labelled=True)
    mark_moments(axes, document)
    heights = {text.get_text(): text.xyann[1] for text in axes.texts}

    assert heights["onset"] > heights["confirmed"] > heights["peak · end"]


def test_names_far_apart_stand_on_one_line(document, axes):
    document["event"] |= {
        "onset": made.at(2), "confirmed": made.at(14), "peak": made.at(26), "end": made.at(38)
    }  # fmt: skip
    time_axis(axes, document, labelled=True)
    mark_moments(axes, document)

    assert len({text.xyann[1] for text in axes.texts}) == 1


def test_times_are_utc_and_named_once(document, axes):
    time_axis(axes, document, labelled=True)
    axes.figure.canvas.draw()
    labels = [label.get_text() for label in axes.get_xticklabels()]

    assert "02 May" in labels
    assert "12:00" in labels
    assert axes.get_xlabel().endswith("UTC")


def test_an_empty_panel_says_what_is_missing(axes):
    axes.set_ylabel("funding")
    unknown(axes, "funding")

    assert axes.texts[0].get_text() == "funding: not in the data at this time"
    assert axes.get_ylabel() == ""
    assert len(axes.get_yticks()) == 0
