"""Frames as JSON: whatever is not as a venue says it is refused, and nothing else escapes."""

import contextlib
import math
import time
from json import dumps

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.wire_json import (
    as_list,
    as_object,
    flag,
    number,
    number_text,
    parse_wire,
    positive_text,
    shown,
    text,
    time_ms,
    whole,
)
from liqwarn.errors import DataError


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "expected JSON"),
        (b"<html>busy</html>", "expected JSON"),
        (b'{"a": 1', "expected JSON"),
        (b"\xff\xfe\xfa", "expected JSON"),
        (b'{"a": NaN}', "found NaN, expected a finite number"),
        (b'{"a": -Infinity}', "found -Infinity, expected a finite number"),
        (b'{"a": 1, "a": 2}', "field 'a' is there twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "expected JSON"),
    ],
)
def test_what_is_no_frame_is_refused(content, why):
    with pytest.raises(DataError, match=why):
        parse_wire(content, "frame")


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (text, 1, "text"),
        (text, "", "text"),
        (flag, 1, "true or false"),
        (whole, True, "a whole number"),
        (whole, 1.0, "a whole number"),
        (whole, -1, "a whole number"),
        (number, True, "a finite number"),
        (number, "1.0", "a finite number"),
        (number, math.inf, "a finite number"),
        (number, 10**400, "a finite number"),
        (number_text, 1.0, "a number as text"),
        (number_text, "1_000", "a number as text"),
        (number_text, "1,5", "a number as text"),
        (number_text, " 1", "a number as text"),
        (number_text, "٣", "a number as text"),
        (number_text, "nan", "a number as text"),
        (number_text, "inf", "a number as text"),
        (number_text, "0x10", "a number as text"),
        (number_text, None, "a number as text"),
        (number_text, "1e99", "at most 1e"),
        (positive_text, "0", "a number above 0"),
        (positive_text, "-1", "a number above 0"),
        (time_ms, 1_739_502_302, "milliseconds of 2010"),
        (time_ms, 1_739_502_302_929_000, "milliseconds of 2010"),
        (time_ms, "1739502302", "milliseconds of 2010"),
        (time_ms, 1_739_502_302_929.0, "whole milliseconds"),
        (time_ms, True, "whole milliseconds"),
        (time_ms, "2025-02-14", "whole milliseconds"),
    ],
)
def test_a_field_of_another_kind_is_refused_by_its_name(read, value, expected):
    with pytest.raises(DataError, match=f"frame, field 'f': found .*, expected {expected}"):
        read({"f": value}, "f", "frame")


def test_a_renamed_field_is_told_with_the_name_it_may_have_now():
    with pytest.raises(DataError, match=r"field 'markPrice': missing.*renamed to 'markPrices'"):
        text({"markPrices": "1"}, "markPrice", "frame")


def test_values_pass_as_they_are():
    row = {"t": "x", "f": False, "w": 3, "n": -1.5, "i": 2, "s": "-1e-4", "p": "0.5"}

    assert text(row, "t", "x") == "x"
    assert flag(row, "f", "x") is False
    assert whole(row, "w", "x") == 3
    assert (number(row, "n", "x"), number(row, "i", "x")) == (-1.5, 2.0)
    assert number_text(row, "s", "x") == -1e-4
    assert positive_text(row, "p", "x") == 0.5


def test_lists_and_objects_are_no_one_for_the_other():
    with pytest.raises(DataError, match="expected a list"):
        as_list({}, "x")
    with pytest.raises(DataError, match="expected an object"):
        as_object([], "x")


def test_a_message_shows_a_bounded_value():
    assert len(shown("y" * 10_000)) < 100
    assert len(shown(10**6_000)) < 100


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(content):
    with contextlib.suppress(DataError):
        parse_wire(content, "frame")


def test_a_huge_frame_with_a_fault_takes_no_long_time():
    fields = {f"field{n}": n for n in range(100_000)}
    twice = dumps(fields)[:-1].encode() + b',"field99999":1}'
    began = time.process_time()

    with pytest.raises(DataError, match="'field99999' is there twice"):
        parse_wire(twice, "x")
    with pytest.raises(DataError, match="field 'field': missing, found field0"):
        text(fields, "field", "x")

    assert time.process_time() - began < 5.0  # it took minutes


def test_text_is_no_book():
    with pytest.raises(DataError, match="expected text"):
        text({"i": "x" * 4_097}, "i", "x")
