import pytest

from liqwarn.reports.curve_chart import molchan_chart, recall_chart


def test_liqwarn_and_har_are_drawn_with_their_area_skill(document):
    chart = molchan_chart(document, "long")

    assert [curve.name for curve in chart.curves] == ["liqwarn", "HAR"]
    assert "liqwarn: area skill 0.52" in chart.label


def test_recall_stands_at_the_time_truly_spent_with_its_whisker(document):
    for row in document["results"]:
        row["alarm_time"] = {"0.05": 0.08}
        row["event_recall"] = {"0.05": 0.6}
        row["event_recall_ci"] = {"0.05": [0.4, 0.7]}
    point = recall_chart(document, "short").curves[0].points[0]

    assert point.x == pytest.approx(80.0)
    assert (point.y, point.low, point.high) == pytest.approx((40.0, 60.0, 30.0))
    assert "in 8.0 % of time" in point.title


def test_the_marks_aimed_at_are_in_the_picture(document):
    marks = recall_chart(document, "long").marks

    assert [round(mark.y) for mark in marks] == [40, 25]
    assert all(0 < mark.x <= 100 for mark in marks)


@pytest.mark.parametrize("draw", [molchan_chart, recall_chart])
@pytest.mark.parametrize(
    "row", [{}, {"molchan": {"alarm_time": [None]}, "alarm_time": {"0.05": 1}}]
)
def test_without_points_there_is_no_chart(draw, row):
    result = {"side": "long", "horizon_h": 4, "model": "liqwarn"} | row

    assert draw({"results": [result]}, "long") is None


def test_columns_of_different_sizes_are_cut_to_the_shorter():
    row = {"side": "long", "horizon_h": 4, "model": "liqwarn"}
    row["molchan"] = {"alarm_time": [0.0, 0.5, 1.0], "miss_rate": [1.0, 0.5]}

    assert molchan_chart({"results": [row]}, "long").curves[0].path == "M0 0L50 50"
