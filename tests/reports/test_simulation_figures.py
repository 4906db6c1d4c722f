import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.reports.formats import compact
from liqwarn.reports.simulation_figures import (
    beside,
    chance,
    figure,
    lower_is_better,
    moved,
    need_schema,
    setting,
    significant,
    times_text,
)

QUANTITY = {"mean": 1.5e6, "ci": [1e6, 2e6], "p05": 9e5, "p95": 3e6, "p95_ci": [2.5e6, 3.5e6]}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("mean", "1.5 M USD [1.0 M, 2.0 M]"),
        ("p95", "3.0 M USD [2.5 M, 3.5 M]"),
        ("p05", "900.0 k USD"),
        ("p99", "–"),
    ],
)
def test_a_figure_has_its_own_interval_and_unit(key, expected):
    assert beside(figure(QUANTITY, compact, key), " USD") == expected


@pytest.mark.parametrize("part", [None, {}, 3.0, {"mean": None, "ci": [1, 2]}, {"mean": "1"}])
def test_what_is_missing_is_a_dash_without_an_interval(part):
    found = figure(part, compact)

    assert (found.text, found.ci, found.raw) == ("–", "", None)
    assert beside(found, " USD") == "–"


def test_an_interval_with_a_missing_end_is_not_shown():
    assert figure({"mean": 1.0, "ci": [None, 2.0]}, moved).ci == ""


@pytest.mark.parametrize("write", [significant, chance, setting, moved, times_text])
@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), "text", True])
def test_every_writer_writes_a_dash_for_what_is_no_number(write, value):
    assert write(value) == "–"


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_three_significant_digits_are_within_half_a_percent(value):
    assert float(significant(value).replace(",", "")) == pytest.approx(value, rel=0.0051)


@given(st.floats(-50, 50), st.floats(0.001, 50))
def test_a_verdict_follows_the_interval_and_less_is_better(middle, half):
    ends = [middle - half, middle + half]
    expected = "better" if ends[1] < 0 else "worse" if ends[0] > 0 else "tie"

    assert lower_is_better({"mean": middle, "ci": ends}) == expected


def test_a_difference_without_an_interval_is_not_judged():
    assert lower_is_better({"mean": -50.0, "ci": None}) == "not measured"


def test_another_schema_is_refused():
    with pytest.raises(FrameError, match="document has schema None, expected 'other'"):
        need_schema({}, "other")
