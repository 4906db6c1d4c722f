"""MLflow itself on the registered model: its own loader, its own server, and whom it calls."""

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
from mlflow.telemetry.utils import is_telemetry_disabled

from liqwarn.models.cascade import CascadeModel
from liqwarn.models.registry import Registry, RunRecord, score_frame

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
CALLS = """
import sys
from pathlib import Path

called = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        called.append(repr(args[-1] if event == "socket.connect" else args[:2]))
sys.addaudithook(hook)

from liqwarn.models.registry import Registry, RunRecord
store, artifacts, bundle = sys.argv[1:]
registry = Registry(store, "t", artifacts=Path(artifacts))
registry.register(Path(bundle), RunRecord(name="one", key="calls", metrics={"m": 1.0}))
import time
time.sleep(1.0)  # a telemetry thread would have its turn
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


def test_mlflow_scores_the_input_example_to_the_same_bits(registry, small_bundle_folder):
    with registry.store.opened() as mlflow:
        loaded = mlflow.pyfunc.load_model("models:/liqwarn-t@champion")
        example = loaded.input_example
        served = loaded.predict(example)
    model = CascadeModel.load(small_bundle_folder / "model")

    assert loaded.metadata.signature.inputs.input_names() == list(model.names_)
    assert example.to_numpy().any()  # a training row, not zeros
    pd.testing.assert_frame_equal(served, score_frame(model, example), check_exact=True)
    np.testing.assert_array_equal(
        served.to_numpy().reshape(1, 2, -1), model.predict_proba(example.to_numpy(np.float64))
    )


def test_telemetry_is_off_when_mlflow_is_opened(registry):
    with registry.store.opened():
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert is_telemetry_disabled()


@pytest.mark.skipif(not FULL, reason="LIQWARN_FAULTS=full listens to a process that registers")
def test_only_the_store_is_called(registry, small_bundle_folder):
    """No telemetry, though nothing in the environment switches it off."""
    kept = {k: v for k, v in os.environ.items() if k not in
            ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "PYTEST_CURRENT_TEST")}  # fmt: skip
    words = [registry.uri, str(registry.artifacts), str(small_bundle_folder)]

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CALLS, *words],
        env=kept, capture_output=True, text=True, check=True, timeout=200,
    )  # fmt: skip

    assert done.stdout.strip() == "[]"


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
