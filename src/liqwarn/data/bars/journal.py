"""The journal: closed columns on disk before anything is made of them.

::

    head                    how far it was acknowledged, see liqwarn.data.bars.head
    000000000000.bars       segments, named by the number of their first record
    000000000024.bars
    000000000024.bars.5120.torn     what a killed writer left after byte 5120
    quarantine/             damaged segments, each with its reason

A column that :meth:`Journal.append` returned for is on disk. Bars are on an unbroken grid, one
record each, so a record's number says its time and a lost one is named by its close. Segments go
with the days of UTC. One process writes and reads; a lock keeps a second one out.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import numpy as np
from filelock import FileLock, Timeout

from liqwarn.data.bars.head import Head, write_head
from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.bars.reader import read_records
from liqwarn.data.bars.recovery import HEAD, Recovered, recover, segment_path
from liqwarn.data.bars.segment import Header, encode_header, encode_record
from liqwarn.data.bars.tail import Damage, Tail, dated_fields
from liqwarn.data.panel import Panel
from liqwarn.durable import write_bytes
from liqwarn.errors import StoreError
from liqwarn.frames import MarketFrame

__all__ = ["Journal"]

_DAY_S: Final = 86_400


class Journal:
    """Crash-safe, append-only record of closed columns of one panel; see :meth:`open`.

    Examples
    --------
    >>> import tempfile
    >>> panel = Panel.model_validate({
    ...     "name": "one", "market": "real", "bar": "1h", "symbols": ["BTCUSDT"], "core": ["close"],
    ...     "sources": [{"name": "klines", "file": "{symbol}.csv",
    ...                  "time": {"column": "t", "unit": "ms", "label": "start", "step": "1h"},
    ...                  "fields": {"close": "c"}}]})
    >>> close = np.array([50_123.1])
    >>> column = BarColumn(time=np.datetime64("2024-08-05T06:00:00"), symbols=("BTCUSDT",),
    ...                    fields={"close": close}, ages={"close": np.zeros(1)}, bar_s=3_600)
    >>> with Journal.open(Path(tempfile.mkdtemp()), panel) as journal:
    ...     journal.append([column])
    ...     journal.end, journal.frame().field("close")
    (np.datetime64('2024-08-05T06:00:00'), array([[50123.1]]))
    """

    def __init__(
        self, folder: Path, panel: Panel, lock: FileLock, found: Recovered, largest: int
    ) -> None:
        self._folder, self._panel, self._lock, self._largest = folder, panel, lock, largest
        self._head, self._header, self._size = found.head, found.header, found.size
        self._damages = found.damages

    @classmethod
    def open(cls, folder: Path, panel: Panel, *, largest: int = 1 << 26) -> Self:
        """Open or begin a journal; what a killed writer left is mended, damage is quarantined.

        Checked are the head and the newest segment; older ones when they are read.

        Parameters
        ----------
        folder : Path
        panel : Panel
        largest : int
            Bytes after which a segment is followed by the next.

        Raises
        ------
        StoreError
            When another process has it open, or it is of another panel.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / ".lock", timeout=0)
            lock.acquire()
        except Timeout as error:
            raise StoreError(f"{folder}: another process has the journal open") from error
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
        try:
            return cls(folder, panel, lock, recover(folder, panel), largest)
        except BaseException:
            lock.release()
            raise

    @property
    def end(self) -> np.datetime64 | None:
        """Close of the last acknowledged bar, None when there is none."""
        return np.datetime64(self._head.last, "s") if self._head.count else None

    @property
    def damages(self) -> tuple[Damage, ...]:
        """Everything found damaged since it was opened."""
        return self._damages

    def append(self, columns: Sequence[BarColumn]) -> None:
        """Add closed columns; they are on disk when it returns.

        Raises
        ------
        StoreError
            When a column does not follow the one before or is of other symbols or fields; nothing
            is written then. Or when the disk refuses: :attr:`end` says what is acknowledged,
            which is all columns of a segment or none, and the rest may be appended again.
        """
        self._check(columns)
        rest = list(columns)
        while rest:
            joins = self._joins(rest[0])
            day = close_seconds(rest[0].time) // _DAY_S
            batch = [c for c in rest if close_seconds(c.time) // _DAY_S == day]
            self._write(batch, joins=joins)
            rest = rest[len(batch) :]

    def read(self, since: np.datetime64 | None = None) -> Tail:
        """The bars that close at `since` or later, each checked; damage is quarantined now.

        Raises
        ------
        StoreError
            When the folder cannot be read or a damaged file cannot be moved.
        """
        head, bar = self._head, self._panel.bar_s
        oldest = head.count - 1 - (head.last - head.first) // bar if head.count else 0
        start = oldest if since is None else max(oldest, self._number(close_seconds(since)))
        try:
            records, damages = read_records(self._folder, head, bar, start)
        except OSError as error:
            raise StoreError(f"{self._folder}: cannot be read ({error.strerror})") from error
        self._damages += tuple(damage for damage in damages if damage not in self._damages)
        found = {record.number: record.column for record in records}
        lost = [self._time(n) for n in range(start, head.count) if n not in found]
        return Tail(
            columns=tuple(found[n] for n in sorted(found)),
            missing=tuple(lost),
            damages=damages,
        )

    def frame(
        self, since: np.datetime64 | None = None, *, holes: Literal["refuse", "nan"] = "refuse"
    ) -> MarketFrame:
        """The bars from `since` on as a frame, bit for bit as appended; see :meth:`Tail.frame`."""
        return self.read(since).frame(self._panel, holes=holes)

    def close(self) -> None:
        """Let another process open it."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    # ------------------------------------------------------------------ writing

    def _check(self, columns: Sequence[BarColumn]) -> None:
        panel, head = self._panel, self._head
        close = head.last if head.count else None
        for column in columns:
            found = close_seconds(column.time)
            if found % panel.bar_s or (close is not None and found != close + panel.bar_s):
                expected = "a close" if close is None else f"{np.datetime64(close, 's')} and then"
                raise StoreError(f"column {column.time}: expected {expected} {panel.bar} bars")
            close = found
            if column.symbols != panel.symbol_names:
                raise StoreError(f"column {column.time}: its symbols are not those of the panel")
            if set(column.fields) != set(panel.fields):
                odd = sorted(set(column.fields) ^ set(panel.fields))
                raise StoreError(f"column {column.time}: fields {odd} do not match the panel")
            if set(column.ages) != set(dated_fields(panel)):
                odd = sorted(set(column.ages) ^ set(dated_fields(panel)))
                raise StoreError(f"column {column.time}: ages {odd} do not match the panel")

    def _joins(self, column: BarColumn) -> bool:
        """Whether a column goes into the segment that is there."""
        if self._header is None or self._size >= self._largest:
            return False
        if close_seconds(column.time) // _DAY_S != self._head.last // _DAY_S:
            return False
        begun = self._header
        return replace(self._new_header(), first=begun.first, previous=begun.previous) == begun

    def _new_header(self) -> Header:
        return Header(
            panel=self._panel.name,
            bar_s=self._panel.bar_s,
            symbols=self._panel.symbol_names,
            fields=self._panel.fields,
            ages=dated_fields(self._panel),
            first=self._head.count,
            previous=self._head.seal.hex(),
        )

    def _write(self, batch: Sequence[BarColumn], *, joins: bool) -> None:
        header = self._header if joins and self._header else self._new_header()
        path, size = segment_path(self._folder, header.first), self._size if joins else 0
        content, seal = b"" if joins else encode_header(header), self._head.seal
        for number, column in enumerate(batch, start=self._head.count):
            record, seal = encode_record(column, header, number, seal)
            content += record
        head = Head(
            turn=self._head.turn + 1,
            count=self._head.count + len(batch),
            first=self._head.first if self._head.count else close_seconds(batch[0].time),
            last=close_seconds(batch[-1].time),
            seal=seal,
        )
        try:
            if joins:
                _append(path, size, content)
            else:
                write_bytes(path, content)
            write_head(self._folder / HEAD, head)
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be written ({error.strerror}); bars from {batch[0].time} on are "
                "not acknowledged"
            ) from error
        self._head, self._header, self._size = head, header, size + len(content)

    # ------------------------------------------------------------------ reading

    def _number(self, close: int) -> int:
        return self._head.count - 1 + -((self._head.last - close) // self._panel.bar_s)

    def _time(self, number: int) -> np.datetime64:
        back = (self._head.count - 1 - number) * self._panel.bar_s
        return np.datetime64(self._head.last - back, "s")


def _append(path: Path, size: int, content: bytes) -> None:
    """Write behind the acknowledged bytes of a segment; whole, or cut off again."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(handle, size)  # of an append that the disk refused
        try:
            left = memoryview(content)
            while left:
                left = left[os.pwrite(handle, left, size + len(content) - len(left)) :]
            os.fdatasync(handle)
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
