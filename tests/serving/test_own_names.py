"""A server without keys answers to its own names alone."""

import asyncio

import orjson
import pytest

from liqwarn.serving.own_names import OwnNames


async def hello(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


APP = OwnNames(hello, names=["desk.internal"])


def sent(kind, *hosts):
    """What the application sends to a request with those Host headers."""
    found = []

    async def send(message):
        found.append(message)

    async def receive():
        return {"type": "http.request"}

    headers = [(b"host", host.encode()) for host in hosts]
    asyncio.run(APP({"type": kind, "headers": headers}, receive, send))
    return found


OURS = ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "desk.internal:80"]
THEIRS = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "", "[::2]"]


@pytest.mark.parametrize("host", OURS)
def test_its_own_names_are_answered(host):
    assert sent("http", host)[0]["status"] == 200
    assert sent("websocket", host) == [{"type": "websocket.accept"}]


@pytest.mark.parametrize("host", THEIRS)
def test_another_name_is_refused(host):
    start, body = sent("http", host)

    assert start["status"] == 400
    assert "expected one of this machine" in orjson.loads(body["body"])["detail"]
    assert sent("websocket", host) == [{"type": "websocket.close", "code": 1008}]


def test_one_of_two_names_that_is_another_is_refused():
    assert sent("http", "localhost", "evil.example")[0]["status"] == 400
