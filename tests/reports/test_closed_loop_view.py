import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.reports.closed_loop_view import (
    METRICS,
    against_rows,
    arm_rows,
    closed_loop_tiles,
    metric_panels,
    tier_shares,
    worse_count,
)

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulation_documents.py"))))


@pytest.fixture
def document():
    return made.closed_loop_document()


def test_arms_and_metrics_come_in_a_fixed_order(document):
    rows = arm_rows(document, "plain")

    names = ["no breaker", "breaker", "price line", "volatility target"]
    assert [row.name for row in rows] == names
    assert [row.ours for row in rows] == [False, True, False, False]
    shown = [figure.text for figure in rows[1].figures]
    assert shown == ["1.90", "130.0 M", "7.70", "7.20", "3.4", "0.0210"]


def test_a_difference_is_judged_by_its_interval_and_less_is_better(document):
    document["against"]["none"]["plain"]["trough"] = {"mean": 4.0, "ci": [1.0, 7.0]}
    none = against_rows(document, "plain")[0]
    said = {m: d.verdict for m, d in zip(METRICS, none.differences, strict=True)}

    assert said == {
        "cascade_size": "better",
        "liquidated_usd": "better",
        "trough": "worse",
        "recovery": "tie",
        "time_restricted": "not measured",
        "cost": "not measured",
    }
    assert worse_count(document) == 1


def test_the_breaker_is_not_compared_with_itself(document):
    rows = against_rows(document, "anticipation")

    assert [row.name for row in rows] == ["no breaker", "price line", "volatility target"]


def test_panels_share_an_axis_from_zero_for_both_markets(document):
    panel = metric_panels(document)[0]
    dots = {(mark.name, mark.kind): mark.dot for mark in panel.marks}

    assert len(panel.marks) == 8
    assert dots["breaker", "plain"] / dots["no breaker", "plain"] == pytest.approx(1.9 / 4.1)
    assert all(0 <= mark.low <= mark.low + mark.width <= 100 for mark in panel.marks)
    assert panel.definition.startswith("Endogenous part")


def test_an_arm_that_was_not_measured_has_no_dot(document):
    document["arms"]["vol_target"]["plain"] = None
    mark = metric_panels(document)[0].marks[6]

    assert (mark.name, mark.dot, mark.low, mark.text) == ("volatility target", None, None, "–")


@pytest.mark.parametrize("raw", [0.051, {"mean": 0.051, "ci": [0.04, 0.06]}])
def test_time_in_a_tier_is_a_share_with_or_without_an_interval(document, raw):
    document["arms"]["breaker"]["plain"]["time_in_tier"]["T1"] = raw
    first = tier_shares(document)[0]

    assert (first.tier, first.number, first.shares[0].text) == ("T1", 1, "5.1 %")
    assert first.shares[0].ci == ("" if raw == 0.051 else "[4.0 %, 6.0 %]")


def test_the_headline_says_better_only_with_an_interval(document):
    first, second = closed_loop_tiles(document)[:2]
    document["against"]["none"]["plain"]["cascade_size"]["ci"] = None

    assert (first.value, first.note) == ("−53.7 %", "[−59.7, −47.7] better")
    assert second.name == "Liquidated against no breaker"
    assert closed_loop_tiles(document)[0].note == "not measured"
