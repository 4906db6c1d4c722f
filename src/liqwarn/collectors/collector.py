"""A venue's collector: its lines, its questions and its tape, until it is told to stop."""

import asyncio
import contextlib
import random
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from liqwarn.collectors.backlog import Backlog, Room
from liqwarn.collectors.collector_status import LineStatus, VenueStatus
from liqwarn.collectors.happenings import Kind
from liqwarn.collectors.poller import Ask, Poller
from liqwarn.collectors.session import Session
from liqwarn.collectors.session_hearing import Hearing
from liqwarn.collectors.session_hold import VenueParts
from liqwarn.collectors.session_manners import Manners
from liqwarn.collectors.tape import TapeWriter
from liqwarn.collectors.venue import Venue
from liqwarn.collectors.watch_clocks import Clocks

__all__ = ["Collector", "Wanted"]

_FIRST_ANSWERS_S: Final = 10.0
_CLOCKS_S: Final = 1.0
_APART_S: Final = 0.5  # between the first connections of lines: OKX allows three in a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is collected, and how.

    Attributes
    ----------
    symbols : tuple of str
    kinds : frozenset of str
    folder : Path
        Of all tapes.
    sample_s : float
        The newest value of each field is taped so often.
    sync_s : float
        What came is on disk after so long at most.
    manners : Manners
    room : Room
    seed : int
        Of the jitter of waits.
    """

    symbols: tuple[str, ...]
    kinds: frozenset[Kind]
    folder: Path
    sample_s: float = 5.0
    sync_s: float = 1.0
    manners: Manners = field(default_factory=Manners)
    room: Room = field(default_factory=Room)
    seed: int = 0


class Collector:
    """Collects one venue. Lives in one event loop.

    Parameters
    ----------
    venue : Venue
    wanted : Wanted
    url : str
        The venue's socket address.
    ask : callable
        Asks its HTTP address.
    clocks : Clocks

    Raises
    ------
    StoreError, OSError
        When the tape that is there cannot be read or written.
    """

    def __init__(self, venue: Venue, wanted: Wanted, *, url: str, ask: Ask, clocks: Clocks) -> None:
        self._wanted, self._url, self._clocks = wanted, url, clocks
        writer = TapeWriter(wanted.folder, venue.name)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="tape")
        self._asking = ThreadPoolExecutor(2, thread_name_prefix="poll")
        backlog = Backlog(writer, clocks, room=wanted.room, disk=self._disk)
        hearing = Hearing(venue, wanted.symbols, backlog, clocks)
        self._parts = VenueParts(
            hearing=hearing, backlog=backlog, clocks=clocks, manners=wanted.manners
        )
        kinds = wanted.kinds & venue.kinds
        self._lines = venue.lines(wanted.symbols, kinds)
        polls = venue.polls(wanted.symbols, kinds)
        status = hearing.status
        status.lines = {line.name: LineStatus() for line in self._lines}
        status.polls = {poll.name: LineStatus() for poll in polls}
        status.told = list(writer.recovered.damaged)
        status.torn_bytes = sum(fault.size for fault in writer.recovered.torn)
        rng = random.Random(wanted.seed ^ zlib.crc32(venue.name.encode()))  # noqa: S311  jitter
        self._rng = rng
        self._pollers = [
            Poller(poll, ask, hearing=hearing, clocks=clocks, rng=rng, threads=self._asking)
            for poll in polls
        ]

    @property
    def status(self) -> VenueStatus:
        """What it says of itself; it changes as it goes."""
        return self._parts.hearing.status

    async def run(self) -> None:
        """Collect until cancelled; then everything that came is put on disk.

        What waits for a disk that is full stays in ``status.waiting_bytes``.
        """
        writing = asyncio.create_task(
            self._parts.backlog.run(self._wanted.sync_s, self._parts.hearing.now_ms)
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_with(writing))
                group.create_task(self._look())
                for poller in self._pollers:
                    group.create_task(poller.run())
                await self._first_answers()
                for number, session in enumerate(self._sessions()):
                    group.create_task(session.run(after_s=number * _APART_S))
        finally:
            self._parts.hearing.flush()
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
            await self._parts.backlog.close()
            self._parts.hearing.check_clocks()
            self._asking.shutdown(wait=False, cancel_futures=True)
            self._disk.shutdown(wait=False)

    def _sessions(self) -> Iterator[Session]:
        for line in self._lines:
            rng = random.Random(self._rng.random())  # noqa: S311  jitter
            yield Session(line, self._url, parts=self._parts, rng=rng)

    async def _first_answers(self) -> None:
        """Wait for what a reader must know first, such as contract sizes; not for ever."""
        waits = [poller.answered.wait() for poller in self._pollers]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._clocks.real_s(_FIRST_ANSWERS_S)):
                await asyncio.gather(*waits)

    async def _look(self) -> None:
        """Look at the clocks every second, and take a sample when it is time."""
        due_at = self._clocks.monotonic() + self._wanted.sample_s
        while True:
            await self._clocks.sleep(min(_CLOCKS_S, self._wanted.sample_s))
            self._parts.hearing.check_clocks()
            self._parts.hearing.prove_life()
            if (now := self._clocks.monotonic()) >= due_at:
                due_at = max(due_at + self._wanted.sample_s, now)
                self._parts.hearing.flush()


async def _with(task: "asyncio.Task[None]") -> None:
    """Fail when it fails."""
    await asyncio.shield(task)
