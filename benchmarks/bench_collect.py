"""What a collector costs: processor time a frame for each venue, bytes on the tape, memory.

    python benchmarks/bench_collect.py                 # processor time a frame
    python benchmarks/bench_collect.py soak MINUTES    # memory and bytes at a busy day's pace

Frames are those of the tests, in the venues' formats; books are updated a hundred levels at a time.
Processor time is of the collector's own thread; the server on loopback runs in another one.
"""

import asyncio
import json
import resource
import runpy
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from liqwarn.collectors.collector import Collector, Wanted
from liqwarn.collectors.venue import Line, Poll, Venue
from liqwarn.collectors.venues import VENUES
from liqwarn.collectors.watch_clocks import SystemClocks

GIVEN = Path(__file__).parents[1] / "tests" / "collectors"
FAKE = runpy.run_path(str(GIVEN / "fake_venue.py"))
KINDS = frozenset({"liquidation", "mark", "open_interest", "funding", "depth", "candle"})
LEVELS, COUNT = 100, 6_000
BIDS = [(f"{78_000 + n}.0", "1.5") for n in range(LEVELS // 2)]
ASKS = [(f"{80_000 + n}.0", "1.5") for n in range(LEVELS // 2)]


Replies = Sequence[tuple[str, bytes]]
Streams = dict[str, tuple[str, list[bytes], Replies]]


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(GIVEN / name))


def binance(n: int) -> Streams:
    given = load("binance_given.py")
    reply = given["depth_reply"](95, *given["ladder"]())
    books = [given["depth"](100 + i, 101 + i, 101 + i, BIDS, ASKS) for i in range(n)]
    first = given["depth"](90, 91, 100, BIDS, ASKS)
    return {
        "mark": ("market", [given["mark_price"]()] * n, ()),
        "liquidation": ("liquidations", [given["force_order"]()] * n, ()),
        "book": ("depth", [first, *books], [("depth-BTCUSDT", reply)]),
    }


def bybit(n: int) -> Streams:
    given = load("bybit_frames.py")
    pairs = [list(p) for p in BIDS], [list(p) for p in ASKS]
    t0 = given["T0"]
    books = [given["book"](*pairs, u=101 + i, ts=t0 + 20 + i) for i in range(n)]
    ticks = [given["changed"](ts=t0 + 200 + i, markPrice="63570.1") for i in range(n)]
    return {
        "mark": ("market-1", [given["ticker"](), *ticks], ()),
        "liquidation": ("liquidations-1", [given["liquidation"](("Buy", "2", "59000", 9))] * n, ()),
        "book": ("books-1", [given["snapshot"](), *books], ()),
    }


def okx(n: int) -> Streams:
    given = load("okx_given.py")
    first = [("instruments", given["instruments"]())]
    books = [given["books"]("update", 100 + i, 101 + i, BIDS, ASKS) for i in range(n)]
    opening = given["books"]("snapshot", -1, 100, *given["ladder"]())
    return {
        "mark": ("readings", [given["mark_price"]()] * n, first),
        "liquidation": ("liquidations", [given["liquidations"]()] * n, first),
        "book": ("books", [opening, *books], first),
    }


def hyperliquid(n: int) -> Streams:
    given = load("hyperliquid_frames.py")
    fills = [given["fills"](given["fill"](i)) for i in range(n)]
    return {
        "mark": ("market-1", [given["context"]()] * n, ()),
        "liquidation": ("fills", fills, ()),
        "book": ("market-1", [given["book"](at=given["T0"] + i) for i in range(n)], ()),
    }


BUSY = {"binance": binance, "bybit": bybit, "hyperliquid": hyperliquid, "okx": okx}


def reading(venue: Venue, line: str, frames: list[bytes], first: Replies) -> float:
    """Microseconds a frame in the reader alone."""
    reader = venue.reader(("BTCUSDT", "ETHUSDT"))
    for name, content in [*first, (line, frames[0])]:
        reader.read(name, content)
    began = time.thread_time()
    for content in frames[1:]:
        reader.read(line, content)
    return (time.thread_time() - began) / (len(frames) - 1) * 1e6


def pages_of(first: Replies) -> Callable[[Poll], bytes]:
    replies = dict(first)
    return lambda poll: replies.get(poll.name, b"[]")


async def whole(
    venue: Venue, line: str, frames: list[bytes], first: Replies, folder: Path
) -> tuple[float, int]:
    """Microseconds a frame from the socket to the tape."""
    symbols, kinds = ("BTCUSDT", "ETHUSDT"), KINDS & venue.kinds
    lines = {one.name: one for one in venue.lines(symbols, kinds)}
    replies = pages_of(first)
    polls = {poll.path: poll for poll in venue.polls(symbols, kinds)}
    with FAKE["FakeVenue"]() as server:
        wanted = Wanted(symbols=symbols, kinds=kinds, folder=folder)
        collector = Collector(
            venue, wanted, url=server.sockets, ask=lambda path, _: replies(polls[path]),
            clocks=SystemClocks(),
        )  # fmt: skip
        running = asyncio.create_task(collector.run())
        asked = lines[line]
        status = collector.status.lines[line]
        while not (found := [c for c in server.live() if asked_for(c, asked)]):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        before, content = status.frames, b"".join(FAKE["frame"](one) for one in frames)
        began = time.thread_time()
        server.start(lambda: sending(found[0], content))
        while status.frames - before < len(frames):
            await asyncio.sleep(0.01)
        spent = time.thread_time() - began
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return spent / len(frames) * 1e6, status.refused


async def say(connection: Any, content: bytes) -> None:  # noqa: ANN401  a fake's
    connection.raw(FAKE["frame"](content))


async def sending(connection: Any, content: bytes) -> None:  # noqa: ANN401  a fake's
    for start in range(0, len(content), 1 << 16):
        connection.raw(content[start : start + (1 << 16)])
        await connection.writer.drain()


def asked_for(connection: Any, line: Line) -> bool:  # noqa: ANN401  a fake's
    """Whether a line was asked for on a connection."""
    same = connection.path.lstrip("/") == line.path.lstrip("/")
    return same and set(line.greetings) <= set(connection.received)


def table() -> None:
    print("| venue | frame | bytes | reader µs | socket to tape µs | frames/s of a core |")
    print("|---|---|---|---|---|---|")
    for name, make in BUSY.items():
        for kind, (line, frames, first) in make(COUNT).items():
            venue, size = VENUES[name], sum(map(len, frames)) // len(frames)
            alone = reading(venue, line, frames, first)
            with tempfile.TemporaryDirectory() as folder:
                spent, refused = asyncio.run(whole(venue, line, frames, first, Path(folder)))
            told = f" ({refused} refused)" if refused else ""
            costs = f"{alone:.0f} | {spent:.0f} | {1e6 / spent:,.0f}"
            print(f"| {name} | {kind}{told} | {size} | {costs} |", flush=True)


PACE = {"mark": 4.0, "liquidation": 0.2, "book": 4.0}  # frames a second of two symbols


async def soaking(minutes: float, folder: Path) -> None:
    """All venues at once at a busy day's pace; memory and bytes each half minute."""
    servers, tasks, collectors = [], [], []
    for name, make in BUSY.items():
        server = FAKE["FakeVenue"]().__enter__()
        servers.append(server)
        venue, symbols = VENUES[name], ("BTCUSDT", "ETHUSDT")
        kinds, streams = KINDS & VENUES[name].kinds, make(int(minutes * 60 * 5) + 10)
        lines = {one.name: one for one in venue.lines(symbols, kinds)}
        replies = pages_of([pair for _, _, first in streams.values() for pair in first])
        polls = {poll.path: poll for poll in venue.polls(symbols, kinds)}
        wanted = Wanted(symbols=symbols, kinds=kinds, folder=folder)
        collector = Collector(venue, wanted, url=server.sockets, clocks=SystemClocks(),
                              ask=lambda path, _, r=replies, p=polls: r(p[path]))  # fmt: skip
        collectors.append(collector)
        tasks.append(asyncio.create_task(collector.run()))
        for kind, (line, frames, _) in streams.items():
            tasks.append(asyncio.create_task(pacing(server, lines[line], frames, PACE[kind])))
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - began < minutes * 60:
        await asyncio.sleep(30)
        spent = time.monotonic() - began
        used = Path("/proc/self/statm").read_text().split()[1]
        rss = int(used) * resource.getpagesize() / 1e6
        taped = sum(one.status.bytes for one in collectors)
        frames = sum(one.status.frames for one in collectors)
        share = (time.process_time() - cpu) / spent
        print(
            f"{spent:.0f} s: {frames} frames, {rss:.1f} MB of memory, {taped / 1e6:.2f} MB taped, "
            f"{share:.1%} of a core with the servers",
            flush=True,
        )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        server.__exit__()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(json.dumps({"compressed_mb_a_day": size / minutes * 1_440 / 1e6}))


async def pacing(server: Any, line: Line, frames: list[bytes], pace: float) -> None:  # noqa: ANN401
    """Frames on every connection of a line, so many a second."""
    for content in cycle(frames):
        for connection in server.live():
            if asked_for(connection, line):
                server.start(lambda c=connection, told=content: say(c, told))
        await asyncio.sleep(1.0 / pace)


if __name__ == "__main__":
    if sys.argv[1:2] == ["soak"]:
        with tempfile.TemporaryDirectory() as where:
            asyncio.run(soaking(float(sys.argv[2]), Path(where)))
    else:
        table()
