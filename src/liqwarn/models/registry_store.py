"""MLflow pointed at one store, quiet and without telemetry. The only module that imports MLflow.

A store is SQLite, PostgreSQL or a tracking server. What changes more than one row, registering and
moving an alias, is done alone: MLflow's own retries give up after three rivals, and its aliases
know no compare-and-set. Alone means a file lock beside an SQLite file and an advisory lock in
PostgreSQL, which holds across machines. A tracking server has neither: there a file of this home
is locked, one machine has to write, and whoever takes the lock is told so.
"""

import logging
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from filelock import FileLock, Timeout

from liqwarn.errors import LockHeldError, ModelError

__all__ = ["Store", "without_password"]

_PASSWORD: Final = re.compile(r"(?<=://)([^:/@\s]*):([^/\s]*)@")
_POSTGRES: Final = re.compile(r"postgres(ql)?://")
_CONNECT_S: Final = 10.0  # MLflow itself tries for an hour
_POLL_S: Final = 0.05
_QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # a scheduler's log is no terminal
}
_HELD: Final = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
)
_LOG: Final = logging.getLogger("liqwarn.registry")
_reached: set[str] = set()
_warned: set[str] = set()


def without_password(uri: str) -> str:
    """An address as it may be told.

    >>> without_password("postgresql://keeper:secret@db:5432/mlflow")
    'postgresql://keeper:***@db:5432/mlflow'
    >>> without_password("sqlite:////srv/mlflow.db")
    'sqlite:////srv/mlflow.db'
    """
    return re.sub(r"(password=)[^&\s]*", r"\1***", _PASSWORD.sub(r"\1:***@", uri))


class Store:
    """Where runs, versions and aliases are.

    Parameters
    ----------
    uri : str
        ``sqlite:///``, ``postgresql://`` or a tracking server's address. ``postgresql://`` without
        a driver is asked through pg8000.
    locks : Path or None
        Folder for the locks of a tracking server; None for no lock.

    Attributes
    ----------
    uri : str
        As MLflow is given it.
    told : str
        The same without its password, for messages.
    """

    def __init__(self, uri: str, *, locks: Path | None = None) -> None:
        self._locks = locks
        self.uri = _POSTGRES.sub("postgresql+pg8000://", uri, count=1)
        self.told = without_password(uri)
        self._secrets = [word for _, word in _PASSWORD.findall(uri)]

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """MLflow, pointed at the store.

        Raises
        ------
        ModelError
            For whatever MLflow refuses, and for a server that is not there.
        """
        os.environ.update(_QUIET)  # read when MLflow is first imported
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own deprecations, nothing we can act on
            import mlflow  # noqa: PLC0415  takes seconds
            from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  comes with it

            for name in ("mlflow", "alembic"):
                logging.getLogger(name).setLevel(logging.ERROR)
            self._reach(mlflow)
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            try:
                yield mlflow
            except (mlflow.MlflowException, SQLAlchemyError) as error:
                # no cause: a driver may quote the address, and a log would tell it
                told = self.hidden(str(error))
                raise ModelError(f"the registry at {self.told} refused: {told}") from None

    @contextmanager
    def alone(self, what: str, *, patience_s: float = 0.0) -> Iterator[Callable[[], None]]:
        """Hold a named lock of the store; yields what raises when it is held no more.

        Parameters
        ----------
        what : str
            Name of the lock; two names are two locks.
        patience_s : float
            How long to wait for another that holds it.

        Raises
        ------
        LockHeldError
            When another holds it for longer.
        ModelError
            When a server is not there, or, from what is yielded, when the lock was lost.
        """
        if self.uri.startswith("sqlite:"):
            database = Path(self.uri.removeprefix("sqlite:///").partition("?")[0])
            held: Any = self._file_lock(database, what, patience_s)
        elif self.uri.startswith("postgresql"):
            held = self._advisory_lock(what, patience_s)
        else:
            held = self._home_lock(what, patience_s)
        with held as check:
            yield check

    def hidden(self, text: str) -> str:
        """A text without the password of the address."""
        text = without_password(text)
        for word in {*self._secrets, *map(unquote, self._secrets)}:
            if len(word) > 3:  # a shorter one is in every sentence
                text = text.replace(word, "***")
        return text

    def _reach(self, mlflow: Any) -> None:  # noqa: ANN401  MLflow is imported late
        """Let the tables be made by one process alone, and find out soon whether it is there."""
        if self.uri in _reached or not self.uri.startswith("postgresql"):
            return
        with self._advisory_lock("tables", 600.0):
            mlflow.MlflowClient(self.uri, self.uri).search_experiments(max_results=1)
        _reached.add(self.uri)

    def _home_lock(self, what: str, patience_s: float) -> AbstractContextManager[Any]:
        """The most that can be had with a tracking server, and once a process what it is not."""
        if self.uri not in _warned:
            _warned.add(self.uri)
            _LOG.warning(
                "liqwarn: %s is a tracking server, which has no lock: only one machine, with one "
                "LIQWARN_HOME, may register, retrain and move aliases; for several give a database",
                self.told,
            )
        if self._locks is None:
            return nullcontext(lambda: None)
        address = sha256(self.uri.encode()).hexdigest()[:16]
        return self._file_lock(self._locks / address, what, patience_s)

    @contextmanager
    def _file_lock(self, path: Path, what: str, patience_s: float) -> Iterator[Callable[[], None]]:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{path}.{what}.lock", timeout=patience_s):
                yield lambda: None
        except Timeout as error:
            raise LockHeldError(self._taken(what)) from error

    @contextmanager
    def _advisory_lock(self, what: str, patience_s: float) -> Iterator[Callable[[], None]]:
        import sqlalchemy  # noqa: PLC0415  comes with MLflow
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

        number = int.from_bytes(sha256(f"liqwarn {what}".encode()).digest()[:8], signed=True)
        connection = self._connected(sqlalchemy)
        try:
            until = time.monotonic() + patience_s
            while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({number})").scalar():
                if time.monotonic() >= until:
                    raise LockHeldError(self._taken(what))
                time.sleep(_POLL_S)

            def check() -> None:
                """The lock lives as long as its session; SQLAlchemy may have made another."""
                try:
                    held = connection.exec_driver_sql(_HELD).scalar()
                except SQLAlchemyError:
                    held = 0
                if not held:
                    raise ModelError(
                        f"the lock '{what}' of {self.told} was lost with its connection: another "
                        "may hold it now, so nothing more is changed"
                    )

            yield check
        finally:
            connection.invalidate()  # ends the session, and with it the lock
            connection.close()

    def _connected(self, sqlalchemy: Any) -> Any:  # noqa: ANN401  as above
        given = {"timeout": _CONNECT_S} if "+pg8000:" in self.uri else {}
        try:
            engine = sqlalchemy.create_engine(
                self.uri,
                poolclass=sqlalchemy.pool.NullPool,
                isolation_level="AUTOCOMMIT",
                connect_args=given,
            )
            return engine.connect()
        except ModuleNotFoundError as error:
            raise ModelError(
                f"the registry at {self.told} needs the driver {error.name}: "
                "pip install 'liqwarn[postgres]'"
            ) from None
        except (sqlalchemy.exc.SQLAlchemyError, TypeError, ValueError) as error:
            told = self.hidden(str(error).partition("\n")[0])
            raise ModelError(f"the registry at {self.told} cannot be reached: {told}") from None

    def _taken(self, what: str) -> str:
        return f"another liqwarn holds the lock '{what}' of {self.told}"
