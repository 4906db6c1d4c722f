"""MLflow itself on a registered model, as processes: its own server, and whom registering calls."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import orjson
import pandas as pd
import pytest

from liqwarn.models.cascade import CascadeModel
from liqwarn.models.registry import Registry, RunRecord, score_frame

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
CALLS = """
import sys
import time
from pathlib import Path

called = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        called.append(repr(args[-1] if event == "socket.connect" else args[:2]))
sys.addaudithook(hook)

from liqwarn.models import registry_store
from liqwarn.models.registry import Registry, RunRecord
store, artifacts, bundle, quiet = sys.argv[1:]
if not quiet:
    registry_store._QUIET.clear()
registry = Registry(store, "t", artifacts=Path(artifacts))
record = RunRecord(name="one", key=f"calls {time.time_ns()}", metrics={"m": 1.0})
registry.register(Path(bundle), record) if bundle else registry.record(record)
until = time.monotonic() + (1 if quiet else 30)
while not called and time.monotonic() < until:
    time.sleep(0.1)  # a telemetry thread would have its turn
print(called)
"""


@pytest.fixture(scope="module")
def registry(mlflow_tables, small_bundle_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    (root / "mlflow.db").write_bytes(mlflow_tables.read_bytes())
    made = Registry(f"sqlite:///{root}/mlflow.db", "t", artifacts=root / "artifacts")
    made.register(small_bundle_folder, RunRecord(name="one", key="one"))
    made.point("champion", "1", "the first")
    return made


def called(registry, bundle, *, quiet=True):
    """Whom a process that logs into a registry calls, when its environment switches nothing off."""
    kept = {k: v for k, v in os.environ.items() if k not in
            ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "PYTEST_CURRENT_TEST")}  # fmt: skip
    words = [registry.uri, str(registry.artifacts), str(bundle), "quiet" if quiet else ""]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CALLS, *words],
        env=kept, capture_output=True, text=True, check=True, timeout=200,
    )  # fmt: skip
    return done.stdout.strip()


def test_only_the_store_is_called(registry, small_bundle_folder):
    assert called(registry, small_bundle_folder if FULL else "") == "[]"


@pytest.mark.skipif(not FULL, reason="LIQWARN_FAULTS=full has MLflow try to call its makers")
def test_without_our_switch_the_same_ear_hears_mlflow_call_its_makers(
    registry, small_bundle_folder
):
    assert "mlflow" in called(registry, small_bundle_folder, quiet=False)


@pytest.mark.skipif(not FULL, reason="LIQWARN_FAULTS=full starts MLflow's own server")
def test_mlflow_models_serve_answers_the_same_bits(registry, small_bundle_folder, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "MLFLOW_TRACKING_URI": registry.uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    words = ["models", "serve", "-m", "models:/liqwarn-t@champion", "--env-manager", "local",
             "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            env=env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        told = ask(port, registry, server, tmp_path / "log")
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)
    example, answer = told
    expected = score_frame(CascadeModel.load(small_bundle_folder / "model"), example)
    assert list(answer.columns) == list(expected.columns)
    np.testing.assert_array_equal(answer.to_numpy(), expected.to_numpy())


def ask(port, registry, server, log):
    with registry.store.opened() as mlflow:
        example = mlflow.pyfunc.load_model("models:/liqwarn-t@champion").input_example
    until = time.monotonic() + 120
    address = f"http://127.0.0.1:{port}"
    while True:
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(f"{address}/ping").status_code == 200:
                break
        except httpx.TransportError:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
    body = orjson.dumps({"dataframe_split": example.to_dict(orient="split")})
    headers = {"content-type": "application/json"}
    found = httpx.post(f"{address}/invocations", content=body, headers=headers, timeout=30)
    assert found.status_code == 200, found.text
    return example, pd.DataFrame(orjson.loads(found.content)["predictions"])
