"""MLflow itself on the registered model: its own loader, and no telemetry."""

import os

import numpy as np
import pandas as pd
import pytest
from mlflow.telemetry.utils import is_telemetry_disabled

from liqwarn.models.cascade import CascadeModel
from liqwarn.models.registry import Registry, RunRecord, score_frame


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
