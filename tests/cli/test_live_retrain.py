"""liqwarn serve --retrain: what is refused, its command, and a whole server that runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import orjson
import pytest
import typer

from liqwarn.cli.app import app
from liqwarn.cli.live_options import ServeOptions
from liqwarn.cli.live_retrain import open_retraining, retrain_times, retrain_words
from liqwarn.errors import ConfigError
from liqwarn.serving.clock import SystemClock
from liqwarn.serving.metrics import ServingMetrics
from liqwarn.serving.releases import POINTER, release
from liqwarn.serving.retrain_schedule import RetrainSchedule
from liqwarn.signing import generate_key, load_signing_key, save_signing_key, save_verify_key

EVERY_SUNDAY = "0 3 * * 0"


@pytest.fixture
def keys(tmp_path):
    """A release key, and the folder of those who are trusted."""
    mine, trust = generate_key(), tmp_path / "trust"
    trust.mkdir()
    save_signing_key(mine, tmp_path / "release.pem")
    save_verify_key(mine.public, trust / "verify.pem")
    return tmp_path / "release.pem", trust


def asked(keys, **changes):
    given = {
        "retrain": EVERY_SUNDAY,
        "releases": Path("releases"),
        "retrain_key": keys[0],
        "trust": keys[1],
        "panel": Path("panel.yaml"),
        "out": Path("live"),
    }
    return ServeOptions(**(given | changes))


def test_without_a_schedule_there_is_none(tmp_path):
    options = ServeOptions()

    assert retrain_times(options) is None
    assert open_retraining(options, None, ServingMetrics(SystemClock()), None, tmp_path) is None


def test_a_schedule_is_opened_and_not_started(keys, tmp_path):
    options = asked(keys)
    found = open_retraining(
        options, retrain_times(options), ServingMetrics(SystemClock()), None, tmp_path
    )

    assert isinstance(found, RetrainSchedule)
    assert found.next is None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"retrain": "@weekly"}, "schedule '@weekly' has 1 field, expected 5"),
        ({"retrain": "0 3 * * 8"}, "day of the week is '8'"),
        ({"releases": None}, "--retrain needs --releases FOLDER and --retrain-key KEY"),
        ({"retrain_key": None}, "--retrain needs --releases FOLDER and --retrain-key KEY"),
        ({"retrain": None}, "--retrain-key without --retrain"),
        ({"retrain_key": Path("no-such.pem")}, "no-such.pem"),
        ({"policy": Path("no-such.yaml")}, "no-such.yaml"),
        (
            {"retrain": None, "retrain_key": None, "train_panel": [Path("p")]},
            "--train-panel without --retrain",
        ),
    ],
)
def test_what_cannot_be_is_refused(keys, changes, fault):
    with pytest.raises(ConfigError, match=fault):
        retrain_times(asked(keys, **changes))


def test_a_key_that_this_server_does_not_trust_is_refused(keys, tmp_path):
    other = tmp_path / "other.pem"
    save_signing_key(generate_key(), other)

    with pytest.raises(ConfigError, match=r"none of --trust .* would refuse what it releases"):
        retrain_times(asked(keys, retrain_key=other))
    assert retrain_times(asked(keys, retrain_key=other, trust=None, unsigned=True)) is not None


def parsed(words):
    """A command's options as our own command line reads them."""
    command = typer.main.get_command(app).commands[words[0]]
    return command.make_context(words[0], list(words[1:])).params


def test_the_command_is_one_of_ours(keys):
    words = retrain_words(
        asked(keys, data=Path("d"), store=Path("s"), policy=Path("p.yaml"), train_panel=[Path("t")])
    )
    found = parsed(words)

    assert found["json"] is True
    assert found["threads"] == 1
    assert found["panel"] == Path("panel.yaml")
    assert (found["data"], found["store"], found["policy"]) == (
        Path("d"), Path("s"), Path("p.yaml"),
    )  # fmt: skip
    assert (found["release"], found["key"]) == (Path("releases"), keys[0])
    assert found["train_panel"] == [Path("t")]


def test_what_was_not_said_is_not_handed_on(keys):
    assert retrain_words(asked(keys)) == (
        "retrain", "--json", "--threads", "1",
        "--panel", "panel.yaml", "--policy", "conf/policy.yaml",
        "--release", "releases", "--key", str(keys[0]),
    )  # fmt: skip


