"""A refusal of a request before the application sees it, over HTTP and WebSocket alike."""

from collections.abc import Callable, Mapping

import orjson
from starlette.types import Scope, Send

__all__ = ["OnRefusal", "caller_address", "header", "refuse"]

OnRefusal = Callable[[str, str], None]
"""Told the reason, one of a small set of words, and who asked: a key's id or an address."""

_POLICY_VIOLATION = 1008


async def refuse(
    scope: Scope, send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with `status` and ``{"detail": …}``.

    A WebSocket that was not yet accepted gets the same answer in place of its handshake, where the
    server can give one, and is else closed.
    """
    kind = "http.response"
    if scope["type"] == "websocket":
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": detail})
            return
    body = orjson.dumps({"detail": detail})
    told = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **(headers or {}),
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": raw})
    await send({"type": f"{kind}.body", "body": body, "more_body": False})


def header(scope: Scope, name: bytes) -> list[str]:
    """Every value of a header, given in lower case, in order."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def caller_address(scope: Scope) -> str:
    """The address of the other end; ``unknown`` where the server has none."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
