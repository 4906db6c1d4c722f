"""A collector of the tiny venue under a clock that runs as fast as a test likes."""

import asyncio
import contextlib
import http.client
import time

from liqwarn.collectors.collector import Collector, Wanted
from liqwarn.collectors.session_manners import Manners
from liqwarn.collectors.tape import read_tape
from liqwarn.errors import SourceError

T0 = 1_780_000_000.0


class FastClocks:
    """Clocks that run `speed` times as fast as the machine's; the wall's may be set."""

    def __init__(self, speed=1.0):
        self.speed = speed
        self.set_by = 0.0
        self._began = time.monotonic()

    def wall(self):
        return T0 + self.monotonic() + self.set_by

    def monotonic(self):
        return (time.monotonic() - self._began) * self.speed

    def real_s(self, seconds):
        return seconds / self.speed

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / self.speed)


def asker(server):
    """Asks a fake venue's pages, as plainly as can be."""

    def ask(path, body):
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        try:
            line.request("GET" if body is None else "POST", path, body=body)
            reply = line.getresponse()
            content = reply.read()
        except OSError as error:
            raise SourceError(str(error)) from error
        finally:
            line.close()
        if reply.status != 200:
            raise SourceError(f"status {reply.status}")
        return content

    return ask


def wanted(folder, **changes):
    """What to collect; waits are short."""
    manners = changes.pop("manners", None) or Manners(first_wait_s=0.5, longest_wait_s=8.0)
    kinds = frozenset(changes.pop("kinds", ("liquidation", "mark", "open_interest")))
    return Wanted(
        **{
            "symbols": ("BTCUSDT",),
            "kinds": kinds,
            "folder": folder,
            "sync_s": 0.5,
            "manners": manners,
            **changes,
        }
    )


@contextlib.asynccontextmanager
async def collecting(venue, server, what, clocks):
    """A collector that runs meanwhile, and has put everything on disk afterwards."""
    collector = Collector(venue, what, url=server.sockets, ask=asker(server), clocks=clocks)
    running = asyncio.create_task(collector.run())
    try:
        yield collector
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until(what, *, seconds=60.0):
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < ends, "it never came to be"
        await asyncio.sleep(0.005)
    return found


def taped(folder, venue="tiny", *whats):
    """The records of a tape, or those of some kinds."""
    records = read_tape(folder, venue, since_ms=0, until_ms=1 << 50)
    return [record for record in records if not whats or record.what in whats]
