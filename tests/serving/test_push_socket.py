"""The WebSocket of a real server on loopback."""

from contextlib import ExitStack
from datetime import timedelta

import orjson
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from liqwarn.serving.app import create_app
from liqwarn.serving.push_hub import PushSettings
from liqwarn.serving.shelf import FlagShelf

QUICK = PushSettings(kept=4, queue=4, clients=2, heartbeat_s=0.1, look_s=0.02, give_up_s=0.5)


@pytest.fixture
def shelf(flag_set, make_flag):
    shelf = FlagShelf()
    shelf.publish(flag_set(make_flag("A"), make_flag("B")))
    return shelf


@pytest.fixture
def app(shelf, policy, clock):
    return create_app(shelf, policy=policy, clock=clock, push=QUICK)


@pytest.fixture
def address(app, serve_on_loopback):
    url = serve_on_loopback(app, lifespan="on")
    return url.replace("http", "ws") + "/v1/ws"


@pytest.fixture
def join(address):
    with ExitStack() as stack:
        yield lambda query="", **options: stack.enter_context(
            connect(address + query, proxy=None, **options)
        )


def said(socket, *, beats=False):
    while True:
        message = orjson.loads(socket.recv(timeout=5))
        if beats or message["event"] != "heartbeat":
            return message


def test_it_says_what_the_stream_says(join, shelf, flag_set, make_flag, noon, clock):
    socket = join("?symbol=A")
    first = said(socket)
    assert (first["event"], [f["symbol"] for f in first["data"]["flags"]]) == ("snapshot", ["A"])
    assert said(socket, beats=True)["event"] == "heartbeat"
    shelf.publish(flag_set(make_flag("A", "T3", as_of=noon + timedelta(seconds=1))))
    second = said(socket)
    assert (second["event"], second["data"]["flags"][0]["sides"]["long"]["tier"]) == ("flags", "T3")
    clock.run(minutes=80)
    assert said(socket)["data"]["flags"][0]["quality"] == "stale"
    again = join(f"?symbol=A&after={first['id']}")
    assert said(again)["id"] == second["id"]


def test_a_gap_is_said(join):
    socket = join("?after=other-7")
    assert [said(socket)["event"] for _ in range(2)] == ["gap", "snapshot"]


def test_it_ends_after_so_many_events(join):
    socket = join("?count=1")
    said(socket)
    with pytest.raises(ConnectionClosed, match="1000"):
        said(socket)


def test_closing_the_hub_closes_the_socket_with_the_reason(join, app):
    socket = join()
    said(socket)
    app.state.hub.close()
    assert said(socket)["event"] == "dropped"
    with pytest.raises(ConnectionClosed, match=r"1013.*the server is stopping"):
        said(socket)


def test_a_client_that_talks_is_shown_out(join):
    socket = join()
    said(socket)
    socket.send("hello")
    with pytest.raises(ConnectionClosed, match="1003"):
        said(socket)


@pytest.mark.parametrize(
    ("query", "options", "status"),
    [
        ("?x=1", {}, 422),
        ("?count=0", {}, 422),
        ("?symbol=" + "x" * 65, {}, 422),
        ("", {"origin": "https://elsewhere.example"}, 403),
    ],
)
def test_what_is_refused_is_refused_before_the_socket_opens(join, query, options, status):
    with pytest.raises(InvalidStatus, match=str(status)) as refusal:
        join(query, **options)
    assert list(orjson.loads(refusal.value.response.body)) == ["detail"]


def test_a_page_of_the_same_origin_may_listen(join, address):
    host = address.removeprefix("ws://").removesuffix("/v1/ws")
    assert said(join(origin=f"http://{host}"))["event"] == "snapshot"


def test_too_many_are_sent_away(join):
    for _ in range(2):
        said(join(), beats=True)
    with pytest.raises(InvalidStatus, match="503"):
        join()
