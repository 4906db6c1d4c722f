"""Files that were read, handed to the store a few hundred at a time."""

from dataclasses import dataclass, replace
from typing import Final

from liqwarn.data.pending import FileRecords
from liqwarn.data.quarantine import Rejects
from liqwarn.data.records import SeriesKey
from liqwarn.data.snapshot import Snapshot
from liqwarn.data.store import Store
from liqwarn.data.summary import FileSummary
from liqwarn.errors import ConflictError

__all__ = ["Batches", "Read"]

_MOST_FILES: Final = 512
_MOST_ROWS: Final = 500_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """One provider file, or piece of a query, as read and checked.

    Attributes
    ----------
    summary : FileSummary
        Knows nothing of the store yet.
    place : str
        Where it was read, for messages.
    """

    records: FileRecords
    summary: FileSummary
    rejects: Rejects
    place: str


class Batches:
    """Collects files of one source, and writes them when enough are together.

    Parameters
    ----------
    store : Store
    panel : str
        Name of the panel, for its quarantine.
    replace : bool
        Let a changed value replace the stored one.
    """

    def __init__(self, store: Store, panel: str, *, replace: bool) -> None:
        self._store = store
        self._panel = panel
        self._replace = replace
        self._held: list[Read] = []
        self._rows = 0
        self._ends: dict[SeriesKey, int] = {}
        self._stored: Snapshot | None = None
        self.summaries: list[FileSummary] = []

    @property
    def stored(self) -> Snapshot:
        """The store as it is since the last writing; its manifest is read once for many files."""
        if self._stored is None:
            self._stored = self._store.snapshot()
        return self._stored

    def settle(self, read: Read) -> None:
        """Write what is held, unless this file is of its source and follows it in time."""
        batch = read.records.batch
        same = not self._held or self._held[0].summary.source == read.summary.source
        follows = all(
            int(records.event[0]) > self._ends[records.key]
            for records in batch
            if len(records) and records.key in self._ends
        )
        rows = self._rows + sum(map(len, batch))
        if not (same and follows and rows <= _MOST_ROWS and len(self._held) < _MOST_FILES):
            self.flush()

    def add(self, read: Read) -> None:
        """Hold a file that was settled."""
        self._held.append(read)
        for records in read.records.batch:
            if len(records):
                self._ends[records.key] = int(records.event[-1])
                self._rows += len(records)

    def flush(self) -> None:
        """Write everything that is held.

        Raises
        ------
        ConflictError
            Naming the file that contradicts the store; the files before it are written.
        """
        held, self._held, self._rows, self._ends = self._held, [], 0, {}
        if not held:
            return
        self._stored = None
        try:
            counts = self._store.append_files([r.records for r in held], replace=self._replace)
        except ConflictError as error:
            read = next((r for r in held if str(error).startswith(r.summary.file)), held[-1])
            raise ConflictError(f"{read.place} ({read.summary.source}): {error}") from error
        for read, count in zip(held, counts, strict=True):
            origin = read.records.origin
            file = self._store.quarantine_file(self._panel, read.summary.source, origin)
            read.rejects.write(file, origin.file)
            self.summaries.append(
                replace(
                    read.summary,
                    new=count.new,
                    unchanged=count.unchanged,
                    replaced=count.replaced,
                )
            )
