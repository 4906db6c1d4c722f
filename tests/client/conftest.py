"""Flags, files of them, and servers that behave or do not."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import pytest

from liqwarn.decisions import (
    Flag,
    Limits,
    ModelStamp,
    PolicyStamp,
    Restriction,
    Tier,
    TradingState,
    flag_to_dict,
    iso_utc,
)
from liqwarn.signing import sign_document

CALM = Restriction(
    tier=Tier.T1,
    state=TradingState.ACTIVE,
    limits=Limits(leverage_frac=0.75, order_size_frac=0.75),
    probability={1: 0.1, 4: 0.2, 24: 0.3},
    reasons=("A little above usual.",),
)
BARRED = Restriction(
    tier=Tier.T4,
    state=TradingState.REDUCING,
    limits=Limits(
        leverage_frac=0.25,
        order_size_frac=0.75,
        add_frac=0.0,
        collateral_buffer_mult=2.0,
        max_participation_frac=0.01,
        net_increase=False,
        post_only=True,
        collar_frac=0.01,
    ),
    probability={1: 0.5, 4: 0.6, 24: 0.7},
    reasons=("A cascade is running.",),
)
HALTED = replace(
    BARRED, tier=Tier.T5, state=TradingState.HALTED, reasons=("Halted by an operator.",)
)


@pytest.fixture(scope="session")
def make_flag():
    start = datetime.now(UTC)

    def make(symbol="BTCUSDT", *, later=0, long=CALM, short=BARRED, **changes):
        as_of = start - timedelta(seconds=30) + timedelta(seconds=later)
        flag = Flag(
            symbol=symbol,
            as_of=as_of,
            issued_at=as_of + timedelta(seconds=1),
            valid_until=as_of + timedelta(minutes=70),
            sequence=int(as_of.timestamp()),
            quality="ok",
            sides={"long": long, "short": short},
            model=ModelStamp(version="1", sha256="ab" * 32),
            policy=PolicyStamp(version="1", sha256="cd" * 32),
            data_sha256="ef" * 32,
            completeness=1.0,
        )
        return replace(flag, **changes)

    return make


@pytest.fixture
def document():
    """A published set of flags as bytes; `change` may spoil a row."""

    def document(*flags, key=None, change=None, generated_at=None):
        rows = [flag_to_dict(flag) for flag in flags]
        rows = [sign_document(row, key) for row in rows] if key else rows
        for row in rows:
            if change:
                change(row)
        made = generated_at or max((flag.issued_at for flag in flags), default=datetime.now(UTC))
        body = {"schema": "liqwarn.flags/1", "generated_at": iso_utc(made), "market": "real"}
        return orjson.dumps({**body, "flags": rows})

    return document


class Server:
    """A loopback server whose every answer is `answer(handler)`; what was asked is in `asked`."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, dict(self.headers)))
                try:
                    outer.answer(self)
                except OSError:
                    self.close_connection = True  # the client has had enough

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def reply(handler, content, *, status=200, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture
def serve():
    """`serve(answer)` starts a server; `answer` is bytes or a function of the handler."""
    servers = []

    def serve(answer):
        given = (lambda handler: reply(handler, answer)) if isinstance(answer, bytes) else answer
        servers.append(Server(given))
        return servers[-1]

    serve.reply = reply
    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def until():
    """Wait until a condition holds, for ten seconds at most."""

    def until(condition):
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "it did not happen within 10 s"
            time.sleep(0.01)

    return until
