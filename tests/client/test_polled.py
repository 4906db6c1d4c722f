"""The caller reads memory; what is asked in the background may do whatever it likes."""

import gc
import os
import threading
import time
import weakref

import pytest

from liqwarn.board import Refusal
from liqwarn.client.polled import Answer, PolledSource
from liqwarn.client.seen import Seen


class Fetched:
    """A fetch that answers what it was told, and counts."""

    name = "told"

    def __init__(self, answer=None):
        self.answer, self.asked, self.forgotten = answer, 0, 0

    def __call__(self):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if callable(self.answer):
            return self.answer()
        return Answer(content=self.answer)

    def forget(self):
        self.forgotten += 1


@pytest.fixture
def opened(fake):
    """`opened(fetch)` is a source that asks once by itself, and then only when told."""
    sources = []

    def opened(fetch, **options):
        given = {"poll_s": 3600.0, "max_wait_s": 5.0, "clocks": fake.clocks, **options}
        sources.append(PolledSource(fetch, **given))
        return sources[-1]

    yield opened
    for source in sources:
        source.close()


def test_a_call_waits_for_the_first_answer_and_then_reads_memory(opened, document, make_flag):
    source = opened(Fetched(document(make_flag())))
    assert isinstance(source.find("BTCUSDT"), Seen)
    assert source.find("BTCUSDT") is source.find("BTCUSDT")
    assert source.find("NOPE").kind == "unknown symbol"


def test_it_waits_no_longer_than_it_may(opened):
    stuck = threading.Event()
    source = opened(Fetched(lambda: stuck.wait(10)), max_wait_s=0.02)
    for _ in range(3):
        start = time.perf_counter()
        assert source.find("BTCUSDT").kind == "unreachable"
        assert 0.015 < time.perf_counter() - start < 1
    stuck.set()


def test_a_source_that_fails_denies_without_waiting(opened, until):
    source = opened(Fetched(OSError("no route")), max_wait_s=1.0)
    until(lambda: "no route" in source.find("BTCUSDT").detail)
    start = time.perf_counter()
    assert all(source.find("BTCUSDT").kind == "unreachable" for _ in range(1000))
    assert time.perf_counter() - start < 1
    assert source.status() == {"age_s": None, "fault": "OSError: no route"}


def test_the_last_good_answer_holds_for_its_silence_and_no_longer(
    opened, document, make_flag, fake
):
    fetch = Fetched(document(make_flag()))
    source = opened(fetch, max_silence_s=15.0)
    assert isinstance(source.find("BTCUSDT"), Seen)
    fetch.answer = b"garbage"
    fake.run(10)
    source.ask()
    assert isinstance(source.find("BTCUSDT"), Seen)
    assert fetch.forgotten == 1
    assert source.status()["age_s"] == 10
    assert "not JSON" in source.status()["fault"]
    fake.run(5.1)
    assert source.find("BTCUSDT").kind == "unreachable"
    assert "last good answer 15.1 s ago: PolicyError: not JSON" in source.find("BTCUSDT").detail
    fetch.answer = document(make_flag(later=1))
    source.ask()
    assert isinstance(source.find("BTCUSDT"), Seen)


def test_the_age_is_counted_on_the_clock_that_cannot_jump(opened, document, make_flag, fake):
    source = opened(Fetched(document(make_flag())), max_silence_s=15.0)
    source.find("BTCUSDT")
    fake.run(15.1)
    fake.set_wall(-600)
    assert source.find("BTCUSDT").kind == "unreachable"


def test_nothing_new_keeps_an_answer_young(opened, document, make_flag, fake):
    fetch = Fetched(document(make_flag()))
    source = opened(fetch, max_silence_s=15.0)
    source.find("BTCUSDT")
    fetch.answer = None
    for _ in range(5):
        fake.run(10)
        source.ask()
        assert isinstance(source.find("BTCUSDT"), Seen)


@pytest.mark.parametrize("jump", [0, -600, -7200])
def test_a_flag_expires_by_its_budget_whatever_the_wall_says(
    opened, document, make_flag, fake, jump
):
    fetch = Fetched(document(make_flag()))
    source = opened(fetch, max_silence_s=1e6)
    seen = source.find("BTCUSDT")
    fake.set_wall(jump)
    fake.run((seen.deadline_ns - fake.boot) / 1e9 - 1)
    source.ask()  # the same flag again gains no time
    assert isinstance(source.find("BTCUSDT"), Seen)
    fake.run(1.1)
    source.ask()
    assert source.find("BTCUSDT").kind == "expired"


def test_a_flag_that_comes_and_goes_gains_no_time(opened, document, make_flag, fake):
    fetch = Fetched(document(make_flag()))
    source = opened(fetch, max_silence_s=1e6)
    deadline = source.find("BTCUSDT").deadline_ns
    fetch.answer = document(make_flag("ETHUSDT"))
    source.ask()
    assert source.find("BTCUSDT").kind == "unknown symbol"
    fake.set_wall(-1800)
    fake.run(60)
    fetch.answer = document(make_flag())
    source.ask()
    assert source.find("BTCUSDT").deadline_ns == deadline


def test_closed_it_knows_nothing_and_a_late_answer_changes_nothing(
    opened, document, make_flag, until
):
    go, content = threading.Event(), document(make_flag())

    def late():
        go.wait(10)
        return Answer(content=content)

    fetch = Fetched(late)
    source = opened(fetch, max_wait_s=0.0)
    until(lambda: fetch.asked == 1)
    source.close()
    go.set()
    time.sleep(0.02)
    assert source.find("BTCUSDT") == Refusal(
        kind="unreachable", detail="no good answer yet: closed"
    )


def test_the_thread_ends_with_its_source(fake, until):
    source = PolledSource(Fetched(OSError("x")), poll_s=0.01, clocks=fake.clocks)
    left = weakref.ref(source)
    del source
    until(lambda: gc.collect() >= 0 and left() is None)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_asks_for_itself(opened, document, make_flag):
    fetch = Fetched(document(make_flag()))
    source = opened(fetch, poll_s=0.01)
    source.find("BTCUSDT")
    child = os.fork()
    if child == 0:
        before = fetch.asked
        time.sleep(0.3)
        alive = fetch.asked > before and isinstance(source.find("BTCUSDT"), Seen)
        os._exit(0 if alive else 1)
    assert os.waitpid(child, 0)[1] == 0
