"""uvicorn's HTTP protocol with bounds on what arrives before a request is known.

uvicorn reads headers of any size, for as long as the client takes to send them; the application
and its middleware are asked only after that.
"""

import asyncio
from asyncio import TimerHandle
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEADERS_WITHIN_S", "MAX_HEAD_BYTES", "BoundedProtocol"]

MAX_HEAD_BYTES: Final = 32 << 10
"""Request line and headers; more is answered 400 and the connection closed."""
HEADERS_WITHIN_S: Final = 10.0
"""From the connection, or the first byte of a later request on it, to the end of its headers."""


class BoundedProtocol(HttpToolsProtocol):
    """The protocol, which closes connections whose headers are too large or too slow."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401  uvicorn's to say
        super().__init__(*given, **named)
        self._head_bytes = 0
        self._in_head = True
        self._head_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop it."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read, unless the head has grown too large."""
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._stop_clock()
            self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        """A further request on the connection starts anew."""
        super().on_message_begin()
        if not self._in_head:
            self._in_head, self._head_bytes = True, 0
            self._start_clock()

    def on_headers_complete(self) -> None:
        """From here on the middleware counts."""
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()

    def _start_clock(self) -> None:
        self._stop_clock()
        self._head_timer = self.loop.call_later(HEADERS_WITHIN_S, self.transport.close)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
