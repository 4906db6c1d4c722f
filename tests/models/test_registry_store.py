"""The store: passwords are told nowhere, a server that is away is told soon, one at a time."""

import os
import signal
import socket
import sys
import time
from multiprocessing import get_context

import pytest
import sqlalchemy

from liqwarn.errors import ConfigError, ModelError
from liqwarn.models.registry_store import Store, without_password

WORD = "s3cret/of the%20test"
QUOTED = "s3cret%2Fof%20the%2520test"


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("postgresql://a:b@h/d", "postgresql://a:***@h/d"),
        ("postgresql+pg8000://a:b%40c@h:1/d?x=1", "postgresql+pg8000://a:***@h:1/d?x=1"),
        ("https://a:b@h", "https://a:***@h"),
        ("postgresql://h/d?user=a&password=b&x=1", "postgresql://h/d?user=a&password=***&x=1"),
        ("postgresql://a@h/d", "postgresql://a@h/d"),
        ("sqlite:////x/y.db", "sqlite:////x/y.db"),
    ],
)
def test_an_address_is_told_without_its_password(uri, told):
    assert without_password(uri) == told


def test_postgresql_is_asked_through_pg8000_unless_another_driver_is_named():
    assert Store("postgresql://a@h/d").uri == "postgresql+pg8000://a@h/d"
    assert Store("postgres://a@h/d").uri == "postgresql+pg8000://a@h/d"
    assert Store("postgresql+psycopg://a@h/d").uri == "postgresql+psycopg://a@h/d"


def test_a_text_of_somebody_else_is_told_without_the_password():
    store = Store(f"postgresql://keeper:{QUOTED}@h/d")

    told = store.hidden(f"cannot use {WORD} nor {QUOTED} of {store.uri}")

    assert told == "cannot use *** nor *** of postgresql+pg8000://keeper:***@h/d"


def causes(error):
    while error is not None:
        yield str(error)
        error = error.__cause__


def test_a_server_that_is_away_is_told_at_once_without_the_password():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = Store(f"postgresql://keeper:{QUOTED}@127.0.0.1:{port}/d")
    began = time.monotonic()

    told = r"keeper:\*\*\*@127.* cannot be reached"
    with pytest.raises(ModelError, match=told) as caught, store.opened():
        pass

    assert time.monotonic() - began < 30
    assert not any("s3cret" in text for text in causes(caught.value))


def test_a_driver_that_is_not_installed_is_named():
    told = r"needs the driver psycopg2.*liqwarn\[postgres\]"
    store = Store("postgresql+psycopg2://a:word@127.0.0.1:9/d")
    with pytest.raises(ModelError, match=told), store.alone("x"):
        pass


def test_one_at_a_time_in_sqlite(tmp_path):
    first, second = (Store(f"sqlite:///{tmp_path}/mlflow.db") for _ in range(2))

    with first.alone("x") as check:
        check()
        told = r"another liqwarn holds the lock 'x' of sqlite"
        with pytest.raises(ConfigError, match=told), second.alone("x"):
            pass
        with second.alone("y"):
            pass
    with second.alone("x"):
        pass


def test_a_tracking_server_has_no_lock_and_whoever_takes_it_is_told(tmp_path, caplog):
    address = "http://a:s3cret@127.0.0.1:9"
    with Store(address).alone("x") as check, Store(address).alone("x"):
        check()

    (told,) = [record.getMessage() for record in caplog.records]  # once
    assert "http://a:***@127.0.0.1:9 is a tracking server, which has no lock: only one" in told
    here, too = (Store(address, locks=tmp_path / "locks") for _ in range(2))
    with here.alone("x"):
        held = r"holds the lock 'x' of http://a:\*\*\*@"
        with pytest.raises(ConfigError, match=held), too.alone("x"):
            pass
        with too.alone("y"):
            pass


@pytest.fixture
def pg(postgres):
    pytest.importorskip("pg8000", reason="the extra 'postgres' is not installed")
    return Store(postgres.uri())


def hold(uri, ready, left):
    with Store(uri).alone("held"):
        ready.set()
        left.wait(60)


def test_one_at_a_time_in_postgresql_and_a_killed_holder_holds_nothing(pg, postgres):
    pool = get_context("spawn" if sys.version_info >= (3, 12) else "fork")
    ready, left = pool.Event(), pool.Event()
    other = pool.Process(target=hold, args=(postgres.uri(), ready, left), daemon=True)
    other.start()
    assert ready.wait(60)

    told = r"the lock 'held' of postgresql.*keeper:\*\*\*@"
    with pytest.raises(ConfigError, match=told), pg.alone("held"):
        pass
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    with pg.alone("held", patience_s=30) as check:
        check()


def test_a_lock_that_went_with_its_connection_is_noticed_each_time(pg):
    with pg.alone("cut") as check:
        check()
        engine = sqlalchemy.create_engine(pg.uri)
        with engine.connect() as other:
            other.exec_driver_sql(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            )
        engine.dispose()
        for _ in range(2):
            with pytest.raises(ModelError, match=r"the lock 'cut' of .* was lost"):
                check()


def test_a_wrong_password_is_refused_and_not_told(postgres):
    pytest.importorskip("pg8000", reason="the extra 'postgres' is not installed")
    store = Store(postgres.uri(password="wr0ng-word-entirely"))

    with pytest.raises(ModelError, match="cannot be reached") as caught, store.opened():
        pass

    assert not any("wr0ng" in text for text in causes(caught.value))
