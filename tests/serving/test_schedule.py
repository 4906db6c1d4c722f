"""Cron's five fields: what they mean, and what is refused with which words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from liqwarn.errors import ConfigError
from liqwarn.serving.schedule import CronTimes

SUNDAY = datetime(2026, 11, 22, 3, tzinfo=UTC)


def due(text, moment):
    return CronTimes.parse(text).holds(moment)


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN", "0-0", "7-7", "0,7"])
def test_sunday_is_sunday_as_in_cron(sunday):
    week = [SUNDAY + timedelta(days=n) for n in range(7)]

    assert [due(f"0 3 * * {sunday}", day) for day in week] == [True] + [False] * 6


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("*", (0, 1, 2, 3, 4, 5, 6)),
        ("1-5", (1, 2, 3, 4, 5)),
        ("5-7", (0, 5, 6)),
        ("*/2", (0, 2, 4, 6)),
        ("0-6/3", (0, 3, 6)),
        ("mon,wed-fri", (1, 3, 4, 5)),
        ("0-7", (0, 1, 2, 3, 4, 5, 6)),
    ],
)
def test_weekdays(field, days):
    assert CronTimes.parse(f"0 3 * * {field}").weekdays == days


def test_lists_ranges_and_steps():
    found = CronTimes.parse("*/20,5 8-10,20-23/3 1-31/10 jan,Mar-may *")

    assert found.minutes == (0, 5, 20, 40)
    assert found.hours == (8, 9, 10, 20, 23)
    assert found.days == (1, 11, 21, 31)
    assert found.months == (1, 3, 4, 5)


def test_a_day_of_the_month_and_a_weekday_either_will_do():
    """As in cron: the first of the month, and every Sunday."""
    either, both = "0 3 1 * 0", "0 3 */1 * 0"

    assert due(either, SUNDAY)
    assert due(either, datetime(2026, 12, 1, 3, tzinfo=UTC))
    assert not due(either, datetime(2026, 12, 2, 3, tzinfo=UTC))
    assert due(both, SUNDAY)
    assert not due(both, datetime(2026, 12, 1, 3, tzinfo=UTC))


def test_it_is_the_time_in_utc_whatever_the_moment_s_own_zone():
    assert due("0 3 * * 0", SUNDAY.astimezone(timezone(timedelta(hours=-5))))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "has 0 fields, expected 5"),
        ("@weekly", "has 1 field, expected 5: minute, hour, day of the month, month, day of the"),
        ("0 0 3 * * 0", "has 6 fields, expected 5"),
        ("60 3 * * 0", "minute is '60', expected .*numbers from 0 to 59"),
        ("0 24 * * 0", "hour is '24', expected .*numbers from 0 to 23"),
        ("0 3 0 * 0", "day of the month is '0', expected .*numbers from 1 to 31"),
        ("0 3 * 13 0", "month is '13', expected .*from 1 to 12 or jan to dec"),
        ("0 3 * * 8", "day of the week is '8', expected .*from 0 to 7 or sun to sat"),
        ("0 3 * * sunday", "day of the week is 'sunday'"),
        ("0 3 * * 6-0", "day of the week is '6-0', expected .*ranges a-b with a ≤ b"),
        ("0 3 * * */0", r"day of the week is '\*/0'"),
        ("5/15 3 * * *", "minute is '5/15'"),
        ("0 3 * * -1", "day of the week is '-1'"),
        ("0 3 , * 0", "day of the month is ''"),
        ("٣ 3 * * 0", "minute is '٣'"),
        ("61 25 * * 0", "minute is '61'.*; hour is '25'"),
        ("0 3 30 feb *", "day 30 never comes in these months"),
        ("0 3 31 4,6,9,11 *", "day 31 never comes in these months"),
    ],
)
def test_what_cannot_be_read_is_named(text, fault):
    with pytest.raises(ConfigError, match=fault):
        CronTimes.parse(text)


def test_the_29th_of_february_comes():
    assert due("0 3 29 2 *", datetime(2028, 2, 29, 3, tzinfo=UTC))


def test_a_day_that_never_comes_beside_a_weekday_that_does():
    assert due("0 3 30 2 1", datetime(2027, 2, 1, 3, tzinfo=UTC))
