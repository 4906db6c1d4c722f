"""An hour in which a venue does everything wrong, with the truth beside it.

The collector's clocks and the script's run sixty times as fast as the machine's: every wait,
silence, sample and backoff is that of an hour, which takes a minute. By default four minutes of it
are played; ``LIQWARN_FAULTS=full`` plays the hour that docs/collect.md reports.
"""

import asyncio
import json
import os
import random
import runpy
from dataclasses import dataclass, field
from pathlib import Path

import pytest

COLLECTORS = Path(__file__).parents[1] / "collectors"
_TINY = runpy.run_path(str(COLLECTORS / "tiny_venue.py"))
_FAKE = runpy.run_path(str(COLLECTORS / "fake_venue.py"))
_GIVEN = runpy.run_path(str(COLLECTORS / "collect_given.py"))
TinyVenue, FakeVenue, frame = _TINY["TinyVenue"], _FAKE["FakeVenue"], _FAKE["frame"]
PING = _FAKE["PING"]
FastClocks, collecting, taped, until, wanted = (
    _GIVEN[name] for name in ("FastClocks", "collecting", "taped", "until", "wanted")
)

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
SPEED, MINUTES = 60.0, 60 if FULL else 4


@dataclass
class Chaos:
    """The script: what flows, what goes wrong, and what the tape must say of it."""

    server: object
    clocks: object
    rng: random.Random
    sent: dict = field(default_factory=dict)
    outages: list = field(default_factory=list)
    played: list = field(default_factory=list)
    numbers: dict = field(default_factory=dict)
    quiet: bool = False

    def now_ms(self):
        return int(self.clocks.wall() * 1_000)

    def liq(self):
        n = len(self.sent) + 1
        side = self.rng.choice(["long", "short"])
        told = {"k": "liq", "s": "A", "T": self.now_ms(), "side": side, "p": n % 7 + 1, "n": n}
        self.sent[n] = told
        return told

    def mark(self, connection, jump=1):
        u = self.numbers[connection] = self.numbers.get(connection, 0) + jump
        connection.send({"k": "mark", "s": "A", "T": self.now_ms(), "p": 2.5, "u": u})

    def outage(self, line, what):
        self.outages.append((self.now_ms(), line, what))

    def newest(self, path="/forced"):
        return next(iter(self.server.live(path)[-1:]), None)

    async def flow(self):
        """A liquidation every two seconds, a mark every one."""
        while True:
            await self.clocks.sleep(1.0)
            if self.rng.random() < 0.5 and (lines := self.server.live("/forced")):
                told = self.liq()
                for connection in lines:
                    connection.send(told)
            if not self.quiet:
                for connection in self.server.live("/market"):
                    self.mark(connection)

    async def play(self, seconds):
        """One thing after the other goes wrong, each given time to heal; every kind by turns."""
        names = [name for name in dir(self) if name.startswith("act_")]
        deck: list = []
        ends = self.clocks.monotonic() + seconds
        while self.clocks.monotonic() < ends:
            await self.clocks.sleep(self.rng.uniform(3.0, 9.0))
            while not (self.newest() and self.newest("/market")):
                await self.clocks.sleep(0.5)
            deck = deck or self.rng.sample(names, len(names))
            name = deck.pop()
            self.played.append(name.removeprefix("act_"))
            await getattr(self, name)(self.newest())

    async def act_close(self, line):
        self.outage("forced", "closed")
        line.close()

    async def act_reset(self, line):
        self.outage("forced", "closed")
        line.reset()

    async def act_both_reset(self, line):
        self.outage("forced", "closed")
        self.outage("market", "closed")
        line.reset()
        self.newest("/market").reset()

    async def act_stall(self, line):
        self.outage("forced", "silent")
        line.stalled = True
        await self.clocks.sleep(80.0)

    async def act_marks_stop(self, line):
        self.outage("market", "silent")
        self.quiet = True
        await self.clocks.sleep(60.0)  # a second of the machine, which may be busy
        self.quiet = False

    async def act_hole(self, line):
        self.outage("market", "gap")
        self.mark(self.newest("/market"), jump=5)
        await self.clocks.sleep(10.0)

    async def act_replay(self, line):
        for told in list(self.sent.values())[-20:]:
            line.send(told)

    async def act_duplicate(self, line):
        told = self.liq()
        line.send(told)
        line.send(told)

    async def act_reorder(self, line):
        told = [self.liq() for _ in range(6)]
        self.rng.shuffle(told)
        for one in told:
            line.send(one)

    async def act_garbage(self, line):
        line.raw(frame(self.rng.choice([b"{", b"<html>", b"null", b'{"k":"liq","n":1}'])))

    async def act_binary(self, line):
        line.raw(frame(self.rng.randbytes(200), 2))

    async def act_pieces(self, line):
        told = self.liq()
        content = json.dumps(told).encode()
        line.sent.append(told)
        drops = frame(content[:7], fin=False) + frame(content[7:], 0)
        drops += frame(str(len(line.sent)).encode(), PING)
        for place in range(len(drops)):
            line.raw(drops[place : place + 1])

    async def act_drip(self, line):
        told = self.liq()
        content = frame(json.dumps(told).encode())
        line.stalled = True
        for place in range(0, len(content), 8):
            line.raw(content[place : place + 8])
            await self.clocks.sleep(0.3)
        line.stalled = False
        if line.open:
            line.sent.append(told)
            line.raw(frame(str(len(line.sent)).encode(), PING))

    async def act_cut(self, line):
        self.outage("forced", "closed")
        line.raw(frame(json.dumps(self.liq()).encode())[:-9])
        await self.clocks.sleep(1.0)
        line.reset()

    async def act_huge(self, line):
        self.outage("forced", "closed")
        line.raw(frame(b"", claim=1 << 40))

    async def act_no_compression(self, line):
        self.outage("forced", "closed")
        line.raw(frame(b"compressed?", rsv1=True))

    async def act_flood(self, line):
        market = self.newest("/market")
        for _ in range(1_500):
            self.mark(market)

    async def act_refused(self, line):
        self.outage("forced", "closed")
        line.send({"k": "no", "why": "too many subscriptions"})

    async def _closed_door(self, line, refusal, seconds):
        self.outage("forced", "closed")
        self.server.handshake = refusal
        line.reset()
        await self.clocks.sleep(seconds)
        self.server.handshake = "ok"

    async def act_status_403(self, line):
        await self._closed_door(line, 403, 15.0)

    async def act_status_429(self, line):
        await self._closed_door(line, 429, 15.0)

    async def act_status_502(self, line):
        await self._closed_door(line, 502, 15.0)

    async def act_no_answer(self, line):
        await self._closed_door(line, "hang", 30.0)

    async def act_no_handshake(self, line):
        await self._closed_door(line, "garbage", 10.0)


