"""Files on their way into the store: what each adds to what is there, written together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liqwarn.data.manifest import Origin
from liqwarn.data.merge import Clash, Difference, compare
from liqwarn.data.records import IntArray, Records, SeriesKey
from liqwarn.data.snapshot import Snapshot

__all__ = ["FileRecords", "Fresh", "Pending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecords:
    """The records of one provider file, each series once."""

    batch: Sequence[Records]
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fresh:
    """Rows of one series that are to be written, and the id of the file of each."""

    records: Records
    origin: IntArray


class Pending:
    """What a few files add to a store, collected; the store itself is read once a series.

    Parameters
    ----------
    snapshot : Snapshot
    files : sequence of FileRecords
        Of each series, the records of a file begin after those of the files before it end.
    """

    def __init__(self, snapshot: Snapshot, files: Sequence[FileRecords]) -> None:
        spans: dict[SeriesKey, tuple[int, int]] = {}
        for records in (records for file in files for records in file.batch if len(records)):
            first, last = spans.get(records.key, (int(records.event[0]), 0))
            spans[records.key] = (first, max(last, int(records.event[-1])))
        self._stored = {
            key: snapshot.read_with_origin(key, start=first, end=last)
            for key, (first, last) in spans.items()
        }
        self._fresh: dict[SeriesKey, list[tuple[Records, int]]] = {}
        self._origins = list(snapshot.manifest.origins)
        self._known = {(o.file, o.sha256): i for i, o in enumerate(self._origins)}

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Files of the store, those that bring something now included."""
        return tuple(self._origins)

    def changes(self, file: FileRecords) -> list[Difference]:
        """What each series of a file adds to what is stored, or contradicts."""
        return [self._change(records) for records in file.batch]

    def origin_of(self, key: SeriesKey, clash: Clash) -> int:
        """Id of the file that told the stored value of a clash."""
        stored, origins = self._stored[key]
        return int(origins[int(np.searchsorted(stored.event, clash.event))])

    def take(self, file: FileRecords, changes: Sequence[Difference]) -> None:
        """Collect what a file adds."""
        fresh = [change.fresh for change in changes if len(change.fresh)]
        if not fresh:
            return
        name = (file.origin.file, file.origin.sha256)
        if name not in self._known:
            self._known[name] = len(self._origins)
            self._origins.append(file.origin)
        for records in fresh:
            self._fresh.setdefault(records.key, []).append((records, self._known[name]))

    def fresh(self) -> list[Fresh]:
        """Everything collected, one entry a series, in the order the series came in."""
        return [_joined(key, told) for key, told in self._fresh.items()]

    def _change(self, records: Records) -> Difference:
        if not len(records):
            return compare(records, records)
        stored = self._stored[records.key][0]
        first, last = np.searchsorted(stored.event, records.event[[0, -1]])
        return compare(stored.take(np.arange(first, min(last + 1, len(stored)))), records)


def _joined(key: SeriesKey, told: Sequence[tuple[Records, int]]) -> Fresh:
    parts = [records for records, _ in told]
    names = sorted({name for part in parts for name in part.values})
    empty = {len(part): np.full(len(part), np.nan) for part in parts}
    records = Records(
        key=key,
        event=np.concatenate([part.event for part in parts]),
        known=np.concatenate([part.known for part in parts]),
        values={
            name: np.concatenate([part.values.get(name, empty[len(part)]) for part in parts])
            for name in names
        },
        row=np.concatenate([part.row for part in parts]),
    )
    ids = [np.full(len(part), number, dtype=np.int64) for part, number in told]
    return Fresh(records=records, origin=np.concatenate(ids))
