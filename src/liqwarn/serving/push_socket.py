"""WebSocket: the same publications for clients that prefer a socket."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Response, WebSocket
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.websockets import WebSocketDisconnect, WebSocketState

from liqwarn.serving.answers import refused
from liqwarn.serving.asks import StreamAsk, first_fault
from liqwarn.serving.first_done import first_done
from liqwarn.serving.push_hub import PushHub, Subscription

__all__ = ["add_socket_route"]

_DONE, _NO_TALK, _TRY_LATER = 1000, 1003, 1013


def add_socket_route(app: FastAPI, hub: PushHub) -> None:
    """Add ``/v1/ws``; its query is that of ``/v1/stream``."""

    @app.websocket("/v1/ws")
    async def socket(websocket: WebSocket) -> None:
        ask = _ask(websocket, hub)
        if isinstance(ask, Response):
            await websocket.send_denial_response(ask)
            return
        await websocket.accept()
        after = websocket.headers.get("last-event-id") or ask.after
        with hub.subscribed(frozenset(ask.symbol) or None, after) as client:
            await first_done(_write(websocket, client, hub, ask.count), _listen(websocket))


def _ask(websocket: WebSocket, hub: PushHub) -> StreamAsk | Response:
    """What is asked, or why it is refused before the socket opens."""
    if not _same_origin(websocket):
        return refused(403, "this socket is not for pages of another origin")
    if hub.listeners >= hub.settings.clients:
        return refused(503, f"{hub.listeners} clients are connected already")
    try:
        return StreamAsk.model_validate(_plain(websocket.query_params))
    except ValidationError as error:
        return refused(422, first_fault(error))


def _same_origin(websocket: WebSocket) -> bool:
    """A browser lets any page open a socket to this machine; no such page is to read the flags."""
    origin = websocket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == websocket.headers.get("host")


def _plain(query: QueryParams) -> dict[str, Any]:
    return {name: query.getlist(name) if name == "symbol" else query[name] for name in query}


async def _write(
    websocket: WebSocket, client: Subscription, hub: PushHub, count: int | None
) -> None:
    sent = 0
    try:
        async for message in client.messages():
            if websocket.application_state is not WebSocketState.CONNECTED:
                return  # closed by the one who listens
            async with asyncio.timeout(hub.settings.give_up_s):
                await websocket.send_text(message.as_text())
            sent += 1
            if sent == count:
                break
        async with asyncio.timeout(hub.settings.give_up_s):
            code = _TRY_LATER if client.reason else _DONE
            await websocket.close(code, client.reason)
    except WebSocketDisconnect:
        return


async def _listen(websocket: WebSocket) -> None:
    """Wait for the client to leave; this socket only speaks."""
    message = await websocket.receive()
    if message["type"] != "websocket.disconnect":
        await websocket.close(_NO_TALK, "this socket takes no messages")
