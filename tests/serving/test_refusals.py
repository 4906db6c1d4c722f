"""A refusal reads the same over HTTP and in place of a WebSocket's handshake."""

import pytest

from liqwarn.serving.refusals import caller_address, header, refuse


def refusing(scope, receive, send):
    return refuse(scope, send, 401, "an API key is needed", {"WWW-Authenticate": "Bearer"})


@pytest.mark.parametrize(
    ("kind", "extensions"),
    [("http", {}), ("websocket", {"websocket.http.response": {}})],
)
def test_it_says_why(ask, kind, extensions):
    told = ask(refusing, kind=kind, extensions=extensions)

    assert told.status == 401
    assert told.json == {"detail": "an API key is needed"}
    assert told.headers["www-authenticate"] == "Bearer"
    assert told.headers["content-length"] == str(len(told.body))
    assert told.headers["cache-control"] == "no-store"


def test_a_websocket_without_the_extension_is_closed(ask):
    (sent,) = ask(refusing, kind="websocket").sent

    assert sent == {"type": "websocket.close", "code": 1008, "reason": "an API key is needed"}


def test_headers_and_addresses_are_read():
    scope = {"headers": [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], "client": None}

    assert header(scope, b"a") == ["1", "3"]
    assert caller_address(scope) == "unknown"
    assert caller_address({"client": ("::1", 9)}) == "::1"
