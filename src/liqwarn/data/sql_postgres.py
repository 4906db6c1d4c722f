"""PostgreSQL as a source of rows: one SELECT, in a transaction that can only read.

The only module that imports the driver. Rows come in the order of a sort on the server, as Arrow
batches of about a megabyte through COPY, so a result of any size passes in bounded memory; a
statement sees one snapshot whatever is written meanwhile.

The address holds a password, and the driver's messages may hold parts of a malformed address. So
of a failed connection only the kind is told, in words of ours.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from liqwarn.data.queries import Query
from liqwarn.data.sql_types import as_plain, check_columns
from liqwarn.errors import ConfigError, DataError

if TYPE_CHECKING:
    from adbc_driver_manager import dbapi

__all__ = ["postgres_rows"]

_BATCH: Final = {"adbc.postgresql.batch_size_hint_bytes": str(1 << 20)}
_PATIENCE: Final = {"connect_timeout": 10, "keepalives_idle": 30, "tcp_user_timeout": 60_000}
_FAILURES: Final = {
    "password authentication failed": "it refuses the user or the password",
    "no password supplied": "it wants a password, and the address has none",
    "no pg_hba.conf entry": "it lets nobody in from this machine or by this user",
    "Connection refused": "nothing listens there",
    "could not translate host name": "its host name is unknown",
    "timeout expired": "no answer in time",
    "does not support SSL": "it offers no encryption, which the address asks for",
    "certificate": "its certificate is not accepted",
    "too many clients": "it has too many clients already",
    "starting up": "it is starting up",
    "shutting down": "it is shutting down",
    "does not exist": "it has no such database or user",
}
_SYNTAX: Final = "42601"


@contextmanager
def postgres_rows(
    query: Query, address: str, order: tuple[str, ...]
) -> Iterator[Iterator[pa.Table]]:
    """Rows of a query in order, in portions; the connection is closed in the end.

    Parameters
    ----------
    address : str
        Connection URI or parameters as libpq takes them.
    order : tuple of str
        Columns to sort by.

    Raises
    ------
    ConfigError
        When the driver is not installed.
    DataError
        When there is no connection, or the server refuses, is too slow, or goes away.
    """
    try:
        import adbc_driver_postgresql  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise ConfigError("a query of PostgreSQL needs: pip install 'liqwarn[sql]'") from error
    with (
        _connect(address) as connection,
        connection.cursor(adbc_stmt_kwargs=_BATCH) as cursor,
        closing(_rows(cursor, query, order)) as rows,
    ):
        yield rows


def _connect(address: str) -> "dbapi.Connection":
    from adbc_driver_manager import Error  # noqa: PLC0415 - see above
    from adbc_driver_postgresql import dbapi as postgres  # noqa: PLC0415 - see above

    try:
        connection: dbapi.Connection = postgres.connect(_patient(address))
    except Error as error:
        said = str(error)
    else:
        return connection
    told = next((text for sign, text in _FAILURES.items() if sign in said), None)
    raise DataError(f"no connection to the database: {told or 'its address is not understood'}")


def _patient(address: str) -> str:
    """The address with bounds on waiting for a silent network, unless it has its own."""
    is_uri = address.startswith(("postgresql://", "postgres://"))
    for name, value in _PATIENCE.items():
        if name not in address:
            joint = " " if not is_uri else "&" if "?" in address else "?"
            address += f"{joint}{name}={value}"
    return address


def _settings(query: Query) -> Iterator[str]:
    """Of this transaction alone, so that a pool of connections keeps nothing of it."""
    yield "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    yield f"SET LOCAL statement_timeout = {int(query.timeout.total_seconds() * 1_000)}"
    yield "SET LOCAL TIME ZONE 'UTC'"
    yield "SET LOCAL client_encoding = 'UTF8'"


def _rows(cursor: "dbapi.Cursor", query: Query, order: tuple[str, ...]) -> Generator[pa.Table]:
    from adbc_driver_manager import Error  # noqa: PLC0415 - see above

    try:
        for setting in _settings(query):
            cursor.execute(setting)
        yield from _answer(cursor, query, order)
    except (Error, pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(_reason(error, query)) from None


def _answer(cursor: "dbapi.Cursor", query: Query, order: tuple[str, ...]) -> Iterator[pa.Table]:
    inside = f"SELECT * FROM (\n{query.statement}\n) AS query"  # noqa: S608 - read-only, see above
    cursor.execute(f"{inside} LIMIT 0")
    with cursor.fetch_record_batch() as reader:
        schema = reader.schema
    types = {told.name: (told.metadata or {})[b"POSTGRESQL:type"].decode() for told in schema}
    check_columns(types, schema.names, order)
    by = ", ".join('"' + name.replace('"', '""') + '"' for name in order)
    cursor.execute(f"{inside} ORDER BY {by}")
    with cursor.fetch_record_batch() as reader:
        for batch in reader:
            yield as_plain(batch)


def _reason(error: Exception, query: Query) -> str:
    """What the server says; of the driver's own words none, which may hold parts of the address."""
    if "statement timeout" in str(error):
        return f"it took longer than {query.timeout} (query.timeout), and the server stopped it"
    said = re.search(r"(?:ERROR|FATAL|PANIC):\s*([^\n]*)", str(error))
    if said is None:
        return "the connection was lost, or its answer could not be read"
    hint = "; expected one SELECT" if getattr(error, "sqlstate", None) == _SYNTAX else ""
    return f"PostgreSQL refuses it: {said[1][:300]}{hint}"
