"""Symbols are collected while the tape names them."""

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.coverage_symbols import Collected, shared_spans

SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 9)).map(lambda s: (s[0], sum(s))), max_size=4
)


def inside(spans):
    return {t for a, b in spans for t in range(a, b)}


@given(SPANS, SPANS)
def test_what_is_shared_is_in_both(first, second):
    assert inside(shared_spans(first, second)) == inside(first) & inside(second)


def test_a_symbol_that_is_not_named_again_after_a_restart_is_no_longer_collected():
    collected = Collected()
    collected.named(["A", "B"], 5)
    collected.named(["A"], 30)
    collected.begun_anew(40)
    collected.named(["B"], 50)

    assert collected.spans("A", 90) == [(5, 40)]
    assert collected.spans("B", 90) == [(5, 40), (50, 90)]
    assert collected.spans("C", 90) == []

    collected.forget_before(41)
    assert collected.spans("B", 90) == [(50, 90)]
