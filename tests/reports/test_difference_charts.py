from liqwarn.reports.difference_charts import difference_charts, largest_first


def rows(*means):
    return [
        {"side": "short", "of": str(m), "gain": {"mean": m, "ci": [m - 1, m + 1]}} for m in means
    ]


def test_a_chart_a_side_in_the_given_order():
    found = [*rows(1.0, 3.0), {"side": "long", "of": "x", "gain": {"mean": 2.0}}]
    charts = difference_charts(found, "gain", title="t", name=lambda row: row["of"])

    assert [chart.side for chart in charts] == ["long", "short"]
    assert [mark.name for mark in charts[1].marks] == ["1.0", "3.0"]
    assert charts[1].marks[0].text == "+1.000 [+0.000, +2.000]"


def test_sides_without_a_figure_have_no_chart():
    found = [{"side": "long", "of": "x", "gain": None}]

    assert difference_charts(found, "gain", title="t", name=lambda row: row["of"]) == ()


def test_the_largest_come_first():
    assert [row["of"] for row in largest_first(rows(1.0, 3.0, -2.0), "gain")] == [
        "3.0", "1.0", "-2.0",
    ]  # fmt: skip
