"""A venue's socket: the only module that talks WebSocket to venues.

Bounded in every direction: how long a connection may take, how large a message may be once it is
decompressed, how many wait to be read. What goes wrong is one kind of error that says so in words.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from liqwarn import __version__
from liqwarn.errors import SourceError

__all__ = ["LARGEST_FRAME", "LineError", "Socket", "open_socket"]

LARGEST_FRAME: Final = 1 << 23
"""Most bytes of a message, decompressed."""

_WAITING: Final = 64
_CLOSE_S: Final = 2.0
_LONGEST_WAIT_S: Final = 3 * 86_400.0
"""The longest ban that a venue documents; more is no sane request."""


class LineError(SourceError):
    """A line cannot be had or is gone; `wait_s` is what the venue asked to wait, if it did."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _Connection(ClientConnection):
    """One that hangs up when the venue does not, after a goodbye or a fault of the protocol.

    The library then waits for the venue to close, for ever, and whoever receives is told nothing.
    """

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.close_expected():
            self.loop.call_later(_CLOSE_S, self.transport.abort)


class Socket:
    """An open connection; one task receives, any may send."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> bytes:
        """The next message, text or not, as bytes.

        Raises
        ------
        LineError
            When the line is gone, or sends what is no message.
        """
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise LineError(_gone(error)) from error

    async def send(self, content: bytes) -> None:
        """Send text.

        Raises
        ------
        LineError
            When the line is gone.
        """
        try:
            await self._connection.send(content, text=True)
        except ConnectionClosed as error:
            raise LineError(_gone(error)) from error

    async def ping(self, on_pong: Callable[[], None]) -> None:
        """Ask for a sign of life; `on_pong` is called when it comes.

        Raises
        ------
        LineError
            When the line is gone.
        """
        try:
            answer: Awaitable[float] = await self._connection.ping()
        except ConnectionClosed as error:
            raise LineError(_gone(error)) from error
        waiting = asyncio.ensure_future(answer)
        waiting.add_done_callback(lambda done: _told(done, on_pong))

    async def close(self) -> None:
        """Say goodbye, or hang up when that takes too long."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._connection.close()
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Hang up at once; whoever receives is told."""
        self._connection.transport.abort()


async def open_socket(url: str, *, open_s: float) -> Socket:
    """Connect.

    Parameters
    ----------
    url : str
        ``ws://`` or ``wss://``.
    open_s : float
        Seconds of the machine until it must be open.

    Raises
    ------
    LineError
        When it does not come about.
    """
    try:
        connection = await connect(
            url,
            create_connection=_Connection,
            open_timeout=open_s,
            ping_interval=None,  # the session asks for signs of life itself
            close_timeout=_CLOSE_S,
            max_size=LARGEST_FRAME,
            max_queue=_WAITING,
            user_agent_header=f"liqwarn/{__version__}",
        )
    except InvalidStatus as error:
        status = error.response.status_code
        wait = error.response.headers.get("Retry-After", "")
        asked = wait.isascii() and wait.isdigit()
        wait_s = min(float(wait), _LONGEST_WAIT_S) if asked else None
        raise LineError(f"status {status} instead of a socket", wait_s) from error
    except TimeoutError as error:
        raise LineError(f"no connection within {open_s:g} s") from error
    except (OSError, WebSocketException, ValueError) as error:
        raise LineError(f"no connection: {' '.join(str(error).split())[:200]}") from error
    return Socket(connection)


def _told(done: "asyncio.Future[float]", on_pong: Callable[[], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        on_pong()


def _gone(error: ConnectionClosed) -> str:
    return " ".join(str(error).split())[:200]
