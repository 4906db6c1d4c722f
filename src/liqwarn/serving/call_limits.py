"""How often and how many at once a caller may ask, enforced in front of the application."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from liqwarn.serving.auth import KEY_ID
from liqwarn.serving.rate_limit import TokenBuckets, address_group
from liqwarn.serving.refusals import OnRefusal, caller_address, refuse

__all__ = ["CallLimits", "CallRules"]

_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRules:
    """What a caller is held to.

    Attributes
    ----------
    calls : TokenBuckets
        By key; by address where a route is open.
    streams : int
        Most streams of one caller at once, server-sent events and WebSockets together.
    still_good : callable
        Whether a key, by its id, is still good: asked for every message of a stream.
    on_refusal : callable
    """

    calls: TokenBuckets
    streams: int
    still_good: Callable[[str], bool]
    on_refusal: OnRefusal


class CallLimits:
    """ASGI middleware: 429 with ``Retry-After``, and the end of the streams of a revoked key."""

    def __init__(self, app: ASGIApp, rules: CallRules) -> None:
        self._app = app
        self._rules = rules
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        caller = scope.get(KEY_ID) or address_group(caller_address(scope))
        wait = self._rules.calls.take(caller)
        if wait:
            self._rules.on_refusal("rate", caller)
            headers = {"Retry-After": str(ceil(wait))}
            await refuse(scope, send, 429, "too many requests", headers)
        elif scope["type"] == "websocket" and self._full(caller):
            await self._too_many(scope, send, caller)
        else:
            await self._watch(scope, receive, send, caller)

    async def _watch(self, scope: Scope, receive: Receive, send: Send, caller: str) -> None:
        stream, ended = scope["type"] == "websocket", False
        if stream:
            self._open[caller] += 1

        async def watched(message: Message) -> None:
            nonlocal stream, ended
            if ended:
                raise _EndedError
            if not stream and _begins_stream(message):
                if self._full(caller):
                    ended = True
                    await self._too_many(scope, send, caller)
                    raise _EndedError
                stream = True
                self._open[caller] += 1
            elif stream and KEY_ID in scope and not self._rules.still_good(caller):
                ended = True
                self._rules.on_refusal("revoked", caller)
                await send(_end(scope))
                raise _EndedError
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            # frameworks wrap what `send` raises in errors of their own
            if not ended:
                raise
        finally:
            if stream:
                self._close(caller)

    def _close(self, caller: str) -> None:
        self._open[caller] -= 1
        if not self._open[caller]:
            del self._open[caller]

    def _full(self, caller: str) -> bool:
        return self._open[caller] >= self._rules.streams

    async def _too_many(self, scope: Scope, send: Send, caller: str) -> None:
        self._rules.on_refusal("streams", caller)
        await refuse(scope, send, 429, "too many streams at once", {"Retry-After": "5"})


class _EndedError(OSError):
    """The stream was ended from here; what the application still sends goes nowhere."""


def _begins_stream(message: Message) -> bool:
    return message["type"] == "http.response.start" and any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )


def _end(scope: Scope) -> Message:
    if scope["type"] == "websocket":
        return {"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": "key not good"}
    return {"type": "http.response.body", "body": b"", "more_body": False}
