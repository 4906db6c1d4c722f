"""A pace: weights, pauses, and headers that tell what is allowed."""

from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.sources.pace import Budget, Pace

BUDGET = Budget(allowed="MAX", used="USE")


@given(st.lists(st.integers(1, 20), max_size=30), st.lists(st.floats(0, 90), max_size=30))
def test_no_minute_holds_more_weight_than_is_allowed(weights, rests):
    """Forty a minute, counted by symbol: any questions, as soon as they may be asked or later."""
    pace, now, asked = Pace(0.5, per_minute=40), 0.0, []
    for weight, rest in zip_longest(weights, rests[: len(weights)], fillvalue=0.0):
        now += rest
        while (left := pace.left(weight, now=now)) > 0:
            now += left
        pace.take(weight, now=now)
        asked.append((now, weight))

    for first, _ in asked:
        assert sum(w for at, w in asked if first <= at < first + 60) <= 40


def test_what_fits_into_a_minute_is_asked_at_once():
    pace = Pace(0.0, per_minute=40)
    for weight in (20, 13, 7):
        assert pace.left(weight, now=5.0) <= 0
        pace.take(weight, now=5.0)

    assert pace.left(1, now=6.0) == 59.0
    assert pace.left(1, now=65.0) <= 0


def test_a_longer_pause_is_not_cut_by_a_shorter_one():
    pace = Pace(1.0)
    pace.hold(30.0, now=0.0)
    pace.take(1, now=5.0)

    assert pace.left(1, now=5.0) == 25.0


@pytest.mark.parametrize(
    ("headers", "between", "left"),
    [
        ({}, 2.0, 0.0),
        ({"MAX": "30", "USE": "12"}, 2.0, 0.0),
        ({"MAX": "600", "USE": "599"}, 0.1, 0.0),
        ({"MAX": "600", "USE": "600"}, 0.1, 60.0),
        ({"MAX": "600", "USE": "700"}, 0.1, 60.0),
        ({"MAX": "0", "USE": "1"}, 2.0, 0.0),
        ({"MAX": "-1"}, 2.0, 0.0),
        ({"MAX": "many", "USE": "1"}, 2.0, 0.0),
        ({"MAX": "60", "USE": "?"}, 1.0, 0.0),
        ({"MAX": "9" * 400}, 2.0, 0.0),
    ],
)
def test_headers_that_can_be_read_are_heeded(headers, between, left):
    pace = Pace(2.0, budget=BUDGET)
    pace.heed(headers, now=0.0)
    assert max(0.0, pace.left(1, now=0.0)) == left

    pace.take(1, now=100.0)
    assert pace.left(1, now=100.0) == pytest.approx(between)


def test_without_a_budget_headers_say_nothing():
    pace = Pace(2.0)
    pace.heed({"MAX": "600", "USE": "600"}, now=0.0)
    assert pace.left(1, now=0.0) <= 0.0
