"""The server as it is started: only where it may listen, with all that stands in front."""

import socket
import threading
import time

import httpx
import pytest

from liqwarn.errors import ConfigError
from liqwarn.serving.app import create_app
from liqwarn.serving.flag_file import FlagFile
from liqwarn.serving.key_file import change_keys
from liqwarn.serving.keys import KeySet
from liqwarn.serving.listen import ListenOrder, make_listener
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.ports import Sources
from liqwarn.serving.push_hub import PushSettings


@pytest.fixture
def metrics(clock):
    return ServingMetrics(clock)


def value(metrics, name, **labels):
    metrics.render()
    return metrics.registry.get_sample_value(f"liqwarn_{name}", labels)


@pytest.fixture
def application(metrics, policy, clock, write_flags, make_flag):
    return create_app(
        FlagFile(write_flags(make_flag())),
        policy=policy,
        clock=clock,
        sources=Sources(render_metrics=metrics.render),
        push=PushSettings(heartbeat_s=0.05, look_s=0.02),
    )


@pytest.fixture
def started(clock, metrics, application):
    """Start a server on a free port of loopback; gives its URL."""
    running = []

    def started(**order):
        chosen = ListenOrder(port=0, **order)
        server = make_listener(application, chosen, clock=clock, metrics=metrics)
        listening = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.005)
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    def stop():
        for server, thread in running:
            server.should_exit = True
            thread.join(10)

    started.stop = stop
    yield started
    stop()


def test_with_keys_everybody_is_asked_and_everything_counted(started, key_file, metrics):
    token = key_file()
    url = started(keys=key_file.path)
    with httpx.Client(base_url=url, trust_env=False) as client:
        statuses = [
            client.get("/v1/flags").status_code,
            client.get("/v1/flags", headers={"Authorization": f"Bearer {token}"}).status_code,
            client.get("/healthz").status_code,
        ]

    assert statuses == [401, 200, 200]
    route = {"route": "/v1/flags", "method": "GET"}
    assert value(metrics, "http_requests_total", **route, status="401") == 1
    assert value(metrics, "http_requests_total", **route, status="200") == 1
    assert value(metrics, "http_refusals_total", reason="missing") == 1


def test_the_application_itself_behind_its_keys(started, key_file, metrics):
    token = key_file()
    headers = {"Authorization": f"Bearer {token}"}
    url = started(keys=key_file.path)
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=10) as client:
        assert client.get("/v1/flags/BTCUSDT").json()["symbol"] == "BTCUSDT"
        assert client.get("/v1/flags/BTCUSDT/no").status_code == 403
        assert client.post("/v1/score", json={}).status_code == 403
        assert b'liqwarn_http_requests_total{method="GET"' in client.get("/metrics").content
        with client.stream("GET", "/v1/stream") as stream:
            lines = stream.iter_lines()
            assert "BTCUSDT" in next(line for line in lines if line.startswith("data:"))
            assert value(metrics, "stream_clients") == 1
            change_keys(key_file.path, lambda keys: (KeySet(), None))
            list(lines)
        assert client.get("/v1/flags").status_code == 401
    assert value(metrics, "http_refusals_total", reason="revoked") == 1


def test_it_stops_at_once_though_streams_are_open(started):
    url = started()
    with httpx.stream("GET", f"{url}/v1/stream", trust_env=False, timeout=10) as stream:
        lines = stream.iter_lines()
        next(lines)
        begun = time.perf_counter()
        started.stop()

        assert time.perf_counter() - begun < 2.5  # it would wait 3 s for its connections
        assert "event: dropped" in list(lines)


def test_a_damaged_file_of_keys_is_told(started, key_file, metrics):
    key_file()
    started(keys=key_file.path)
    assert value(metrics, "key_file_fault") == 0

    key_file.path.write_bytes(b"{")

    assert value(metrics, "key_file_fault") == 1


def test_on_loopback_without_keys_nobody_is_asked(started):
    assert httpx.get(f"{started()}/v1/flags", trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"host": "0.0.0.0"}, "expected API keys .* and TLS"),
        ({"host": "0.0.0.0", "behind_tls_proxy": True}, "expected API keys"),
        ({"host": "0.0.0.0", "keys": "made"}, "expected TLS"),
        ({"keys": "missing"}, "liqwarn keys add makes it"),
    ],
)
def test_what_is_not_safe_does_not_start(application, key_file, clock, metrics, order, why):
    key_file()
    files = {"made": key_file.path, "missing": key_file.path.with_name("none.json")}
    given = order | ({"keys": files[order["keys"]]} if "keys" in order else {})

    with pytest.raises(ConfigError, match=why):
        make_listener(application, ListenOrder(**given), clock=clock, metrics=metrics)


def test_behind_a_proxy_with_keys_the_public_is_served(application, key_file, clock, metrics):
    key_file()
    order = ListenOrder(host="0.0.0.0", keys=key_file.path, behind_tls_proxy=True)

    assert make_listener(application, order, clock=clock, metrics=metrics).config.host == "0.0.0.0"
