"""Sizes and times of one request: counted as it comes, whatever it announces."""

import asyncio

import pytest

from liqwarn.serving.refusals import refuse
from liqwarn.serving.request_limits import RequestLimits, RequestSizes

SIZES = RequestSizes(body_bytes=10, header_bytes=100, headers=5, receive_s=0.05, answer_s=0.05)
CHUNKED = [("Transfer-Encoding", "chunked")]


async def length(scope, receive, send):
    size, more = 0, bool(scope["headers"])
    while more:
        message = await receive()
        size += len(message["body"])
        more = message["more_body"]
    await refuse(scope, send, 200, str(size))


async def silent(scope, receive, send):
    await asyncio.sleep(60)


@pytest.fixture
def limited(refusals):
    def limited(app=length):
        return RequestLimits(app, SIZES, lambda *told: refusals.append(told))

    return limited


@pytest.mark.parametrize(
    ("headers", "pieces", "size"),
    [
        ([], (), "0"),
        ([("Content-Length", "10")], (b"0123456789",), "10"),
        (CHUNKED, (b"01234", b"", b"56789"), "10"),
    ],
)
def test_a_body_within_the_limit_arrives_whole(ask, limited, headers, pieces, size):
    assert ask(limited(), "POST", headers=headers, pieces=pieces).json["detail"] == size


@pytest.mark.parametrize(
    ("headers", "pieces"),
    [
        ([("Content-Length", "11")], ()),
        ([("Content-Length", "9" * 30)], ()),
        ([("Content-Length", "3"), ("Content-Length", "11")], ()),
        (CHUNKED, (b"01234", b"56789", b"0")),
        ([("Content-Length", "1")], (b"01234567890",)),
        ([("Content-Length", "-1")], (b"01234567890",)),
    ],
)
def test_a_larger_one_is_413(ask, limited, refusals, headers, pieces):
    told = ask(limited(), "POST", headers=headers, pieces=pieces)

    assert told.status == 413
    assert "expected at most 10 bytes" in told.json["detail"]
    assert told.headers["connection"] == "close"
    assert refusals == [("body", "192.0.2.7")]


def test_a_body_that_does_not_come_is_408(ask, limited, refusals):
    told = ask(limited(), "POST", headers=[("Content-Length", "5")])

    assert told.status == 408
    assert refusals == [("slow", "192.0.2.7")]


def test_no_answer_in_time_is_503(ask, limited, refusals):
    told = ask(limited(silent))

    assert (told.status, told.headers["retry-after"]) == (503, "1")
    assert refusals == [("timeout", "192.0.2.7")]


def test_a_stream_that_has_begun_may_last(ask, limited):
    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.15)
        await send({"type": "http.response.body", "body": b"late"})

    assert ask(limited(stream)).body == b"late"


def test_a_time_out_of_the_application_itself_stays_its_own(ask, limited):
    async def failing(scope, receive, send):
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        ask(limited(failing))


@pytest.mark.parametrize(
    "headers", [[("a", "1")] * 6, [("a", "1" * 100)]], ids=["too many", "too long"]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_headers_are_bounded(ask, limited, refusals, headers, kind):
    extensions = {"websocket.http.response": {}}
    assert ask(limited(), headers=headers, kind=kind, extensions=extensions).status == 431
    assert refusals == [("headers", "192.0.2.7")]


def test_a_client_that_leaves_is_not_answered(limited):
    sent = []

    async def gone():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"content-length", b"5")], "client": None}
    asyncio.run(limited()(scope, gone, send))

    assert sent == []


@pytest.mark.parametrize(("digits", "status"), [("0" * 5_000 + "2", 200), ("9" * 5_000, 413)])
def test_a_length_of_more_digits_than_python_reads_is_a_length(ask, refusals, digits, status):
    app = RequestLimits(length, RequestSizes(), lambda *told: refusals.append(told))

    told = ask(app, "POST", headers=[("Content-Length", digits)], pieces=(b"ab",))

    assert told.status == status
