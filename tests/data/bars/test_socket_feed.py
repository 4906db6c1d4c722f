import socket
from time import sleep

import orjson
import pytest

from liqwarn.data.bars import socket_feed
from liqwarn.data.bars.codec import LONGEST_LINE, encode_message
from liqwarn.data.bars.socket_feed import MOST_PRODUCERS, SocketFeed
from liqwarn.errors import ConfigError


class Time:
    def __init__(self):
        self.now = 0.0

    def clock(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture(params=["tcp", "unix"])
def feed(request, tmp_path, time):
    at = ("127.0.0.1", 0) if request.param == "tcp" else tmp_path / "bars.sock"
    feed = SocketFeed(at, clock=time.clock)
    yield feed
    feed.close()


@pytest.fixture
def connect(feed):
    opened = []

    def run():
        if isinstance(feed.address, tuple):
            one = socket.create_connection(feed.address, timeout=5)
        else:
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(5)
            one.connect(str(feed.address))
        opened.append(one)
        return one

    yield run
    for one in opened:
        one.close()


def gather(feed, polls=6):
    got = []
    for _ in range(polls):
        sleep(0.005)  # the kernel hands loopback on in its own time
        got.append(feed.poll(0.0))
    messages = [m for one in got for m in one.messages]
    return messages, [fault for one in got for fault in one.faults]


def answers(producer, count):
    content = b""
    while content.count(b"\n") < count:
        content += producer.recv(1 << 16)
    return [orjson.loads(line) for line in content.splitlines()]


def test_a_message_is_acknowledged_once_it_was_taken(feed, connect, make_message):
    producer = connect()
    said = [make_message(bar) for bar in range(3)]
    producer.sendall(b"".join(encode_message(one) for one in said))

    assert gather(feed)[0] == said
    producer.settimeout(0.05)
    with pytest.raises(TimeoutError, match="timed out"):
        producer.recv(1)
    producer.settimeout(5)
    feed.taken()
    assert answers(producer, 3) == [{"ack": 1}, {"ack": 2}, {"ack": 3}]


def test_garbage_is_answered_and_the_rest_is_taken(feed, connect, make_message):
    producer = connect()
    producer.sendall(b"garbage\n" + encode_message(make_message(0)))

    messages, faults = gather(feed)
    feed.taken()

    assert messages == [make_message(0)]
    told = answers(producer, 2)
    assert faults == [told[0]["error"]]
    assert told[0]["error"].startswith("producer 1: line 1: not JSON")
    assert told[1] == {"ack": 1}


def test_several_producers_in_pieces(feed, connect, make_message):
    producers = [connect() for _ in range(5)]
    lines = [encode_message(make_message(0, f"S{k}")) for k in range(5)]
    found = []
    for at in range(0, max(map(len, lines)), 40):
        for producer, line in zip(producers, lines, strict=True):
            if line[at : at + 40]:
                producer.sendall(line[at : at + 40])
        found += gather(feed, 7)[0]
    feed.taken()

    assert sorted(m.symbol for m in found) == [f"S{k}" for k in range(5)]
    assert [answers(producer, 1) for producer in producers] == [[{"ack": 1}]] * 5


def test_a_producer_that_dies_takes_nobody_with_it(feed, connect, make_message):
    dying, living = connect(), connect()
    dying.sendall(encode_message(make_message(0)) + b'{"half')
    gather(feed)
    dying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
    dying.close()
    living.sendall(encode_message(make_message(1)))

    messages, faults = gather(feed)
    feed.taken()

    assert messages == [make_message(1)]
    assert faults == ["producer 1: 6 bytes of a line without an end"]
    assert answers(living, 1) == [{"ack": 1}]


def test_an_oversized_line_is_refused_and_skipped(feed, connect, make_message):
    producer = connect()
    found, told = [], []
    for piece in [b"x" * LONGEST_LINE] * 4 + [b"\n" + encode_message(make_message(0))]:
        producer.sendall(piece)
        messages, faults = gather(feed)
        found, told = found + messages, told + faults

    assert found == [make_message(0)]
    assert told == [f"producer 1: line 1: longer than {LONGEST_LINE} bytes"]


def test_too_much_garbage_ends_the_connection(feed, connect):
    producer = connect()
    producer.sendall(b"garbage\n" * 150)

    faults = gather(feed)[1]

    assert faults[-1] == "producer 1: closed after 150 refused lines"
    content = b""
    while block := producer.recv(1 << 16):
        content += block
    assert content.count(b"\n") == 150


def test_a_line_that_does_not_end_is_waited_for_a_while(feed, connect, time):
    producer = connect()
    producer.sendall(b'{"schema"')
    gather(feed)
    time.now += 29.0
    producer.sendall(b":")
    assert gather(feed) == ([], [])

    time.now += 2.0

    assert gather(feed)[1] == ["producer 1: closed, a line had no end for 30 s"]
    assert producer.recv(1) == b""


def test_a_producer_that_reads_no_answers_is_dropped(feed, connect, monkeypatch, make_message):
    monkeypatch.setattr(socket_feed, "_MOST_UNREAD", 1_000)
    producer, line = connect(), encode_message(make_message(0))
    producer.settimeout(0.2)
    producer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    taken = 0

    def flood():
        nonlocal taken
        for _ in range(5_000):
            producer.sendall(line * 20)
            taken += len(feed.poll(0.0).messages)
            feed.taken()

    with pytest.raises(OSError, match=r"(?i)broken pipe|reset|timed out"):
        flood()
    assert taken > 0


def test_connections_are_counted(feed, connect):
    for _ in range(MOST_PRODUCERS):
        connect()
        gather(feed, 1)
    one_more = connect()

    assert gather(feed)[1] == [f"a producer was turned away: {MOST_PRODUCERS} are connected"]
    assert one_more.recv(1) == b""


def test_silence_is_told(feed, connect, time, make_message):
    producer = connect()
    time.now += 90.0
    assert feed.poll(0.0).silence_s == 90.0
    producer.sendall(b"garbage\n")
    gather(feed)
    assert feed.poll(0.0).silence_s == 90.0
    producer.sendall(encode_message(make_message(0)))
    gather(feed)
    time.now += 1.0
    assert feed.poll(0.0).silence_s == 1.0


def test_only_this_host_and_only_a_free_address(tmp_path):
    with pytest.raises(ConfigError, match=r"found host '0.0.0.0', expected one of"):
        SocketFeed(("0.0.0.0", 0))
    first = SocketFeed(("127.0.0.1", 0))
    with pytest.raises(ConfigError, match="in use"):
        SocketFeed(first.address)
    first.close()

    path = tmp_path / "bars.sock"
    second = SocketFeed(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="in use"):
        SocketFeed(path)
    second.close()
    assert not path.exists()


def test_the_socket_of_a_killed_server_is_taken_over(tmp_path):
    path = tmp_path / "bars.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()

    SocketFeed(path).close()


def test_producers_that_wait_to_be_heard_are_told_as_more(feed, connect, make_message):
    """Else the loop would close a bar for want of those whose messages lie in the kernel."""
    said = [make_message(0, symbol=f"S{k}USDT") for k in range(5)]
    for one in said:
        connect().sendall(encode_message(one))
    sleep(0.005)

    got = [feed.poll(0.1)]
    while got[-1].more:
        got.append(feed.poll(0.1))

    assert [m for one in got for m in one.messages] == said
    assert not feed.poll(0.0).more
