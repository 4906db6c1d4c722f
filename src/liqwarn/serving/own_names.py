"""Who a server without keys thinks it is: requests that name another host are refused.

A web page that is open on the same machine may have its own name point here (DNS rebinding), and
then reads what only this machine should. Its requests carry its name.
"""

from collections.abc import Collection
from typing import Final

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OwnNames"]

_LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")


class OwnNames:
    """Lets only requests to this machine through.

    Parameters
    ----------
    app : ASGIApp
    names : collection of str
        Names beside those of loopback, without a port.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = {name.lower().encode() for name in (*_LOCAL, *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 400 to a request for another host; close a WebSocket of one before it opens."""
        if scope["type"] not in ("http", "websocket") or self._ours(scope):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        body = orjson.dumps({"detail": "Host: found another name, expected one of this machine"})
        kind = (b"content-type", b"application/json")
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 400, "headers": [kind, length]})
        await send({"type": "http.response.body", "body": body})

    def _ours(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return all(_name_of(host) in self._names for host in hosts)


def _name_of(host: bytes) -> bytes:
    """A host without its port.

    >>> _name_of(b"LOCALHOST:8000"), _name_of(b"[::1]:8000")
    (b'localhost', b'[::1]')
    """
    name, colon, port = host.rpartition(b":")
    return (name if colon and port.isdigit() else host).lower()
