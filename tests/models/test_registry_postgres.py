"""Many writers of one registry in PostgreSQL: nothing lost, one champion, each key once."""

import os
import signal
import sys
import time
from multiprocessing import get_context

import pytest
import sqlalchemy
from mlflow import MlflowClient  # noqa: F401  once, for all that are forked

from liqwarn.errors import ConfigError, ModelError
from liqwarn.models.registry import Registry, RunRecord

FULL = os.environ.get("LIQWARN_FAULTS") == "full"
WRITERS, EACH = (12, 10) if FULL else (6, 2)
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
    registry = Registry(uri, "t", artifacts=artifacts)
    for k in range(n):
        registry.register(bundle, RunRecord(name=f"{writer}-{k}", key=f"{writer}-{k}"))
        registry.register(bundle, RunRecord(name="same", key="same"))


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
    assert str(aliases["champion"]) == "1"
    assert set(aliases) == {"champion", "challenger"}


def test_a_killed_writer_leaves_the_registry_to_the_others(written, small_bundle_folder):
    """Three, or sixty, were killed after the others, at other moments each."""
    _, registry = written

    done = registry.register(small_bundle_folder, RunRecord(name="after", key="after"))

    with registry.store.opened() as mlflow:
        versions = registry.versions(mlflow)
    assert not done.champion
    assert all(v.tags["liqwarn.run"] for v in versions)
    assert registry.champion() == "1"
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


def test_a_champion_that_nobody_judged_against_is_not_replaced(written):
    _, registry = written
    registry.promote("2", "better", judged_against="1")

    with pytest.raises(ModelError, match=r"version 3 was judged against version 1, but the champ"):
        registry.promote("3", "better", judged_against="1")

    assert registry.champion() == "2"
    registry.promote("2", "again, after a crash", judged_against="1")
