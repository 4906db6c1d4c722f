"""A venue's collector against a server on loopback that does what venues do."""

import asyncio
import errno
import json
import os
import runpy
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from liqwarn.collectors.backlog import Room
from liqwarn.collectors.happening_codec import decode_happenings
from liqwarn.collectors.session_manners import Manners

HERE = Path(__file__)
_TINY = runpy.run_path(str(HERE.with_name("tiny_venue.py")))
_FAKE = runpy.run_path(str(HERE.with_name("fake_venue.py")))
_GIVEN = runpy.run_path(str(HERE.with_name("collect_given.py")))
TinyVenue = _TINY["TinyVenue"]
FakeVenue, frame = _FAKE["FakeVenue"], _FAKE["frame"]
FastClocks, collecting, taped, until, wanted = (
    _GIVEN[name] for name in ("FastClocks", "collecting", "taped", "until", "wanted")
)

SPEED = 20.0


def liq(n, clocks):
    return {
        "k": "liq",
        "s": "BTCUSDT",
        "T": int(clocks.wall() * 1e3),
        "side": "long",
        "p": 1,
        "n": n,
    }


def mark(u, clocks, price=2.5):
    return {"k": "mark", "s": "BTCUSDT", "T": int(clocks.wall() * 1e3), "p": price, "u": u}


@pytest.fixture
def server():
    with FakeVenue() as running:
        yield running


class Scene:
    """A collector under way, and the server it is connected to."""

    def __init__(self, server, collector, clocks, folder):
        self.server, self.collector, self.clocks, self.folder = server, collector, clocks, folder
        self.sent = 0

    async def connected(self, path="/forced", n=1):
        return await until(lambda: self.server.live(path)[-1:] if len(self.server.live(path)) >= n
                           else None)  # fmt: skip

    async def forced(self, count=1):
        """Send liquidations and wait until they have arrived."""
        [line] = await self.connected()
        for _ in range(count):
            self.sent += 1
            self.server.do(line.send, liq(self.sent, self.clocks))
        await until(lambda: len(line.delivered) == len(line.sent))

    def status(self, name="forced"):
        return self.collector.status.lines[name]


def play(server, folder, script, *, venue=None, speed=SPEED, **changes):
    """Run a script against a collector; then the tape's records."""
    clocks = FastClocks(speed)
    changes = {"kinds": ("liquidation",), **changes}

    async def whole():
        what = wanted(folder, **changes)
        async with collecting(venue or TinyVenue(), server, what, clocks) as collector:
            await script(Scene(server, collector, clocks, folder))
        return collector

    collector = asyncio.run(whole())
    return taped(folder), collector.status


def numbers(records):
    return [
        json.loads(r.content)["n"] for r in records if r.what == "frame" and b"liq" in r.content
    ]


def whats(records, line="forced"):
    return [r.what for r in records if r.line == line and r.what != "happenings"]


def test_what_is_delivered_is_on_the_tape_as_it_came(server, tmp_path):
    async def script(scene):
        await scene.forced(5)

    records, status = play(server, tmp_path, script)

    assert whats(records) == ["opened", *["frame"] * 5, "closed"]
    assert numbers(records) == [1, 2, 3, 4, 5]
    assert records[-1].content == b"stopped"
    assert status.happenings == {"liquidation": 5}
    assert status.lost() == []
    assert status.waiting_bytes == 0


@pytest.mark.parametrize("fault", ["close", "reset"])
def test_a_line_that_ends_is_begun_again(server, tmp_path, fault):
    async def script(scene):
        await scene.forced(2)
        [line] = scene.server.live("/forced")
        scene.server.do(getattr(line, fault))
        await scene.forced(2)

    records, status = play(server, tmp_path, script)

    assert whats(records) == ["opened", "frame", "frame", "closed"] * 2
    assert numbers(records) == [1, 2, 3, 4]
    assert status.lines["forced"].opened == 2


