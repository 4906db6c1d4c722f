"""The registry: versions and aliases, files without a pickle, and the same numbers from MLflow."""

import shutil
from datetime import timedelta

import mlflow
import numpy as np
import pandas as pd
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.boosting import BoostSettings
from liqwarn.models.cascade import CascadeModel
from liqwarn.models.registry import Registry, RunRecord, score_frame
from liqwarn.models.rows import Rows

NAMES = ("rv_1d", "funding_rate", "oi_z_7d")
COLUMNS = ["long_1h", "long_4h", "long_24h", "short_1h", "short_4h", "short_24h"]


def some_rows(n=600):
    """Hours in which the first feature tells what follows."""
    rng = np.random.default_rng(8)
    times = np.datetime64("2024-01-01", "s") + np.arange(n) * np.timedelta64(3600, "s")
    X = rng.normal(size=(n, len(NAMES)))
    y = (X[:, 0, None, None] + 0.5 * rng.normal(size=(n, 2, 3)) > 1.0).astype(np.float64)
    y = np.maximum.accumulate(y, axis=2)
    return Rows(
        bar=timedelta(hours=1),
        symbols=np.full(n, "BTCUSDT"),
        times=times,
        end=times + np.timedelta64(86_400, "s"),
        names=NAMES,
        families=dict.fromkeys(NAMES, "market"),
        X=X,
        horizons_h=(1, 4, 24),
        y=y,
        milder=y,
    )


@pytest.fixture(scope="module")
def model():
    return CascadeModel(
        BoostSettings(milder_trees=5, onset_trees=5, min_rows=5, min_hessian=0.1)
    ).fit(some_rows())


