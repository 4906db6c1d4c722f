"""The picture of an event: every panel, in one time, readable, and the same bytes each time."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import orjson
import pytest
from matplotlib.text import Text

from liqwarn.reports.charts import save_figure
from liqwarn.reports.event_axes import days
from liqwarn.reports.event_picture import event_figure

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("event_documents.py"))))


@pytest.fixture
def document():
    return made.event_document()


def texts(figure):
    return " ".join(text.get_text() for text in figure.texts)


def panels(figure):
    """The six panels of the main column, from the top."""
    left = min(axes.get_position().x0 for axes in figure.axes)
    main = [axes for axes in figure.axes if abs(axes.get_position().x0 - left) < 1e-9]
    return sorted(main, key=lambda axes: -axes.get_position().y0)


def overlapping(boxes):
    return [
        (a, b)
        for k, a in enumerate(boxes)
        for b in boxes[k + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def test_six_panels_share_one_time_axis(document):
    figure = event_figure(document)
    shown = panels(figure)
    closes = days(document["series"]["time"])

    assert len(shown) == 6
    assert len({axes.get_xlim() for axes in shown}) == 1
    low, high = shown[0].get_xlim()
    assert (low, high) == pytest.approx((closes[0] - 1 / 24, closes[-1] + 1 / 24))


def test_every_panel_names_its_quantity_and_unit(document):
    labels = [axes.get_ylabel().replace("\n", " ") for axes in panels(event_figure(document))]

    assert labels == [
        "price, quote per coin (log)",
        "open interest, coins",
        "funding, % per 8 h",
        "liquidations, USD per bar",
        "probability of an onset within 4 h (log)",
        "tier",
    ]


def test_the_header_is_the_text(document):
    told = " ".join(texts(event_figure(document)).split())

    assert "BTCUSDT: severe long cascade" in told
    assert "Warned 120 min ahead at 10 %" in told
    assert "Out of sample" in told
    assert "estimated, not observed" in told


def test_the_reason_of_a_miss_is_in_the_picture():
    told = " ".join(texts(event_figure(made.missed_document())).split())

    assert "Missed, at 5 % and at 10 % time in alarm." in told
    assert "Why: the probability reached 25 %" in told


def test_a_model_that_has_seen_the_event_is_said_in_the_picture(document):
    document["model"]["seen_event"] = True

    assert "THE MODEL HAS SEEN THIS EVENT" in texts(event_figure(document))


@pytest.mark.parametrize("make", ["event_document", "missed_document"])
def test_no_text_lies_on_another_and_none_leaves_the_picture(make):
    figure = event_figure(getattr(made, make)())
    figure.canvas.draw()
    inside = [
        text
        for axes in figure.axes
        for text in (*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label)
    ]
    shown = [text for text in (*figure.texts, *inside) if text.get_text()]
    boxes = [Text.get_window_extent(text) for text in shown]  # without the arrows of labels

    assert overlapping(boxes) == []
    for box in boxes:
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y0 >= 0
        assert box.y1 <= figure.bbox.height


def test_the_same_document_gives_the_same_bytes(document, tmp_path):
    for name in ("one.png", "two.png", "one.svg", "two.svg"):
        save_figure(event_figure(document), tmp_path / name)

    for suffix in ("png", "svg"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()


def test_panels_without_data_say_so_and_shrink(document):
    tall = panels(event_figure(document))[3].get_position().height
    for name in ("long_liq_usd", "short_liq_usd"):
        document["series"][name] = [None] * made.BARS
        document["event"][name] = None

    figure = event_figure(document)
    panel = panels(figure)[3]

    assert [text.get_text() for text in panel.texts] == [
        "liquidations: not in the data at this time"
    ]
    assert panel.get_position().height < tall / 2


def test_without_a_map_the_rest_is_drawn(document):
    document["map"] = None

    figure = event_figure(document)

    assert len(panels(figure)) == 6
    assert len(figure.axes) == 6


def test_where_nothing_was_scored_the_rest_is_drawn(document):
    for side in ("long", "short"):
        document["series"][f"p_4h_{side}"] = [float("nan")] * made.BARS
    document["warning"] |= {"peak": None}
    for one in document["warning"]["budgets"].values():
        one |= {"verdict": "no early warning", "threshold": None, "first_alarm": None}

    event_figure(document).canvas.draw()


def test_the_document_may_come_from_json(document, tmp_path):
    back = orjson.loads(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))
    save_figure(event_figure(document), tmp_path / "a.png")
    save_figure(event_figure(back), tmp_path / "b.png")

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert np.isfinite(days(back["series"]["time"])).all()
