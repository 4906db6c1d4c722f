"""One post against receivers that answer, stall, trickle and die, on real sockets."""

import socket
import threading
import time

import pytest

from liqwarn.errors import ConfigError
from liqwarn.serving.webhook_post import Reply, WebhookTarget, post


@pytest.fixture
def answering():
    """A receiver that answers with the pieces given, a pause before each; gives its URL."""
    opened, over = [], threading.Event()

    def answering(*pieces, pause_s=0.0, read=True):
        listening = socket.create_server(("127.0.0.1", 0))

        def serve():
            line, _ = listening.accept()
            with line:
                if read:
                    got = b""
                    while b'{"flags": []}' not in got:
                        got += line.recv(65536)
                    opened.append(got)
                for piece in pieces:
                    over.wait(pause_s)
                    try:
                        line.sendall(piece)
                    except OSError:
                        return
                over.wait(pause_s)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        answering.open.append((listening, thread))
        return f"http://127.0.0.1:{listening.getsockname()[1]}/hook?a=1"

    answering.open, answering.got = [], opened
    yield answering
    over.set()
    for listening, thread in answering.open:
        thread.join(5)
        listening.close()


def send(url, timeout_s=2.0):
    begun = time.monotonic()
    reply = post(WebhookTarget(url=url, timeout_s=timeout_s), b'{"flags": []}')
    return reply, time.monotonic() - begun


def test_what_is_posted_arrives_as_json(answering):
    reply, _ = send(answering(b"HTTP/1.1 204 No Content\r\n\r\n"))

    assert reply.delivered
    assert answering.got[0].startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/json\r\n" in answering.got[0]


@pytest.mark.parametrize(
    ("head", "reply"),
    [
        (b"HTTP/1.0 200\r\n\r\n", Reply(status=200)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\n\r\n", Reply(status=201)),
        (b"HTTP/1.1 500 No\r\nA: b\r\n\r\nbody", Reply(status=500)),
        (b"HTTP/1.1 429 No\r\nRetry-After: 7\r\n\r\n", Reply(status=429, retry_after_s=7)),
        (b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.2/\r\n\r\n", Reply(status=302)),
        (b"SSH-2.0-x\r\n\r\n", Reply(fault="no HTTP")),
        (b"HTTP/1.1 20", Reply(fault="no HTTP")),
        (b"", Reply(fault="no HTTP")),
        (b"a" * 20_000, Reply(fault="no HTTP")),
    ],
)
def test_the_answer_is_read_as_it_is(answering, head, reply):
    assert send(answering(head))[0] == reply


@pytest.mark.parametrize(
    ("status", "delivered", "for_good"),
    [
        (200, True, False),
        (204, True, False),
        (302, False, True),
        (404, False, True),
        (408, False, False),
        (429, False, False),
        (503, False, False),
        (0, False, False),
    ],
)
def test_what_is_asked_again(status, delivered, for_good):
    reply = Reply(status=status)

    assert (reply.delivered, reply.for_good) == (delivered, for_good)


def test_a_receiver_that_stalls_costs_the_time_out(answering):
    reply, took = send(answering(pause_s=5), timeout_s=0.2)

    assert reply == Reply(fault="TimeoutError")
    assert took < 2


def test_a_receiver_that_trickles_costs_no_more(answering):
    trickle = [bytes([letter]) for letter in b"HTTP/1.1 200 OK, at last"]
    reply, took = send(answering(*trickle, pause_s=0.15), timeout_s=0.2)

    assert reply == Reply(fault="TimeoutError")
    assert took < 2


def test_a_receiver_that_is_not_there_is_said(answering):
    url = answering(b"HTTP/1.1 200 OK\r\n\r\n")
    send(url)
    answering.open[0][0].close()

    assert send(url)[0] == Reply(fault="ConnectionRefusedError")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://127.0.0.1/",
        "https:///x",
        "https://a:b@host/",
        "x",
        "https://h:x/",
        "https://h/\r\nX: y",
        "http://127.0.0.1.example.org/",
    ],
)
def test_an_address_that_is_not_safe_is_refused_and_not_shown(url):
    with pytest.raises(ConfigError, match="expected https://host/path") as refused:
        WebhookTarget(url=url)

    assert "example" not in str(refused.value)


def test_the_address_is_not_shown():
    assert "secret" not in repr(WebhookTarget(url="https://example.org/secret"))
