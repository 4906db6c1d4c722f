"""Cleaning up: only what nobody needs goes, with its bytes, and a kill leaves all usable."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from liqwarn.errors import ConfigError
from liqwarn.models import registry_trees
from liqwarn.models.bundle import load_bundle
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.models.registry_gc import CleanUpOrder, clean_up

LATER = datetime.now(UTC) + timedelta(days=365)
ALL = CleanUpOrder(older_than=timedelta(days=90), keep=0)


class KilledError(Exception):
    """What stops a clean-up."""


@pytest.fixture(scope="module")
def filled(small_bundle_folder, mlflow_tables, tmp_path_factory):
    """Five versions, of which 1 was champion before 3, 5 is challenger, and an evaluation."""
    root = tmp_path_factory.mktemp("filled")
    shutil.copy(mlflow_tables, root / "mlflow.db")
    registry = Registry(f"sqlite:///{root}/mlflow.db", "t", artifacts=root / "artifacts")
    page = root / "page.html"
    page.write_text("x" * 1000)
    for key in "abcde":
        registry.register(small_bundle_folder, RunRecord(name=key, key=key))
    for alias, version in (("champion", "1"), ("challenger", "5"), ("champion", "3")):
        registry.point(alias, version, "better")
    folds = tuple(RunRecord(name=f"fold {k}", metrics={"m": 1.0}) for k in range(2))
    registry.record(RunRecord(name="evaluate", files=(page,), children=folds))
    return root


@pytest.fixture
def registry(filled, tmp_path):
    """A copy of it; the database says where the files are, so they are copied to the same name."""
    kept = filled / "kept"
    if not kept.exists():
        shutil.copytree(filled / "artifacts", kept)
        shutil.copy(filled / "mlflow.db", filled / "kept.db")
    shutil.rmtree(filled / "artifacts")
    shutil.copytree(kept, filled / "artifacts")
    shutil.copy(filled / "kept.db", tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path}/mlflow.db", "t", artifacts=filled / "artifacts")


def size_of(registry):
    return sum(p.stat().st_size for p in registry.artifacts.rglob("*") if p.is_file())


def versions(registry):
    with registry.store.opened() as mlflow:
        return [str(version.version) for version in registry.versions(mlflow)]


def runs(registry):
    with registry.store.opened() as mlflow:
        client = mlflow.MlflowClient()
        found = client.get_experiment_by_name(registry.name)
        return sorted(r.info.run_name for r in client.search_runs([found.experiment_id]))


def aliases(registry):
    with registry.store.opened() as mlflow:
        held = mlflow.MlflowClient().get_registered_model(registry.name).aliases
        return {alias: str(version) for alias, version in held.items()}


def test_what_is_in_use_stays_and_the_bytes_told_are_the_bytes_freed(registry, tmp_path):
    before = size_of(registry)

    done = clean_up(registry, ALL, now=LATER)

    assert (done.versions, done.kept) == (("2", "4"), ("1", "3", "5"))
    assert versions(registry) == ["1", "3", "5"]
    assert aliases(registry) == {"champion": "3", "challenger": "5", "previous": "1"}
    assert runs(registry) == ["a", "c", "e"]
    assert done.runs == 2 + 3
    assert before - size_of(registry) == done.size > 1000
    for version in ("1", "3", "5"):
        load_bundle(registry.fetch(version, tmp_path / version), version=version)


def test_a_dry_run_tells_the_same_and_changes_nothing(registry):
    before = size_of(registry), versions(registry), runs(registry)
    dry = CleanUpOrder(older_than=timedelta(days=90), keep=0, dry_run=True)

    told = clean_up(registry, dry, now=LATER)

    assert (size_of(registry), versions(registry), runs(registry)) == before
    done = clean_up(registry, ALL, now=LATER)
    assert (told.versions, told.runs, told.size) == (done.versions, done.runs, done.size)
    assert told.to_text().startswith("would delete 2 versions (2, 4) and 5 runs, ")
    assert done.to_text().endswith(f"{done.size:,} bytes; 3 versions stay")


def test_nothing_young_goes_nor_the_newest_nor_what_is_spared(registry):
    assert clean_up(registry, ALL, now=datetime.now(UTC)).runs == 0
    newest = CleanUpOrder(older_than=timedelta(0), keep=2)

    done = clean_up(registry, newest, now=LATER)

    assert done.versions == ("2",)  # 4 and 5 are the newest
    assert "evaluate" in runs(registry)
    some = CleanUpOrder(older_than=timedelta(0), keep=0)
    assert clean_up(registry, some, now=LATER, spared=lambda: frozenset({"4"})).versions == ()


def test_nothing_goes_while_the_model_is_retrained(registry):
    """A version without an alias may be one that is about to become champion."""
    with (
        registry.retraining(),
        pytest.raises(ConfigError, match=r"holds the lock 'liqwarn-t\.retrain'"),
    ):
        clean_up(registry, ALL, now=LATER)

    assert versions(registry) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("before", [True, False])
def test_killed_at_any_deletion_the_rest_goes_next_time(registry, monkeypatch, tmp_path, before):
    """Killed before or after the n-th deletion, for every n, and again in what that left."""
    forget, drop = registry_trees._forget, registry_trees._drop_files
    left = 0

    def counted(do):
        def step(*args, **kwargs):
            nonlocal left
            left -= 1
            if left == 0 and before:
                raise KilledError
            found = do(*args, **kwargs)
            if left == 0:
                raise KilledError
            return found

        return step

    monkeypatch.setattr(registry_trees, "_forget", counted(forget))
    monkeypatch.setattr(registry_trees, "_drop_files", counted(drop))
    kills = 0
    while True:
        left = kills + 1  # each goes one step further, into what the one before left
        try:
            clean_up(registry, ALL, now=LATER)
        except KilledError:
            kills += 1
            assert aliases(registry) == {"champion": "3", "challenger": "5", "previous": "1"}
            assert set(versions(registry)) >= {"1", "3", "5"}
            assert kills < 40
        else:
            break

    left = -1
    assert kills >= 4
    assert versions(registry) == ["1", "3", "5"]
    assert runs(registry) == ["a", "c", "e"]
    load_bundle(registry.fetch("3", tmp_path / "f"), version="3")


def test_an_empty_registry_has_nothing_to_clean_up(registry):
    other = Registry(registry.uri, "other", artifacts=registry.artifacts)

    assert clean_up(other, ALL, now=LATER).to_text() == (
        "deleted 0 versions and 0 runs, 0 bytes; 0 versions stay"
    )


@pytest.mark.parametrize(("days", "keep"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(days, keep):
    with pytest.raises(ConfigError, match="expected no negative number"):
        CleanUpOrder(older_than=timedelta(days=days), keep=keep)
