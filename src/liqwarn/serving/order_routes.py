"""Orders by hand over HTTP: only with a key of scope ``admin``, never without keys.

A server without keys lets everybody on its machine read; halting or loosening is more than reading.
There, who may write in the live folder orders through ``liqwarn order``.
"""

from typing import Annotated, Any, Final

import orjson
from fastapi import FastAPI, Query, Request, Response
from pydantic import ValidationError

from liqwarn.errors import LiqwarnError, PolicyError
from liqwarn.serving.answers import ServiceRefused, answer
from liqwarn.serving.asks import NothingAsked, first_fault
from liqwarn.serving.auth import KEY_ID
from liqwarn.serving.examples import bad_request, described, problem
from liqwarn.serving.order_schema import (
    IN_FORCE,
    ORDER_ASK,
    ORDERED,
    OrderAnswer,
    OrderAsk,
    OrdersAnswer,
)
from liqwarn.serving.ports import OrderPort
from liqwarn.serving.waiting_room import WaitingRoom

__all__ = ["MAX_ORDER", "add_order_routes"]

MAX_ORDER: Final = 128 << 10
"""Bytes of an order: a thousand symbols fit."""

_NO_KEY: Final = "orders need a server with API keys, and a key of scope 'admin'"
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": OrderAsk.model_json_schema(ref_template="#/components/schemas/{model}"),
                "example": ORDER_ASK,
            }
        },
    }
}


def add_order_routes(app: FastAPI, orders: OrderPort | None, room: WaitingRoom) -> None:
    """Add ``/v1/orders``."""

    @app.get(
        "/v1/orders",
        response_model=OrdersAnswer,
        responses={
            200: described("What binds now", IN_FORCE),
            403: problem(_NO_KEY),
            422: problem("query.x: Extra inputs are not permitted"),
            503: problem("the live loop is being begun"),
        },
        summary="The orders by hand that are in force",
    )
    async def in_force(request: Request, _: Annotated[NothingAsked, Query()]) -> Response:
        _key_of(request)
        found = await room.run(_told, _needed(orders))
        return answer({"orders": found})

    @app.post(
        "/v1/orders",
        response_model=OrderAnswer,
        responses={
            200: described("What came of it; it is in force", ORDERED),
            400: bad_request("body is not JSON: unexpected end of data"),
            403: problem(_NO_KEY),
            409: described(
                "Refused, and nothing has changed",
                {**ORDERED, "accepted": False, "sides": [], "refused": ["T5 needs a release"]},
                OrderAnswer,
            ),
            413: problem(f"body has more than {MAX_ORDER} bytes"),
            422: problem("names are ['Ada'], expected 2 different"),
            503: problem("the live loop took no order within 5 s"),
        },
        openapi_extra=_BODY,
        summary="Halt, tighten, loosen or release by hand, at once",
    )
    async def order(request: Request, _: Annotated[NothingAsked, Query()]) -> Response:
        by = f"key {_key_of(request)}"
        asked = _asked(await _body(request))
        found = await room.run(_carried_out, _needed(orders), asked, by)
        return answer(found, status=200 if found["accepted"] else 409)


def _key_of(request: Request) -> str:
    """The key that authentication let through; without one there was no authentication."""
    key = request.scope.get(KEY_ID)
    if key is None:
        raise ServiceRefused(403, _NO_KEY)
    return str(key)


def _needed(orders: OrderPort | None) -> OrderPort:
    if orders is None:
        raise ServiceRefused(503, "orders are of the live loop, which does not run here")
    return orders


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_ORDER:
            raise ServiceRefused(413, f"body has more than {MAX_ORDER} bytes")
        parts.append(part)
    return b"".join(parts)


def _asked(content: bytes) -> OrderAsk:
    try:
        return OrderAsk.model_validate(orjson.loads(content))
    except ValidationError as error:
        raise ServiceRefused(422, first_fault(error)) from error
    except ValueError as error:
        raise ServiceRefused(400, f"body is not JSON: {error}") from error


def _carried_out(orders: OrderPort, asked: OrderAsk, by: str) -> dict[str, Any]:
    try:
        found = orders.ask(asked.order(), by)
    except PolicyError as error:
        raise ServiceRefused(422, str(error)) from error
    except LiqwarnError as error:
        raise ServiceRefused(503, str(error)) from error
    return {name: found[name] for name in OrderAnswer.model_fields}


def _told(orders: OrderPort) -> list[Any]:
    try:
        return list(orders.in_force())
    except LiqwarnError as error:
        raise ServiceRefused(503, str(error)) from error
