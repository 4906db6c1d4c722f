"""The hub without a network: what each client is told, and when."""

import asyncio
from datetime import timedelta
from itertools import islice

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.serving.documents import FlagDocuments
from liqwarn.serving.keeper import FlagKeeper
from liqwarn.serving.push_hub import PushHub, PushSettings
from liqwarn.serving.shelf import FlagShelf

QUICK = {"kept": 8, "queue": 4, "heartbeat_s": 0.02, "look_s": 0.01}


class Stage:
    """A shelf, a hub and flags that follow one another."""

    def __init__(self, policy, clock, make_flag, flag_set, settings=None):
        self.shelf, self.clock = FlagShelf(), clock
        keeper = FlagKeeper(self.shelf, policy=policy, clock=clock)
        self.hub = PushHub(
            FlagDocuments(keeper, clock=clock),
            clock=clock,
            settings=settings or PushSettings(**QUICK),
        )
        self._make, self._set, self.steps = make_flag, flag_set, 0

    def publish(self, *symbols):
        self.steps += 1
        as_of = self._make().as_of + timedelta(seconds=self.steps)
        self.shelf.publish(self._set(*(self._make(s, as_of=as_of) for s in symbols or "A")))
        self.hub.look()


@pytest.fixture
def stage(policy, clock, make_flag, flag_set):
    return lambda **more: Stage(
        policy, clock, make_flag, flag_set, PushSettings(**{**QUICK, **more})
    )


async def take(client, n):
    found = []
    async for message in client.messages():
        found.append(message)
        if len(found) == n:
            break
    return found


def kinds(messages):
    return [message.kind for message in messages]


def flags_in(message):
    return {flag["symbol"]: flag for flag in orjson.loads(message.data)["flags"]}


def test_the_first_event_is_a_snapshot_and_then_what_changes(stage):
    async def scene(here):
        here.publish("A", "B")
        with here.hub.subscribed() as client:
            here.publish("B")
            return await take(client, 2)

    first, second = asyncio.run(scene(stage()))
    assert (first.kind, sorted(flags_in(first))) == ("snapshot", ["A", "B"])
    assert (second.kind, sorted(flags_in(second))) == ("flags", ["B"])
    run, _, number = first.mark.partition("-")
    assert (number, second.mark) == ("1", f"{run}-2")


def test_before_any_flags_the_snapshot_is_empty(stage):
    async def scene(here):
        with here.hub.subscribed() as client:
            return await take(client, 1)

    [first] = asyncio.run(scene(stage()))
    assert orjson.loads(first.data) == {
        "schema": "liqwarn.flags/1",
        "generated_at": None,
        "market": None,
        "flags": [],
    }


def test_a_flag_that_expires_is_pushed_as_stale_by_itself(stage):
    async def scene(here):
        here.publish("A")
        with here.hub.subscribed() as client:
            here.clock.run(minutes=80)
            return await take(client, 2)

    _, stale = asyncio.run(scene(stage()))
    assert stale.kind == "flags"
    assert flags_in(stale)["A"]["quality"] == "stale"


def test_a_publication_from_another_thread_wakes_the_hub(stage):
    async def scene(here):
        here.shelf.listen(here.hub.wake)
        with here.hub.subscribed() as client:
            await take(client, 1)
            await asyncio.to_thread(here.shelf.publish, here._set(here._make("A")))
            return await asyncio.wait_for(take(client, 1), 2)

    assert kinds(asyncio.run(scene(stage(look_s=30, heartbeat_s=30)))) == ["flags"]


def test_a_filter_lets_nothing_else_through_and_loses_nothing(stage):
    async def scene(here):
        here.publish("A", "B")
        with here.hub.subscribed({"B"}) as client:
            here.publish("A")
            here.publish("B")
            found = await take(client, 2)
            here.publish("A")
            return [*found, *await take(client, 1)]

    snapshot, flags, beat = asyncio.run(scene(stage()))
    assert (list(flags_in(snapshot)), list(flags_in(flags))) == (["B"], ["B"])
    assert (beat.kind, beat.mark.rpartition("-")[2]) == ("heartbeat", "4")


def test_resume_gives_exactly_what_was_missed(stage):
    async def scene(here):
        here.publish("A")
        with here.hub.subscribed() as client:
            [seen] = await take(client, 1)
        for _ in range(3):
            here.publish("A", "B")
        with here.hub.subscribed(after=seen.mark) as client:
            return await take(client, 4)

    found = asyncio.run(scene(stage()))
    assert kinds(found) == ["flags", "flags", "flags", "heartbeat"]
    assert [message.mark.rpartition("-")[2] for message in found] == ["2", "3", "4", "4"]


def test_resume_with_nothing_missed_says_at_once_that_it_lives(stage):
    async def scene(here):
        here.publish("A")
        with here.hub.subscribed(after=here.hub.mark) as client:
            return await asyncio.wait_for(take(client, 1), 2)

    assert kinds(asyncio.run(scene(stage(heartbeat_s=30)))) == ["heartbeat"]


