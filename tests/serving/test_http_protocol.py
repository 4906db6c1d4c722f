"""What arrives before a request is known: bounded in size and in time, on a real socket."""

import socket
from urllib.parse import urlsplit

import pytest

from liqwarn.serving import http_protocol
from liqwarn.serving.http_protocol import MAX_HEAD_BYTES, BoundedProtocol
from liqwarn.serving.refusals import refuse

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


async def answer(scope, receive, send):
    await refuse(scope, send, 200, "here")


@pytest.fixture
def talk(serve_on_loopback):
    """Send bytes; give what comes back until the server closes or has answered `answers` times."""
    url = urlsplit(serve_on_loopback(answer, http=BoundedProtocol))

    def talk(*pieces, answers=1):
        with socket.create_connection((url.hostname, url.port), timeout=10) as line:
            back = b""
            try:
                for piece in pieces:
                    line.sendall(piece)
                while back.count(b'{"detail"') < answers:
                    found = line.recv(65536)
                    if not found:
                        break
                    back += found
            except (BrokenPipeError, ConnectionResetError):
                pass
            return back

    return talk


def test_a_request_is_answered_and_a_second_on_the_same_line(talk):
    assert talk(GET + b"\r\n", answers=1).count(b"200 OK") == 1
    assert talk(GET + b"\r\n", GET, b"\r\n", answers=2).count(b"200 OK") == 2


def test_many_requests_on_one_line_are_counted_each_for_itself(talk):
    one = GET + b"X: " + b"a" * 10_000 + b"\r\n\r\n"

    assert talk(*[one] * 8, answers=8).count(b"200 OK") == 8


@pytest.mark.parametrize("head", [b"GET /", GET + b"X: "], ids=["path", "header"])
def test_a_head_without_end_is_closed(talk, head):
    back = talk(head, *[b"a" * 4096] * (MAX_HEAD_BYTES // 4096 + 64))

    assert b"200 OK" not in back


def test_a_head_that_does_not_come_is_closed(talk, monkeypatch):
    monkeypatch.setattr(http_protocol, "HEADERS_WITHIN_S", 0.1)

    assert talk(b"") == b""
    assert talk(GET) == b""
    assert talk(GET + b"\r\n", GET, answers=2).count(b"200 OK") == 1


def test_bytes_that_are_no_request_are_refused(talk):
    assert b"400 Bad Request" in talk(b"\x16\x03\x01\r\n\r\n")
