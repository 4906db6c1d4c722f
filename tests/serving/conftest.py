"""A policy, flags, a file of them, and a clock that does what it is told."""

import asyncio
import hashlib
import os
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import uvicorn
import yaml

from liqwarn.decisions import Flag, ModelStamp, Restriction, Tier, flag_to_dict, iso_utc
from liqwarn.policy.ladder import parse_policy
from liqwarn.policy.restriction import state_of
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.key_file import change_keys
from liqwarn.serving.keys import KeySet, new_key

NOON = datetime(2024, 8, 5, 12, tzinfo=UTC)
POLICY_FILE = Path(__file__).parents[2] / "conf" / "policy.yaml"


@pytest.fixture(scope="session")
def policy():
    content = POLICY_FILE.read_bytes()
    return parse_policy(yaml.safe_load(content), sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture(scope="session")
def noon():
    return NOON


class FakeClock:
    """Both clocks run together, until the wall's is set."""

    def __init__(self) -> None:
        self.now = NOON + timedelta(minutes=1)
        self.seconds = 1_000.0

    def wall(self):
        return self.now

    def monotonic(self):
        return self.seconds

    def run(self, **duration):
        self.now += timedelta(**duration)
        self.seconds += timedelta(**duration).total_seconds()

    def set_wall(self, **jump):
        self.now += timedelta(**jump)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(scope="session")
def make_flag(policy):
    def make(symbol="BTCUSDT", tier="T0", *, as_of=NOON, **changes):
        limits = policy.tiers[Tier[tier]].threatened
        side = Restriction(
            tier=Tier[tier],
            state=state_of(limits, halted=False),
            limits=limits,
            probability={1: 0.1, 4: 0.2, 24: 0.3},
            reasons=("No rule asks for a restriction.",),
        )
        flag = Flag(
            symbol=symbol,
            as_of=as_of,
            issued_at=as_of + timedelta(minutes=1),
            valid_until=as_of + timedelta(minutes=70),
            sequence=int(as_of.timestamp()),
            quality="ok",
            sides={"long": side, "short": side},
            model=ModelStamp(version="1", sha256="m"),
            policy=policy.stamp,
            data_sha256="d",
            completeness=1.0,
        )
        return replace(flag, **changes)

    return make


@pytest.fixture
def write_flags(tmp_path):
    """Replace the file of flags, as a scoring does; its mtime is when it says it was made."""

    def write(*flags, generated_at=None, path=None):
        target = path or tmp_path / "flags.json"
        made = generated_at or max((flag.issued_at for flag in flags), default=NOON)
        body = {
            "schema": "liqwarn.flags/1",
            "generated_at": iso_utc(made),
            "market": "real",
            "flags": [flag_to_dict(flag) for flag in flags],
        }
        part = target.with_name("flags.part")
        part.write_bytes(orjson.dumps(body))
        os.utime(part, (made.timestamp(), made.timestamp()))
        part.replace(target)
        return target

    return write


class Asked:
    """What an ASGI application answered."""

    def __init__(self, sent):
        self.sent = sent
        self.status = sent[0].get("status") if sent else None
        raw = sent[0].get("headers", []) if sent else []
        self.headers = {name.decode(): value.decode() for name, value in raw}
        self.body = b"".join(message.get("body", b"") for message in sent)

    @property
    def json(self):
        return orjson.loads(self.body)


@pytest.fixture(scope="session")
def ask():
    """Ask an ASGI application one thing, its body in the pieces given."""

    def ask(app, method="GET", path="/v1/flags", *, headers=(), pieces=(), kind="http", **scope):
        asked = {
            "type": kind,
            "path": path,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            "client": ("192.0.2.7", 5),
            **({"method": method} if kind == "http" else {}),
            **scope,
        }
        waiting = [
            {"type": "http.request", "body": piece, "more_body": n < len(pieces) - 1}
            for n, piece in enumerate(pieces)
        ]
        sent = []

        async def receive():
            if waiting:
                return waiting.pop(0)
            return await asyncio.sleep(3600)

        async def send(message):
            sent.append(message)

        asyncio.run(app(asked, receive, send))
        return Asked(sent)

    return ask


@pytest.fixture
def serve_on_loopback():
    """Run an application with uvicorn in a thread; gives its URL."""
    running = []

    def serve(app, **options):
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        chosen = {"log_config": None, "lifespan": "off", "timeout_graceful_shutdown": 1, **options}
        server = uvicorn.Server(uvicorn.Config(app, **chosen))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [probe]}, daemon=True)
        thread.start()
        running.append((server, thread, probe))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        scheme = "https" if "ssl_certfile" in options else "http"
        return f"{scheme}://127.0.0.1:{probe.getsockname()[1]}"

    yield serve
    for server, thread, probe in running:
        server.should_exit = True
        thread.join(10)
        probe.close()


@pytest.fixture
def key_file(tmp_path, clock):
    """A file of keys, and the way to add one: gives its token."""
    path = tmp_path / "private" / "keys.json"

    def add(name="desk", scopes=("read",), **more):
        def change(keys):
            key, token = new_key(name, scopes, now=clock.wall(), **more)
            return KeySet([*keys.keys.values(), key]), token

        return change_keys(path, change)

    add.path = path
    return add


@pytest.fixture
def refusals():
    """What was refused: (reason, who)."""
    return []


@pytest.fixture(scope="session")
def flag_set():
    """What the live loop publishes."""

    def make(*flags, generated_at=None):
        made = generated_at or max((flag.issued_at for flag in flags), default=NOON)
        return FlagSet(generated_at=made, market="real", flags={f.symbol: f for f in flags})

    return make