@pytest.fixture
def server():
    with FakeVenue() as running:
        yield running


def played(server, folder):
    clocks = FastClocks(SPEED)
    chaos = Chaos(server, clocks, random.Random(8))

    async def whole():
        what = wanted(folder, kinds=("liquidation", "mark"))
        async with collecting(TinyVenue(), server, what, clocks) as collector:
            flowing = server.start(chaos.flow)
            playing = server.start(lambda: chaos.play(MINUTES * 60.0))
            await until(playing.done, seconds=600)
            playing.result()
            server.handshake = "ok"
            await until(lambda: len(server.live("/forced")) == len(server.live("/market")) == 1)
            await clocks.sleep(20)
            flowing.cancel()
            last = server.live("/forced")[-1]
            await until(lambda: len(last.delivered) == len(last.sent))
        return collector.status

    return chaos, asyncio.run(whole())


def test_nothing_delivered_is_lost_and_every_outage_is_on_the_tape(server, tmp_path):
    chaos, status = played(server, tmp_path)
    records = taped(tmp_path)
    told = [json.loads(r.content) for r in records if r.what == "frame"]
    delivered = {one["n"] for c in server.connections for one in c.delivered if one["k"] == "liq"}

    assert {one["n"] for one in told} >= delivered
    assert all(one == chaos.sent[one["n"]] for one in told)
    assert len(delivered) > 10 * MINUTES
    assert status.lost() == []
    missing = [outage for outage in chaos.outages if not on_tape(outage, records)]
    assert missing == []
    assert len(chaos.outages) > MINUTES
    print(summary(chaos, records, delivered, told))


def on_tape(outage, records):
    """Whether the tape has the outage, and the line's next opening."""
    at, line, what = outage
    after = [r for r in records if r.line == line and r.seen_ms >= at - 1_000]
    soon = [r.what for r in after if r.seen_ms <= at + 120_000]
    return what in soon and "opened" in [r.what for r in after][soon.index(what) :]


def summary(chaos, records, delivered, told):
    whats = {
        what: sum(r.what == what for r in records) for what in sorted({r.what for r in records})
    }
    return (
        f"{len(chaos.played)} acts, {len(chaos.outages)} outages, {len(chaos.sent)} liquidations "
        f"made, {len(delivered)} delivered, {len(told)} taped, {len({t['n'] for t in told})} once; "
        f"records {whats}"
    )
