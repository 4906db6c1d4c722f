"""The tape: everything worth keeping that came over a venue's lines, in the order in which it came.

Append-only, checked record by record, on disk for sure from :meth:`TapeWriter.sync` on. What was
acknowledged so survives ``kill -9`` and a full disk. See docs/collect.md for the format.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from liqwarn.collectors.tape_closing import compress_closed, segment_bytes
from liqwarn.collectors.tape_record import LARGEST, MAGIC, encode_end, encode_record
from liqwarn.collectors.tape_recovery import recover_tape
from liqwarn.collectors.tape_segment import (
    HOUR_MS,
    Segment,
    TapeFault,
    header_of,
    mark_of,
    placed_records,
    segment_path,
    segments_of,
)
from liqwarn.collectors.taped import Taped
from liqwarn.durable import sync_to_disk
from liqwarn.errors import DataError, StoreError

__all__ = ["TapeWriter", "read_tape"]

_ROLL_BYTES: Final = 1 << 26
_RECORD_BYTES: Final = 64


class TapeWriter:
    """Appends records to a venue's tape. One owner; :meth:`sync` may run in another thread.

    Records wait in memory until :meth:`sync` puts them on disk together. When that fails, they
    wait on, nothing is doubled, and it can be called again.

    Parameters
    ----------
    folder : Path
        Of all venues' tapes.
    venue : str
    roll_bytes : int
        A segment that is larger is closed before its hour is over.

    Attributes
    ----------
    recovered : Recovered
        What a crash had left there.

    Raises
    ------
    StoreError
        When what is there cannot be read.
    OSError
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> writer = TapeWriter(folder, "okx")
    >>> writer.append(Taped(seen_ms=1_000, line="public", what="frame", content=b"{}"))
    >>> writer.sync()
    >>> writer.acknowledged_ms
    1000
    >>> writer.close()
    >>> [record.content for record in read_tape(folder, "okx", since_ms=0, until_ms=2_000)]
    [b'{}']
    """

    def __init__(self, folder: Path, venue: str, *, roll_bytes: int = _ROLL_BYTES) -> None:
        self._folder, self._venue = folder, venue
        self._roll_bytes = roll_bytes
        (folder / venue).mkdir(parents=True, exist_ok=True)
        self.recovered = recover_tape(folder, venue)
        self._number = self.recovered.next_number
        self._waiting: list[Taped] = []
        self._appended_bytes = 0  # the owner's
        self._written_bytes = 0  # the syncing thread's
        self._open: _OpenSegment | None = None
        self._acknowledged_ms: int | None = None
        self._acknowledged = 0

    @property
    def acknowledged_ms(self) -> int | None:
        """When the last record that is on disk for sure was seen; None before the first."""
        return self._acknowledged_ms

    @property
    def acknowledged(self) -> int:
        """How many records this writer has put on disk for sure."""
        return self._acknowledged

    @property
    def waiting_bytes(self) -> int:
        """About how much memory the records take that are not on disk yet."""
        return self._appended_bytes - self._written_bytes

    @property
    def number(self) -> int:
        """Of the segment that is written, or of the next one."""
        return self._number

    def append(self, record: Taped) -> None:
        """Take a record; it is acknowledged when a later :meth:`sync` has returned.

        Raises
        ------
        DataError
            When it is larger than a record can be.
        """
        if len(record.content) > LARGEST:
            found = len(record.content)
            raise DataError(
                f"record of line {record.line} has {found} bytes, expected at most {LARGEST}"
            )
        self._waiting.append(record)
        self._appended_bytes += _size(record)

    def sync(self) -> None:
        """Put everything appended before on disk; after it returns, that survives ``kill -9``.

        Raises
        ------
        OSError
            When the disk is full or fails: the records wait on, and it can be called again.
        """
        while batch := self._next_batch():
            opened = self._segment_for(batch[0])
            opened.write(batch)
            self._acknowledged_ms = batch[-1].seen_ms
            self._acknowledged += len(batch)
            del self._waiting[: len(batch)]
            self._written_bytes += sum(map(_size, batch))

    def close(self) -> None:
        """Put everything on disk, close the segment and compress what is closed.

        Raises
        ------
        OSError
            When the disk is full or fails; it can be called again.
        """
        self.sync()
        self._roll()
        self.compress()

    def compress(self) -> None:
        """Compress the segments that are closed.

        Raises
        ------
        OSError
            When the disk is full or fails; they stay as they are, and it can be called again.
        """
        compress_closed(self._folder, self._venue, before=self._number)

    def _next_batch(self) -> list[Taped]:
        """The first records that wait and belong to one segment."""
        waiting = self._waiting[:]  # another thread may append meanwhile
        if not waiting:
            return []
        hour, size = waiting[0].seen_ms // HOUR_MS, 0
        for number, record in enumerate(waiting):
            if record.seen_ms // HOUR_MS != hour or size > self._roll_bytes:
                return waiting[:number]
            size += _size(record)
        return waiting

    def _segment_for(self, record: Taped) -> "_OpenSegment":
        opened = self._open
        if opened is not None and not opened.fits(record, self._roll_bytes):
            self._roll()
        if self._open is None:
            self._open = _OpenSegment(self._folder, self._venue, record.seen_ms, self._number)
        return self._open

    def _roll(self) -> None:
        if self._open is not None:
            self._open.end()
            self._open = None
            self._number += 1


def _size(record: Taped) -> int:
    return len(record.content) + len(record.line) + _RECORD_BYTES


class _OpenSegment:
    """The segment that is written: always back at what is on disk for sure before it writes."""

    def __init__(self, folder: Path, venue: str, seen_ms: int, number: int) -> None:
        self._path = segment_path(folder, venue, seen_ms=seen_ms, number=number)
        self._hour = seen_ms // HOUR_MS
        self._seen_ms = seen_ms
        self._path.parent.mkdir(exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o644)
        self._synced = 0
        self._count = 0
        header = header_of(venue, seen_ms=seen_ms, number=number)
        try:
            self._mark, _ = mark_of(header, self._path, venue=venue, number=number)
            self._put(header)
            sync_to_disk(self._path.parent)
            sync_to_disk(self._path.parent.parent)
        except OSError:
            os.close(self._file)
            raise

    def fits(self, record: Taped, roll_bytes: int) -> bool:
        """Whether a record belongs here."""
        return record.seen_ms // HOUR_MS == self._hour and self._synced < roll_bytes

    def write(self, batch: list[Taped]) -> None:
        """Put records on disk."""
        at, pieces = self._synced, []
        for record in batch:
            piece = encode_record(record, mark=self._mark, offset=at, synced=self._synced)
            pieces.append(piece)
            at += len(piece)
        self._put(b"".join(pieces))
        self._count += len(batch)
        self._seen_ms = batch[-1].seen_ms

    def end(self) -> None:
        """Write the end and close the file."""
        ending = encode_end(
            self._count, seen_ms=self._seen_ms, mark=self._mark, offset=self._synced
        )
        self._put(ending)
        os.close(self._file)

    def _put(self, content: bytes) -> None:
        """Write behind what is on disk for sure; what an earlier failure left there goes first."""
        os.ftruncate(self._file, self._synced)
        view, at = memoryview(content), self._synced
        while view:
            done = os.pwrite(self._file, view, at)
            view, at = view[done:], at + done
        os.fdatasync(self._file)
        self._synced = at


def read_tape(
    folder: Path,
    venue: str,
    *,
    since_ms: int,
    until_ms: int,
    on_fault: Callable[[TapeFault], None] | None = None,
) -> Iterator[Taped]:
    """The records seen from `since_ms` to before `until_ms`, in the order in which they were taped.

    That is the order of `seen_ms` but where the clock was set back. A tape that is being written
    can be read.

    Parameters
    ----------
    folder : Path
        Of all venues' tapes.
    venue : str
    since_ms, until_ms : int
        Milliseconds since the epoch.
    on_fault : callable, optional
        Told of every span of bytes that are no records. The unfinished end of the last segment is
        only told; without `on_fault` it is dropped, and any other fault is an error. With it the
        reading goes on behind the fault: for saving what can be saved.

    Raises
    ------
    StoreError
        At bytes that are not what was written: the file and the offset.
    """
    segments = segments_of(folder, venue)
    for segment in segments:
        if segment.hour_ms < until_ms and segment.hour_ms + HOUR_MS > since_ms:
            last = segment is segments[-1]
            for record in _records(segment, venue, last, on_fault):
                if since_ms <= record.seen_ms < until_ms:
                    yield record


def _records(
    segment: Segment, venue: str, last: bool, on_fault: Callable[[TapeFault], None] | None
) -> Iterator[Taped]:
    path = segment.path
    content = segment_bytes(path)
    if last and not segment.closed and MAGIC not in content:
        return  # begun this moment
    mark, start = mark_of(content, path, venue=venue, number=segment.number)
    ended, count = False, 0
    for placed in placed_records(content, path, mark=mark, start=start):
        if isinstance(placed, TapeFault):
            _tell(placed, last, on_fault)
        elif placed.record is None:
            ended = True
            if placed.count != count and on_fault is None:
                raise StoreError(f"{path}: {count} records, expected {placed.count}")
        elif ended and on_fault is None:
            raise StoreError(f"{path}: a record behind the end, at byte {placed.offset}")
        else:
            count += 1
            yield placed.record
    if not ended and on_fault is None and not last:
        raise StoreError(f"{path}: cut at byte {len(content)}, expected the end of a segment")


def _tell(fault: TapeFault, last: bool, on_fault: Callable[[TapeFault], None] | None) -> None:
    if on_fault is not None:
        on_fault(fault)
    elif fault.what != "torn" or not last or fault.path.suffix == ".gz":
        raise StoreError(f"{fault.to_text()}, expected a record")
