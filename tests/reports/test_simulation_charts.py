import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.reports.simulation_charts import (
    LinearScale,
    band_path,
    curve_path,
    duration,
    hour_ticks,
    thin,
)

UNIT = LinearScale(0.0, 1.0)


@given(st.lists(st.floats(-1e9, 1e9).filter(lambda v: abs(v) > 1e-9 or v == 0), min_size=1))
def test_a_scale_holds_zero_and_every_value_and_its_ticks_do(values):
    scale = LinearScale.around(values)
    hair = 1e-8 * (scale.high - scale.low)
    assert scale.low <= min(0.0, *values, 0.0) + hair
    assert scale.high >= max(0.0, *values, 0.0) - hair
    for ticks in (scale.ticks(4), scale.ticks(5)):
        assert 2 <= len(ticks) <= 8
        assert any(math.isclose(value, 0.0, abs_tol=1e-12) for _, value in ticks)
        assert all(-1e-6 <= at <= 100 + 1e-6 for at, _ in ticks)


def test_a_scale_of_nothing_still_is_one():
    assert LinearScale.around([None, float("nan")]) == LinearScale(-1.0, 1.0)


@given(st.floats(min_value=0.1, max_value=2000))
def test_hours_have_a_few_ticks_inside_the_horizon(horizon):
    ticks = hour_ticks(horizon)

    assert 2 <= len(ticks) <= 8
    assert ticks[0] == (0.0, "0")
    assert all(0 <= at <= 100 + 1e-9 for at, _ in ticks)


@pytest.mark.parametrize(
    ("hours", "text"), [(1 / 3600, "1 s"), (1 / 60, "1 min"), (1.25, "1.25 h"), (168, "168 h")]
)
def test_a_duration_has_the_unit_that_suits_it(hours, text):
    assert duration(hours) == text


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=900), st.integers(2, 300))
def test_thinning_keeps_both_ends_and_is_bounded(values, points):
    found = thin(values, points)

    assert (found[0], found[-1]) == (values[0], values[-1])
    assert len(found) <= points + 1


def test_a_gap_stays_a_gap():
    assert curve_path([0, 0.5, 1], [1, None, 0], UNIT, UNIT) == "M0 0M100 100"
    x, low, high = [0, 0.2, 0.4, 0.8, 1], [0, 0, None, 0, 0], [1, 1, 1, 1, 1]
    assert band_path(x, low, high, (UNIT, UNIT)).count("Z") == 2


def test_values_beyond_the_scale_land_on_its_edge():
    assert curve_path([0, 1], [-5, 5], UNIT, UNIT) == "M0 100L100 0"


def test_columns_of_different_sizes_are_refused():
    with pytest.raises(FrameError, match=re.escape("columns of sizes [2, 3], expected equal")):
        curve_path([0, 1], [0, 1, 1], UNIT, UNIT)
