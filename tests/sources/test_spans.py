"""Spans of time."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.sources.spans import by_month, joined, without

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


def points(spans):
    return {t for first, end in spans for t in range(first, end)}


@given(spans=SPANS)
def test_joined_spans_are_the_same_time_apart_and_in_order(spans):
    found = joined(spans)

    assert points(found) == points(spans)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found))


@given(span=st.tuples(st.integers(0, 30), st.integers(0, 30)), spans=SPANS)
def test_what_is_left_is_what_was_not_covered(span, spans):
    assert points(without(span, spans)) == points([span]) - points(spans)


@given(first=st.integers(0, 2**41), length=st.integers(0, 10**11))
def test_months_cut_a_span_without_a_hole(first, length):
    parts = list(by_month((first, first + length)))

    assert joined(span for _, span in parts) == ([(first, first + length)] if length else [])
    assert len({month for month, _ in parts}) == len(parts)
