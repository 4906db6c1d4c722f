"""One connection of a line, and those that take its place while it is held."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.backlog import Backlog
from liqwarn.collectors.session_backoff import Backoff
from liqwarn.collectors.session_hearing import Hearing
from liqwarn.collectors.session_manners import Manners
from liqwarn.collectors.session_successor import Successor
from liqwarn.collectors.socket import LineError, Socket
from liqwarn.collectors.venue import Heard, Line
from liqwarn.collectors.watch import LineWatch, Silence
from liqwarn.collectors.watch_clocks import Clocks

__all__ = ["Hold", "VenueParts"]

_TICK_S: Final = 1.0
_DRAIN_S: Final = 2.0
_SILENT_AGAIN_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueParts:
    """What the lines of a venue share.

    Attributes
    ----------
    hearing : Hearing
    backlog : Backlog
        No room there stops the reading.
    clocks : Clocks
    manners : Manners
    """

    hearing: Hearing
    backlog: Backlog
    clocks: Clocks
    manners: Manners


class Hold:
    """Reads a connection until it ends, and watches that it is not silent.

    A connection that is old, lost a part of the venue's sequence or has a silent topic is replaced
    by a new one before it is closed, so that nothing else of the line is missed. One that is given
    a part of its topics is held for them.

    Parameters
    ----------
    line : Line
    open_line : callable
        Makes a new, greeted connection.
    parts : VenueParts
    watch : LineWatch
        Of the line; it outlives the connection.
    replacing : Backoff
        Between replacements that a fault asks for.

    Attributes
    ----------
    refused : bool
        Whether the venue refused everything that was asked for.
    """

    def __init__(
        self,
        line: Line,
        open_line: Callable[[], Awaitable[Socket]],
        *,
        parts: VenueParts,
        watch: LineWatch,
        replacing: Backoff,
    ) -> None:
        self._line, self._open_line = line, open_line
        self._hearing, self._backlog = parts.hearing, parts.backlog
        self._clocks, self._manners = parts.clocks, parts.manners
        self._watch, self._replacing = watch, replacing
        self._successor: Successor | None = None
        self._early: deque[bytes] = deque()
        self._beside_at = self._take_over_at = 0.0
        self._blocked = False
        self._why = ""
        self.refused = False

    async def run(self, socket: Socket) -> str:
        """Hold a connection and its successors until there is none; why it ended."""
        self._begin(socket, "")
        why = "stopped"
        try:
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(self._look())
                why = await self._read_all()
                looking.cancel()
        finally:
            await self._hang_up()
            await self._drain()
            self._hearing.closed(self._line.name, why)
        return why

    async def _read_all(self) -> str:
        """Read the connection and those that take its place; why the last one ended."""
        while True:
            try:
                await self._read()
            except LineError as error:
                why, self._why = self._why or str(error), ""
                self._socket.abort()
                await self._drain()
                successor = self._successor
                if self.refused or successor is None:
                    return why
                self._successor = None
                await self._take_over(successor, why)

    def _begin(self, socket: Socket, why: str) -> None:
        now = self._clocks.monotonic()
        self._socket, self._began = socket, now
        self._replace_at = now + self._manners.life_s
        self._ping_at = now + self._line.ping_every_s
        self._watch.reopened(now)
        self._hearing.line(self._line.name).denied = {}
        self._hearing.opened(self._line.name, why)

    async def _take_over(self, successor: Successor, why: str) -> None:
        await successor.stop()
        self._hearing.closed(self._line.name, why)
        self._begin(successor.socket, "replaces another")
        self._early = successor.heard

    async def _read(self) -> None:
        """Hear what comes, for ever."""
        while True:
            if self._backlog.full:
                await self._wait_for_room()
            if self._early:
                await self._hear(self._early.popleft())
            else:
                await self._hear(await self._socket.receive())

    async def _wait_for_room(self) -> None:
        self._blocked = True
        await self._backlog.room()
        self._blocked = False
        self._watch.reopened(self._clocks.monotonic())

    async def _hear(self, content: bytes) -> None:
        heard = self._hearing.hear(self._line.name, content)
        now = self._clocks.monotonic()
        if heard is None:
            self._watch.alive(now)
            return
        self._watch.heard(heard.topic, now)
        if heard.reply or heard.gap or heard.refused:
            await self._act(heard, now)

    async def _act(self, heard: Heard, now: float) -> None:
        """Do what a frame asks for."""
        if heard.reply:
            await self._in_time(self._socket.send(heard.reply))
        if heard.gap:
            self._replace_soon(now)
        if heard.refused:
            self._deny(heard, now)

    def _deny(self, heard: Heard, now: float) -> None:
        """Go on without what the venue refuses, and ask for it later; end when that is all."""
        topics = self._watch.refuse(heard.refused_topics)
        if topics is None or self._watch.all_refused:
            self.refused = True
            raise LineError(f"refused: {heard.refused}")
        name = self._line.name
        for topic in topics:
            self._hearing.line(name).denied[topic] = heard.refused[:200]
            silence = Silence(topic=topic, seconds=0.0).to_text()
            self._hearing.tell(name, "silent", f"{silence}: refused: {heard.refused}")
        self._replace_at = min(self._replace_at, now + self._manners.again_s)

    async def _look(self) -> None:
        """See that the connection lives, ask it for signs of it, and replace it in time."""
        while True:
            await self._clocks.sleep(_TICK_S)
            now = self._clocks.monotonic()
            if self._blocked:
                continue
            try:
                self._look_for_silence(now)
                await self._ping(now)
            except LineError as error:
                self._end(str(error))
            await self._replace(now)

    def _look_for_silence(self, now: float) -> None:
        name = self._line.name
        told = self._hearing.line(name)
        told.silent = self._watch.silences(now)
        for silence in self._watch.overdue(now):
            told.silences += 1
            self._hearing.tell(name, "silent", silence.to_text())
            self._replace_soon(now, self._least_wait_s(silence))
        whole = self._watch.line_silence(now)
        if whole is not None:
            self._tell_whole(whole)
            self._watch.alive(now)
            self._end(whole.to_text())

    def _least_wait_s(self, silence: Silence) -> float:
        """The first time none; a topic that stays silent disturbs the others ever more seldom."""
        if silence.times == 1:
            return 0.0
        return min(self._manners.again_s, _SILENT_AGAIN_S * 2.0 ** min(silence.times, 30))

    def _tell_whole(self, whole: Silence) -> None:
        self._hearing.line(self._line.name).silences += 1
        self._hearing.tell(self._line.name, "silent", whole.to_text())

    async def _ping(self, now: float) -> None:
        if now < self._ping_at:
            return
        self._ping_at = now + self._line.ping_every_s
        if self._line.ping:
            await self._in_time(self._socket.send(self._line.ping))
        await self._in_time(self._socket.ping(self._on_pong))

    def _on_pong(self) -> None:
        self._watch.alive(self._clocks.monotonic())

    async def _in_time(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._clocks.real_s(self._manners.send_s)):
                await sending
        except TimeoutError as error:
            raise LineError("the venue takes nothing that is sent") from error

    def _end(self, why: str) -> None:
        """Have the reading end."""
        self._why = why
        self._socket.abort()

    def _replace_soon(self, now: float, least_s: float = 0.0) -> None:
        """Ask for everything again; each time after a longer wait."""
        if self._successor is None:
            wait_s = max(least_s, self._replacing.failed(now - self._began))
            self._replace_at = min(self._replace_at, now + wait_s)

    async def _replace(self, now: float) -> None:
        """Make a successor when it is time, and let it take over when it has heard for a while."""
        successor = self._successor
        if successor is not None and successor.failed:
            self._successor = None
            self._replace_at = now + self._replacing.failed(now - self._began)
            successor.socket.abort()
        elif successor is not None:
            if now >= self._take_over_at or successor.full:
                self._retire(now)
        elif now >= self._replace_at:
            self._replace_at = now + self._manners.life_s
            try:
                self._successor = Successor(await self._open_line())
            except LineError as error:
                wait_s = max(self._replacing.failed(now - self._began), error.wait_s or 0.0)
                self._replace_at = now + wait_s
            self._beside_at = self._ping_at = self._clocks.monotonic()
            self._take_over_at = self._beside_at + self._manners.overlap_s

    def _retire(self, now: float) -> None:
        """End a connection whose successor is ready; tell when it had died before that came."""
        if self._watch.alive_at < self._beside_at:
            self._tell_whole(Silence(topic="", seconds=now - self._watch.alive_at))
        self._end("replaced")

    async def _drain(self) -> None:
        """Hear what had come before the connection ended."""
        with contextlib.suppress(LineError, TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while True:
                    self._hearing.hear(self._line.name, await self._socket.receive())

    async def _hang_up(self) -> None:
        await self._socket.close()
        if self._successor is not None:
            await self._successor.stop()
            await self._successor.socket.close()
