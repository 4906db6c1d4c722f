"""DuckDB as a reader of files below the data folder, and of nothing else.

The only module that imports duckdb. What a query may do is decided by DuckDB's own settings, which
are locked before it runs: files of the data folder alone, no extension, no network, no variables
of ours, a bound on memory and threads; and by its shape: one SELECT, which cannot write.
"""

import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from liqwarn.data.queries import Query
from liqwarn.data.sql_types import as_plain, check_columns
from liqwarn.errors import ConfigError, DataError

if TYPE_CHECKING:
    import duckdb

__all__ = ["duckdb_rows"]

_BATCH: Final = 50_000
_AGAIN_S: Final = 0.05
_OUTSIDE: Final = "disabled by configuration"
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "allow_community_extensions": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "1GB",
    "python_enable_replacements": False,
    "threads": 2,
}


@contextmanager
def duckdb_rows(query: Query, folder: Path, order: tuple[str, ...]) -> Iterator[Iterator[pa.Table]]:
    """Rows of a query in order, in portions; the connection is closed in the end.

    Parameters
    ----------
    order : tuple of str
        Columns to sort by.

    Raises
    ------
    ConfigError
        When DuckDB is not installed.
    DataError
        When the query is none, is refused, takes too long, or gives what cannot be read.
    """
    try:
        import duckdb  # noqa: F401, PLC0415 - an extra, and a heavy one
    except ImportError as error:
        raise ConfigError("a query of DuckDB needs: pip install 'liqwarn[sql]'") from error
    with (
        TemporaryDirectory(prefix="liqwarn-sql-") as spill,
        closing(_rows(query, folder, Path(spill), order)) as rows,
    ):
        yield rows


def _rows(query: Query, folder: Path, spill: Path, order: tuple[str, ...]) -> Generator[pa.Table]:
    import duckdb  # noqa: PLC0415 - see above

    late = threading.Event()
    try:
        with (
            closing(_connect(query, folder, spill)) as connection,
            _watched(connection, query.timeout.total_seconds(), late),
        ):
            yield from _answer(connection, query, folder, order)
    except (duckdb.Error, pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if late.is_set():
            raise DataError(f"it took longer than {query.timeout} (query.timeout)") from error
        reason = str(error).strip().split("\n")[0][:300]
        hint = "; write '{data}/' before files of the data folder" if _OUTSIDE in reason else ""
        raise DataError(f"DuckDB refuses it: {reason}{hint}") from error


@contextmanager
def _watched(
    connection: "duckdb.DuckDBPyConnection", seconds: float, late: threading.Event
) -> Iterator[None]:
    """Whatever the connection does after so long is interrupted, and `late` is set.

    Again and again: an interruption between two statements is lost.
    """
    ended = threading.Event()

    def watch() -> None:
        if ended.wait(seconds):
            return
        late.set()
        while not ended.wait(_AGAIN_S):
            connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _connect(query: Query, folder: Path, spill: Path) -> "duckdb.DuckDBPyConnection":
    import duckdb  # noqa: PLC0415 - see above

    within = folder.resolve()
    file = None if query.database is None else (within / query.database).resolve()
    if file is not None and not file.is_relative_to(within):
        raise DataError(f"database {query.database}: leads out of the data folder, refused")
    if file is not None and not file.is_file():
        raise DataError(f"database {query.database}: no such file in {folder}")
    connection = duckdb.connect(
        ":memory:" if file is None else str(file), read_only=file is not None, config=_SETTINGS
    )
    for setting in (
        "TimeZone = 'UTC'",
        f"temp_directory = {_text(str(spill))}",
        f"allowed_directories = [{_text(str(within))}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def _answer(
    connection: "duckdb.DuckDBPyConnection", query: Query, folder: Path, order: tuple[str, ...]
) -> Iterator[pa.Table]:
    statement = query.statement.replace("{data}", str(folder.resolve()).replace("'", "''"))
    kinds = [told.type.name for told in connection.extract_statements(statement)]
    if kinds != ["SELECT"]:
        raise DataError(f"sql: found {kinds or 'nothing'}, expected one SELECT")
    found = connection.sql(statement)
    types = dict(zip(found.columns, map(str, found.types), strict=True))
    check_columns(types, found.columns, order)
    by = ", ".join('"' + name.replace('"', '""') + '"' for name in order)
    ordered = connection.sql(f"SELECT * FROM (\n{statement}\n) AS query ORDER BY {by}")  # noqa: S608 - read-only, see the module
    with ordered.to_arrow_reader(_BATCH) as reader:
        for batch in reader:
            yield as_plain(batch)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
