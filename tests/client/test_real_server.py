"""The gate against the application itself, on loopback."""

import hashlib
import threading
import time
from pathlib import Path

import pytest
import yaml

from liqwarn.client import open_gate
from liqwarn.policy.ladder import parse_policy
from liqwarn.serving.run import make_server

POLICY = Path(__file__).parents[2] / "conf" / "policy.yaml"


@pytest.fixture
def url(tmp_path):
    """A server of `tmp_path`; it runs in a thread until the test ends."""
    content = POLICY.read_bytes()
    policy = parse_policy(yaml.safe_load(content), sha256=hashlib.sha256(content).hexdigest())
    server = make_server(tmp_path, policy, port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_its_flags_are_read_obeyed_and_expire(url, tmp_path, document, make_flag, until):
    with open_gate(url, max_wait_s=5.0) as gate:
        assert "HTTP status is 503" in gate("BTCUSDT", "long").reason
        old = make_flag("OLD", later=-7200)
        (tmp_path / "flags.json").write_bytes(document(make_flag(), old))
        until(lambda: gate("BTCUSDT", "long").new_risk)
        assert gate("BTCUSDT", "long").reason == "A little above usual."
        assert gate("BTCUSDT", "short").tier == 4
        assert gate("NOPE", "long").reason.startswith("unknown symbol")
        expired = gate("OLD", "long")
        assert (expired.new_risk, expired.fresh, expired.tier) == (False, False, 3)
