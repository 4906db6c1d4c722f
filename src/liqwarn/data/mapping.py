"""How one provider file becomes fields: its clock, its symbols, its columns.

These are the small parts of a :class:`liqwarn.data.panel.Panel`; ``docs/panels.md`` explains every
key to whoever writes one.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from liqwarn.errors import DataError
from liqwarn.frames import FIELDS

__all__ = [
    "DateSpan",
    "Duration",
    "FieldMap",
    "FieldName",
    "Moment",
    "Name",
    "Part",
    "SeenMap",
    "Span",
    "SymbolMap",
    "TimeMap",
    "TimeUnit",
    "inside_folder",
    "nearest",
    "parse_duration",
    "parse_moment",
    "parse_zone",
]

TimeUnit = Literal["iso", "s", "ms", "us", "ns"]

_UNITS: Final = {"s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d+)\s*(s|min|m|h|d)")
_OFFSET: Final = re.compile(r"[+-]\d{2}:\d{2}")
_DATE: Final = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint to append to a message, empty when nothing comes close.

    >>> nearest("clsoe", ["open", "close"])
    ", did you mean 'close'?"
    >>> nearest("xyz", ["open", "close"])
    ''
    """
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean '{found[0]}'?" if found else ""


def parse_duration(value: object) -> timedelta:
    """Whole seconds, written as ``30min``, ``1h``, ``8h``, ``1d`` or ``0s``.

    Raises
    ------
    ValueError
        When it is not written so.

    Examples
    --------
    >>> parse_duration("90min")
    datetime.timedelta(seconds=5400)
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"found {value!r}, expected a duration such as 30min, 1h, 8h or 1d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def parse_moment(value: object) -> datetime:
    """A moment in UTC; dates and stamps without an offset are taken as UTC, as a panel says.

    >>> parse_moment("2024-01-01").isoformat()
    '2024-01-01T00:00:00+00:00'
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise ValueError(f"found {value!r}, expected a date such as 2024-01-01")  # noqa: TRY004 - pydantic collects ValueError only
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def parse_zone(name: str) -> str:
    """The name of a time zone or a fixed offset such as ``+03:00``, checked."""
    if not _OFFSET.fullmatch(name):
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"found {name!r}, expected UTC, +03:00 or a zone's name") from error
    return name


def inside_folder(path: str) -> str:
    """A path as a panel may name it, below the data folder.

    Raises
    ------
    ValueError
        When it leads elsewhere.
    """
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise ValueError(f"found {path!r}, expected a path below the data folder")
    return path


def _field_name(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"unknown field '{name}'{nearest(name, FIELDS)}")
    return name


def _safe(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise ValueError(f"found {name!r}, expected letters, digits, '_', '-' or '.'")
    return name


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Moment = Annotated[datetime, BeforeValidator(parse_moment)]
FieldName = Annotated[str, AfterValidator(_field_name)]
Name = Annotated[str, AfterValidator(_safe)]
"""A word that is safe as a folder of the store."""


class Part(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Span(Part):
    """The open start and closed end of a validity, by event time: ``(from, to]``."""

    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"from {self.start} is not before to {self.end}")
        return self


class DateSpan(Part):
    """First and last day of files, by the date in their names; both days are inside.

    Examples
    --------
    >>> since = DateSpan.model_validate({"from": "2026-06-25"})
    >>> since.holds("BTCUSDT-metrics-2026-06-25.zip"), since.holds("BTCUSDT-metrics-2026-06-24.zip")
    (True, False)
    """

    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"from {self.start} is after to {self.end}")
        return self

    def holds(self, name: str) -> bool:
        """Whether a file of this name lies inside; every name does when nothing is stated.

        Raises
        ------
        DataError
            When the name holds no date such as 2026-06-25.
        """
        if self.start is None and self.end is None:
            return True
        try:
            day = date.fromisoformat(_DATE.findall(name)[-1])
        except (IndexError, ValueError) as error:
            raise DataError(f"{name}: expected a date such as 2026-06-25 in the name") from error
        return (self.start or day) <= day <= (self.end or day)


