"""What a reply says of the time at its server."""

import pytest

from liqwarn.sources.server_clock import seconds_ahead

DATE = "Thu, 01 Jan 1970 00:01:00 GMT"


@pytest.mark.parametrize(("now", "ahead"), [(60.0, 0.0), (90.5, 30.5), (30.0, -30.0)])
def test_ahead_is_positive_and_behind_negative(now, ahead):
    assert seconds_ahead({"Date": DATE}, now=now) == ahead


@pytest.mark.parametrize(
    "headers", [{}, {"Date": "soon"}, {"Date": ""}, {"Date": DATE, "Age": "5"}, {"Date": "1"}]
)
def test_who_does_not_say_it_says_nothing(headers):
    assert seconds_ahead(headers, now=0.0) is None