NOT_KEPT = ["", "x", "{run}", "{run}-", "{run}-x", "{run}-99", "{run}-²", "other-3", "{run}--1"]


@pytest.mark.parametrize("after", [*NOT_KEPT, "{run}-" + "9" * 40, "{run}-1"])
def test_a_resume_from_what_is_not_kept_is_a_gap_and_a_snapshot(stage, after):
    async def scene(here):
        for _ in range(12):
            here.publish("A")
        run = here.hub.mark.partition("-")[0]
        with here.hub.subscribed(after=after.format(run=run)) as client:
            return await take(client, 2), run

    (lost, whole), run = asyncio.run(scene(stage()))
    assert (lost.kind, lost.mark, whole.kind) == ("gap", "", "snapshot")
    assert orjson.loads(lost.data)["oldest"] == f"{run}-5"


def test_a_slow_client_is_dropped_with_a_reason_and_nobody_waits_for_it(stage):
    async def scene(here):
        here.publish("A")
        with here.hub.subscribed() as slow, here.hub.subscribed() as quick:
            [seen] = await take(slow, 1)
            await take(quick, 1)
            for _ in range(6):
                here.publish("A")
                assert kinds(await take(quick, 1)) == ["flags"]
            return seen, await take(slow, 5)

    seen, said = asyncio.run(scene(stage()))
    assert kinds(said) == ["dropped"]
    assert orjson.loads(said[0].data)["detail"].startswith("too slow: ")
    assert said[0].mark == seen.mark  # resumed from here, it misses nothing


def test_a_long_resume_is_no_reason_to_drop(stage):
    async def scene(here):
        here.publish("A")
        seen = here.hub.mark
        for _ in range(8):
            here.publish("A")
        with here.hub.subscribed(after=seen) as client:
            here.publish("A")
            return await take(client, 9)

    assert kinds(asyncio.run(scene(stage()))) == ["flags"] * 9


def test_the_ring_is_bounded_in_bytes_too(stage):
    async def scene(here):
        for _ in range(8):
            here.publish("A")
        with here.hub.subscribed(after=here.hub.mark.partition("-")[0] + "-4") as client:
            return await take(client, 1)

    assert kinds(asyncio.run(scene(stage(kept_bytes=3_000)))) == ["gap"]


def test_closing_lets_everybody_go_and_takes_nobody(stage):
    async def scene(here):
        with here.hub.subscribed() as client:
            await take(client, 1)
            assert here.hub.listeners == 1
            here.hub.start()
            await here.hub.stop()
            said = await take(client, 5)
        with here.hub.subscribed() as late:
            return [*said, *await take(late, 5)]

    said = asyncio.run(scene(stage()))
    assert kinds(said) == ["dropped", "dropped"]
    assert orjson.loads(said[0].data) == {"detail": "the server is stopping"}


def test_a_watch_that_fails_ends_the_heartbeats(stage):
    async def scene(here):
        with here.hub.subscribed() as client:
            await take(client, 1)
            here.shelf.read = None
            return await asyncio.wait_for(take(client, 50), 5)

    said = asyncio.run(scene(stage()))
    assert orjson.loads(said[-1].data) == {"detail": "the watch failed: TypeError"}


STEPS = st.lists(st.sampled_from(["A", "B", "AB", "expire", "leave", "come"]), max_size=30)


@settings(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_a_client_that_comes_and_goes_misses_nothing(policy, make_flag, flag_set, steps):
    """What it has put together from its events is what the server has, whenever it leaves."""
    here = Stage(policy, _Clock(make_flag().issued_at), make_flag, flag_set)
    asyncio.run(_follow(here, steps))


async def _follow(here, steps):
    known, seen, numbers = {}, None, []
    for pieces in _visits(steps):
        with here.hub.subscribed(after=seen) as client:
            for step in pieces:
                if step == "expire":
                    here.clock.run(minutes=80)
                    here.hub.look()
                else:
                    here.publish(*step)
                for message in list(islice(client._waiting, 100)):
                    client._waiting.popleft()
                    _apply(known, message)
                    seen = message.mark or None
                    numbers.append(message.mark)
        for step in pieces:
            if step != "expire":
                here.publish(*step)  # while it is away
    with here.hub.subscribed(after=seen) as client:
        for message in client._waiting:
            _apply(known, message)
    assert known == {s: orjson.loads(body) for s, body in here.hub._pushed.items()}


def _visits(steps):
    visit = []
    for step in steps:
        if step in ("leave", "come"):
            yield visit
            visit = []
        else:
            visit.append(step)
    yield visit


def _apply(known, message):
    if message.kind == "snapshot":
        known.clear()
    if message.kind in ("snapshot", "flags"):
        known.update(flags_in(message))


class _Clock:
    def __init__(self, now):
        self.now, self.seconds = now, 0.0

    def run(self, **duration):
        self.now += timedelta(**duration)
        self.seconds += timedelta(**duration).total_seconds()

    def wall(self):
        return self.now

    def monotonic(self):
        return self.seconds
