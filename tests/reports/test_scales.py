import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.reports.scales import LogScale, TimeScale, text_of

DAY = 86_400


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_log_scale_keeps_the_order_and_stays_inside(a, b):
    scale = LogScale(0.001, 1.0)
    low, high = sorted((a, b))

    assert 0 <= scale.at(low) <= scale.at(high) <= 100


@given(st.integers(1, 4_000), st.integers(0, 20_000))
def test_ticks_are_whole_days_within_the_axis(days, first):
    scale = TimeScale(first * DAY + 3_600, (first + days) * DAY)
    places = [place for place, _ in scale.ticks()]

    assert all(0 <= place <= 100 for place in places)
    assert places == sorted(places)
    assert len(places) <= 14


@pytest.mark.parametrize("value", [0.0, 100.0, 33.333, 99.96, 0.04, -0.04, 10.0])
def test_positions_are_short_and_right(value):
    assert float(text_of(value)) == pytest.approx(value, abs=0.05)
    assert len(text_of(value)) <= 4


def test_a_scale_fits_its_values():
    scale = LogScale.around([0.02, float("nan"), None, 0.0])

    assert (scale.low, scale.high) == (0.001, 0.1)
    assert LogScale.around([0.5]).high == 1.0
    assert LogScale.around([]).high == pytest.approx(0.1)
    assert LogScale.around([np.float64(3e-5)]).high == 0.01


def test_labels_are_percentages():
    assert [label for _, label in LogScale(0.001, 1.0).ticks()] == ["0.1 %", "1 %", "10 %", "100 %"]