@pytest.mark.parametrize("refusal", [403, 429, 502, "garbage", "hang"])
def test_a_handshake_that_fails_is_tried_again_later(server, tmp_path, refusal):
    server.handshake = refusal

    async def script(scene):
        await until(lambda: server.refused >= 2)
        assert scene.status().connected_ms is None
        assert scene.status().fault
        server.handshake = "ok"
        await scene.forced()

    manners = Manners(open_s=4.0, first_wait_s=0.5, longest_wait_s=2.0)
    records, _ = play(server, tmp_path, script, manners=manners)

    assert numbers(records) == [1]


def test_a_venue_that_asks_to_wait_is_obeyed(server, tmp_path):
    server.handshake, server.retry_after = 429, 30

    async def script(scene):
        await until(lambda: server.refused)
        began = scene.clocks.monotonic()
        server.handshake = "ok"
        await scene.connected()
        assert scene.clocks.monotonic() - began > 25

    play(server, tmp_path, script)


def test_a_line_without_any_sign_of_life_is_begun_again(server, tmp_path):
    async def script(scene):
        await scene.forced()
        [line] = server.live("/forced")
        line.stalled = True
        await until(lambda: server.live("/forced")[-1:] != [line])
        await scene.forced()

    records, _ = play(server, tmp_path, script)

    assert whats(records) == ["opened", "frame", "silent", "closed", "opened", "frame", "closed"]
    [silent] = [r for r in records if r.what == "silent"]
    assert silent.content.startswith(b"line: nothing for 3")


def test_a_quiet_line_that_answers_pings_lives(server, tmp_path):
    async def script(scene):
        await scene.forced()
        await scene.clocks.sleep(100)
        await scene.forced()

    records, _ = play(server, tmp_path, script)

    assert whats(records) == ["opened", "frame", "frame", "closed"]
    assert sum(r.what == "happenings" and not decode_happenings(r.content) for r in records) >= 2


def test_a_topic_that_falls_silent_is_asked_for_on_a_new_connection(server, tmp_path):
    async def script(scene):
        [line] = await scene.connected("/market")
        server.do(line.send, mark(1, scene.clocks))
        await until(lambda: len(server.connections) > 1)
        assert line.open  # both are, for a while
        await until(lambda: not line.open)
        [line] = server.live("/market")
        for u in range(1, 4):
            server.do(line.send, mark(u, scene.clocks))
            await scene.clocks.sleep(2)

    records, _ = play(server, tmp_path, script, kinds=("mark",))

    assert whats(records, "market")[:4] == ["opened", "silent", "closed", "opened"]
    [silent, *_] = [r for r in records if r.what == "silent"]
    assert silent.content.startswith(b"mark: nothing for 1")
    values = [
        one for r in records if r.what == "happenings" for one in decode_happenings(r.content)
    ]
    assert {one.value for one in values} == {2.5}


def test_a_hole_in_the_sequence_is_told_and_mended(server, tmp_path):
    async def script(scene):
        [line] = await scene.connected("/market")
        for u in (1, 2, 5):
            server.do(line.send, mark(u, scene.clocks))
        await until(lambda: len(server.connections) > 1)

        async def marks():
            for u in range(6, 90):
                server.tell("/market", mark(u, scene.clocks))
                await asyncio.sleep(0.01)

        server.start(marks)
        await until(lambda: scene.status("market").opened == 2)

    records, status = play(server, tmp_path, script, kinds=("mark",))

    assert whats(records, "market") == ["opened", "gap", "closed", "opened", "closed"]
    assert [r.content for r in records if r.what == "gap"] == [b"2 to 5"]
    assert status.lines["market"].gaps == 1


def test_a_line_is_replaced_before_the_venue_cuts_it_and_nothing_is_missed(server, tmp_path):
    async def script(scene):
        [first] = await scene.connected()

        async def flow():
            for n in range(1, 160):
                server.tell("/forced", liq(n, scene.clocks))
                await asyncio.sleep(0.01)

        flowing = server.start(flow)
        await until(lambda: not first.open)
        await until(flowing.done)

    manners = Manners(life_s=15.0, overlap_s=5.0)
    records, status = play(server, tmp_path, script, manners=manners)
    found = numbers(records)

    assert status.lines["forced"].opened >= 2
    assert sorted(set(found)) == list(range(1, 160))
    assert len(found) > 159  # for a while both said the same
    assert [r.content for r in records if r.what == "closed"][:1] == [b"replaced"]