@pytest.fixture(scope="module")
def bundle(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "b"
    model.save(folder / "model")
    return folder


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Registry(f"sqlite:///{path}", "none").champion()
    return path


@pytest.fixture
def registry(empty_store, tmp_path):
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    return Registry(uri, "test", artifacts=tmp_path / "artifacts")


@pytest.fixture
def client(registry):
    return mlflow.MlflowClient(registry.uri, registry.uri)


def test_registering_numbers_a_version_and_moves_no_alias(registry, bundle, client):
    first = registry.register(bundle, RunRecord(name="one", key="one"))
    second = registry.register(bundle, RunRecord(name="two"))
    again = registry.register(bundle, RunRecord(name="one", key="one"))

    assert [first.version, second.version] == ["1", "2"]
    assert again == first
    assert registry.champion() is None
    assert not client.get_registered_model("liqwarn-test").aliases


def test_a_version_says_what_it_is_and_the_model_what_it_answers(registry, bundle, client):
    tags = {
        "model_sha256": "m",
        "data_sha256": "d",
        "panel": "t",
        "mlflow.note.content": "600 rows",
    }

    registry.register(bundle, RunRecord(name="one", key="one", tags=tags))

    version = client.get_model_version("liqwarn-test", "1")
    assert version.description == "600 rows"
    assert version.tags == {"model_sha256": "m", "data_sha256": "d", "liqwarn.run": "one"}
    about = client.get_registered_model("liqwarn-test").description
    assert "`champion` is what scores" in about
    registry.register(bundle, RunRecord(name="two"))
    assert client.get_model_version("liqwarn-test", "2").tags == {}


def test_promotion_moves_the_alias_and_notes_why(registry, bundle, client):
    for name in ("one", "two"):
        registry.register(bundle, RunRecord(name=name))

    registry.point("champion", "1", "the first")
    registry.point("challenger", "2", "newly trained")
    registry.point("champion", "2", "better on both sides")

    aliases = [registry.alias(name) for name in ("champion", "challenger", "previous")]
    assert aliases == ["2", "2", "1"]
    assert client.get_model_version("liqwarn-test", "2").tags["promoted"] == "better on both sides"


def test_promoting_what_is_champion_changes_nothing(registry, bundle):
    registry.register(bundle, RunRecord(name="one"))

    for reason in ("first", "again"):
        registry.point("champion", "1", reason)

    assert (registry.champion(), registry.alias("previous")) == ("1", None)


def test_a_version_is_found_by_the_key_of_its_run(registry, bundle):
    assert registry.version_of_run("a") is None
    registry.register(bundle, RunRecord(name="one", key="a"))
    registry.register(bundle, RunRecord(name="two", key="b"))

    assert registry.version_of_run("a") == "1"
    assert registry.version_of_run("b") == "2"
    assert registry.version_of_run("c") is None


def test_panels_have_models_of_their_own(registry, bundle):
    registry.register(bundle, RunRecord(name="one", key="a"))
    other = Registry(registry.uri, "other", artifacts=registry.artifacts)

    assert other.champion() is None
    assert other.version_of_run("a") is None


def test_what_is_fetched_is_what_was_registered(registry, bundle, model, tmp_path):
    done = registry.register(bundle, RunRecord(name="one"))

    found = registry.fetch(done.version, tmp_path / "fetched")

    for file in sorted(p for p in bundle.rglob("*") if p.is_file()):
        assert (found / file.relative_to(bundle)).read_bytes() == file.read_bytes()
    X = some_rows().X
    np.testing.assert_array_equal(
        CascadeModel.load(found / "model").predict_proba(X), model.predict_proba(X)
    )


def test_an_unknown_version_cannot_be_fetched(registry, tmp_path):
    with pytest.raises(ModelError, match="liqwarn-test version 9 cannot be fetched"):
        registry.fetch("9", tmp_path / "fetched")


def test_a_version_whose_files_are_gone_cannot_be_fetched(registry, bundle, tmp_path):
    done = registry.register(bundle, RunRecord(name="one"))
    shutil.rmtree(registry.artifacts)

    with pytest.raises(ModelError, match="version 1"):
        registry.fetch(done.version, tmp_path / "fetched")


def test_mlflow_gives_the_same_numbers(registry, bundle, model):
    registry.register(bundle, RunRecord(name="one"))
    registry.point("champion", "1", "the first")
    X = some_rows().X
    X[3, 1] = np.nan
    mlflow.set_tracking_uri(registry.uri)
    mlflow.set_registry_uri(registry.uri)

    served = mlflow.pyfunc.load_model("models:/liqwarn-test@champion")
    p = served.predict(pd.DataFrame(X, columns=list(NAMES)))

    assert list(p.columns) == COLUMNS
    np.testing.assert_array_equal(p.to_numpy(), model.predict_proba(X).reshape(len(X), -1))


def test_no_artifact_is_a_pickle(registry, bundle):
    registry.register(bundle, RunRecord(name="one"))
    files = [p for p in registry.artifacts.rglob("*") if p.is_file()]

    assert any(p.name == "calibrator.json" for p in files)
    assert [p.name for p in files if p.suffix in (".pkl", ".pickle", ".joblib")] == []
    assert [p.name for p in files if p.read_bytes()[:1] == b"\x80"] == []


def test_a_run_remembers_settings_hashes_skill_and_files(registry, bundle, client, tmp_path):
    plot = tmp_path / "plot.png"
    plot.write_bytes(b"\x89PNG")
    record = RunRecord(
        name="one",
        params={"trees": "5"},
        tags={"data_sha256": "abc"},
        metrics={"pr_auc": 0.25, "unknown": float("nan")},
        files=(plot,),
    )

    run = client.get_run(registry.register(bundle, record).run_id)

    assert run.data.params["trees"] == "5"
    assert run.data.tags["data_sha256"] == "abc"
    assert run.data.metrics == {"pr_auc": 0.25}
    assert [f.path for f in client.list_artifacts(run.info.run_id)] == ["plot.png"]


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_is_refused_and_named(model, value):
    X = some_rows().X[:4]
    X[2, 1] = value

    with pytest.raises(ModelError, match="row 2, feature 'funding_rate' is infinite"):
        score_frame(model, pd.DataFrame(X, columns=list(NAMES)))


def test_a_column_that_is_no_feature_is_refused(model):
    with pytest.raises(ModelError, match=r"columns \['moon_phase'\] are not features"):
        score_frame(model, pd.DataFrame({"moon_phase": [1.0]}))


def test_a_feature_that_is_not_there_counts_as_missing(model):
    X = some_rows().X[:5]
    gone = pd.DataFrame(X[:, :2], columns=list(NAMES[:2]), index=list("abcde"))
    blank = X.copy()
    blank[:, 2] = np.nan

    found = score_frame(model, gone)

    assert list(found.index) == list("abcde")
    np.testing.assert_array_equal(
        found.to_numpy(), model.predict_proba(blank).reshape(len(blank), -1)
    )


def test_promoting_a_version_that_is_not_there_is_refused(registry):
    with pytest.raises(ModelError, match=r"the registry at .* refused"):
        registry.point("champion", "99", "why")
    with pytest.raises(ModelError, match=r"liqwarn-test has no version 99, it has none"):
        registry.require("99")
