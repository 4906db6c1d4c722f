"""``liqwarn collect`` as it is started and stopped."""

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_FAKE = runpy.run_path(str(Path(__file__).parents[1] / "collectors" / "fake_venue.py"))
FakeVenue = _FAKE["FakeVenue"]


@pytest.fixture
def server():
    with FakeVenue() as running:
        yield running


def test_it_runs_until_it_is_told_to_stop_and_says_what_it_did(server, tmp_path):
    command = [
        *(str(Path(sys.executable).parent / "liqwarn"), "collect", "--venues", "binance"),
        *("--symbols", "BTCUSDT", "--kinds", "liquidation", "--out", str(tmp_path), "--json"),
        *("--url", f"binance={server.sockets}", "--http", f"binance={server.http}"),
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    try:
        ends = time.monotonic() + 60
        while not server.connections or not (tmp_path / "status.json").exists():
            assert running.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=30)
    finally:
        running.kill()

    told = [json.loads(line) for line in out.splitlines()]
    assert running.returncode == 0, err
    assert told[-1]["ended"] is True
    assert told[-1]["lost"] == []
    assert told[-1]["venues"]["binance"]["lines"]["liquidations"]["fault"] == "stopped"
    assert err == b""
    assert list((tmp_path / "binance").rglob("*.tape.gz"))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--venues", "nowhere"), "venue is 'nowhere', expected one of"),
        (("--url", "binance"), "--url is 'binance', expected venue=address"),
        (("--for", "soon"), "--for: found 'soon', expected a duration"),
        (("--kinds", "trade", "--venues", "binance"), "binance tells nothing of trade"),
    ],
)
def test_what_cannot_be_is_refused(run, tmp_path, words, reason):
    told = run("collect", "--symbols", "BTCUSDT", "--out", str(tmp_path / "x"), *words)

    assert told.code == 1
    assert reason in told.err
    assert not (tmp_path / "x").exists()
