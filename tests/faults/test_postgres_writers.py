"""Many writers of one registry in PostgreSQL: nothing lost, one champion, each key once."""

import os
import signal
import sys
import time
from datetime import UTC, datetime
from multiprocessing import get_context

import pytest
import sqlalchemy
from mlflow import MlflowClient  # noqa: F401  once, for all that are forked

from liqwarn.errors import ConfigError, ModelError
from liqwarn.models.alias_history import AliasHistory
from liqwarn.models.registry import Registry, RunRecord
from liqwarn.pipelines.alias_moves import Mandate, appoint, promote

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
WRITERS, EACH = (12, 10) if FULL else (6, 1)
NEW = Mandate(action="train", reason="new", by="a test", now=datetime(2026, 5, 1, tzinfo=UTC))
POOL = get_context("spawn" if sys.version_info >= (3, 12) else "fork")  # a fork has all imports


@pytest.fixture(scope="module")
def uri(postgres):
    """A database of its own that nobody opened yet: the writers make its tables, too."""
    pytest.importorskip("pg8000", reason="the extra 'postgres' is not installed")
    engine = sqlalchemy.create_engine(
        postgres.uri().replace("postgresql:", "postgresql+pg8000:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE writers")
    engine.dispose()
    return postgres.uri("writers")


def write(uri, artifacts, bundle, writer, n):
    """A machine with a home, and so a history, of its own."""
    registry = Registry(uri, "t", artifacts=artifacts)
    history = AliasHistory(artifacts / f"home of {writer}", "t")
    for k in range(n):
        for key in (f"{writer}-{k}", "same"):
            done = registry.register(bundle, RunRecord(name=key, key=key))
            appoint(registry, history, done.version, NEW)


def start(target, *args):
    child = POOL.Process(target=target, args=args)
    child.start()
    return child


@pytest.fixture(scope="module")
def written(uri, small_bundle_folder, tmp_path_factory):
    artifacts = tmp_path_factory.mktemp("artifacts")
    began = time.monotonic()
    children = [start(write, uri, artifacts, small_bundle_folder, k, EACH) for k in range(WRITERS)]
    for child in children:
        child.join()
    if FULL:
        print(f"\n{WRITERS} writers, {2 * WRITERS * EACH} calls: {time.monotonic() - began:.1f} s")
    for delay in [k / 20 for k in range(60)] if FULL else (0.2, 0.5, 0.8):
        child = start(write, uri, artifacts, small_bundle_folder, f"killed {delay}", 1)
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    return [child.exitcode for child in children], Registry(uri, "t", artifacts=artifacts)


def test_writers_at_once_lose_nothing_and_make_one_champion(written):
    codes, registry = written
    with registry.store.opened() as mlflow:
        versions = registry.versions(mlflow)
        aliases = mlflow.MlflowClient().get_registered_model(registry.name).aliases

    assert codes == [0] * WRITERS
    assert [int(v.version) for v in versions] == list(range(1, len(versions) + 1))
    keys = [v.tags["liqwarn.run"] for v in versions]
    assert len(set(keys)) == len(keys)
    assert set(keys) >= {f"{w}-{k}" for w in range(WRITERS) for k in range(EACH)} | {"same"}
    assert all(key.startswith("killed") for key in keys[WRITERS * EACH + 1 :])
    firsts = [
        (one.move.after, one.state)
        for writer in range(WRITERS)
        for one in AliasHistory(registry.artifacts / f"home of {writer}", "t").moves()
        if one.move.action == "first"
    ]
    assert firsts == [(str(aliases["champion"]), "done")]
    assert set(aliases) == {"champion", "challenger"}


def test_a_killed_writer_leaves_the_registry_to_the_others(written, small_bundle_folder):
    """Three, or sixty, were killed after the others, at other moments each."""
    _, registry = written
    champion = registry.champion()

    done = registry.register(small_bundle_folder, RunRecord(name="after", key="after"))

    with registry.store.opened() as mlflow:
        versions = registry.versions(mlflow)
    assert all(v.tags["liqwarn.run"] for v in versions)
    assert registry.champion() == champion
    assert str(versions[-1].version) == done.version


def test_two_machines_that_retrain_at_once_share_one_lock(written, uri):
    _, registry = written
    other = Registry(uri, "t")

    with registry.retraining() as check:
        check()
        told = r"lock 'liqwarn-t\.retrain' of .*keeper:\*\*\*@"
        with pytest.raises(ConfigError, match=told), other.retraining():
            pass
        with Registry(uri, "another").retraining():
            pass
    with other.retraining():
        pass


def test_a_champion_that_nobody_judged_against_is_not_replaced_from_another_machine(
    written, tmp_path
):
    _, registry = written
    here, there = (AliasHistory(tmp_path / name, "t") for name in ("here", "there"))
    old = registry.champion()
    new, late = [version for version in "1234" if version != old][:2]
    promote(registry, here, new, NEW, instead_of=old)

    told = rf"champion is version {new}, but {late} was judged against {old}"
    with pytest.raises(ModelError, match=told):
        promote(registry, there, late, NEW, instead_of=old)

    assert (registry.champion(), registry.alias("previous")) == (new, old)
    assert not promote(registry, there, new, NEW, instead_of=old).moved  # again, after a crash
