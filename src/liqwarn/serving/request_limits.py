"""How large a request may be and how long it may take, enforced in front of the application."""

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from liqwarn.serving.deadlines import Deadlines
from liqwarn.serving.refusals import OnRefusal, caller_address, header, refuse

__all__ = ["RequestLimits", "RequestSizes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSizes:
    """Limits of one request.

    Attributes
    ----------
    body_bytes : int
        Largest body, counted as it arrives.
    header_bytes, headers : int
        Largest sum of all names and values, and how many there may be.
    receive_s : float
        Within which the body must be here.
    answer_s : float
        Within which the answer must begin; a stream may then go on for ever.
    """

    body_bytes: int = 1 << 20
    header_bytes: int = 16 << 10
    headers: int = 64
    receive_s: float = 10.0
    answer_s: float = 10.0


class RequestLimits:
    """ASGI middleware: 431, 413 and 408 before the application starts, 503 when it does not answer.

    The body is read whole before the application is called: it then cannot wait for one, and what
    it makes of a body that was cut off does not matter.
    """

    def __init__(self, app: ASGIApp, sizes: RequestSizes, on_refusal: OnRefusal) -> None:
        self._app = app
        self._sizes = sizes
        self._on_refusal = on_refusal
        self._deadlines = Deadlines(sizes.answer_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif self._too_many_headers(scope):
            await self._refuse(scope, send, 431, "headers", "the headers are too large")
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = header(scope, b"content-length")
        if not announced and not header(scope, b"transfer-encoding"):
            await self._answer(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._sizes.receive_s):
                body = await self._body(announced, receive)
        except TimeoutError:
            await self._refuse(scope, send, 408, "slow", "the body did not arrive in time")
            return
        if body is _TOO_LARGE:
            detail = f"the body is too large, expected at most {self._sizes.body_bytes} bytes"
            await self._refuse(scope, send, 413, "body", detail)
        elif body is not _GONE:
            await self._answer(scope, _replay(body, receive), send)

    async def _body(self, announced: list[str], receive: Receive) -> list[Message]:
        if any(_number(value) > self._sizes.body_bytes for value in announced):
            return _TOO_LARGE
        messages, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return _GONE
            size += len(message.get("body", b""))
            if size > self._sizes.body_bytes:
                return _TOO_LARGE
            messages.append(message)
            more = message.get("more_body", False)
        return messages

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        task = self._deadlines.begin()

        async def watched(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                self._deadlines.end(task)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if not self._deadlines.passed(task) or started:
                raise
            await self._refuse(scope, send, 503, "timeout", "no answer in time")
        finally:
            self._deadlines.end(task)

    def _too_many_headers(self, scope: Scope) -> bool:
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        return size > self._sizes.header_bytes or len(scope["headers"]) > self._sizes.headers

    async def _refuse(
        self, scope: Scope, send: Send, status: int, reason: str, detail: str
    ) -> None:
        self._on_refusal(reason, caller_address(scope))
        headers = {"Connection": "close"} | ({"Retry-After": "1"} if status == 503 else {})
        await refuse(scope, send, status, detail, headers)


_TOO_LARGE: list[Message] = [{"type": "too large"}]
_GONE: list[Message] = [{"type": "gone"}]
_DIGITS = 20  # enough to be too large; Python refuses thousands


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        return 0
    return int(value.lstrip("0")[:_DIGITS] or "0")


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return again
