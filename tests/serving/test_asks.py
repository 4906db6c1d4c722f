import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from liqwarn.serving.asks import EventsAsk, HistoryQuery, Moment, NothingAsked, StreamAsk

MOMENT = TypeAdapter(Moment)
NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2024-08-05T12:00:00Z", "2024-08-05t12:00:00z", "2024-08-05T14:00:00+02:00",
     "2024-08-05T14:00:00 02:00", " 2024-08-05T12:00:00.000000Z"],
)  # fmt: skip
def test_a_time_is_read_with_its_offset(text):
    assert MOMENT.validate_python(text) == NOON


@pytest.mark.parametrize(
    "text", ["", "noon", "2024-08-05T12:00:00", "1722859200", "2024-13-01Z", 5]
)
def test_what_is_no_time_with_an_offset_is_refused(text):
    with pytest.raises(ValidationError, match="time is"):
        MOMENT.validate_python(text)


@pytest.mark.parametrize(
    ("text", "year"), [("0001-01-01T00:00:00+12:00", 1), ("9999-12-31T23:59:59-12:00", 9999)]
)
def test_the_ends_of_time_are_as_far_as_it_goes(text, year):
    assert MOMENT.validate_python(text).year == year


@given(st.text())
def test_no_text_breaks_it(text):
    with contextlib.suppress(ValidationError):
        assert MOMENT.validate_python(text).tzinfo is UTC


@pytest.mark.parametrize("ask", [NothingAsked, HistoryQuery, EventsAsk, StreamAsk])
def test_an_unknown_name_is_refused(ask):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        ask.model_validate({"limitt": 1})
    ask.model_validate({})


@pytest.mark.parametrize("limit", [0, -1, 5_001, "many"])
def test_pages_are_bounded(limit):
    with pytest.raises(ValidationError, match="limit"):
        HistoryQuery.model_validate({"limit": limit})
