"""promote, rollback, audit models: by hand, on the record, and an edit is found."""

import runpy
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import mlflow
import pytest

from liqwarn.models.registry import Registry, RunRecord
from liqwarn.serving.bundle_watch import BundleWatch
from liqwarn.serving.bundles import BundleHolder
from liqwarn.serving.clock import SystemClock
from liqwarn.signing import load_verify_keys

SEEN = """
import sys
import liqwarn.cli.promote_commands
heavy = ("lightgbm", "sklearn", "matplotlib", "plotly", "scipy.stats", "mlflow")
print([name for name in heavy if name in sys.modules])
"""


@pytest.fixture
def home(run, tmp_path):
    """Where `run` lets the commands work."""
    return tmp_path / "home"


@pytest.fixture
def champions(home):
    """A registry of three versions without files, the first of them champion past liqwarn."""
    client = mlflow.MlflowClient(
        f"sqlite:///{home / 'mlflow.db'}", f"sqlite:///{home / 'mlflow.db'}"
    )
    client.create_registered_model("liqwarn-demo")
    for _ in range(3):
        client.create_model_version("liqwarn-demo", source=(home / "nowhere").as_uri())
    client.set_registered_model_alias("liqwarn-demo", "champion", "1")
    return client


@pytest.fixture
def go(run, champions):
    def once(*words):
        return run(*words, "--panel", "conf/panels/demo.yaml")

    return once


@pytest.fixture
def registered(run, home, small_bundle_folder, tmp_path):
    """Two versions with bundles of their own, the first of them champion by the history."""
    registry = Registry(
        f"sqlite:///{home / 'mlflow.db'}", "demo", artifacts=home / "mlflow-artifacts"
    )
    small = runpy.run_path(str(Path(__file__).parents[1] / "models" / "small_bundle.py"))
    small["save_small_bundle"](tmp_path / "second", seed=1)
    for key, bundle in (("a", small_bundle_folder), ("b", tmp_path / "second")):
        registry.register(bundle, RunRecord(name=key, key=key))
    return registry


WHY = ("--reason", "drift of funding", "--by", "Ada")


def test_promotion_and_rollback_are_told_and_on_the_record(go, home, champions):
    done = go("promote", "2", *WHY, "--json").json
    again = go("promote", "2", *WHY)
    third = go("promote", "3", *WHY)
    back = go("rollback", *WHY)

    assert (done["champion"], done["before"], done["moved"]) == ("2", "1", True)
    assert "version 2 is champion already: nothing was moved" in again.out
    assert "champion is version 3, it was 2" in third.out
    assert "--release FOLDER --key KEY" in third.out
    assert "champion is version 2, it was 3" in back.out
    assert str(champions.get_model_version_by_alias("liqwarn-demo", "champion").version) == "2"
    audited = go("audit", "models", "--json").json
    assert (audited["champion"], audited["moves"]) == ("2", 3)
    assert "3 to 2  rollback by Ada: drift of funding" in audited["champions"][-1]

    log = home / "aliases" / "demo.jsonl"
    log.write_bytes(log.read_bytes().replace(b"Ada", b"Eve", 1))
    assert "line 2 does not follow line 1" in go("audit", "models").refusal


def test_a_history_without_a_move_has_no_champion_to_name(run, home):
    told = run("audit", "models", "--panel", "conf/panels/demo.yaml").out

    assert "0 moves, unbroken; no champion" in told


def test_a_move_past_liqwarn_is_found(go, champions):
    go("promote", "2", *WHY)
    champions.set_registered_model_alias("liqwarn-demo", "champion", "3")

    assert "champion is version 3" in go("audit", "models").refusal


def test_what_cannot_be_done_is_refused_and_leaves_the_champion(go, home, champions):
    assert "knows none before it" in go("rollback", *WHY).refusal
    refused = go("promote", "99", *WHY).refusal
    assert "liqwarn-demo has no version 99, the newest are 1, 2, 3" in refused
    assert go("promote", "2", "--reason", " ", "--by", "Ada").code == 2
    assert go("promote", "2", *WHY, "--release", home / "releases").code == 2
    assert str(champions.get_model_version_by_alias("liqwarn-demo", "champion").version) == "1"


def test_a_hand_at_night_does_not_wait_for_what_training_imports():
    told = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=True)

    assert told.stdout == "[]\n"


def test_a_running_server_takes_what_is_promoted_and_after_a_rollback_the_former(
    run, registered, tmp_path
):
    """As in operations: champion, signed release, canary, the watch of a server, and back."""
    keys, releases = tmp_path / "keys", tmp_path / "releases"
    made = run("bundle", "keygen", "--out", keys, "--json").json
    out = ("--panel", "conf/panels/demo.yaml", "--release", releases, "--key", made["private"])
    run("promote", "1", *WHY, *out)
    holder = BundleHolder(load_verify_keys(keys), clock=SystemClock(), check=lambda _: None)
    watch = BundleWatch(
        holder, releases, state=tmp_path / "state", clock=SystemClock(), every_s=0.02
    )
    watch.start()
    stop = Event()
    server = Thread(target=watch.run, args=(stop,))
    server.start()
    try:
        served = [served_after(holder, "1")]
        told = run("promote", "2", *WHY, *out, "--json").json
        served.append(served_after(holder, "2"))
        back = run("rollback", *WHY, *out)
        served.append(served_after(holder, "1"))
    finally:
        stop.set()
        server.join()

    assert Path(told["release"]).name == served[1][:32]
    assert "champion is version 1, it was 2" in back.out
    assert served[2] == served[0] != served[1]
    assert watch.fault is None
    assert run("audit", "models", "--panel", "conf/panels/demo.yaml", "--json").json["moves"] == 3


def served_after(holder, version):
    """Hash of the bundle that is served once its version is."""
    until = time.monotonic() + 60
    while holder.current().id.version != version:
        assert time.monotonic() < until, holder.current().id
        time.sleep(0.02)
    return holder.current().id.sha256
