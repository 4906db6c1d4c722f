"""Times of a schedule in cron's five fields: what they mean and what is refused; pure.

The meaning is that of cron, in UTC, so that a line of a crontab may be taken over as it is: 0 and 7
are Sunday, and where both a day of the month and a weekday are asked for, either will do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from liqwarn.errors import ConfigError

__all__ = ["CronTimes"]

_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NO_NAMES: Final[Mapping[str, int]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One of the five: its name, its least and greatest value, and words for values."""

    name: str
    least: int
    most: int
    words: Mapping[str, int]


_FIELDS: Final = (
    _Field(name="minute", least=0, most=59, words=_NO_NAMES),
    _Field(name="hour", least=0, most=23, words=_NO_NAMES),
    _Field(name="day of the month", least=1, most=31, words=_NO_NAMES),
    _Field(name="month", least=1, most=12, words={m: i for i, m in enumerate(_MONTHS, 1)}),
    _Field(name="day of the week", least=0, most=7, words={d: i for i, d in enumerate(_DAYS)}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronTimes:
    """When something is due, to the minute, in UTC.

    Attributes
    ----------
    text : str
        As it was given.
    minutes, hours, days, months : tuple of int
        Ascending; days of the month and months count from 1.
    weekdays : tuple of int
        0 is Sunday, as in cron.
    either : bool
        Whether a day is due when its day of the month **or** its weekday is named: so when neither
        field begins with ``*``. Otherwise it must be both.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool

    @classmethod
    def parse(cls, text: str) -> "CronTimes":
        """Read the five fields.

        Raises
        ------
        ConfigError
            Naming every field that cannot be read; also when no day is ever due.

        Examples
        --------
        >>> CronTimes.parse("0 3 * * 0").holds(datetime(2026, 11, 22, 3, tzinfo=UTC))  # a Sunday
        True
        >>> CronTimes.parse("0 3 * *")
        Traceback (most recent call last):
            ...
        liqwarn.errors.ConfigError: schedule '0 3 * *' has 4 fields, expected 5: minute, hour, day
        of the month, month, day of the week (in UTC; '0 3 * * 0' is Sunday at 03:00)
        """
        parts = text.split()
        if len(parts) != len(_FIELDS):
            names = ", ".join(field.name for field in _FIELDS)
            raise ConfigError(
                f"schedule {text!r} has {len(parts)} field{'s' if len(parts) != 1 else ''}, "
                f"expected 5: {names} (in UTC; '0 3 * * 0' is Sunday at 03:00)"
            )
        found, faults = [], []
        for part, field in zip(parts, _FIELDS, strict=True):
            try:
                found.append(_values(part, field))
            except ConfigError as error:
                faults.append(str(error))
        if faults:
            raise ConfigError(f"schedule {text!r}: {'; '.join(faults)}")
        minutes, hours, days, months, weekdays = found
        times = cls(
            text=text,
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=tuple(sorted({day % 7 for day in weekdays})),
            either=not (parts[2].startswith("*") or parts[4].startswith("*")),
        )
        if not times.either and days[0] > max(_LONGEST[month - 1] for month in months):
            raise ConfigError(f"schedule {text!r}: day {days[0]} never comes in these months")
        return times

    def holds(self, moment: datetime) -> bool:
        """Whether the minute of an aware `moment` is due."""
        at = moment.astimezone(UTC)
        day, weekday = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        on = (day or weekday) if self.either else (day and weekday)
        return (
            on and at.month in self.months and at.hour in self.hours and at.minute in self.minutes
        )


def _values(part: str, field: _Field) -> tuple[int, ...]:
    found: set[int] = set()
    for one in part.lower().split(","):
        span, slash, step = one.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            raise _fault(field, one)
        first, last = _ends(span, field, one, stepped=bool(slash))
        found.update(range(first, last + 1, int(step) if slash else 1))
    return tuple(sorted(found))


def _ends(span: str, field: _Field, one: str, *, stepped: bool) -> tuple[int, int]:
    if span == "*":  # 7 is another name of Sunday, and not an eighth day to step to
        return field.least, 6 if field.name == "day of the week" else field.most
    low, dash, high = span.partition("-")
    if stepped and not dash:
        raise _fault(field, one)
    first = _value(low, field, one)
    last = _value(high, field, one) if dash else first
    if first > last:
        raise _fault(field, one)
    return first, last


def _value(word: str, field: _Field, one: str) -> int:
    if word in field.words:
        return field.words[word]
    if not (word.isascii() and word.isdigit() and field.least <= int(word) <= field.most):
        raise _fault(field, one)
    return int(word)


def _fault(field: _Field, one: str) -> ConfigError:
    words = f" or {next(iter(field.words))} to {list(field.words)[-1]}" if field.words else ""
    return ConfigError(
        f"{field.name} is {one!r}, expected *, numbers from {field.least} to {field.most}{words}, "
        "ranges a-b with a ≤ b, steps */n or a-b/n, or a list of these"
    )
