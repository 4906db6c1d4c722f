"""Server-Sent Events: the publications as one endless answer."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Query, Response
from starlette.types import Receive, Scope, Send

from liqwarn.serving.answers import ServiceRefused
from liqwarn.serving.asks import StreamAsk
from liqwarn.serving.examples import problem
from liqwarn.serving.first_done import first_done
from liqwarn.serving.push_event import heartbeat
from liqwarn.serving.push_hub import PushHub, Subscription

__all__ = ["EventStream", "add_stream_route"]

_TYPE: Final = "text/event-stream; charset=utf-8"
_KINDS: Final = ("snapshot", "flags", "gap", "heartbeat", "dropped")
_STREAM: Final[dict[str, Any]] = {
    "description": "Events without end; `data` of the first two is a document of flags",
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "object",
                "required": ["event", "id", "data"],
                "properties": {
                    "event": {"enum": list(_KINDS)},
                    "id": {"type": "string"},
                    "data": {"type": "string", "contentMediaType": "application/json"},
                },
            },
            "example": heartbeat("1f00c2aa-7", datetime(2024, 8, 5, 6, tzinfo=UTC))
            .as_sse()
            .decode(),
        }
    },
}


def add_stream_route(app: FastAPI, hub: PushHub) -> None:
    """Add ``/v1/stream``."""

    @app.get(
        "/v1/stream",
        response_class=Response,
        responses={
            200: _STREAM,
            422: problem("query.count: Input should be greater than or equal to 1"),
            503: problem("256 clients are connected already"),
        },
        summary="Flags as they change (Server-Sent Events)",
    )
    async def stream(
        ask: Annotated[StreamAsk, Query()],
        last_event_id: Annotated[str | None, Header(max_length=64)] = None,
    ) -> Response:
        if hub.listeners >= hub.settings.clients:
            raise ServiceRefused(503, f"{hub.listeners} clients are connected already")
        return EventStream(hub, ask, last_event_id or ask.after)


class EventStream(Response):
    """An answer that goes on until the client leaves, is let go, or has what it asked for."""

    def __init__(self, hub: PushHub, ask: StreamAsk, after: str | None) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Type": _TYPE}
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._hub = hub
        self._ask = ask
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send until it ends."""
        symbols = frozenset(self._ask.symbol) or None
        with self._hub.subscribed(symbols, self._after) as client:
            await first_done(self._write(client, send), _left(receive))

    async def _write(self, client: Subscription, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sent = 0
        async for message in client.messages():
            async with asyncio.timeout(self._hub.settings.give_up_s):
                await send(_part(message.as_sse()))
            sent += 1
            if sent == self._ask.count:
                break
        async with asyncio.timeout(self._hub.settings.give_up_s):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _part(content: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": True}


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
