from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.sources.retry_after import seconds_to_wait

NOW = 1_700_000_000


@given(st.integers(0, 10**6))
def test_seconds_and_dates_say_the_same(wait):
    date = format_datetime(datetime.fromtimestamp(NOW + wait, UTC), usegmt=True)

    assert seconds_to_wait(str(wait), now=NOW) == wait
    assert seconds_to_wait(date, now=NOW) == wait


@given(st.text(max_size=40))
def test_whatever_it_says_it_never_fails_and_never_goes_back(text):
    wait = seconds_to_wait(text, now=NOW)

    assert wait is None or wait >= 0.0


@pytest.mark.parametrize("text", [None, "", "soon", "-5", "1.5", "٣", "Foo, 99 Bar 2024"])
def test_what_cannot_be_read_asks_for_nothing(text):
    assert seconds_to_wait(text, now=NOW) is None


def test_a_date_of_the_past_is_no_wait():
    assert seconds_to_wait("Thu, 01 Jan 1970 00:01:00 GMT", now=NOW) == 0.0
