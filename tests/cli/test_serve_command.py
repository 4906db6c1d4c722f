"""liqwarn serve on a panel: what is refused, and a whole live server that is told to stop."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import orjson
import pandas as pd
import pytest

from liqwarn.config import config_sha256, load_panel, load_policy
from liqwarn.data.bars.journal import Journal
from liqwarn.decisions import iso_utc
from liqwarn.liquidation.fit import FitConfig
from liqwarn.liquidation.live_maps import SymbolTerms
from liqwarn.live.snapshot import unpack_memory
from liqwarn.pipelines.liquidation_map import venue_tiers
from liqwarn.policy.audit import replay, verify
from liqwarn.tables import read_table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def live(given, model, tmp_path):
    """Options of a live loop on the filled store."""
    return {
        "--panel": given / "panel.yaml",
        "--store": given / "store",
        "--out": tmp_path / "live",
        "--feed": "replay:1e4",
        "--from": "2022-03-30",
        "--model": model,
        "--unsigned": None,
    }


def words(options):
    return [w for name, value in options.items() for w in (name, value) if w is not None]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"--scores": "runs"}, "expected either --scores FOLDER, or --panel FILE"),
        ({"--panel": ...}, "expected either --scores FOLDER, or --panel FILE"),
        ({"--out": ...}, "the live loop needs --panel FILE and --out FOLDER"),
        ({"--feed": ...}, "--feed is None, expected file:PATH, unix:PATH, tcp:HOST:PORT or"),
        ({"--feed": "kafka:topic"}, "--feed is 'kafka:topic', expected file:PATH"),
        ({"--feed": "file:"}, "--feed is 'file:', expected file:PATH"),
        ({"--feed": "tcp:localhost"}, "--feed is 'tcp:localhost', expected file:PATH"),
        ({"--feed": "replay:fast"}, "replay factor is 'fast', expected a number above 0"),
        ({"--feed": "replay:-1"}, "replay factor is '-1', expected a number above 0"),
        ({"--feed": "replay:nan"}, "replay factor is 'nan', expected a number above 0"),
        ({"--from": "2023-01-01"}, "the history ends at 2022-04-01T00:00:00, expected bars after"),
        ({"--board": "flags.board"}, "--board needs a live feed"),
        ({"--unsigned": ...}, "expected either --trust KEYS, or --unsigned"),
        ({"--model": ...}, "expected either --model FOLDER or --releases FOLDER"),
        ({"--releases": "r"}, "expected either --model FOLDER or --releases FOLDER"),
        ({"--model": "no-such"}, "no-such"),
        ({"--policy": "conf/polici.yaml"}, "polici.yaml"),
        ({"--sign": "no-such.pem"}, "no-such.pem"),
        ({"--tls-cert": "c.pem"}, "expected --tls-cert and --tls-key together"),
        ({"--host": "0.0.0.0"}, "expected"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(run, live, changes, reason, tmp_path):
    changed = {name: v for name, v in (live | changes).items() if v is not ...}

    told = run("serve", *words(changed))

    assert told.code == 1, (told.out, told.err, told.exception)
    assert told.out == ""
    assert reason in told.err.splitlines()[-1]
    assert not (tmp_path / "flags.board").exists()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Served:
    """``liqwarn serve`` as a process of its own."""

    def __init__(self, options, home):
        self.port = free_port()
        given = [str(w) for w in words(options)]
        self.process = subprocess.Popen(
            [Path(sys.executable).parent / "liqwarn", "serve", *given, "--port", str(self.port)],
            cwd=ROOT,
            env=os.environ | {"LIQWARN_HOME": str(home), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def get(self, path, token=None, order=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if order is None else orjson.dumps(order),
            headers={"Content-Type": "application/json"}
            | ({} if token is None else {"Authorization": f"Bearer {token}"}),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as told:
                return told.status, orjson.loads(told.read())
        except urllib.error.HTTPError as error:
            return error.code, orjson.loads(error.read())
        except OSError:
            return 0, None

    def until(self, path, holds, within_s=90.0, token=None):
        end = time.monotonic() + within_s
        while time.monotonic() < end and self.process.poll() is None:
            status, body = self.get(path, token)
            if status == 200 and holds(body):
                return body
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(self.process.communicate()[1].decode()[-3_000:])

    def stop(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, time.monotonic() - began, out.decode(), err.decode()


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(options):
        started.append(Served(options, tmp_path))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def test_a_live_server_says_its_flags_and_stops_when_it_is_told(
    run, serve, live, given, model, tmp_path
):
    server = serve(live)
    flags = server.until("/v1/flags", lambda body: len(body["flags"]) == 2)
    server.until("/readyz", lambda _: True)
    history = live["--out"] / "history"
    end = time.monotonic() + 30
    while len(list(history.glob("*.parquet"))) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    code, took_s, out, err = server.stop()

    assert (code, took_s < 10.0) == (0, True), (code, took_s, err)
    assert "serving the live loop on" in out
    assert "Traceback" not in err
    assert {flag["symbol"] for flag in flags["flags"]} == {"BTCUSDT", "DOGEUSDT"}
    assert_whole_record(live["--out"], given / "panel.yaml")
    issued = pd.concat([read_table(f) for f in sorted(history.glob("*.parquet"))])
    stored = ("--panel", given / "panel.yaml", "--store", given / "store")
    scored = tmp_path / "scoring"
    assert (
        run("score", *stored, "--model", model, "--from", "2022-03-30", "--out", scored).code == 0
    )
    batch = read_table(scored / "flags.parquet")[: len(issued)]
    kept = [name for name in batch.columns if name != "issued_at"]
    pd.testing.assert_frame_equal(
        issued[kept].reset_index(drop=True), batch[kept], check_exact=True
    )


def tiers(flag):
    return [flag["sides"][side]["tier"] for side in ("long", "short")]


def test_orders_through_a_key_hold_at_once_and_outlive_a_kill(run, serve, live, tmp_path):
    tokens = {}
    for scope in ("read", "admin"):
        words = ("--file", tmp_path / "keys.json", "--name", scope, "--scope", scope, "--json")
        tokens[scope] = orjson.loads(run("keys", "add", *words).out)["token"]
    read, admin = tokens["read"], tokens["admin"]
    options = live | {"--keys": tmp_path / "keys.json", "--feed": "replay:5e2"}
    halt = {"id": "h1", "action": "halt", "names": ["Ada"], "reason": "Exchange is down."}
    free = {"id": "r1", "action": "release", "names": ["Ada", "Bob"], "reason": "It is back."}
    one = "/v1/flags/BTCUSDT"

    server = serve(options)
    server.until(one, lambda flag: flag["quality"] == "ok", token=read)
    assert server.get("/v1/orders", None, halt)[0] == 401
    assert server.get("/v1/orders", read, halt)[0] == 403
    assert server.get("/v1/orders", admin, free)[0] == 409
    before = server.get(one, read)[1]
    status, told = server.get("/v1/orders", admin, halt)
    after = server.get(one, read)[1]
    assert (status, server.get("/v1/orders", admin, halt)) == (200, (200, told))
    assert tiers(before) < tiers(after) == ["T5", "T5"]
    assert after["sequence"] > before["sequence"]

    server.process.kill()
    server.process.communicate()
    server = serve(options)
    again = server.until(one, lambda flag: flag["sequence"] > after["sequence"], token=read)
    assert tiers(again) == ["T5", "T5"]
    assert server.get("/v1/orders", admin, free | {"names": ["Ada"]})[0] == 422
    assert server.get("/v1/orders", admin, free)[0] == 409  # as it was answered before
    assert server.get("/v1/orders", admin, free | {"id": "r2"})[0] == 200
    assert tiers(server.get(one, read)[1]) == ["T4", "T4"]
    words = ("--tier", "T5", "--side", "long", "--name", "Ada", "--reason", "Again.")
    done = run("order", "tighten", "--symbol", "BTCUSDT", *words, "--live", live["--out"])
    assert done.code == 0, done.err  # it is in the journal, a moment before the flags are out
    server.until(one, lambda flag: tiers(flag) == ["T5", "T4"], token=read)

    assert server.stop()[0] == 0
    log = live["--out"] / "audit.jsonl"
    verify(log, live["--out"] / "audit.head.json")
    assert replay(log, load_policy(ROOT / "conf" / "policy.yaml")).differences == 0


def assert_whole_record(folder, panel_file):
    """Journal, audit log and snapshot end at the same bar, and each is whole."""
    panel, policy = load_panel(panel_file), load_policy(ROOT / "conf" / "policy.yaml")
    log = folder / "audit.jsonl"
    assert verify(log, folder / "audit.head.json").lines > 0
    assert replay(log, policy).differences == 0
    tiers = venue_tiers(panel.venue)
    terms = SymbolTerms(symbols=panel.symbol_names, venue=tiers, config=FitConfig())
    with (folder / "snapshot.live").open("rb") as snapshot:
        stamp = config_sha256(panel_file)
        _, as_of = unpack_memory(snapshot, panel, terms, panel_sha256=stamp)
    with Journal.open(folder / "bars", panel) as journal:
        assert journal.end.astype("datetime64[s]").astype(int) == int(as_of.timestamp())
    flags = orjson.loads((folder / "flags.json").read_bytes())["flags"]
    assert {flag["as_of"] for flag in flags} == {iso_utc(as_of)}
    assert not list(folder.glob(".*.tmp*"))
