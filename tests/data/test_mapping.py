from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from liqwarn.data.mapping import (
    DateSpan,
    FieldMap,
    Span,
    SymbolMap,
    TimeMap,
    nearest,
    parse_duration,
    parse_moment,
    parse_zone,
)
from liqwarn.errors import DataError


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("30min", 1_800), ("5m", 300), ("1h", 3_600), ("2d", 172_800)]
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "1.5h", "-1h", "1 week"])
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="expected a duration such as"):
        parse_duration(text)


def test_moments_are_utc_whatever_they_say():
    expected = datetime(2024, 1, 1, 12, tzinfo=UTC)

    assert parse_moment("2024-01-01T12:00:00") == expected
    assert parse_moment("2024-01-01T15:00:00+03:00") == expected
    assert parse_moment(datetime(2024, 1, 1, 12)) == expected  # noqa: DTZ001 - as YAML gives it
    with pytest.raises(ValueError, match="expected a date"):
        parse_moment(20240101)


def test_zones_are_checked():
    assert parse_zone("+03:00") == "+03:00"
    assert parse_zone("UTC") == "UTC"
    with pytest.raises(ValueError, match="expected UTC"):
        parse_zone("Mars/Olympus")


def test_the_nearest_word_is_suggested_and_nothing_far():
    assert nearest("opne_interest", ["open_interest", "close"]) == ", did you mean 'open_interest'?"
    assert nearest("volume", []) == ""


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda: TimeMap(column="t", label="start"), "without a step"),
        (lambda: TimeMap(column="t", label="end", step="0s"), "expected a positive"),
        (lambda: TimeMap(column="t", label="end", snap="5s"), "snap needs a step"),
        (lambda: TimeMap(column="t", label="end", step="10s", snap="5s"), "snap needs a step"),
        (SymbolMap, "either a column or one fixed"),
        (lambda: SymbolMap(column="s", fixed="BTCUSDT"), "either a column or one fixed"),
        (FieldMap, "exactly one of"),
        (lambda: FieldMap(column="a", constant=1.0), "exactly one of"),
        (lambda: FieldMap(constant=1.0, minus="b"), "need a column to work on"),
        (lambda: Span.model_validate({"from": "2024-01-02", "to": "2024-01-01"}), "not before"),
    ],
)
def test_impossible_parts_are_refused(made, match):
    with pytest.raises(ValidationError, match=match):
        made()


def test_percent_is_part_of_the_factor():
    assert FieldMap(column="a", unit="percent", scale=2.0).factor == 0.02
    assert FieldMap.model_validate("a") == FieldMap(column="a")
    assert FieldMap(column="a", unit="usd_at_close").priced


def test_files_are_chosen_by_the_date_in_their_name():
    june = DateSpan.model_validate({"from": "2026-06-01", "to": "2026-06-30"})

    assert june.holds("a-2026-06-01.zip")
    assert june.holds("2020-01-01-to-2026-06-30.csv")  # the last date counts
    assert not june.holds("a-2026-05-31.zip")
    assert DateSpan().holds("no date at all")


@pytest.mark.parametrize(
    "name", ["BTCUSDT.zip", "a-2026-06.zip", "a-2026-13-01.zip", "12026-06-01"]
)
def test_a_name_without_a_date_cannot_be_chosen(name):
    with pytest.raises(DataError, match="expected a date such as 2026-06-25 in the name"):
        DateSpan.model_validate({"to": "2026-06-24"}).holds(name)
