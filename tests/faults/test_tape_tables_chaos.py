"""A bad hour recorded by the real collector: in minutes that count as heard, nothing is missing.

The clocks run thirty times as fast as the machine's. By default three minutes of it are played;
``LIQWARN_FAULTS=full`` plays forty.
"""

import asyncio
import os
import random
import runpy
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from liqwarn.pipelines.tape_tables import TapeTablesJob, make_tape_tables

_CHAOS = runpy.run_path(str(Path(__file__).with_name("test_collect_chaos.py")))
Chaos, FakeVenue, FastClocks, TinyVenue, collecting, until, wanted = (
    _CHAOS[name]
    for name in (
        "Chaos", "FakeVenue", "FastClocks", "TinyVenue", "collecting", "until", "wanted",
    )
)  # fmt: skip

MINUTES = 40 if os.environ.get("LIQWARN_FAULTS") == "full" else 3
MINUTE_MS = 60_000
UNKNOWABLE = {"act_drip", "act_flood"}
"""The venue leaves orders out for some seconds, which nobody can notice; and a flood takes long."""


class Spaced(Chaos):
    """The same acts, some minutes apart, so that some minutes are whole."""

    async def play(self, seconds):
        names = sorted({name for name in dir(self) if name.startswith("act_")} - UNKNOWABLE)
        ends = self.clocks.monotonic() + seconds
        while self.clocks.monotonic() < ends:
            await self.clocks.sleep(self.rng.uniform(40.0, 160.0))
            name = self.rng.choice(names)
            self.played.append(name)
            if (line := self.newest()) and self.newest("/market"):
                await getattr(self, name)(line)


@pytest.fixture
def server():
    with FakeVenue() as running:
        yield running


def recorded(server, folder):
    clocks = FastClocks(30.0)
    chaos = Spaced(server, clocks, random.Random(3))

    async def whole():
        what = wanted(folder, kinds=("liquidation", "mark"))
        async with collecting(TinyVenue(), server, what, clocks):
            flowing = server.start(chaos.flow)
            playing = server.start(lambda: chaos.play(MINUTES * 60.0))
            await until(playing.done, seconds=900)
            playing.result()
            server.handshake = "ok"
            flowing.cancel()

    asyncio.run(whole())
    return chaos


def test_minutes_that_count_as_heard_have_every_order_once(server, tmp_path):
    chaos = recorded(server, tmp_path)
    venue = TinyVenue()
    job = TapeTablesJob(
        tape=tmp_path, venue=venue, symbols=("A",), kinds=venue.kinds, out=tmp_path / "out"
    )
    make_tape_tables(job)
    files = sorted((tmp_path / "out" / "tiny" / "A" / "liquidations").glob("*.parquet"))
    table = pd.concat(map(pd.read_parquet, files), ignore_index=True)
    closes = table["time"].astype("int64") // 1_000

    sent = Counter(told["T"] // MINUTE_MS for told in chaos.sent.values())
    heard = {
        int(close) // MINUTE_MS - 1: int(long + short)
        for close, long, short in zip(
            closes, table["long_count"], table["short_count"], strict=True
        )
        if long == long  # noqa: PLR0124  NaN
    }
    print(f"{len(heard)} minutes heard, {chaos.played}, orders {sum(heard.values())} of "
          f"{sum(sent.values())}")  # fmt: skip
    assert len(heard) >= 1
    assert heard == {minute: sent[minute] for minute in heard}
