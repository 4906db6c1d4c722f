"""JSON as it comes: no number is rounded, nothing else passes for it."""

import json
import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import DataError
from liqwarn.sources.json_page import Number, parse_page, shown

MANY = settings(max_examples=20_000 if os.environ.get("LIQWARN_FAULTS") == "full" else 25,
                deadline=None)  # fmt: skip


@pytest.mark.parametrize("text", ["0.10", "1e-7", "12345678901234567890.00000000012", "-0", "1E5"])
def test_a_number_is_its_text_and_no_string(text):
    (number, string) = parse_page(f'[{text}, "{text}"]'.encode(), "x")

    assert (number, string) == (text, text)
    assert isinstance(number, Number)
    assert not isinstance(string, Number)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "found nothing"),
        (b" \n", "found nothing"),
        (b" <!DOCTYPE html>", "a page of HTML"),
        (b'{"a": 1', "cut short"),
        (b"\xff\xfe{", "expected JSON"),
        (b"[NaN]", "found NaN"),
        (b"[-Infinity]", "found -Infinity"),
        (b'{"a": 1, "a": 2}', "field 'a' is there twice"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_page_is_named(content, match):
    with pytest.raises(DataError, match=f"^reply 7: .*{match}"):
        parse_page(content, "reply 7")


@MANY
@given(content=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_in_a_line(content):
    with suppress(ValueError):
        json.loads(content)
        return
    with pytest.raises(DataError, match=r"^reply 7: .{1,400}$"):
        parse_page(content, "reply 7")


@MANY
@given(value=st.recursive(st.text() | st.none() | st.booleans(), st.lists, max_leaves=8))
def test_what_is_json_comes_back(value):
    assert parse_page(json.dumps([value]).encode(), "x") == [value]


def test_what_is_shown_is_bounded():
    assert len(shown("x" * 1_000)) < 70
