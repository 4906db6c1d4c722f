"""Between the lines and the disk: what waits to be written, and what gives way when it is full.

Samples are given up first, and counted. Frames never are: when too many wait, nothing more is read
from the sockets, and the venue's own buffers hold what comes.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from liqwarn.collectors.tape import TapeWriter
from liqwarn.collectors.taped import Taped
from liqwarn.collectors.watch_clocks import Clocks

__all__ = ["Backlog", "Room"]

_WORST_RETRY_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much may wait for the disk.

    Attributes
    ----------
    frames : int
        Bytes beyond which nothing more is read from a venue.
    samples : int
        Bytes beyond which samples are given up.
    """

    frames: int = 1 << 26
    samples: int = 1 << 23


class Backlog:
    """A venue's records on their way to its tape. Lives in one event loop.

    Parameters
    ----------
    writer : TapeWriter
    clocks : Clocks
    room : Room
    disk : ThreadPoolExecutor
        Threads that may wait for the disk.

    Attributes
    ----------
    dropped : int
        Samples that were given up, since the start.
    fault : str
        What the disk says; empty while it works.
    """

    def __init__(
        self, writer: TapeWriter, clocks: Clocks, *, room: Room, disk: ThreadPoolExecutor
    ) -> None:
        self._writer, self._clocks, self._disk = writer, clocks, disk
        self._limits = room
        self._free = asyncio.Event()
        self._untold = 0
        self.dropped = 0
        self.fault = ""
        self.bytes = 0

    @property
    def waiting_bytes(self) -> int:
        """Of the records that are not on disk yet."""
        return self._writer.waiting_bytes

    @property
    def full(self) -> bool:
        """Whether nothing more may be read."""
        return self._writer.waiting_bytes >= self._limits.frames

    def acknowledged_ms(self, now_ms: int) -> int | None:
        """Until when everything that came is on disk; None before the first."""
        return now_ms if not self._writer.waiting_bytes else self._writer.acknowledged_ms

    @property
    def acknowledged(self) -> int:
        """Records that are on disk for sure, since the start."""
        return self._writer.acknowledged

    def keep(self, record: Taped) -> None:
        """Take a record that must not be lost."""
        self._writer.append(record)
        self.bytes += len(record.content)

    def offer(self, record: Taped) -> bool:
        """Take a sample, unless too much waits: then it is given up, counted, and told later."""
        if self._writer.waiting_bytes >= self._limits.samples:
            self.dropped += 1
            self._untold += 1
            return False
        self.keep(record)
        return True

    async def room(self) -> None:
        """Wait while so much waits that nothing more may be read."""
        while self.full:
            self._free.clear()
            await self._free.wait()

    async def run(self, sync_s: float, now_ms: Callable[[], int]) -> None:
        """Put what waits on disk every `sync_s` seconds, for ever; go on when the disk fails."""
        compressed, wait_s = self._writer.number, sync_s
        while True:
            await self._clocks.sleep(wait_s)
            wait_s = sync_s if await self.sync() else min(_WORST_RETRY_S, max(wait_s, 0.1) * 2)
            self._tell_dropped(now_ms)
            if self._writer.number > compressed and not self.fault:
                compressed = self._writer.number
                await self._in_thread(self._writer.compress)

    async def sync(self) -> bool:
        """Put what waits on disk now; False when the disk does not take it."""
        done = await self._in_thread(self._writer.sync)
        if not self.full:
            self._free.set()
        return done

    async def close(self) -> bool:
        """Put everything on disk and end the segment; False when something could not be."""
        return await self._in_thread(self._writer.close)

    async def _in_thread(self, work: Callable[[], None]) -> bool:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._disk, work)
        except OSError as error:
            self.fault = error.strerror or str(error)
            return False
        self.fault = ""
        return True

    def _tell_dropped(self, now_ms: Callable[[], int]) -> None:
        if self._untold and not self.fault:
            said = f"{self._untold} samples: the disk was too slow or full"
            self._untold = 0
            self.keep(Taped(seen_ms=now_ms(), line="", what="dropped", content=said.encode()))
