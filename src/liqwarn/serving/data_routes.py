"""What stands behind the flags: their history, the events, the liquidation map."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from liqwarn.decisions import iso_utc
from liqwarn.errors import LiqwarnError
from liqwarn.serving.answers import ServiceRefused, answer
from liqwarn.serving.asks import EventsAsk, HistoryQuery, NothingAsked
from liqwarn.serving.cursor import Cursor, read_cursor, write_cursor
from liqwarn.serving.data_schema import EventsAnswer, HistoryAnswer, MapAnswer
from liqwarn.serving.examples import EVENTS, HISTORY, MAP, bad_request, described, problem
from liqwarn.serving.ports import (
    EventSource,
    HistoryAsk,
    HistorySource,
    MapSource,
)
from liqwarn.serving.waiting_room import WaitingRoom

__all__ = ["add_event_route", "add_history_route", "add_map_route"]

_ASKED = problem("query.limit: Input should be less than or equal to 5000")


def add_history_route(app: FastAPI, history: HistorySource | None, room: WaitingRoom) -> None:
    """Add ``/v1/flags/{symbol}/history``."""

    @app.get(
        "/v1/flags/{symbol}/history",
        response_model=HistoryAnswer,
        responses={
            200: described("One page; `next` is null on the last", HISTORY),
            400: bad_request("cursor is not one that this server gave"),
            404: problem("Not Found"),
            422: _ASKED,
            503: problem("the flag history is not configured here"),
        },
        summary="What was issued, and when",
    )
    async def flag_history(symbol: str, query: Annotated[HistoryQuery, Query()]) -> Response:
        if history is None:
            raise ServiceRefused(503, "the flag history is not configured here")
        cursor = read_cursor(query.cursor) if query.cursor else None
        ask = HistoryAsk(
            symbol=symbol,
            side=query.side,
            start=query.start,
            end=query.end,
            known_by=cursor.known_by if cursor else query.known_by,
            after=cursor.behind if cursor else None,
            limit=query.limit,
        )
        page = await _read(room, history.rows, ask)
        following = None
        if page.behind is not None and page.known_by is not None:
            following = write_cursor(Cursor(known_by=page.known_by, behind=page.behind))
        body = {
            "schema": "liqwarn.flag_history/1",
            "symbol": symbol,
            "known_by": _iso(page.known_by),
            "rows": list(page.rows),
            "next": following,
        }
        return answer(body)


def add_event_route(app: FastAPI, events: EventSource | None, room: WaitingRoom) -> None:
    """Add ``/v1/events``."""

    @app.get(
        "/v1/events",
        response_model=EventsAnswer,
        responses={
            200: described("The newest that fit, by onset", EVENTS),
            422: _ASKED,
            503: problem("the event catalogue is not configured here"),
        },
        summary="The catalogue of events",
    )
    async def catalogue(ask: Annotated[EventsAsk, Query()]) -> Response:
        if events is None:
            raise ServiceRefused(503, "the event catalogue is not configured here")
        found = await _read(room, events.events, ask.symbol, ask.side, ask.start, ask.end)
        shown = [_known(event) for event in found[-ask.limit :]]
        return answer({"schema": "liqwarn.events/1", "total": len(found), "events": shown})


def add_map_route(app: FastAPI, maps: MapSource | None, room: WaitingRoom) -> None:
    """Add ``/v1/map/{symbol}``."""

    @app.get(
        "/v1/map/{symbol}",
        response_model=MapAnswer,
        responses={
            200: described("The profile in force", MAP),
            404: problem("no map for symbol 'NOPEUSDT'"),
            422: problem("query.x: Extra inputs are not permitted"),
            503: problem("the liquidation map is not configured here"),
        },
        summary="The liquidation map of one symbol",
    )
    async def profile(symbol: str, _: Annotated[NothingAsked, Query()]) -> Response:
        if maps is None:
            raise ServiceRefused(503, "the liquidation map is not configured here")
        found = await _read(room, maps.profile, symbol)
        if found is None:
            raise ServiceRefused(404, f"no map for symbol {symbol!r}")
        return answer(found)


async def _read(room: WaitingRoom, read: Any, *given: Any) -> Any:  # noqa: ANN401  any source
    try:
        return await room.run(read, *given)
    except LiqwarnError as error:
        raise ServiceRefused(503, str(error)) from error


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso_utc(moment)


def _known(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with times as text and what is not finite as null."""
    return {
        name: _iso(value)
        if isinstance(value, datetime)
        else None
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for name, value in event.items()
    }
