"""The server as a process of its own: started, killed, started again."""

import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from liqwarn.errors import ConfigError
from liqwarn.serving.http_protocol import BoundedProtocol
from liqwarn.serving.listen import ListenOrder
from liqwarn.serving.run import make_ordered_server, make_server

PROGRAM = """
import hashlib, sys
from pathlib import Path
import yaml
from liqwarn.policy.ladder import parse_policy
from liqwarn.serving.run import run
policy = parse_policy(yaml.safe_load(Path(sys.argv[1]).read_bytes()), sha256="0")
run(Path(sys.argv[2]), policy, port=int(sys.argv[3]))
"""


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def launch(tmp_path, free_port, pytestconfig):
    """Start the server and wait for it; every process is ended with the test."""
    running = []

    def launch():
        policy_file = pytestconfig.rootpath / "conf" / "policy.yaml"
        command = [sys.executable, "-c", PROGRAM, str(policy_file), str(tmp_path), str(free_port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        running.append(process)
        url = f"http://127.0.0.1:{free_port}"
        for _ in range(600):
            try:
                httpx.get(f"{url}/healthz", trust_env=False)
            except httpx.TransportError:
                assert process.poll() is None, process.stdout.read().decode()
                time.sleep(0.05)
            else:
                return process, url
        raise AssertionError("the server did not come up within 30 s")

    yield launch
    for process in running:
        process.kill()
        process.communicate()


def test_killed_and_restarted_it_serves_nothing_old_as_fresh(launch, write_flags, make_flag):
    as_of = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
    fresh = make_flag("FRESH", as_of=as_of)
    old = make_flag("OLD", as_of=as_of - timedelta(hours=3))
    write_flags(fresh, old)
    process, url = launch()
    for _ in range(2):
        found = {
            f["symbol"]: f for f in httpx.get(f"{url}/v1/flags", trust_env=False).json()["flags"]
        }
        assert (found["FRESH"]["quality"], found["OLD"]["quality"]) == ("ok", "stale")
        assert found["OLD"]["sides"]["long"]["tier"] == "T3"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process, url = launch()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", "", "127.0.0.1.x"])
def test_other_machines_are_refused(tmp_path, policy, host):
    with pytest.raises(ConfigError, match=r"expected API keys .* or a loopback address such as"):
        make_server(tmp_path, policy, host=host)


def test_a_port_that_is_none_is_refused(tmp_path, policy):
    with pytest.raises(ConfigError, match="port is 65536, expected 0 to 65535"):
        make_server(tmp_path, policy, port=65_536)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_fine(tmp_path, policy, host):
    assert make_server(tmp_path, policy, host=host).config.host == host


def test_keys_without_tls_open_no_public_address_and_with_it_they_do(tmp_path, policy, key_file):
    key_file()
    order = ListenOrder(host="0.0.0.0", port=0, keys=key_file.path)
    with pytest.raises(ConfigError, match=r"expected TLS \(.*, or a loopback address"):
        make_ordered_server(tmp_path, policy, order)
    server = make_ordered_server(tmp_path, policy, replace(order, behind_tls_proxy=True))
    assert server.config.host == "0.0.0.0"


def test_requests_are_held_to_bounds(tmp_path, policy):
    config = make_server(tmp_path, policy).config
    assert (config.http, config.server_header) == (BoundedProtocol, False)


LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_given.py")))


def test_metrics_over_http_follow_the_ledger(tmp_path, policy, free_port, write_flags, make_flag):
    """A real server, scraped before an account is there, with it, and after it was replaced."""
    write_flags(make_flag("BTCUSDT", as_of=datetime.now(UTC) - timedelta(minutes=2)))
    home = LEDGERS["GivenHome"](tmp_path / "home")
    (tmp_path / "scoring.json").write_text('{"panel": "made_up"}')
    order = ListenOrder(host="127.0.0.1", port=free_port)
    server = make_ordered_server(tmp_path, policy, order, home=home.folder)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{free_port}/metrics"

    def scrape():
        return httpx.get(url, trust_env=False).text.splitlines()

    try:
        while not server.started:
            time.sleep(0.01)
        before = scrape()
        assert "liqwarn_ledger_age_seconds NaN" in before
        assert 'liqwarn_flags{quality="ok"} 1.0' in before
        home.settle()
        row = 'liqwarn_ledger_onsets{side="long",symbol="BTCUSDT",window="90d"} '
        assert row + "12.0" in scrape()
        home.settle(symbols=("BTCUSDT",))
        assert row + "24.0" in scrape()
        home.replace(b"{")
        after = scrape()
        assert "liqwarn_ledger_age_seconds NaN" in after
        assert "liqwarn_ledger_read_errors_total 2.0" in after
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize("account", [None, b"{", b'{"panel": "../up"}', b'{"panel": 3}'])
def test_a_scoring_that_names_no_panel_has_no_ledger(tmp_path, policy, account):
    if account is not None:
        (tmp_path / "scoring.json").write_bytes(account)
    order = ListenOrder(host="127.0.0.1", port=0)

    assert make_ordered_server(tmp_path, policy, order, home=tmp_path) is not None
