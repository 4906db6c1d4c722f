"""How often and how many at once: each key for itself."""

import asyncio
from collections import Counter

import pytest

from liqwarn.serving.auth import KEY_ID
from liqwarn.serving.call_limits import CallLimits, CallRules
from liqwarn.serving.rate_limit import Rate, TokenBuckets
from liqwarn.serving.refusals import refuse

EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8")]


async def answer(scope, receive, send):
    await refuse(scope, send, 200, "here")


@pytest.fixture
def good():
    """The keys that are good."""
    return {"one", "two"}


@pytest.fixture
def limited(clock, refusals, good):
    def limited(app=answer, *, burst=100, streams=2):
        rules = CallRules(
            calls=TokenBuckets(Rate(per_s=1, burst=burst), monotonic=clock.monotonic),
            streams=streams,
            still_good=good.__contains__,
            on_refusal=lambda *told: refusals.append(told),
        )
        return CallLimits(app, rules)

    return limited


def test_a_key_that_asks_too_often_waits_and_others_do_not(ask, limited, clock, refusals):
    app = limited(burst=2)
    statuses = [ask(app, **{KEY_ID: "one"}).status for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert ask(app, **{KEY_ID: "one"}).headers["retry-after"] == "1"
    assert ask(app, **{KEY_ID: "two"}).status == 200
    assert ask(app).status == 200
    assert refusals == [("rate", "one")] * 2
    clock.run(seconds=1)
    assert ask(app, **{KEY_ID: "one"}).status == 200


class Streams:
    """An application whose streams go on until they are told to end."""

    def __init__(self):
        self.more = asyncio.Event()
        self.open = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": EVENTS})
        self.open += 1
        await self.more.wait()
        kind = "websocket.send" if scope["type"] == "websocket" else "http.response.body"
        try:
            await send({"type": kind, "body": b"later", "more_body": True})
        except OSError as error:
            raise RuntimeError("as a framework wraps it") from error


def run_streams(limited, callers, meanwhile=lambda app: None):
    """Open a stream for each (key, kind) in turn; then `meanwhile`; then let them all send."""

    async def run():
        inner = Streams()
        app = limited(inner)
        answers = [[] for _ in callers]

        async def one(key, kind, sent):
            async def send(message):
                sent.append(message)

            scope = {"type": kind, "headers": [], "client": None, KEY_ID: key}
            await app(scope, None, send)

        tasks = []
        for (key, kind), sent in zip(callers, answers, strict=True):
            tasks.append(asyncio.create_task(one(key, kind, sent)))
            await asyncio.sleep(0)
        meanwhile(app)
        inner.more.set()
        await asyncio.gather(*tasks)
        return app, answers

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_streams_of_one_key_are_counted(limited, refusals, kind):
    callers = [("one", "http"), ("one", "websocket"), ("one", kind), ("two", kind)]

    app, answers = run_streams(limited, callers)

    begun = [sent[0].get("status", sent[0]["type"]) for sent in answers]
    refused = 429 if kind == "http" else "websocket.close"
    passed = 200 if kind == "http" else "websocket.accept"
    assert begun == [200, "websocket.accept", refused, passed]
    assert refusals == [("streams", "one")]
    assert app._open == Counter()


def test_the_streams_of_a_revoked_key_end_with_their_next_message(limited, refusals, good):
    callers = [("one", "http"), ("one", "websocket"), ("two", "http")]

    _, answers = run_streams(limited, callers, lambda app: good.remove("one"))

    assert answers[0][-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert answers[1][-1]["type"] == "websocket.close"
    assert answers[2][-1]["body"] == b"later"
    assert refusals == [("revoked", "one")] * 2


def test_a_failure_of_the_application_stays_its_own(ask, limited):
    async def failing(scope, receive, send):
        raise ValueError("its own")

    app = limited(failing)
    with pytest.raises(ValueError, match="its own"):
        ask(app)
    assert app._open == Counter()
