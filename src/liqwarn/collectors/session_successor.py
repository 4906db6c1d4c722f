"""The next connection of a line, opened before the one it replaces is closed: nothing is missed.

For an instant both are open. What the new one says waits until it takes over; what both say is
there twice, and whoever reads the tape takes a liquidation that is there twice once.
"""

import asyncio
import contextlib
from collections import deque
from typing import Final

from liqwarn.collectors.socket import LineError, Socket

__all__ = ["Successor"]

_MOST_BYTES: Final = 1 << 23


class Successor:
    """A connection that collects what it hears.

    Parameters
    ----------
    socket : Socket
        Open and greeted.

    Attributes
    ----------
    heard : deque of bytes
        In order.
    """

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.heard: deque[bytes] = deque()
        self._size = 0
        self._reading = asyncio.create_task(self._read())

    @property
    def full(self) -> bool:
        """Whether it holds as much as it may, and reads no more."""
        return self._size >= _MOST_BYTES

    @property
    def failed(self) -> bool:
        """Whether it was closed before it could take over."""
        return self._reading.done() and not self.full

    async def stop(self) -> None:
        """Read no more; the connection stays open, and what it says next waits in it."""
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        with contextlib.suppress(LineError):  # whoever takes over meets it again
            while not self.full:
                content = await self.socket.receive()
                self.heard.append(content)
                self._size += len(content)
