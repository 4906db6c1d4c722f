"""Provider files as tables of raw columns: one reader a format, nothing interpreted.

CSV and JSON columns keep their text and numbers as they stand; times, units and symbols are the
business of :mod:`liqwarn.data.rows`. Anything that cannot be read is a :class:`DataError` that
names the file.
"""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Final, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.feather as pf
import pyarrow.parquet as pq

from liqwarn.data.mapping import nearest
from liqwarn.data.panel import Format
from liqwarn.errors import DataError

__all__ = ["MAX_BYTES", "FileLayout", "format_of", "read_table"]

MAX_BYTES: Final = 1 << 30
"""Largest uncompressed size that is read; a zip that unpacks to more is refused unread."""

_SUFFIXES: Final[Mapping[str, Format]] = {
    ".parquet": "parquet",
    ".feather": "feather",
    ".csv": "csv",
    ".csv.zip": "csv.zip",
    ".zip": "csv.zip",
    ".json": "json",
}

_DATE: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}", re.ASCII)


class FileLayout(Protocol):
    """The part of a source or calendar that says how its files are laid out."""

    @property
    def format(self) -> Format | None: ...  # noqa: D102 - see Source
    @property
    def records_at(self) -> str | None: ...  # noqa: D102 - see Source
    @property
    def columns(self) -> tuple[str, ...] | None: ...  # noqa: D102 - see Source


def format_of(path: Path, stated: Format | None = None) -> Format:
    """The stated format, else the one the suffix tells.

    >>> format_of(Path("BTCUSDT-1h-2024-01.csv.zip"))
    'csv.zip'
    """
    if stated is not None:
        return stated
    for suffix, name in sorted(_SUFFIXES.items(), key=lambda item: -len(item[0])):
        if path.name.lower().endswith(suffix):
            return name
    raise DataError(f"{path}: suffix tells no format, expected one of {sorted(_SUFFIXES)}")


def read_table(path: Path, layout: FileLayout) -> pd.DataFrame:
    """Every row and column of a provider file, in the file's order.

    Parameters
    ----------
    path : Path
    layout : Source or Calendar
        States `format`, `records_at` (where in a JSON envelope the rows are, such as ``data.list``)
        and `columns` (names for a file that may lack a header row).

    Raises
    ------
    DataError
        When the file is missing, empty, truncated, too large unpacked, or not of its format.
    """
    if not path.is_file():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"{path}: no such file{nearest(path.name, beside)}")
    size = path.stat().st_size
    if size == 0:
        raise DataError(f"{path}: the file is empty")
    if size > MAX_BYTES:
        raise DataError(f"{path}: {size} bytes, expected at most {MAX_BYTES}")
    kind = format_of(path, layout.format)
    try:
        table = _READERS[kind](path, layout)
    except DataError:
        raise
    except RecursionError as error:
        raise DataError(f"{path}: nested too deeply to be {kind} of records") from error
    except (ValueError, OSError, EOFError, pa.ArrowException, zipfile.BadZipFile) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise DataError(
            f"{path}: not readable as {kind}, cut short or damaged? {reason}"
        ) from error
    if table.empty:
        raise DataError(f"{path}: no rows, expected at least one")
    twice = sorted(set(table.columns[table.columns.duplicated()].astype(str)))
    if twice:
        raise DataError(f"{path}: columns {twice} are there twice, expected each name once")
    return table


def _parquet(path: Path, _: FileLayout) -> pd.DataFrame:
    with pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
        return _frame(file.read(use_threads=False))


def _feather(path: Path, _: FileLayout) -> pd.DataFrame:
    return _frame(pf.read_table(path, use_threads=False))


def _frame(table: pa.Table) -> pd.DataFrame:
    """Arrow as pandas, on this thread: one of Arrow's that still holds what is Python's aborts.

    At exit such a thread can no longer get the interpreter's lock, and C++ calls ``terminate``.
    What pandas noted in the file is left aside: it is not covered by its checksums.
    """
    frame: pd.DataFrame = table.to_pandas(use_threads=False, ignore_metadata=True)
    return frame


def _csv(path: Path, layout: FileLayout) -> pd.DataFrame:
    return _csv_text(path.read_bytes(), layout.columns)


