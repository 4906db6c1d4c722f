"""Spans of time and lists in words."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.data.inspection.doubts import listed, spell
from liqwarn.data.mapping import parse_duration


@given(st.integers(min_value=0, max_value=2 * 86_400))
def test_what_is_spelled_is_what_a_panel_reads(seconds):
    assert parse_duration(spell(seconds)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (-14_400, "-4h"), (200_000, "2.3d")])
def test_odd_spans(seconds, text):
    assert spell(seconds) == text


def test_a_long_list_is_cut():
    assert listed(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
    assert listed("ab") == "a, b"
