import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.reports.forest_chart import ForestRow, forest

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


def row(value, ends=None, **more):
    return ForestRow(name="n", text="t", value=value, ends=ends, **more)


@given(
    st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_dots_intervals_and_the_reference_stay_on_the_track(found, reference):
    rows = [row(b, [a, c]) for a, b, c in map(sorted, found)]
    chart = forest(rows, title="t", reference=reference)

    assert -1e-9 <= chart.reference <= 100 + 1e-9
    for mark in chart.marks:
        assert -1e-9 <= mark.low <= mark.dot + 1e-9
        assert mark.dot <= mark.low + mark.width + 1e-9
        assert mark.low + mark.width <= 100 + 1e-9


def test_larger_is_further_right_and_the_reference_between():
    chart = forest([row(0.4), row(0.7)], title="t", reference=0.5)

    assert chart.marks[0].dot < chart.reference < chart.marks[1].dot


def test_the_scale_may_begin_elsewhere_than_at_the_reference():
    chart = forest([row(0.1)], title="t", reference=0.02, origin=0.0)

    assert chart.ticks[0] == (0.0, "0")
    assert chart.reference == pytest.approx(20.0)


@pytest.mark.parametrize("nothing", [None, float("nan"), "x"])
def test_no_value_draws_no_dot_and_none_at_all_no_chart(nothing):
    assert forest([row(nothing, [None, 1.0])], title="t") is None
    mark = forest([row(nothing), row(1.0)], title="t").marks[0]
    assert (mark.dot, mark.low, mark.width) == (None, None, None)


def test_ticks_are_written_with_a_true_minus_and_a_unit():
    chart = forest([row(-0.2), row(0.2)], title="t", unit="%")

    assert "−20 %" in {label for _, label in chart.ticks}


def test_further_values_are_ticks_of_the_row():
    mark = forest([row(1.0, others=(2.0, None))], title="t").marks[0]

    assert mark.others == (100.0,)