def test_a_replacement_that_is_closed_at_once_costs_nothing(server, tmp_path):
    server.on_hello = lambda line: line.close() if 1 < line.number < 4 else None

    async def script(scene):
        [first] = await scene.connected()
        await until(lambda: len(server.connections) >= 4)
        server.do(first.send, liq(1, scene.clocks))
        await until(lambda: first.delivered)
        await until(lambda: not first.open)
        await until(lambda: scene.status().opened == 2)

    records, _ = play(server, tmp_path, script, manners=Manners(life_s=5.0, first_wait_s=0.5))

    assert whats(records)[:4] == ["opened", "frame", "closed", "opened"]


def test_a_refused_subscription_ends_the_line_and_waits_longer_each_time(server, tmp_path):
    server.on_hello = lambda line: line.send({"k": "no", "why": "unknown symbol"})

    async def script(scene):
        await until(lambda: scene.status().opened >= 3)

    records, _ = play(server, tmp_path, script)

    closed = [r for r in records if r.what == "closed"]
    assert closed[0].content == b"refused: unknown symbol"
    assert closed[1].seen_ms - closed[0].seen_ms >= 250


TWO = TinyVenue(topics=(("mark", 10.0), ("gone", 10.0)))
GONE = {"k": "no", "why": "gone is delisted", "topics": ["gone", "elsewhere"]}


def test_a_line_goes_on_for_what_was_granted(server, tmp_path):
    server.on_hello = lambda line: line.send(GONE)

    async def script(scene):
        [line] = await scene.connected("/market")
        for u in range(1, 30):
            server.do(line.send, mark(u, scene.clocks))
            await scene.clocks.sleep(1)
        assert scene.status("market").to_dict()["refused_topics"] == {"gone": "gone is delisted"}
        assert scene.collector.status.faults == ["market: gone is not given (gone is delisted)"]

    records, status = play(server, tmp_path, script, kinds=("mark",), venue=TWO)

    assert whats(records, "market") == ["opened", "silent", "closed"]
    [silent] = [r.content for r in records if r.what == "silent"]
    assert silent == b"gone: nothing for 0.0 s: refused: gone is delisted"
    assert status.lost() == ["market: gone is not given (gone is delisted)"]


def test_what_was_refused_is_asked_for_again_later_on_a_connection_beside(server, tmp_path):
    server.on_hello = lambda line: line.send(GONE) if line.number == 1 else None
    quick = TinyVenue(topics=(("mark", None), ("gone", None)))

    async def script(scene):
        await scene.connected("/market")
        await until(lambda: len(server.live("/market")) == 2)
        assert 59 < scene.clocks.monotonic() < 90
        await until(lambda: scene.status("market").opened == 2)
        assert scene.status("market").denied == {}

    manners = Manners(again_s=60.0)
    records, _ = play(server, tmp_path, script, kinds=("mark",), venue=quick, manners=manners)

    told = [r for r in records if r.what in ("closed", "opened")]
    assert [r.content for r in told[1:3]] == [b"replaced", b"replaces another"]


def test_a_refusal_of_everything_topic_by_topic_begins_anew(server, tmp_path):
    def refuse(line):
        for topic in ("mark", "gone"):
            line.send({**GONE, "topics": [topic]})

    server.on_hello = refuse

    async def script(scene):
        await until(lambda: scene.status("market").opened >= 2)

    records, _ = play(server, tmp_path, script, kinds=("mark",), venue=TWO)

    assert whats(records, "market")[:4] == ["opened", "silent", "closed", "opened"]


def test_a_topic_that_stays_silent_is_asked_for_ever_more_seldom(server, tmp_path):
    async def script(scene):
        await scene.connected("/market")
        until_s = scene.clocks.monotonic() + 900
        for u in range(1, 10_000):
            if scene.clocks.monotonic() > until_s:
                break
            server.tell("/market", mark(u, scene.clocks))
            await scene.clocks.sleep(2)

    manners = Manners(first_wait_s=0.5, longest_wait_s=2.0)
    changes = {"kinds": ("mark",), "venue": TWO, "speed": 200.0, "manners": manners}
    _, status = play(server, tmp_path, script, **changes)

    assert 3 <= status.lines["market"].opened <= 8  # 10, 40, 70, 130, 250, 490 s


