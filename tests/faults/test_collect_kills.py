"""``kill -9`` of a collector at any moment: what it said is on disk is read again.

A child process collects from a server in this one and says after each look how many records are on
disk for sure. ``LIQWARN_FAULTS=full`` runs the count that docs/collect.md reports.
"""

import asyncio
import json
import os
import random
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

from liqwarn.collectors.tape_recovery import recover_tape

COLLECTORS = Path(__file__).parents[1] / "collectors"
_FAKE = runpy.run_path(str(COLLECTORS / "fake_venue.py"))
_GIVEN = runpy.run_path(str(COLLECTORS / "collect_given.py"))
FakeVenue, taped = _FAKE["FakeVenue"], _GIVEN["taped"]

KILLS = 120 if os.environ.get("LIQWARN_FAULTS") == "full" else 3

_CHILD = """
import asyncio, runpy, sys
from pathlib import Path
here = Path(sys.argv[1])
venue = runpy.run_path(str(here / "tiny_venue.py"))["TinyVenue"]()
given = runpy.run_path(str(here / "collect_given.py"))
from liqwarn.collectors.collector import Collector, Wanted
from liqwarn.collectors.watch_clocks import SystemClocks

async def main():
    what = Wanted(symbols=("BTCUSDT",), kinds=frozenset({"liquidation"}), folder=Path(sys.argv[2]),
                  sync_s=0.02, sample_s=0.05)
    collector = Collector(venue, what, url=sys.argv[3], ask=None, clocks=SystemClocks())
    running = asyncio.create_task(collector.run())
    while True:
        await asyncio.sleep(0.005)
        if running.done():
            running.result()
        print(collector._parts.backlog.acknowledged, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def server():
    with FakeVenue() as running:
        yield running


def numbers(records):
    return [json.loads(record.content)["n"] for record in records if record.what == "frame"]


def flow(server):
    """Liquidations without end, numbered for each connection."""

    async def flowing():
        while True:
            for line in server.live("/forced"):
                n = len(line.sent) + 1
                line.send({"k": "liq", "s": "A", "T": 1, "side": "long", "p": 1, "n": n})
            await asyncio.sleep(0.001)

    return server.start(flowing)


def killed(server, folder, wait_s):
    """Collect for a while, then kill; how many records were said to be on disk."""
    command = [sys.executable, "-c", _CHILD, str(COLLECTORS), str(folder), server.sockets]
    before = len(server.connections)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        ends = time.monotonic() + 60
        while len(server.connections) == before:
            assert child.poll() is None, child.stderr.read()
            assert time.monotonic() < ends
            time.sleep(0.01)
        time.sleep(wait_s)
    finally:
        child.kill()
    out, _ = child.communicate(timeout=30)
    return int([line for line in out.split("\n")[:-1] if line][-1])


def test_nothing_that_was_acknowledged_is_lost(server, tmp_path):
    rng = random.Random(7)
    flowing = flow(server)
    kept = 0
    for kill in range(KILLS):
        said = killed(server, tmp_path, rng.uniform(0.05, 0.6))
        records = taped(tmp_path)
        mine = records[kept:]
        found = numbers(mine)
        sent = len(server.connections[-1].sent)

        assert len(mine) >= said, f"kill {kill}"
        assert found == list(range(1, len(found) + 1))
        assert len(found) <= sent
        assert mine[0].what == "opened"

        recovered = recover_tape(tmp_path, "tiny")
        assert not recovered.damaged
        assert taped(tmp_path)[kept:] == mine
        kept = len(records)
    flowing.cancel()
    assert kept > KILLS
