"""Copying between stores, on a real PostgreSQL: nothing is lost there and back."""

import shutil

import numpy as np
import pytest

from liqwarn.models.bundle import load_bundle
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.models.registry_copy import ORIGIN, copy_registry, panels_of


@pytest.fixture(scope="module")
def source(small_bundle_folder, mlflow_tables, tmp_path_factory):
    """Versions 1 and 3 with an evaluation between; version 2 was deleted."""
    root = tmp_path_factory.mktemp("source")
    shutil.copy(mlflow_tables, root / "mlflow.db")
    registry = Registry(f"sqlite:///{root}/mlflow.db", "t", artifacts=root / "artifacts")
    page = root / "tables"
    page.mkdir()
    (page / "a.csv").write_text("a,b\n1,2\n")
    (root / "page.html").write_text("page")
    record = RunRecord(
        name="train",
        key="one",
        params={"p": "1"},
        metrics={"m": 0.1},
        tags={"data_sha256": "d", "panel": "t", "mlflow.note.content": "of record"},
    )
    registry.register(small_bundle_folder, record)
    folds = tuple(RunRecord(name=f"fold {k}", metrics={"m": k / 3}) for k in range(2))
    registry.record(
        RunRecord(
            name="evaluate",
            steps={"fold/m": (0.0, float("nan"), 2 / 3)},
            files=(page, root / "page.html"),
            children=folds,
            experiment={"liqwarn.panel": "t"},
        )
    )
    for key in ("two", "three"):
        registry.register(small_bundle_folder, RunRecord(name=key, key=key))
    with registry.store.opened() as mlflow:
        mlflow.MlflowClient().delete_model_version(registry.name, "2")
    for alias, version in (("champion", "1"), ("challenger", "3"), ("champion", "3")):
        registry.point(alias, version, "better")
    return registry


@pytest.fixture(scope="module")
def in_postgres(postgres, tmp_path_factory):
    pytest.importorskip("pg8000", reason="the extra 'postgres' is not installed")
    artifacts = tmp_path_factory.mktemp("pg") / "artifacts"
    return Registry(postgres.uri(), "t", artifacts=artifacts)


@pytest.fixture
def target(mlflow_tables, tmp_path):
    shutil.copy(mlflow_tables, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path}/mlflow.db", "t", artifacts=tmp_path / "artifacts")


def told(registry):
    """Everything a store says, without ids, addresses and what a copy adds."""
    with registry.store.opened() as mlflow:
        client = mlflow.MlflowClient()
        experiment = client.get_experiment_by_name(registry.name)
        found = client.search_runs([experiment.experiment_id])
        names = {run.info.run_id: run.info.run_name for run in found}
        runs = [
            (
                run.info.run_name,
                run.info.status,
                run.info.start_time,
                run.info.end_time,
                run.data.params,
                {k: v for k, v in run.data.tags.items() if k.startswith(("liqwarn.", "data"))
                 and k != ORIGIN},
                names.get(run.data.tags.get("mlflow.parentRunId")),
                sorted((m.key, m.step, m.value, m.timestamp) for name in run.data.metrics
                       for m in client.get_metric_history(run.info.run_id, name)),
                sorted(files(client, run.info.run_id)),
                [(d.dataset.name, d.dataset.digest) for d in run.inputs.dataset_inputs],
            )
            for run in found
        ]  # fmt: skip
        versions = [
            (str(v.version), names[v.run_id], dict(v.tags), v.description)
            for v in registry.versions(mlflow)
        ]
        aliases = dict(client.get_registered_model(registry.name).aliases)
        return sorted(runs, key=str), versions, aliases, experiment.tags["liqwarn.panel"]


def files(client, run, path=None):
    for entry in client.list_artifacts(run, path):
        if entry.is_dir:
            yield from files(client, run, entry.path)
        else:
            yield entry.path, entry.file_size


def copied(source, target):
    """A copy with the aliases where they were, as `liqwarn models copy` leaves it."""
    done = copy_registry(source, target)
    for alias in sorted(done.aliases):
        target.point(alias, done.aliases[alias], "")
    return done


def test_there_and_back_nothing_is_lost(source, in_postgres, target, tmp_path):
    there = copied(source, in_postgres)

    assert (there.runs, there.versions, there.renumbered) == (6, 2, {})
    assert told(in_postgres) == told(source)
    assert there.to_text() == (
        "liqwarn-t: 6 runs, 2 versions copied; challenger is version 3, "
        "champion is version 3, previous is version 1"
    )
    again = copy_registry(source, in_postgres)
    assert (again.runs, again.versions) == (0, 0)

    copied(in_postgres, target)
    assert told(target) == told(source)
    home = copy_registry(in_postgres, source)  # the store it came from knows all of it
    assert (home.runs, home.versions) == (0, 0)
    assert panels_of(in_postgres.store) == ["t"]

    first, second = (
        load_bundle(one.fetch("3", tmp_path / f"f{k}"), version="3")
        for k, one in enumerate((source, target))
    )
    rows = np.random.default_rng(1).normal(size=(20, len(first.model.names_)))
    assert first.stamp == second.stamp
    np.testing.assert_array_equal(first.model.predict_proba(rows), second.model.predict_proba(rows))


def test_a_copy_that_was_killed_goes_on_and_has_nothing_twice(source, target):
    class KilledError(Exception):
        """What stops a copy."""

    def killer(at):
        def on_progress(_what, done, _total):
            if done == at:
                raise KilledError

        return on_progress

    for at in (1, 3, 4):
        with pytest.raises(KilledError):
            copy_registry(source, target, on_progress=killer(at))
    done = copied(source, target)

    assert told(target) == told(source)
    assert done.versions == 2


def test_a_number_that_is_taken_is_told(source, target, small_bundle_folder):
    target.register(small_bundle_folder, RunRecord(name="own", key="own"))

    done = copied(source, target)

    assert done.renumbered == {"1": "2"}
    assert "version 1 is 2 there" in done.to_text()
    assert target.champion() == "3"
