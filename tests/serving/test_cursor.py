import base64
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.serving.answers import ServiceRefused
from liqwarn.serving.cursor import Cursor, read_cursor, write_cursor

MOMENTS = st.datetimes(timezones=st.just(UTC))
PLACES = st.tuples(st.integers(0, 10**16), st.sampled_from(["", "long", "short"]),
                   st.integers(-1, 10**12), st.integers(-1, 10**16))  # fmt: skip


@given(known_by=MOMENTS, behind=PLACES)
def test_a_cursor_is_read_as_it_was_written(known_by, behind):
    cursor = Cursor(known_by=known_by, behind=behind)
    text = write_cursor(cursor)
    assert read_cursor(text) == cursor
    assert text.replace("-", "a").replace("_", "a").isalnum()
    assert len(text) <= 400


@given(st.text(max_size=400))
def test_what_is_none_is_refused(text):
    with pytest.raises(ServiceRefused, match="cursor is not one that this server gave"):
        read_cursor(text)


@pytest.mark.parametrize("content", [
    b"[]", b"null", b"{}", b'[1,2,"long",3]', b'[1,2,3,4,5]', b'["1",2,"long",3,4]',
    b'[true,2,"long",3,4]', b'[1e3,2,"long",3,4]', b'[999999999999999999999,2,"long",3,4]',
    b'[9223372036854775807,2,"long",3,4]', b'[-9223372036854775808,2,"long",3,4]',
])  # fmt: skip
def test_a_cursor_of_ones_own_making_is_refused(content):
    with pytest.raises(ServiceRefused, match="cursor"):
        read_cursor(base64.urlsafe_b64encode(content).decode().rstrip("="))


def test_the_refusal_is_a_400():
    with pytest.raises(ServiceRefused, match="cursor") as refusal:
        read_cursor("x")
    assert refusal.value.status == 400