def test_a_connection_that_had_died_before_it_is_replaced_leaves_a_silence(server, tmp_path):
    async def script(scene):
        await scene.forced()
        [line] = server.live("/forced")
        line.stalled = True
        await until(lambda: scene.status().opened == 2)

    manners = Manners(life_s=15.0, overlap_s=5.0)
    records, _ = play(server, tmp_path, script, manners=manners)

    assert whats(records)[:5] == ["opened", "frame", "silent", "closed", "opened"]
    [silent, *_] = [r for r in records if r.what == "silent"]
    assert silent.content.startswith(b"line: nothing for ")


def test_a_wait_that_is_asked_for_is_obeyed_by_a_replacement_too(server, tmp_path):
    server.retry_after = 100

    async def script(scene):
        await scene.connected()
        server.handshake = 429
        await until(lambda: server.refused)
        began = scene.clocks.monotonic()
        server.handshake = "ok"
        await until(lambda: len(server.connections) > 1)
        assert scene.clocks.monotonic() - began > 90

    play(server, tmp_path, script, speed=100.0, manners=Manners(life_s=15.0, first_wait_s=0.5))


def test_a_reply_is_sent_at_once(server, tmp_path):
    async def script(scene):
        [line] = await scene.connected()
        server.do(line.send, {"k": "ping"})
        await until(lambda: b'{"k":"pong"}' in line.received)

    play(server, tmp_path, script)


@pytest.mark.parametrize(
    "content", [b"{", b"\x00\xff", b"<html>", b'{"k":"bug"}', b'{"k":"liq"}', b"[" * 5_000]
)
def test_a_frame_that_cannot_be_read_is_kept_whole_and_the_line_goes_on(server, tmp_path, content):
    async def script(scene):
        await scene.forced()
        [line] = server.live("/forced")
        server.do(line.raw, frame(content, 2 if content[:1] == b"\x00" else 1))
        await scene.forced()

    records, status = play(server, tmp_path, script)

    assert whats(records) == ["opened", "frame", "refused", "frame", "closed"]
    assert [r.content for r in records if r.what == "refused"] == [content]
    assert status.lines["forced"].refused == 1


def test_a_flood_of_frames_that_cannot_be_read_is_counted(server, tmp_path):
    async def script(scene):
        [line] = await scene.connected()
        server.do(line.raw, frame(b"{" * 600_000) * 4)
        await until(lambda: scene.status().refused == 4)
        await scene.forced()

    records, status = play(server, tmp_path, script)

    assert whats(records).count("refused") == 1
    assert status.lost() == ["3 refused frames not kept"]
    assert numbers(records) == [1]


def broken(name, clocks):
    """Bytes that end a line."""
    good = json.dumps(liq(99, clocks)).encode()
    return {
        "a huge frame": frame(b"", claim=1 << 40),
        "more than is taken": frame(b"x" * (9 << 20)),
        "a reserved opcode": frame(good, 5),
        "a bit nobody agreed to": frame(good, rsv1=True),
        "a masked frame": bytes([0x81, 0x80 | 4]) + b"abcdabcd",
        "a continuation of nothing": frame(good, 0),
        "a ping that is too long": frame(b"x" * 200, 9),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "a huge frame",
        "more than is taken",
        "a reserved opcode",
        "a bit nobody agreed to",
        "a masked frame",
        "a continuation of nothing",
        "a ping that is too long",
    ],
)
def test_what_is_no_frame_ends_the_line_and_it_is_begun_again(server, tmp_path, name):
    async def script(scene):
        await scene.forced()
        [line] = server.live("/forced")
        server.do(line.raw, broken(name, scene.clocks))
        await until(lambda: not line.open)
        await scene.forced()

    records, _ = play(server, tmp_path, script)

    assert whats(records) == ["opened", "frame", "closed"] * 2
    assert numbers(records) == [1, 2]