def _csv_text(raw: bytes, columns: tuple[str, ...] | None) -> pd.DataFrame:
    if not raw.strip():
        raise DataError("the table inside is empty")
    # its own header would rename a column that is there twice, and take rows that are one cell
    # longer than it for rows with an index
    table = pd.read_csv(
        io.BytesIO(raw), dtype=str, header=None, encoding="utf-8-sig", skipinitialspace=True
    )
    if columns is not None and len(columns) != table.shape[1]:
        raise DataError(f"{table.shape[1]} columns found, the panel names {len(columns)}")
    if columns is not None and _is_data(str(table.iloc[0, 0])):
        table.columns = pd.Index(columns)
        return table
    blank = (f"unnamed {place}" for place in count())
    table.columns = pd.Index(
        [str(name).strip() or next(blank) for name in table.iloc[0].fillna("")]
    )
    table = table.iloc[1:].reset_index(drop=True)
    if columns is not None and set(table.columns) != set(columns):
        found = [name for name in table.columns if name not in columns]
        raise DataError(f"its header has {found}, the panel names {list(columns)}")
    return table


def _is_data(text: str) -> bool:
    """Whether a first cell is of a row and no name: a number, or what begins as a date does."""
    try:
        float(text)
    except ValueError:
        return _DATE.match(text.strip()) is not None
    return True


def _csv_zip(path: Path, layout: FileLayout) -> pd.DataFrame:
    try:
        raw = _unpacked(path)
    except (zlib.error, NotImplementedError, RuntimeError) as error:  # flipped bits, a password
        raise DataError(f"{path}: cannot be unpacked: {error}") from error
    if len(raw) > MAX_BYTES:
        raise DataError(f"{path}: unpacks to more than {MAX_BYTES} bytes, refused")
    return _csv_text(raw, layout.columns)


def _unpacked(path: Path) -> bytes:
    """The one table in a zip; of a larger one than is read, a byte more than that."""
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
        if len(members) != 1:
            names = [m.filename for m in archive.infolist()][:5]
            raise DataError(f"{path}: holds {names}, expected exactly one .csv")
        with archive.open(members[0]) as stream:
            return stream.read(MAX_BYTES + 1)  # the declared size may lie: bound what unpacks


def _json(path: Path, layout: FileLayout) -> pd.DataFrame:
    found: object = json.loads(path.read_bytes())
    for key in (layout.records_at or "").split("."):
        if key:
            found = _enter(path, found, key)
    if isinstance(found, dict):
        return _json_columns(path, found)
    if not isinstance(found, list):
        raise DataError(f"{path}: found {type(found).__name__}, expected a list of records")
    if not found:
        raise DataError(f"{path}: no rows, expected at least one")
    if isinstance(found[0], list):
        lengths = sorted({len(item) if isinstance(item, list) else 0 for item in found})
        if len(lengths) > 1:
            raise DataError(f"{path}: rows of {lengths[:5]} cells, expected equal lengths")
        names = layout.columns or tuple(str(i) for i in range(len(found[0])))
        return pd.DataFrame(found, columns=list(names), dtype=object)
    if not all(isinstance(item, dict) for item in found):
        raise DataError(f"{path}: rows are not all objects, expected a list of records")
    return pd.DataFrame(found, dtype=object)


def _json_columns(path: Path, found: Mapping[str, object]) -> pd.DataFrame:
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    if len(lists) != len(found):
        keys = sorted(set(found) - set(lists)) or sorted(found)
        raise DataError(
            f"{path}: keys {keys[:5]} hold no list, expected columns of equal length; "
            "an envelope needs records_at"
        )
    lengths = {name: len(value) for name, value in lists.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{path}: columns of lengths {lengths}, expected equal lengths")
    return pd.DataFrame(lists, dtype=object)


def _enter(path: Path, found: object, key: str) -> object:
    if not isinstance(found, dict) or key not in found:
        known = sorted(found) if isinstance(found, dict) else []
        raise DataError(f"{path}: records_at key '{key}' not found{nearest(key, known)}")
    return found[key]


_READERS: Final[Mapping[Format, Callable[[Path, FileLayout], pd.DataFrame]]] = {
    "parquet": _parquet,
    "feather": _feather,
    "csv": _csv,
    "csv.zip": _csv_zip,
    "json": _json,
}
