"""``liqwarn collect`` as it is started and stopped."""

import asyncio
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
        (("--watch", "me"), "found account 'me', expected 0x and 40"),
        (("--liquidator", "0x12"), "found account '0x12', expected 0x and 40"),
        (("--watch", "0x" + "1" * 40, "--venues", "okx"), "hyperliquid alone shows them"),
        (("--venues", "hyperliquid", "--kinds", "position"), "given with --watch"),
        (("--kinds", "trade", "--venues", "binance"), "binance tells nothing of trade"),
    ],
)
def test_what_cannot_be_is_refused(run, tmp_path, words, reason):
    told = run("collect", "--symbols", "BTCUSDT", "--out", str(tmp_path / "x"), *words)

    assert told.code == 1
    assert reason in told.err
    assert not (tmp_path / "x").exists()


def test_accounts_are_followed(server, run, tmp_path):
    frames = runpy.run_path(str(Path(__file__).parents[1] / "collectors/hyperliquid_frames.py"))
    vault, somebody = "0x" + "5" * 40, "0x" + "6" * 40
    now = int(time.time() * 1_000)

    content = json.loads(frames["fills"](frames["fill"](1), user=vault))
    content["data"]["fills"][0]["time"] = now

    async def tell():
        def followed(line):
            return any(vault.encode() in said for said in line.received)

        while not (lines := [line for line in server.live() if followed(line)]):
            await asyncio.sleep(0.01)
        lines[0].send(content)

    server.pages["/info"] = (200, frames["state"](at=now))
    server.start(tell)
    address = ("--url", f"hyperliquid={server.sockets}", "--http", f"hyperliquid={server.http}")
    words = ("--venues", "hyperliquid", "--symbols", "BTCUSDT", "--kinds", "liquidation,mark")
    told = run(
        "collect", *words, *address, "--out", str(tmp_path / "tape"), "--json",
        *("--liquidator", vault, "--watch", somebody, "--for", "3s"),
    )  # fmt: skip
    state = json.loads(told.out.splitlines()[-1])["venues"]["hyperliquid"]
    assert list(state["polls"]) == [f"positions-{somebody}"]
    assert told.code == 0, told.err
    assert state["happenings"] == {"liquidation": 1}


@pytest.mark.parametrize("period", ["nan", "inf", "0", "-1", "3601"])
def test_a_period_that_never_comes_is_refused(run, tmp_path, period):
    told = run(
        "collect", "--symbols", "BTCUSDT", "--out", str(tmp_path / "x"), "--sample-s", period
    )

    assert "a period is not above 0, or above 3600 s" in told.err
