"""Runs with a key: logged once, whole, whatever interrupted the first try."""

import shutil

import pytest

from liqwarn.models import registry_runs
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.models.registry_runs import log_run, write_record
from liqwarn.models.registry_trees import run_trees

FOLDS = tuple(RunRecord(name=f"fold {k}", metrics={"m": k / 3}) for k in range(2))


class KilledError(BaseException):
    """What stops a process."""


@pytest.fixture
def registry(mlflow_tables, tmp_path):
    shutil.copy(mlflow_tables, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path}/mlflow.db", "t", artifacts=tmp_path / "artifacts")


@pytest.fixture
def record(tmp_path):
    (tmp_path / "page.html").write_text("page")
    return RunRecord(name="judge t", key="a", files=(tmp_path / "page.html",), children=FOLDS)


def trees(registry):
    with registry.store.opened() as mlflow:
        client = mlflow.MlflowClient()
        found = run_trees(client, client.get_experiment_by_name(registry.name).experiment_id)
        return [
            (client.get_run(tree.run).info.run_name, len(tree.children), tree.finished)
            for tree in found
        ]


def test_a_finished_run_of_the_same_key_and_name_is_not_logged_again(registry, record):
    first = registry.record(record)

    assert registry.record(record) == first
    assert trees(registry) == [("judge t", 2, True)]
    assert registry.record(RunRecord(name="another", key="a")) != first
    assert registry.record(RunRecord(name="judge t", key="b")) != first


def test_runs_without_a_key_are_logged_each_time(registry):
    assert registry.record(RunRecord(name="evaluate")) != registry.record(
        RunRecord(name="evaluate")
    )


@pytest.mark.parametrize("at", range(4))
def test_an_interrupted_run_is_deleted_with_its_files_and_logged_anew(
    registry, record, monkeypatch, at
):
    """Killed at the n-th run that is written, or before the last is ended."""
    left = at

    def killer(*args, **kwargs):
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError
        return write_record(*args, **kwargs)

    monkeypatch.setattr(registry_runs, "write_record", killer)
    if at == 3:
        half_logged(registry, record)
    else:
        with pytest.raises(KilledError):
            registry.record(record)
    monkeypatch.undo()

    registry.record(record)

    assert trees(registry) == [("judge t", 2, True)]
    assert len(list(registry.artifacts.rglob("page.html"))) == 1


def half_logged(registry, record):
    """What ``kill -9`` leaves: a run that is not ended, with a nested one that is."""
    with registry.store.opened() as mlflow:
        experiment = registry.experiment(mlflow, record)
        parent = write_record(mlflow, experiment, record)
        log_run(mlflow, experiment, FOLDS[0], parent=parent)


def test_what_an_interrupted_registration_left_is_not_there_twice(
    registry, record, small_bundle_folder
):
    half_logged(registry, record)

    done = registry.register(small_bundle_folder, record)

    assert (done.version, trees(registry)) == ("1", [("judge t", 2, True)])
