"""A producer against the real socket feed: nothing lost, whatever breaks in between."""

import threading
from contextlib import contextmanager
from time import monotonic, sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.data.bars import producer as module
from liqwarn.data.bars.codec import encode_message
from liqwarn.data.bars.message import BarMessage
from liqwarn.data.bars.producer import Producer
from liqwarn.data.bars.socket_feed import SocketFeed


def lines(n, start=0):
    """Bars of one symbol, each with its number as its close."""
    zero = np.datetime64("2024-01-01T00:00:00")
    return [
        encode_message(
            BarMessage(
                symbol="BTCUSDT",
                time=zero + np.timedelta64(k + 1, "h"),
                bar_s=3_600,
                fields={"close": 1.0 + k},
            )
        ).rstrip(b"\n")
        for k in range(start, start + n)
    ]


@pytest.fixture(autouse=True, scope="module")
def soon():
    """Try again at once: nobody has to be spared here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_AGAIN_S", 0.02)
        yield


@pytest.fixture(params=["tcp", "unix"])
def at(request, tmp_path):
    """Where the feed is; a port that was free a moment ago."""
    if request.param == "unix":
        return tmp_path / "bars.sock"
    feed = SocketFeed(("127.0.0.1", 0))
    found = feed.address
    feed.close()
    return found


@contextmanager
def serving(at, closes, *, take=True, until=None):
    """A feed in a thread that keeps what it was sent; `until` so many, then it dies unasked."""
    feed, stop = SocketFeed(at), threading.Event()

    def run():
        while not stop.is_set():
            got = feed.poll(0.01)
            closes.extend(message.fields["close"] for message in got.messages)
            if until is not None and len(closes) >= until:
                break  # what was handed out last is not acknowledged
            if take:
                feed.taken()
        feed.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def until_done(producer, seconds=5.0):
    """Turns until everything is answered; every fault that was told."""
    end, faults, acked = monotonic() + seconds, [], 0
    while producer.waiting and monotonic() < end:
        heard = producer.turn(0.05)
        faults += heard.refused
        acked += heard.acked
    return faults, acked


def test_every_line_is_taken_once_and_in_order(at):
    closes: list[float] = []
    producer = Producer(at)

    with serving(at, closes):
        producer.give(lines(500))
        faults, acked = until_done(producer)

    assert closes == [1.0 + k for k in range(500)]
    assert (faults, acked, producer.waiting) == ([], 500, 0)
    producer.close()


def test_what_was_not_acknowledged_is_sent_again_to_the_next_server(at):
    first: list[float] = []
    second: list[float] = []
    producer = Producer(at)

    with serving(at, first, until=3):
        producer.give(lines(3))
        end = monotonic() + 5.0
        while len(first) < 3 and monotonic() < end:
            producer.turn(0.02)
    assert producer.waiting == 3
    producer.give(lines(2, start=3))
    with serving(at, second):
        faults, acked = until_done(producer)

    assert second == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert (faults, acked) == ([], 5)
    producer.close()


def test_a_refused_line_is_told_and_not_sent_again(at):
    closes: list[float] = []
    producer = Producer(at)

    with serving(at, closes):
        producer.give([lines(1)[0], b"nonsense", *lines(2, start=1)])
        faults, acked = until_done(producer)

    assert closes == [1.0, 2.0, 3.0]
    assert acked == 3
    assert len(faults) == 1
    assert "line 2" in faults[0]
    producer.close()


def test_without_a_server_a_turn_ends_in_time_and_lines_wait(at):
    producer = Producer(at)
    producer.give(lines(4))

    began = monotonic()
    producer.turn(0.2)

    assert 0.1 < monotonic() - began < 2.0
    assert (producer.waiting, producer.connected) == (4, False)
    producer.close()


def test_a_server_that_never_acknowledges_keeps_lines_waiting(at):
    closes: list[float] = []
    producer = Producer(at)

    with serving(at, closes, take=False):
        producer.give(lines(2))
        producer.turn(0.2)
        assert producer.waiting == 2
        assert producer.connected
    producer.close()


def test_the_oldest_go_when_too_many_wait_and_it_is_told(at, monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING", 10)
    producer = Producer(at)

    producer.give(lines(25))

    assert producer.waiting == 10
    assert producer.turn(0.0).dropped == 15
    assert producer.turn(0.0).dropped == 0
    producer.close()


@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(1, 30), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_servers_that_die_at_any_line_lose_nothing(tmp_path_factory, cuts, seed):
    at = tmp_path_factory.mktemp("s") / "b"
    producer, taken = Producer(at), []
    producer.give(lines(60))
    for cut in cuts:
        with serving(at, got := [], until=cut):
            end = monotonic() + 5.0
            while len(got) < cut and producer.waiting and monotonic() < end:
                producer.turn(0.01)
            sleep(0.002 * (seed % 3))
        taken += got
    with serving(at, got := []):
        faults, _ = until_done(producer)

    assert faults == []
    assert sorted({*taken, *got}) == [1.0 + k for k in range(60)]
    producer.close()
