"""Which event of the catalogue is meant by a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from liqwarn.errors import ConfigError
from liqwarn.frames import Side
from liqwarn.models.events import Event

__all__ = ["REACH", "Choice", "EventQuery", "choose_event", "matching"]

REACH: Final = timedelta(hours=48)
"""An event this far from the day asked for still answers it."""

_NAMED: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """What is asked for.

    Attributes
    ----------
    day : date
        UTC.
    symbol : str or None
        None is any symbol of the panel.
    side : {"long", "short"} or None
        None is both.
    """

    day: date
    symbol: str | None = None
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The event that answers a query.

    Attributes
    ----------
    event : Event
    exact : bool
        Whether it ran on the day itself; else it is the nearest one.
    others : tuple of Event
        The day's other events, most severe first.
    """

    event: Event
    exact: bool
    others: tuple[Event, ...]


def matching(
    events: Sequence[Event], symbols: Sequence[str], symbol: str | None, side: Side | None
) -> tuple[Event, ...]:
    """Events of a symbol and side, in the catalogue's order.

    Raises
    ------
    ConfigError
        When the panel has no such symbol.
    """
    if symbol is not None and symbol not in symbols:
        raise ConfigError(f"symbol is '{symbol}', expected one of {', '.join(symbols)}")
    return tuple(e for e in events if symbol in (None, e.symbol) and side in (None, e.side))


def choose_event(events: Sequence[Event], query: EventQuery) -> Choice:
    """The most severe event of the day, else the nearest within 48 h of it.

    An event is of every UTC day from its onset to its end.

    Parameters
    ----------
    events : sequence of Event
        Those of the query's symbol and side, from :func:`matching`.

    Raises
    ------
    ConfigError
        When there is none so near; the message names the nearest.
    """
    ranked = sorted(events, key=lambda e: (_distance(e, query.day), -e.severity, e.onset))
    near = [e for e in ranked if _distance(e, query.day) <= REACH]
    if not near:
        raise ConfigError(_nothing(ranked, query))
    exact = _distance(near[0], query.day) == timedelta(0)
    same = [e for e in near[1:] if exact and _distance(e, query.day) == timedelta(0)]
    return Choice(event=near[0], exact=exact, others=tuple(same))


def _distance(event: Event, day: date) -> timedelta:
    """Time between a day and an event; none where they meet."""
    if event.onset.date() <= day <= event.end.date():
        return timedelta(0)
    start = datetime.combine(day, time(), tzinfo=UTC)
    return start - event.end if event.end < start else event.onset - (start + _DAY)


def _nothing(ranked: Sequence[Event], query: EventQuery) -> str:
    who = " ".join(word for word in (query.symbol, query.side) if word)
    what = f"no {who} event" if who else "no event"
    if not ranked:
        return f"{what} in the catalogue at all: liqwarn event --list shows what there is"
    nearest = sorted(ranked[:_NAMED], key=lambda e: e.onset)
    told = ", ".join(f"{e.symbol} {e.side} {e.onset:%Y-%m-%d %H:%M}" for e in nearest)
    return f"{what} within {REACH / timedelta(hours=1):.0f} h of {query.day}; the nearest: {told}"
