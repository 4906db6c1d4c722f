"""Whatever is asked over HTTP, the answer is one that OpenAPI describes, and never a 5xx.

Cases are generated from the application's own OpenAPI, valid and invalid ones, and sent to a real
server on loopback. A 503 is an answer, documented, where a source is not configured; with every
source in place there is none.
"""

import hashlib
import os
import socket
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import schemathesis
import uvicorn
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from liqwarn.decisions import Flag, ModelStamp, Restriction, Tier
from liqwarn.errors import FrameError
from liqwarn.policy.ladder import parse_policy
from liqwarn.policy.restriction import state_of
from liqwarn.serving.app import create_app
from liqwarn.serving.auth import KEY_ID
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.examples import EVENTS, HISTORY, MAP
from liqwarn.serving.flag_file import FlagSet
from liqwarn.serving.order_schema import IN_FORCE, ORDERED
from liqwarn.serving.ports import HistoryPage, ScoreReply, Sources
from liqwarn.serving.push_hub import PushSettings
from liqwarn.serving.scopes import OPEN, SCOPES
from liqwarn.serving.shelf import FlagShelf
from liqwarn.signing import generate_key

EACH = 460 if os.environ.get("LIQWARN_FAULTS") == "full" else 13
POLICY_FILE = Path(__file__).parents[2] / "conf" / "policy.yaml"
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
OPERATIONS = sorted({*SCOPES, *OPEN} - {("GET", "/v1/ws"), ("GET", "/openapi.json")})


class Everything:
    """Every source, always with an answer."""

    def rows(self, ask):
        return HistoryPage(
            rows=HISTORY["rows"], known_by=datetime.now(UTC), behind=(1, "long", 1, 1)
        )

    def events(self, *asked):
        return EVENTS["events"]

    def profile(self, symbol):
        return MAP if len(symbol) % 2 else None

    def score(self, rows, names):
        if "" in names:
            raise FrameError("names have an empty one")
        return ScoreReply(
            probability=np.full((len(rows), 2, 3), 0.5),
            model=ModelStamp(version="1", sha256="9f2c"),
            quality=["ok"] * len(rows),
            novelty=np.full(len(rows), np.nan),
        )

    def ask(self, order, by):
        if "refuse" in order.reason:
            return ORDERED | {"accepted": False, "sides": [], "refused": ["it was asked to"]}
        return ORDERED

    def in_force(self):
        return IN_FORCE["orders"]


def a_flag(policy, symbol):
    as_of = datetime.now(UTC).replace(microsecond=0)
    limits = policy.tiers[Tier.T3].threatened
    side = Restriction(
        tier=Tier.T3,
        state=state_of(limits, halted=False),
        limits=limits,
        probability={1: 0.1, 4: 0.2, 24: 0.3},
        reasons=("For the fuzz.",),
    )
    return Flag(
        symbol=symbol,
        as_of=as_of,
        issued_at=as_of,
        valid_until=as_of + timedelta(hours=12),
        sequence=int(as_of.timestamp()),
        quality="ok",
        sides={"long": side, "short": side},
        model=ModelStamp(version="1", sha256="9f2c"),
        policy=policy.stamp,
        data_sha256="77e0",
        completeness=1.0,
    )


@pytest.fixture(scope="module")
def app():
    content = POLICY_FILE.read_bytes()
    policy = parse_policy(yaml.safe_load(content), sha256=hashlib.sha256(content).hexdigest())
    everything, shelf = Everything(), FlagShelf()
    flags = {symbol: a_flag(policy, symbol) for symbol in ("BTCUSDT", "0", "A")}
    shelf.publish(FlagSet(generated_at=datetime.now(UTC), market="simulated", flags=flags))
    sources = Sources(
        scorer=everything,
        maps=everything,
        events=everything,
        history=everything,
        orders=everything,
        render_metrics=lambda: b"# TYPE x gauge\nx 1\n",
    )
    made = create_app(
        shelf,
        policy=policy,
        clock=SystemClock(),
        sources=sources,
        key=generate_key(),
        push=PushSettings(heartbeat_s=0.05),
    )

    async def through_a_key(scope, receive, send):
        """As authentication would let everything through: orders ask for a key."""
        await made({**scope, KEY_ID: "k1"}, receive, send)

    return through_a_key


@dataclass
class Count:
    cases: int = 0


@pytest.fixture(scope="module")
def count():
    """Cases sent; the number is printed at the end (``-s``)."""
    counted = Count()
    yield counted
    print(f"\n{counted.cases} cases")


@pytest.fixture(scope="module")
def schema(app):
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [probe]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    yield schemathesis.openapi.from_url(f"http://127.0.0.1:{probe.getsockname()[1]}/openapi.json")
    server.should_exit = True
    thread.join(10)
    probe.close()


def rejected(context, response, case):
    """As schemathesis asks it, but a body that is too large may be refused for its size alone."""
    if response.status_code != 413:
        negative_data_rejection(context, response, case)


def fuzz(operation, mode, each, count, checks):
    @settings(
        max_examples=each,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        if operation.path == "/v1/stream":
            case.query = {**(case.query or {}), "count": "1"}  # it would go on for ever
        count.cases += 1
        case.call_and_validate(checks=checks, timeout=20)

    run()


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_valid_requests_get_documented_answers(schema, count, method, path):
    fuzz(schema[path][method], GenerationMode.POSITIVE, EACH, count, CHECKS)


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_invalid_requests_get_documented_answers(schema, count, method, path):
    operation = schema[path][method]
    if not (len(operation.query) or operation.body):
        pytest.skip("there is nothing to get wrong")
    refusals = () if path == "/v1/stream" else (rejected,)  # its count is set above
    fuzz(operation, GenerationMode.NEGATIVE, EACH, count, (*CHECKS, *refusals))
