"""Server-Sent Events from a real server on loopback."""

import socket
import threading
import time
from datetime import timedelta

import httpx
import orjson
import pytest

from liqwarn.serving.app import create_app
from liqwarn.serving.push_hub import PushSettings
from liqwarn.serving.shelf import FlagShelf

QUICK = PushSettings(kept=4, queue=4, clients=3, heartbeat_s=0.1, look_s=0.02, give_up_s=0.5)


@pytest.fixture
def shelf():
    return FlagShelf()


@pytest.fixture
def publish(shelf, flag_set, make_flag, noon):
    """Publish a flag of each symbol, newer every time."""
    steps = iter(range(1, 100_000))

    def publish(*symbols):
        as_of = noon + timedelta(milliseconds=next(steps))
        shelf.publish(flag_set(*(make_flag(symbol, as_of=as_of) for symbol in symbols)))

    return publish


@pytest.fixture
def app(shelf, policy, clock):
    return create_app(shelf, policy=policy, clock=clock, push=QUICK)


@pytest.fixture
def url(app, serve_on_loopback):
    return serve_on_loopback(app, lifespan="on")


class Stream:
    """A stream that is read event by event."""

    def __init__(self, response):
        self.headers = response.headers
        self._lines = response.iter_lines()

    def next(self, *, beats=False):
        """Kind, id and data of the next event, heartbeats left out unless asked for."""
        while True:
            found = {}
            for line in self._lines:
                if not line:
                    break
                name, _, value = line.partition(": ")
                found[name] = value
            assert found, "the stream has ended"
            if beats or found["event"] != "heartbeat":
                return found["event"], found["id"], orjson.loads(found["data"])


@pytest.fixture
def listen(url):
    with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
        opened = []

        def listen(query="", headers=None):
            request = client.stream("GET", f"/v1/stream{query}", headers=headers or {})
            opened.append(request)
            return Stream(request.__enter__())

        yield listen
        for request in opened:
            request.__exit__(None, None, None)


def wait_until(true):
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 5 s")


def test_a_snapshot_comes_first_then_publications_in_order(listen, publish):
    publish("A", "B")
    stream = listen()
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["cache-control"] == "no-store"
    kind, mark, data = stream.next()
    assert (kind, [flag["symbol"] for flag in data["flags"]]) == ("snapshot", ["A", "B"])
    for n in range(1, 4):
        publish("B")
        kind, following, data = stream.next()
        assert (kind, [flag["symbol"] for flag in data["flags"]]) == ("flags", ["B"])
        assert int(following.split("-")[1]) == int(mark.split("-")[1]) + n


def test_heartbeats_fill_the_silence(listen, publish):
    publish("A")
    stream = listen()
    assert stream.next(beats=True)[0] == "snapshot"
    started = time.monotonic()
    assert [stream.next(beats=True)[0] for _ in range(3)] == ["heartbeat"] * 3
    assert time.monotonic() - started < 5


def test_the_longest_silence_by_default_is_five_seconds():
    assert PushSettings().heartbeat_s <= 5


def test_expiry_is_pushed_although_nothing_is_published(listen, publish, clock):
    publish("A")
    stream = listen()
    stream.next()
    clock.run(minutes=80)
    kind, _, data = stream.next()
    assert (kind, data["flags"][0]["quality"]) == ("flags", "stale")


def test_a_reconnect_goes_on_where_it_stopped(listen, publish, app):
    publish("A")
    _, mark, _ = listen().next()
    for n in range(3):
        publish("A")
        wait_until(lambda n=n: app.state.hub.mark.endswith(f"-{n + 2}"))
    for stream in (listen(headers={"Last-Event-ID": mark}), listen(f"?after={mark}")):
        found = [stream.next()[:2] for _ in range(3)]
        assert [kind for kind, _ in found] == ["flags"] * 3
        assert [int(m.split("-")[1]) for _, m in found] == [2, 3, 4]


@pytest.mark.parametrize("after", ["otherrun-3", "nonsense"])
def test_what_is_not_kept_any_more_is_a_gap_and_a_snapshot(listen, publish, after):
    publish("A")
    stream = listen(headers={"Last-Event-ID": after})
    assert stream.next()[0::2][0] == "gap"
    assert stream.next()[0] == "snapshot"


def test_a_filter_by_symbol(listen, publish):
    publish("A", "B", "C")
    stream = listen("?symbol=A&symbol=C")
    assert [flag["symbol"] for flag in stream.next()[2]["flags"]] == ["A", "C"]
    publish("B")
    publish("C")
    assert [flag["symbol"] for flag in stream.next()[2]["flags"]] == ["C"]


def test_a_stream_ends_after_so_many_events(url, publish):
    publish("A")
    answer = httpx.get(f"{url}/v1/stream?count=2", trust_env=False)
    assert answer.text.count("event: ") == 2


def test_too_many_clients_are_sent_away(listen, url):
    streams = [listen() for _ in range(3)]
    assert [stream.next(beats=True)[0] for stream in streams] == ["snapshot"] * 3
    answer = httpx.get(f"{url}/v1/stream", trust_env=False)
    assert answer.status_code == 503
    assert answer.json() == {"detail": "3 clients are connected already"}


def test_a_client_that_leaves_is_forgotten(url, app):
    with httpx.stream("GET", f"{url}/v1/stream", trust_env=False) as stream:
        lines = stream.iter_lines()
        next(lines)
        assert app.state.hub.listeners == 1
    wait_until(lambda: app.state.hub.listeners == 0)


def test_a_client_that_reads_nothing_is_dropped_and_slows_nobody(
    listen, publish, url, app, make_flag
):
    address = (httpx.URL(url).host, httpx.URL(url).port)
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        stuck.connect(address)
        stuck.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: app.state.hub.listeners == 1)
        many = [f"S{k}" for k in range(100)]
        quick = listen()
        quick.next()
        slowest = 0.0
        for _ in range(150):
            started = time.monotonic()
            publish(*many)
            slowest = max(slowest, time.monotonic() - started)
            assert quick.next()[0] == "flags"
            if app.state.hub.listeners == 1:
                break
        wait_until(lambda: app.state.hub.listeners == 1)  # the quick one is still there
    assert slowest < 1


def test_closing_the_hub_ends_the_streams_with_a_reason(listen, app):
    stream = listen()
    stream.next()
    threading.Timer(0.1, app.state.hub.close).start()
    assert stream.next()[0::2] == ("dropped", {"detail": "the server is stopping"})


@pytest.mark.parametrize("query", ["?x=1", "?count=0", "?count=a", f"?after={'x' * 65}"])
def test_what_cannot_be_asked_is_refused(url, query):
    answer = httpx.get(f"{url}/v1/stream{query}", trust_env=False)
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail"]
