"""A line's life: connect, greet, hold, and begin again when it failed."""

import asyncio
import random
from typing import Final

from liqwarn.collectors.session_backoff import Backoff
from liqwarn.collectors.session_hold import Hold, VenueParts
from liqwarn.collectors.socket import LineError, Socket, open_socket
from liqwarn.collectors.venue import Line
from liqwarn.collectors.watch import LineWatch

__all__ = ["Session"]

_CALM_S: Final = 600.0


class Session:
    """Holds one line of a venue open until it is cancelled.

    Parameters
    ----------
    line : Line
    url : str
        The venue's socket address, the line's path is below it.
    parts : VenueParts
    rng : random.Random
        For the jitter of waits.
    """

    def __init__(self, line: Line, url: str, *, parts: VenueParts, rng: random.Random) -> None:
        self._line, self._url = line, f"{url.rstrip('/')}/{line.path.lstrip('/')}".rstrip("/")
        self._parts, self._clocks = parts, parts.clocks
        self._manners = manners = parts.manners
        self._backoff = Backoff(
            rng,
            first_s=manners.first_wait_s,
            longest_s=manners.longest_wait_s,
            healthy_s=manners.healthy_s,
        )
        self._replacing = Backoff(
            rng,
            first_s=manners.first_wait_s,
            longest_s=manners.longest_wait_s,
            healthy_s=_CALM_S,
        )
        self._watch = LineWatch(line, self._clocks.monotonic())

    async def run(self, *, after_s: float = 0.0) -> None:
        """Connect after some time, hold, and connect again, for ever."""
        await self._clocks.sleep(after_s)
        while True:
            held_s, asked_s = await self._once()
            await self._clocks.sleep(max(self._backoff.failed(held_s), asked_s))

    async def _once(self) -> tuple[float, float]:
        """Hold a connection until it ends: how long it was good, and what wait was asked for."""
        began = self._clocks.monotonic()
        hold = Hold(
            self._line,
            self._open,
            parts=self._parts,
            watch=self._watch,
            replacing=self._replacing,
        )
        try:
            await hold.run(await self._open())
        except LineError as error:
            self._parts.hearing.line(self._line.name).fault = str(error)
            return 0.0, error.wait_s or 0.0
        return 0.0 if hold.refused else self._clocks.monotonic() - began, 0.0

    async def _open(self) -> Socket:
        """A new connection that has been greeted."""
        socket = await open_socket(self._url, open_s=self._clocks.real_s(self._manners.open_s))
        try:
            async with asyncio.timeout(self._clocks.real_s(self._manners.send_s)):
                for greeting in self._line.greetings:
                    await socket.send(greeting)
        except TimeoutError as error:
            socket.abort()
            raise LineError("the venue takes no greeting") from error
        except BaseException:
            socket.abort()
            raise
        return socket
