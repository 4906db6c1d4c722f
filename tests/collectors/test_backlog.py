"""What waits for the disk: samples give way, frames never."""

import asyncio
import errno
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from liqwarn.collectors.backlog import Backlog, Room
from liqwarn.collectors.tape import TapeWriter, read_tape
from liqwarn.collectors.watch_clocks import SystemClocks

_GIVEN = runpy.run_path(str(Path(__file__).with_name("tape_given.py")))
T0, record = _GIVEN["T0"], _GIVEN["record"]


class Writer(TapeWriter):
    """A tape on a disk that can be full."""

    full = False

    def sync(self):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().sync()


@pytest.fixture
def disk():
    with ThreadPoolExecutor(1) as threads:
        yield threads


def backlog_of(folder, disk, **room):
    writer = Writer(folder, "okx")
    return writer, Backlog(writer, SystemClocks(), room=Room(**room), disk=disk)


def read(folder):
    return list(read_tape(folder, "okx", since_ms=0, until_ms=2 * T0))


def test_a_full_disk_costs_samples_only_and_stops_the_reading(tmp_path, disk):
    writer, backlog = backlog_of(tmp_path, disk, frames=2_000, samples=500)

    async def play():
        writer.full = True
        sent = 0
        while not backlog.full:
            backlog.keep(record(sent))
            backlog.offer(record(1_000 + sent, what="happenings"))
            sent += 1
            assert not await backlog.sync()
        assert backlog.fault == "No space left on device"
        waiting = asyncio.create_task(backlog.room())
        running = asyncio.create_task(backlog.run(0.01, lambda: T0 + 5_000))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert not running.done()
        writer.full = False
        await asyncio.wait_for(waiting, 10)
        while backlog.fault or not any(r.what == "dropped" for r in read(tmp_path)):
            await asyncio.sleep(0.01)
        running.cancel()
        return sent

    sent = asyncio.run(play())
    records = read(tmp_path)

    assert [r for r in records if r.what == "frame"] == [record(n) for n in range(sent)]
    assert 0 < backlog.dropped < sent
    [told] = [r for r in records if r.what == "dropped"]
    assert told.content == f"{backlog.dropped} samples: the disk was too slow or full".encode()


def test_acknowledged_is_what_is_on_disk_or_now(tmp_path, disk):
    _, backlog = backlog_of(tmp_path, disk)

    async def play():
        assert backlog.acknowledged_ms(5) == 5
        backlog.keep(record(0))
        assert backlog.acknowledged_ms(5) is None
        await backlog.sync()
        backlog.keep(record(1))
        assert backlog.acknowledged_ms(5) == T0

    asyncio.run(play())


def test_closing_puts_everything_on_disk(tmp_path, disk):
    _, backlog = backlog_of(tmp_path, disk)

    async def play():
        backlog.keep(record(0))
        return await backlog.close()

    assert asyncio.run(play())
    assert read(tmp_path) == [record(0)]