def deflated(content):
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def test_compressed_frames_are_read(server, tmp_path):
    server.handshake = "deflate"

    async def script(scene):
        [line] = await scene.connected()
        told = json.dumps(liq(7, scene.clocks)).encode()
        server.do(line.raw, frame(deflated(told), rsv1=True))
        await until(lambda: scene.status().frames)

    records, _ = play(server, tmp_path, script)

    assert numbers(records) == [7]


@pytest.mark.parametrize("content", [b"no deflate", deflated(bytes(64 << 20))])
def test_compressed_garbage_and_bombs_end_the_line(server, tmp_path, content):
    server.handshake = "deflate"

    async def script(scene):
        [line] = await scene.connected()
        server.do(line.raw, frame(content, rsv1=True))
        await until(lambda: scene.status().opened == 2)
        await scene.forced()

    records, _ = play(server, tmp_path, script)

    assert whats(records) == ["opened", "closed", "opened", "frame", "closed"]


def test_frames_in_pieces_and_drops_are_whole(server, tmp_path):
    async def script(scene):
        [line] = await scene.connected()
        told = json.dumps(liq(3, scene.clocks)).encode()
        pieces = frame(told[:9], fin=False) + frame(told[9:20], 0, fin=False) + frame(told[20:], 0)

        async def drip():
            for place in range(len(pieces)):
                line.raw(pieces[place : place + 1])
                await asyncio.sleep(0.001)

        server.start(drip)
        await until(lambda: scene.status().frames)

    records, _ = play(server, tmp_path, script)

    assert numbers(records) == [3]


def test_a_frame_that_is_cut_in_the_middle_is_none(server, tmp_path):
    async def script(scene):
        await scene.forced()
        [line] = server.live("/forced")
        server.do(line.raw, frame(json.dumps(liq(99, scene.clocks)).encode())[:-5])
        await scene.clocks.sleep(1)
        server.do(line.reset)
        await scene.forced()

    records, _ = play(server, tmp_path, script)

    assert numbers(records) == [1, 2]


def test_values_are_sampled_and_candles_are_not(server, tmp_path):
    async def script(scene):
        [line] = await scene.connected("/market")

        async def flow():
            for u in range(1, 301):
                line.send(mark(u, scene.clocks, price=float(u)))
                if u % 100 == 0:
                    line.send({"k": "candle", "s": "BTCUSDT", "T": u * 60_000, "p": 1})
                    line.send({"k": "candle", "s": "BTCUSDT", "T": u * 60_000, "p": 1})
                await asyncio.sleep(0.002)

        server.start(flow)
        await until(lambda: len(line.sent) == 306 and len(line.delivered) == len(line.sent))

    records, status = play(server, tmp_path, script, kinds=("mark",), sample_s=2.0)
    told = [one for r in records if r.what == "happenings" for one in decode_happenings(r.content)]
    values = [one.value for one in told if hasattr(one, "value")]

    assert status.happenings["reading"] == 300
    assert 3 <= len(values) <= 40
    assert values == sorted(values)
    assert values[-1] == 300.0
    assert sum(hasattr(one, "close") for one in told) == 3


def test_questions_are_asked_and_their_silence_is_told(server, tmp_path):
    server.pages["/oi"] = (200, b'{"k":"oi","s":"BTCUSDT","T":1780000000000,"p":5.0}')

    async def script(scene):
        poll = scene.collector.status.polls["oi"]
        await until(lambda: poll.frames >= 2)
        server.pages["/oi"] = (200, b"<html>busy</html>")
        await until(lambda: poll.refused)
        server.pages["/oi"] = (503, b"")
        await until(lambda: poll.silences)
        server.pages["/oi"] = (200, b'{"k":"oi","s":"BTCUSDT","T":1780000000000,"p":5.0}')
        frames = poll.frames
        await until(lambda: poll.frames > frames and not poll.fault)

    kinds = ("open_interest",)
    records, _ = play(server, tmp_path, script, kinds=kinds, venue=TinyVenue(poll_s=4.0))

    assert ("GET", "/sizes", b"") in server.asked
    assert ("POST", "/oi", b"{}") in server.asked
    assert whats(records, "sizes") == ["frame"]
    assert b"oi: nothing for" in next(r.content for r in records if r.what == "silent")


