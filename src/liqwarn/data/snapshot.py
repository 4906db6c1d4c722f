"""Reading the store as it is at one moment: one manifest, whatever a writer does meanwhile."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liqwarn.data.manifest import Manifest, Part
from liqwarn.data.merge import latest
from liqwarn.data.parts import read_part
from liqwarn.data.records import IntArray, Records, SeriesKey
from liqwarn.frames import FloatArray

__all__ = ["Snapshot", "empty_records"]


def empty_records(key: SeriesKey) -> Records:
    """A series nothing is known of."""
    none = np.empty(0, dtype=np.int64)
    return Records(key=key, event=none, known=none, values={}, row=none)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A store and the manifest it had."""

    root: Path
    manifest: Manifest

    def first_event(self, key: SeriesKey) -> int | None:
        """Earliest event time of a series, seconds UTC; None when there is none."""
        return min((part.first for part in self.manifest.of(key)), default=None)

    def read(self, key: SeriesKey, *, start: int | None = None, end: int | None = None) -> Records:
        """The last writing of each event time of a series, within ``[start, end]`` seconds UTC.

        Raises
        ------
        StoreError
            Naming the part that is missing, cut short or changed.
        """
        return self.read_with_origin(key, start=start, end=end)[0]

    def read_with_origin(
        self, key: SeriesKey, *, start: int | None = None, end: int | None = None
    ) -> tuple[Records, IntArray]:
        """The same, with the id of the provider file each row came from."""
        parts = [p for p in self.manifest.of(key) if _meets(p, start, end)]
        if not parts:
            return empty_records(key), np.empty(0, dtype=np.int64)
        read = [read_part(self.root, part) for part in parts]
        records = [part[0] for part in read]
        pick = latest(records)
        whole = Records(
            key=key,
            event=np.concatenate([r.event for r in records])[pick],
            known=np.concatenate([r.known for r in records])[pick],
            values={name: _column(records, name)[pick] for name in _names(records)},
            row=np.zeros(pick.size, dtype=np.int64),
        )
        keep = np.ones(pick.size, dtype=np.bool_)
        keep &= True if start is None else whole.event >= start
        keep &= True if end is None else whole.event <= end
        return whole.take(keep), np.concatenate([part[1] for part in read])[pick][keep]

    def history(self, key: SeriesKey) -> list[Records]:
        """Every writing of a series, oldest first, replaced values included."""
        return [read_part(self.root, part)[0] for part in self.manifest.of(key)]


def _meets(part: Part, start: int | None, end: int | None) -> bool:
    return (start is None or part.last >= start) and (end is None or part.first <= end)


def _names(records: list[Records]) -> list[str]:
    return sorted({name for part in records for name in part.values})


def _column(records: list[Records], name: str) -> FloatArray:
    return np.concatenate([r.values.get(name, np.full(len(r), np.nan)) for r in records])
