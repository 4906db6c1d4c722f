"""Asking a database what a source's query asks, in pieces that are read like files.

Nothing of a panel is put into the SQL but the names of its columns of time and symbol, quoted, to
sort by; symbols are only ever compared with what comes back.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from liqwarn.data.panel import Source
from liqwarn.data.queries import DataPlace, Query
from liqwarn.data.sql_duckdb import duckdb_rows
from liqwarn.data.sql_pieces import Piece, cut
from liqwarn.data.sql_postgres import postgres_rows
from liqwarn.errors import ConfigError, DataError

__all__ = ["Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query and where it is asked.

    Attributes
    ----------
    source : Source
    query : Query
    folder : Path
        The data folder, which a query of DuckDB may read.
    address : str
        Of the server, empty of DuckDB; it holds a password.
    """

    source: Source
    query: Query
    folder: Path
    address: str = field(default="", repr=False)

    @classmethod
    def of(cls, source: Source, place: DataPlace) -> "Question | None":
        """What a source asks; None of one that reads files.

        Raises
        ------
        ConfigError
            When the environment does not tell the address of the database.
        """
        query = source.query
        if query is None:
            return None
        if query.engine == "duckdb":
            return cls(source=source, query=query, folder=place.folder)
        address = place.databases.get(query.database or "")
        if address is None:
            raise ConfigError(
                f"source '{source.name}' asks the database '{query.database}', whose address is "
                f"not told: set {query.variable} in the environment"
            )
        return cls(source=source, query=query, folder=place.folder, address=address)

    @property
    def name(self) -> str:
        """Stands where the name of a file would."""
        return f"query:{self.source.name}"

    @property
    def place(self) -> str:
        """Where it is asked, for messages."""
        return f"query of {self.query.engine} {self.query.database or 'on files'}"

    @contextmanager
    def tables(self) -> Iterator[Iterator[pa.Table]]:
        """The rows in order of time and symbol, in portions; the connection ends with the block.

        Raises
        ------
        DataError
            Whatever is wrong with the connection, the query or its result.
        """
        symbol = self.source.symbol.column if self.source.symbol else None
        order = (self.source.time.column, *([symbol] if symbol else []))
        asked = (
            duckdb_rows(self.query, self.folder, order)
            if self.query.engine == "duckdb"
            else postgres_rows(self.query, self.address, order)
        )
        with asked as rows:
            yield rows

    def pieces(self) -> Generator[Piece]:
        """The result in pieces; close the iterator to end the connection early.

        Raises
        ------
        DataError
            As :meth:`tables`, and when there are no rows.
        """
        piece = None
        with self.tables() as tables:
            for piece in cut(tables, self.source.time.column):
                yield piece
        if piece is None:
            raise DataError("no rows, expected at least one")
