"""Waits between attempts."""

import random

from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.session_backoff import Backoff


def backoff(seed):
    return Backoff(random.Random(seed), first_s=1.0, longest_s=60.0, healthy_s=60.0)


@given(st.integers(0, 10**6), st.lists(st.floats(0.0, 59.0), min_size=1, max_size=60))
def test_waits_grow_to_the_bound_and_never_beyond(seed, held):
    one = backoff(seed)
    for number, held_s in enumerate(held):
        most = min(60.0, 2.0**number)
        assert most / 2 <= one.failed(held_s) <= most


def test_a_seed_is_a_sequence():
    assert [backoff(3).failed(0.0) for _ in range(5)] == [backoff(3).failed(0.0) for _ in range(5)]


def test_after_a_healthy_spell_it_begins_anew():
    one = backoff(1)
    for _ in range(9):
        one.failed(0.0)

    assert one.failed(60.0) <= 1.0
