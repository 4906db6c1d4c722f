"""A server without keys answers to its own names alone."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from liqwarn.serving.own_names import OwnNames


async def hello(_):
    return PlainTextResponse("hello")


async def talk(socket):
    await socket.accept()
    await socket.close()


APP = OwnNames(
    Starlette(routes=[Route("/", hello), WebSocketRoute("/ws", talk)]), names=["desk.internal"]
)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "desk.internal:80"],
)
def test_its_own_names_are_answered(host):
    client = TestClient(APP, base_url="http://localhost")

    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "", "[::2]"]
)
def test_another_name_is_refused(host):
    client = TestClient(APP, base_url="http://localhost")
    answer = client.get("/", headers={"host": host})

    assert answer.status_code == 400
    assert "expected one of this machine" in answer.json()["detail"]


def test_a_websocket_for_another_name_never_opens():
    client = TestClient(APP, base_url="http://localhost")
    refused = pytest.raises(WebSocketDisconnect, match=".*")
    with refused, client.websocket_connect("/ws", headers={"host": "evil.example"}):
        pass
    with client.websocket_connect("/ws"):
        pass
