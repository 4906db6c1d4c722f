import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.reports.worst_case_view import (
    advantage,
    factor_rows,
    growth_chart,
    liquidated_curve,
    move_rows,
    objective_text,
    radius_rows,
    worst_case_tiles,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulation_documents.py"))))


@pytest.fixture
def document():
    return made.worst_case_document()


def test_radii_are_in_order_whatever_the_file_says(document):
    document["radii"].reverse()

    assert [row.radius for row in radius_rows(document)] == ["1", "2", "3", "4", "5"]
    assert worst_case_tiles(document)[0].name == "Worst loss, radius 5"


def test_days_that_were_never_counted_are_a_dash(document):
    rows = radius_rows(document)

    assert (rows[0].seen, rows[-1].seen) == ("36.79 %", "–")


@pytest.mark.parametrize(
    ("worst", "random", "more"),
    [
        (12.0, 10.0, 0.2),
        (-12.0, -10.0, 0.2),
        (9.0, 10.0, -0.1),
        (9.0, 0.0, None),
        (None, 1.0, None),
    ],
)
def test_the_search_is_compared_with_chance_by_size(worst, random, more):
    row = {"worst": {"value": worst}, "random_best": random}

    assert advantage(row) == (None if more is None else pytest.approx(more))


def test_the_chart_grows_from_zero(document):
    chart = growth_chart(document)
    heights = [point.worst for point in chart.points]

    assert heights == sorted(heights, reverse=True)
    assert all(point.high < point.worst < point.low for point in chart.points)
    assert all(point.worst < point.random for point in chart.points)
    assert chart.points[-1].title == "radius 5: 25.1 % [23.6, 26.9]"
    assert chart.y_ticks[0][1] == "0 %"


def test_a_radius_without_a_result_leaves_a_gap(document):
    document["radii"][2]["worst"] = None
    chart = growth_chart(document)

    assert chart.line.count("M") == 2
    assert chart.points[2].worst is None
    assert growth_chart(document | {"radii": []}) is None


def test_the_shock_is_shaded_by_its_size_and_sign(document):
    moves, factors = move_rows(document), factor_rows(document)

    assert len(moves) == 12
    assert moves[-1].cells[-1] == ("−16.0", -100.0)
    assert moves[0].cells[0][0] == "−1.0"
    assert [row.name for row in factors] == ["market", "majors", "ai"]
    assert factors[2].cells[-1] == ("+1.00", pytest.approx(25.0))


def test_the_liquidated_volume_ends_at_its_total(document):
    curve = liquidated_curve(document["path"])

    assert curve.total == "900.0 M"
    assert curve.line.startswith("M0 100L")
    assert liquidated_curve({"times_h": [0, 1]}) is None


def test_an_objective_is_said_with_its_unit():
    assert objective_text({"objective": "liquidated"}) == ("liquidated volume", "USD")
