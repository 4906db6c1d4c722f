"""The sink sends what is published, again until it is taken, and never holds anyone up."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from receiver import Inbox, make_server
from sink import WebhookSink
from test_receiver import KEY, OTHER, make_flag

from liqwarn.errors import ConfigError


def fresh(symbol="BTCUSDT", *, second=0):
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=second)
    return make_flag(
        symbol,
        as_of=now,
        issued_at=now,
        valid_until=now + timedelta(minutes=10),
        sequence=int(now.timestamp()),
    )


def publish(sink, *flags):
    sink.publish(SimpleNamespace(flags={flag.symbol: flag for flag in flags}))


@pytest.fixture
def inbox():
    return Inbox([KEY.public])


@pytest.fixture
def serve(inbox):
    servers = []

    def start(port=0):
        server = make_server(inbox, port=port)
        servers.append(
            (server, threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True))
        )
        servers[-1][1].start()
        return server.server_address[1]

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def sinks():
    made = []

    def make(port, key=KEY):
        url = f"http://127.0.0.1:{port}/flags"
        made.append(WebhookSink(url, key, timeout_s=1.0, pause_s=0.05))
        return made[-1]

    yield make
    for sink in made:
        sink.close()


def test_flags_arrive_signed(inbox, serve, sinks):
    sink = sinks(serve())
    flags = [fresh(), fresh("ETHUSDT")]
    publish(sink, *flags)
    assert sink.wait(5)
    assert [inbox.flag(flag.symbol) for flag in flags] == flags


def test_a_receiver_that_comes_late_gets_the_newest_alone(inbox, serve, sinks):
    port = serve()
    gone = make_server(inbox)
    free = gone.server_address[1]
    gone.server_close()
    sink = sinks(free)
    began = time.monotonic()
    for second in range(-20, 0):
        publish(sink, fresh(second=second))
    newest = fresh()
    publish(sink, newest)
    assert time.monotonic() - began < 1.0  # nobody is held up by a receiver that is not there
    assert not sink.wait(0.2)
    serve(free)
    assert sink.wait(5)
    assert inbox.flag("BTCUSDT") == newest
    assert port != free


def test_what_is_refused_for_good_is_not_sent_for_ever(inbox, serve, sinks):
    sink = sinks(serve(), OTHER)
    publish(sink, fresh())
    assert sink.wait(5)
    assert inbox.flag("BTCUSDT") is None


def test_what_has_expired_is_not_sent(inbox, sinks):
    sink = sinks(9)  # nobody is there
    publish(sink, replace(fresh(), valid_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert sink.wait(5)


@pytest.mark.parametrize("url", ["http://example.org/flags", "ftp://127.0.0.1/", "flags", ""])
def test_an_address_that_is_not_safe_is_refused(url):
    with pytest.raises(ConfigError, match="expected https"):
        WebhookSink(url, KEY)
