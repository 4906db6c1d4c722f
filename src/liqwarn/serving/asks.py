"""What may be asked: the query of every route, complete. An unknown name or value is refused."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from liqwarn.decisions import moment_from_iso
from liqwarn.errors import PolicyError
from liqwarn.frames import Side

__all__ = ["EventsAsk", "HistoryQuery", "Moment", "NothingAsked", "StreamAsk", "first_fault"]

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _moment(value: object) -> datetime:
    """A time with its offset; a plus that came unescaped, as a blank, is read as meant."""
    try:
        text = value.strip().replace(" ", "+").upper() if isinstance(value, str) else value
        return moment_from_iso(text, "time")
    except PolicyError as error:
        if isinstance(error.__cause__, OverflowError):  # the first or last day, seen from elsewhere
            return _FIRST if str(value).startswith("0") else _LAST
        raise ValueError(str(error)) from error


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""ISO 8601 with an offset; a time without one is refused."""

Symbols = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(max_length=1_000, description="Only these; repeat it for several. None is all."),
]


class NothingAsked(BaseModel):
    """A route without parameters."""

    model_config = ConfigDict(extra="forbid")


class _Span(NothingAsked):
    side: Side | None = None
    start: Annotated[Moment | None, Field(description="From this time on.")] = None
    end: Annotated[Moment | None, Field(description="Before this time.")] = None
    limit: Annotated[int, Field(ge=1, le=5_000)] = 1_000


class HistoryQuery(_Span):
    """Which rows of a flag history; times are of the bars' closes."""

    known_by: Annotated[
        Moment | None, Field(description="Hides what was issued later: the past as it was known.")
    ] = None
    cursor: Annotated[
        str | None, Field(max_length=400, description="`next` of the page before.")
    ] = None


class EventsAsk(_Span):
    """Which events of the catalogue; times are of the onsets. The newest `limit` are shown."""

    symbol: Annotated[str | None, Field(max_length=64)] = None


class StreamAsk(NothingAsked):
    """Which publications are pushed, and from where on."""

    symbol: Symbols = []
    after: Annotated[
        str | None, Field(max_length=64, description="Id of the last event that was seen.")
    ] = None
    count: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="End after so many events.")
    ] = None


def first_fault(error: Any) -> str:  # noqa: ANN401  pydantic's error, wherever it comes from
    """What is wrong, as one line."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
