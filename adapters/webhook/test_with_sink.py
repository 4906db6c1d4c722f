"""The receiver and what liqwarn pushes to it, over real HTTP on loopback."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from receiver import Inbox, make_server
from test_receiver import KEY, OTHER, make_flag

from liqwarn.decisions import flag_to_dict
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.webhook import WebhookPace, WebhookSink
from liqwarn.serving.webhook_post import WebhookTarget
from liqwarn.signing import sign_document


@pytest.fixture
def fresh():
    began = datetime.now(UTC).replace(microsecond=0)

    def fresh(*symbols, second=0):
        """The flags of one bar; a later `second` has a higher sequence."""
        as_of = began - timedelta(seconds=60 - second)
        times = {"as_of": as_of, "issued_at": as_of, "valid_until": as_of + timedelta(minutes=10)}
        sequence = int(as_of.timestamp())
        made = {symbol: make_flag(symbol, sequence=sequence, **times) for symbol in symbols}
        return FlagSet(generated_at=as_of, market="real", flags=made)

    return fresh


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture
def inbox(tmp_path):
    return Inbox([KEY.public], state=tmp_path / "seen.json")


@pytest.fixture
def serve():
    """Start a receiver; what it gives stops it."""
    running = []

    def serve(inbox, port=0):
        server = make_server(inbox, port=port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()

        def stop():
            server.shutdown()
            server.server_close()
            thread.join(5)

        running.append(stop)
        return server.server_address[1], stop

    yield serve
    for stop in running:
        stop()


@pytest.fixture
def sinks():
    made = []

    def sink(port, key=KEY):
        made.append(
            WebhookSink(
                WebhookTarget(url=f"http://127.0.0.1:{port}/flags"),
                document=lambda flag: sign_document(flag_to_dict(flag), key),
                clock=SystemClock(),
                pace=WebhookPace(first_s=0.01, longest_s=0.02),
            )
        )
        return made[-1]

    yield sink
    for one in made:
        one.close()


def test_what_is_published_arrives_and_can_be_acted_on(inbox, serve, sinks, fresh):
    port, _ = serve(inbox)
    sent = fresh(*(f"S{n}" for n in range(120)))  # more than one post
    sink = sinks(port)
    sink.publish(sent)
    until(lambda: not sink.pending())
    assert {symbol: inbox.flag(symbol) for symbol in sent.flags} == sent.flags
    assert sink.dead_letters == 0


def test_what_is_signed_by_another_is_refused_for_good(inbox, serve, sinks, fresh):
    port, _ = serve(inbox)
    sink = sinks(port, OTHER)
    sink.publish(fresh("BTCUSDT"))
    until(lambda: sink.dead_letters == 1)
    assert inbox.flag("BTCUSDT") is None


def test_a_receiver_that_starts_again_gets_the_newest_and_nothing_older(
    inbox, serve, sinks, fresh, tmp_path
):
    port, stop = serve(inbox)
    sink = sinks(port)
    sink.publish(fresh("BTCUSDT"))
    until(lambda: not sink.pending())
    stop()
    for second in (1, 2, 3):
        sink.publish(fresh("BTCUSDT", second=second))
        time.sleep(0.02)
    again = Inbox([KEY.public], state=tmp_path / "seen.json")
    serve(again, port)
    until(lambda: not sink.pending())
    assert again.flag("BTCUSDT").sequence == inbox.flag("BTCUSDT").sequence + 3

    late = sinks(port)
    late.publish(fresh("BTCUSDT", second=-1))
    until(lambda: late.dead_letters == 1)


def test_a_set_whose_answer_was_lost_is_taken_again_without_harm(inbox, serve, sinks, fresh):
    port, _ = serve(inbox)
    sent = fresh("BTCUSDT", "ETHUSDT")
    for _ in range(2):
        sink = sinks(port)
        sink.publish(sent)
        until(lambda one=sink: not one.pending())
        assert sink.dead_letters == 0
    assert inbox.flag("BTCUSDT") == sent.flags["BTCUSDT"]