class TimeMap(Part):
    """Which column is the clock, and what its stamps mean.

    Attributes
    ----------
    column : str
    unit : {"iso", "s", "ms", "us", "ns"}
        Of a numeric column; a column that is already a timestamp, or text, is ``iso``.
    tz : str or None
        Zone of stamps that carry none; without it such a stamp is an error.
    label : {"start", "end"}
        Whether a stamp names the start or the end of the interval its row speaks of. An instant
        (a settlement, a snapshot) is an ``end``.
    step : timedelta or None
        Length of the interval; None for irregular instants.
    snap : timedelta
        A stamp at most this far from the step's grid is moved onto it (settlements are stamped
        some milliseconds late).
    format : str or None
        ``strptime`` format of text that is not ISO 8601.
    """

    column: str
    unit: TimeUnit = "iso"
    tz: Annotated[str, AfterValidator(parse_zone)] | None = None
    label: Literal["start", "end"]
    step: Duration | None = None
    snap: Duration = timedelta(0)
    format: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.label == "start" and self.step is None:
            raise ValueError("label is start without a step, so the end of a row is unknown")
        if self.step is not None and self.step <= timedelta(0):
            raise ValueError("step is 0, expected a positive duration")
        if self.snap and (self.step is None or self.snap * 2 >= self.step):
            raise ValueError("snap needs a step more than twice as long")
        return self


class SeenMap(Part):
    """Which column says when a row was first seen, for series that were recorded as they came.

    Attributes
    ----------
    column : str
        Stamps with a zone, of the moment the row came to whoever recorded it.
    within : timedelta
        A row seen at most this long after the end of its interval was seen live, and is known from
        then on. One seen later was fetched as history, and is known `known_lag` after its end.
    """

    column: str
    within: Duration


class SymbolMap(Part):
    """Where the symbol of a row comes from: a column, or one symbol for the whole file.

    A value of the column is a symbol of the panel, an asset of the panel, or a key of `map`; rows
    of other symbols are left out and counted.
    """

    column: str | None = None
    map: Mapping[str, str] = Field(default_factory=dict)
    fixed: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"fixed": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.column is None) == (self.fixed is None):
            raise ValueError("expected either a column or one fixed symbol")
        return self


class FieldMap(Part):
    """Which column is a field, and how it gets its unit.

    Attributes
    ----------
    column : str or None
        Column of the file.
    scale : float
        Factor on the column.
    minus : str or None
        Another column of the same row to take away first, such as the part bought from the volume.
    divide_by : str or None
        Another column of the same row to divide by, such as the price that turns USD into coins.
    unit : {"native", "percent", "usd_at_close", "usd_at_typical"}
        ``percent`` becomes a fraction. The ``usd_at_`` units become coins when the frame is built,
        by the close, or by the mean of high, low and close, of the same interval in this panel.
    constant : float or None
        A value every row of the source has, instead of a column.
    spacing_of : str or None
        Another field of the source: the hours since its previous record, instead of a column.
    """

    column: str | None = None
    scale: float = 1.0
    minus: str | None = None
    divide_by: str | None = None
    unit: Literal["native", "percent", "usd_at_close", "usd_at_typical"] = "native"
    constant: float | None = None
    spacing_of: FieldName | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(x is not None for x in (self.column, self.constant, self.spacing_of)) != 1:
            raise ValueError("expected exactly one of column, constant and spacing_of")
        if self.column is None and (self.minus or self.divide_by):
            raise ValueError("minus and divide_by need a column to work on")
        return self

    @property
    def factor(self) -> float:
        """Factor on the column, percent included."""
        return self.scale * (0.01 if self.unit == "percent" else 1.0)

    @property
    def priced(self) -> bool:
        """Whether the stored value is USD that the frame turns into coins."""
        return self.unit in {"usd_at_close", "usd_at_typical"}