def test_lines_wait_for_what_must_be_known_first(server, tmp_path):
    page = server.pages.pop("/sizes")

    async def script(scene):
        await until(lambda: len(server.asked) >= 2)
        assert not server.connections
        server.pages["/sizes"] = page
        await scene.forced()

    records, _ = play(server, tmp_path, script, kinds=("liquidation", "open_interest"))

    assert [r.line for r in records if r.what == "frame"] == ["sizes", "forced"]


def test_while_the_disk_is_full_the_venue_waits_and_no_liquidation_is_lost(
    server, tmp_path, monkeypatch
):
    real, numbered, enough = os.pwrite, [1], []

    def full(descriptor, content, at):
        raise OSError(errno.ENOSPC, "No space left on device")

    def stands_still(sent):
        before = len(sent)
        time.sleep(0.3)
        return len(sent) == before

    async def script(scene):
        await scene.forced()
        await scene.clocks.sleep(1)
        monkeypatch.setattr(os, "pwrite", full)
        [line] = server.live("/forced")
        payload = "x" * 60_000

        async def flood():
            while not enough:  # the kernel takes tens of megabytes before the venue has to wait
                numbered.append(len(numbered) + 1)
                line.send({**liq(numbered[-1], scene.clocks), "pad": payload})
                await line.writer.drain()

        flooding = server.start(flood)
        await until(lambda: scene.collector.status.disk)
        await scene.clocks.sleep(40)  # longer than a silence may be
        await until(lambda: stands_still(line.sent))
        assert 200_000 <= scene.collector.status.waiting_bytes < 300_000
        assert len(line.delivered) < 300
        monkeypatch.setattr(os, "pwrite", real)
        enough.append(True)
        await until(flooding.done)
        await until(lambda: len(line.delivered) == len(line.sent))

    room = Room(frames=200_000, samples=10_000)
    records, status = play(server, tmp_path, script, room=room)

    assert numbers(records) == numbered
    assert len(numbered) > 10
    assert status.lost() == []
    assert whats(records).count("silent") == 0


def test_a_clock_that_is_set_and_one_that_is_wrong_are_told(server, tmp_path):
    async def script(scene):
        await scene.forced(3)
        await scene.clocks.sleep(3)
        scene.clocks.set_by = 100.0
        await scene.clocks.sleep(3)
        true = replace_clock(scene.clocks)
        [line] = server.live("/forced")
        for n in range(4, 9):
            server.do(line.send, {**liq(n, scene.clocks), "T": true()})
        await scene.clocks.sleep(5)

    def replace_clock(clocks):
        return lambda: int((clocks.wall() - 100.0) * 1e3)

    records, status = play(server, tmp_path, script)
    told = [r.content.decode() for r in records if r.what == "clock"]

    assert told[0].startswith("our clock jumped by +100.0")
    assert "expected -1 to 5 s" in told[1]
    assert status.skew_s > 99


def test_the_status_says_how_it_is(server, tmp_path):
    async def script(scene):
        await scene.forced(4)
        await scene.clocks.sleep(3)
        told = scene.collector.status.to_dict()
        line = told["lines"]["forced"]
        assert line["connected_since_ms"] <= line["last_frame_ms"]
        assert (line["frames"], line["reconnects"]) == (4, 0)
        assert told["acknowledged_until_ms"] >= line["last_frame_ms"]
        assert told["faults"] == []
        json.dumps(told)

    play(server, tmp_path, script)


def test_a_venue_without_lines_can_be_asked_alone(server, tmp_path):
    async def script(scene):
        await until(lambda: scene.collector.status.polls["sizes"].frames)

    venue = replace(TinyVenue(), kinds=frozenset({"open_interest"}))
    records, _ = play(server, tmp_path, script, kinds=("open_interest",), venue=venue)

    assert [r.what for r in records] == ["frame"]
