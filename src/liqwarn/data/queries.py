"""A source that is a query: which database is asked, what, and for how long.

The address of a server holds a password, so it is never in a panel: ``liqwarn.config`` reads it
from the environment, and a panel names it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import model_validator

from liqwarn.data.mapping import Duration, Part, inside_folder

__all__ = ["DATABASE_VARIABLE", "DataPlace", "Query"]

DATABASE_VARIABLE: Final = "LIQWARN_SQL_"
"""Begin of the environment variables that hold the addresses of databases."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST: Final = timedelta(days=1)


class Query(Part):
    """One SELECT, and the database that answers it.

    Attributes
    ----------
    engine : {"duckdb", "postgres"}
    database : str or None
        Of PostgreSQL the name after ``LIQWARN_SQL_`` of the variable that holds the address, in
        small letters. Of DuckDB a database file below the data folder, opened read-only; without
        it the query reads files.
    sql : str
        One SELECT. Of DuckDB, ``{data}`` stands for the data folder.
    timeout : timedelta
        How long the query may take until its last row is read.
    """

    engine: Literal["duckdb", "postgres"]
    database: str | None = None
    sql: str
    timeout: Duration = timedelta(minutes=30)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = [*self._database_faults(), *self._sql_faults()]
        if not timedelta(0) < self.timeout <= _LONGEST:
            faults.append(f"timeout: found {self.timeout}, expected more than 0s and at most 1d")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _database_faults(self) -> Iterator[str]:
        if self.engine == "duckdb":
            try:
                inside_folder(self.database or "")
            except ValueError as error:
                yield f"database: {error}"
        elif self.database is None:
            yield f"database: expected the NAME of a variable {DATABASE_VARIABLE}NAME, an address"
        elif not _NAME.fullmatch(self.database):
            # what stands here may be an address with its password: it is not repeated
            yield (
                "database: expected a name of small letters, digits and '_' that begins with a "
                f"letter; the address itself belongs into a variable {DATABASE_VARIABLE}NAME"
            )

    def _sql_faults(self) -> Iterator[str]:
        if not self.sql.strip():
            yield "sql: it is empty, expected one SELECT"
        for word in ("{symbol}", "{asset}", *(["{data}"] if self.engine == "postgres" else [])):
            if word in self.sql:
                yield f"sql: {word} is not put in here; select the column, and name it in the panel"

    @property
    def statement(self) -> str:
        """The SELECT without a semicolon at its end."""
        return self.sql.strip().removesuffix(";")

    @property
    def variable(self) -> str:
        """Environment variable that holds the address of a server."""
        return f"{DATABASE_VARIABLE}{(self.database or '').upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlace:
    """Where a panel's sources lie.

    Attributes
    ----------
    folder : Path
        What file names are relative to.
    databases : mapping of name to str
        Addresses of servers by the name that panels call them; they hold passwords.
    wanted : callable, optional
        Whether a file is to be read; without it every one is. For who knows that the others are
        read already.
    """

    folder: Path
    databases: Mapping[str, str] = field(default_factory=dict, repr=False)
    wanted: Callable[[Path], bool] | None = None

    @classmethod
    def of(cls, told: "Path | DataPlace") -> "DataPlace":
        """A folder alone, as a place without servers.

        >>> DataPlace.of(Path("data")).folder
        PosixPath('data')
        """
        return told if isinstance(told, DataPlace) else cls(folder=told)