HERE = Path(__file__).parent
_CHILD = """
import json, sys, time
from pathlib import Path
words = sys.argv[1:]
releases = Path(words[words.index("--release") + 1])
sys.stderr.write("retrain: 1 of 1\\n")
sys.stderr.flush()
if (releases / "done").exists():
    time.sleep(60)
(releases / "done").touch()
(releases / "next").replace(releases / "current")
print(json.dumps({"action": "promoted", "champion": "2", "reasons": ["better"]}))
"""
"""Points at the second release, as a promotion does, and when it is asked again, hangs."""


class Server:
    """``liqwarn serve`` as a process of its own, with a schedule that is due at once."""

    def __init__(self, options, home, child, every_s):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        words = [str(w) for name, value in options.items() for w in (name, value) if w is not None]
        self.log = home / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, HERE / "serve_at_once.py", str(every_s), orjson.dumps(child),
                 "serve", *words, "--port", str(self.port)],
                cwd=HERE.parents[1],
                env=os.environ | {"LIQWARN_HOME": str(home), "OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )  # fmt: skip

    def metrics(self):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/metrics", timeout=10
            ) as told:
                return told.read().decode()
        except OSError:
            return ""

    def until(self, *samples, within_s=120.0):
        end = time.monotonic() + within_s
        while time.monotonic() < end and self.process.poll() is None:
            text = self.metrics()
            if all(sample in text for sample in samples):
                return text
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"{samples}:\n{self.log.read_text()[-3_000:]}")

    def stop(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        lines = [line for line in self.log.read_bytes().splitlines() if line.startswith(b"{")]
        return code, time.monotonic() - began, [orjson.loads(line) for line in lines]


@pytest.fixture
def begin(given, tmp_path, keys):
    """Start a server on the filled store, with releases that it may follow."""
    started = []

    def start(child, every_s, **changes):
        live = {
            "--panel": given / "panel.yaml",
            "--store": given / "store",
            "--out": tmp_path / "live",
            "--feed": "replay:1e3",
            "--from": "2022-03-30",
            "--releases": tmp_path / "releases",
            "--trust": keys[1],
            "--retrain": EVERY_SUNDAY,
            "--retrain-key": keys[0],
        }
        started.append(Server(live | changes, tmp_path, child, every_s))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_a_server_retrains_takes_what_was_released_and_ends_a_run_that_is_on(
    begin, model, tmp_path, keys
):
    releases, key = tmp_path / "releases", load_signing_key(keys[0])
    for version in ("2", "1"):
        release(model, releases, key, version=version, check=lambda _: None)
        if version == "2":
            (releases / POINTER).rename(releases / "next")
    server = begin([sys.executable, "-S", "-c", _CHILD], 3.0)
    told = server.until(
        'liqwarn_retrain_runs_total{result="promoted"} 1.0', 'version="2"', "retrain_running 1.0"
    )
    code, took_s, lines = server.stop()

    assert (code, took_s < 15.0) == (0, True), lines
    assert "liqwarn_bundle_swaps_total 2.0" in told
    mine = [line for line in lines if line["part"] == "retrain"]
    assert [line["event"] for line in mine if "result" not in line][:2] == [
        "retraining on schedule", "retraining begins",
    ]  # fmt: skip
    ends = [line for line in mine if "result" in line]
    assert [line["result"] for line in ends] == ["promoted", "ended"]
    assert ends[0] | {"champion": "2", "reasons": ["better"], "said": "retrain: 1 of 1"} == ends[0]
    assert (tmp_path / "live" / "retrain.log").read_text() == "retrain: 1 of 1\n"


@pytest.mark.skipif(
    os.environ.get("LIQWARN_FAULTS") != "full", reason="minutes: set LIQWARN_FAULTS=full"
)
@pytest.mark.timeout(1_800)
def test_the_whole_way_from_the_schedule_to_a_served_model(begin, given, model, tmp_path, keys):
    """The first champion is trained, released and served; the same data changes nothing again."""
    release(model, tmp_path / "releases", load_signing_key(keys[0]), check=lambda _: None)
    server = begin(None, 5.0, **{"--data": given / "files"})
    told = server.until(
        'retrain_runs_total{result="first"} 1.0',
        'retrain_runs_total{result="nothing new"}',
        "liqwarn_bundle_swaps_total 2.0",
        within_s=1_200.0,
    )
    code, _, lines = server.stop()

    assert code == 0
    assert 'bundle_info{sha256="' in told
    [first] = [line for line in lines if line.get("result") == "first"]
    assert first["champion"] == "1"
    print(f"retrained and released in {first['took_s']} s")
