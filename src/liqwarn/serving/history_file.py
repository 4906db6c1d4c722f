"""The flag history of a scoring or a replay: pages out of a parquet file, a row group at a time.

Rows are ordered by bar, side, sequence and issue. A page reads the row groups whose spans fit, one
after the other, first the columns that decide and the others only for rows that are shown; so it
costs what it shows, not what the file holds.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from liqwarn.decisions import iso_utc
from liqwarn.errors import StoreError
from liqwarn.serving.history_groups import (
    Group,
    groups_of,
    moment_of,
    newest_issue,
    wanted,
)
from liqwarn.serving.ports import HistoryAsk, HistoryKey, HistoryPage

__all__ = ["HISTORY_COLUMNS", "MAX_GROUPS", "HistoryFile"]

HISTORY_COLUMNS: Final = (
    "symbol", "as_of", "side", "p_1h", "p_4h", "p_24h", "tier", "state", "rule", "quality",
    "sequence", "issued_at", "valid_until",
)  # fmt: skip
MAX_GROUPS: Final = 32
"""Row groups a page reads at most; a page may be short and still say where the next one starts."""

_KEY: Final = ("as_of", "side", "sequence", "issued_at")
_TIMES: Final = ("as_of", "issued_at", "valid_until")
_Found = tuple[HistoryKey, dict[str, Any]]


class HistoryFile:
    """A ``.parquet`` file of flags, or the ``flags.parquet`` in a folder.

    Only its footer is kept, and read again when the file was replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path if path.suffix == ".parquet" else path / "flags.parquet"
        self._kept: tuple[tuple[int, int, int], pq.FileMetaData, tuple[Group, ...]] | None = None

    def rows(self, ask: HistoryAsk) -> HistoryPage:
        """One page.

        Raises
        ------
        StoreError
            When the file is missing, damaged or of another shape.
        """
        try:
            with self._path.open("rb") as stream:
                footer, groups = self._footer(stream)
                with pq.ParquetFile(
                    stream, metadata=footer, pre_buffer=False, page_checksum_verification=True
                ) as file:
                    return _page(file, groups, ask)
        except (OSError, ValueError, KeyError, OverflowError, pa.ArrowException) as error:
            why = (str(error) or type(error).__name__).replace(str(self._path.parent), "…")
            raise StoreError(f"{self._path.name}: {why}, expected a flag history") from error

    def _footer(self, stream: BinaryIO) -> tuple[pq.FileMetaData, tuple[Group, ...]]:
        stat = os.fstat(stream.fileno())
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        kept = self._kept
        if kept is None or kept[0] != stamp:
            footer = pq.read_metadata(stream)
            stream.seek(0)
            self._kept = kept = (stamp, footer, groups_of(footer))
        return kept[1], kept[2]


def _page(file: pq.ParquetFile, groups: tuple[Group, ...], ask: HistoryAsk) -> HistoryPage:
    known_by = ask.known_by or newest_issue(groups)
    if known_by is None:
        return HistoryPage(rows=(), known_by=None, behind=None)
    found: list[_Found] = []
    behind: HistoryKey | None = None
    for read, group in enumerate(candidates := wanted(groups, ask, known_by)):
        first = group.as_of[0]
        if len(found) > ask.limit and found[ask.limit][0][0] < first:
            break  # everything from here on is behind the page
        if read >= MAX_GROUPS and first > candidates[0].as_of[0]:
            behind = (int(first), "", -1, -1)
            found = [row for row in found if row[0] < behind]
            break
        found = _merged(found, _rows_of(file, group, ask, known_by), ask.limit)
    if len(found) > ask.limit:
        found, behind = found[: ask.limit], found[ask.limit - 1][0]
    return HistoryPage(rows=[row for _, row in found], known_by=known_by, behind=behind)


def _merged(found: list[_Found], more: Iterator[_Found], limit: int) -> list[_Found]:
    """One more than the page, so that it is known whether there is a next one."""
    return sorted([*found, *more], key=lambda row: row[0])[: limit + 1]


def _rows_of(
    file: pq.ParquetFile, group: Group, ask: HistoryAsk, known_by: datetime
) -> Iterator[_Found]:
    keys = file.read_row_group(group.number, columns=["symbol", *_KEY], use_threads=False)
    keys = keys.append_column("place", pa.array(np.arange(keys.num_rows)))
    keys = keys.filter(_mask(keys, ask, known_by))
    if not keys.num_rows:
        return
    keys = keys.sort_by([(name, "ascending") for name in _KEY])
    if ask.after is not None:
        keys = _behind(keys, ask.after)
    keys = keys.slice(0, ask.limit + 1)
    whole = file.read_row_group(group.number, columns=list(HISTORY_COLUMNS), use_threads=False)
    shown = whole.take(keys["place"]).select(list(HISTORY_COLUMNS)).to_pylist()
    yield from zip(_keys(keys), map(_shown, shown), strict=True)


def _behind(keys: pa.Table, after: HistoryKey) -> pa.Table:
    """Sorted rows behind a place; only those of its own bar need to be compared one by one."""
    times = keys["as_of"]
    mark = pa.scalar(moment_of(after[0]), type=times.type)
    keys = keys.filter(pc.greater_equal(times, mark))
    tied = pc.sum(pc.equal(keys["as_of"], mark)).as_py() or 0
    same = keys.slice(0, tied)
    same = same.filter(pa.array([key > after for key in _keys(same)], pa.bool_()))
    return pa.concat_tables([same, keys.slice(tied)])


def _mask(keys: pa.Table, ask: HistoryAsk, known_by: datetime) -> pa.ChunkedArray:
    tests: list[tuple[str, Callable[[Any, Any], Any], object]] = [
        ("symbol", pc.equal, ask.symbol),
        ("issued_at", pc.less_equal, known_by),
        ("side", pc.equal, ask.side),
        ("as_of", pc.greater_equal, ask.start),
        ("as_of", pc.less, ask.end),
    ]
    mask = pc.is_valid(keys["symbol"])
    for name, test, value in tests:
        if value is not None:
            mask = pc.and_(mask, test(keys[name], pa.scalar(value, type=keys[name].type)))
    return mask


def _keys(table: pa.Table) -> list[HistoryKey]:
    columns = [
        _micros(table["as_of"]),
        table["side"].to_pylist(),
        table["sequence"].to_pylist(),
        _micros(table["issued_at"]),
    ]
    return list(zip(*columns, strict=True))


def _micros(times: pa.ChunkedArray) -> list[int]:
    found: list[int] = times.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
    return found


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: iso_utc(row[name]) for name in _TIMES}
    return {**row, **times, "side": str(row["side"])}
