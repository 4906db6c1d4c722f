"""Questions asked again and again over HTTP, for what no socket tells."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from liqwarn.collectors.session_backoff import Backoff
from liqwarn.collectors.session_hearing import Hearing
from liqwarn.collectors.venue import Poll
from liqwarn.collectors.watch import Silence
from liqwarn.collectors.watch_clocks import Clocks
from liqwarn.errors import DataError, SourceError

__all__ = ["Ask", "Poller"]

Ask = Callable[[str, bytes | None], bytes]
"""A reply to a path and a body; blocks, and raises ``SourceError`` or ``DataError``."""

_ONCE_AGAIN_S: Final = 6 * 3_600.0
_FIRST_WAIT_S: Final = 2.0


class Poller:
    """Asks one question until it is cancelled.

    Parameters
    ----------
    poll : Poll
        One of ``every_s`` 0 is asked at the start, and every six hours since contract sizes do
        change.
    ask : callable
    hearing : Hearing
        Of the venue.
    clocks : Clocks
    rng : random.Random
    threads : ThreadPoolExecutor
        In which `ask` may block.

    Attributes
    ----------
    answered : asyncio.Event
        Set by the first reply that could be read.
    """

    def __init__(
        self,
        poll: Poll,
        ask: Ask,
        *,
        hearing: Hearing,
        clocks: Clocks,
        rng: random.Random,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._poll, self._ask = poll, ask
        self._hearing, self._clocks, self._threads = hearing, clocks, threads
        self._every_s = poll.every_s or _ONCE_AGAIN_S
        longest_s = max(_FIRST_WAIT_S, min(60.0, self._every_s))
        self._backoff = Backoff(rng, first_s=_FIRST_WAIT_S, longest_s=longest_s, healthy_s=1.0)
        self._heard_at = clocks.monotonic()
        self._told = False
        self.answered = asyncio.Event()

    async def run(self) -> None:
        """Ask, for ever."""
        due_at = self._clocks.monotonic()
        while True:
            await self._clocks.sleep(max(0.0, due_at - self._clocks.monotonic()))
            due_at += self._every_s
            fault = await self._once()
            now = self._clocks.monotonic()
            if fault:
                self._failed(fault, now)
                due_at = now + self._backoff.failed(0.0)
            else:
                self._heard_at, self._told = now, False
                self._backoff.failed(1.0)
                self._hearing.line(self._poll.name).fault = ""
                self.answered.set()
                due_at = max(due_at, now)

    async def _once(self) -> str:
        """Ask once: what was wrong, empty for nothing."""
        loop, poll = asyncio.get_running_loop(), self._poll
        try:
            content = await loop.run_in_executor(self._threads, self._ask, poll.path, poll.body)
        except (SourceError, DataError) as error:
            return str(error)
        heard = self._hearing.hear(poll.name, content)
        if heard is None:
            return "a reply that cannot be read"
        return heard.refused

    def _failed(self, fault: str, now: float) -> None:
        """Tell a silence once, when a whole period has passed without an answer."""
        told = self._hearing.line(self._poll.name)
        told.fault = " ".join(fault.split())[:200]
        silent_s = now - self._heard_at
        if silent_s > self._poll.every_s and not self._told:
            self._told = True
            told.silences += 1
            text = Silence(topic=self._poll.name, seconds=silent_s).to_text()
            self._hearing.tell(self._poll.name, "silent", f"{text}: {told.fault}")
