"""The append-only store: parquet parts under hive folders, and a manifest that vouches for them.

::

    manifest.json                                   written last, atomically
    panel=btc_core/source=perp/symbol=BTCUSDT/year=2024/part-00000.parquet
    quarantine/btc_core/perp/….jsonl                refused rows of each provider file

A part is never changed. Rows that correct older ones go to a new part; a read takes the latest
writing of each event time, and the history keeps the others. A replaced value counts as known
when the old one was: the store remembers *that* it was corrected, not when the correction became
public, so replaying the past shows the corrected history.

Whatever kills a writer, a reader sees the store before the append or after it: parts that no
manifest names are ignored, and written over by the next append.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock, Timeout

from liqwarn.data.manifest import Manifest, Origin, Part, load_manifest, save_manifest
from liqwarn.data.merge import Clash
from liqwarn.data.parts import encode, read_part
from liqwarn.data.pending import FileRecords, Fresh, Pending
from liqwarn.data.records import IntArray, Records, SeriesKey
from liqwarn.data.snapshot import Snapshot
from liqwarn.durable import sync_to_disk, write_bytes
from liqwarn.errors import ConflictError, StoreError

__all__ = ["AppendCount", "Origin", "Store"]

_LOCK_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendCount:
    """What an append did: rows new, unchanged and replaced."""

    new: int
    unchanged: int
    replaced: int


class Store:
    """Records of provider files, as known.

    Parameters
    ----------
    root : Path
        Folder of the store; created by the first append.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()))
    >>> store.verify(), store.keys()
    (0, ())
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """Folder of the store."""
        return self._root

    @property
    def sha256(self) -> str:
        """Hash of everything in it: the same rows give the same hash, whenever ingested."""
        return load_manifest(self._root).sha256

    def snapshot(self) -> Snapshot:
        """The store as it is now, for several reads that belong together."""
        return Snapshot(root=self._root, manifest=load_manifest(self._root))

    def keys(self) -> tuple[SeriesKey, ...]:
        """Series the store holds, sorted."""
        return tuple(sorted({part.key for part in load_manifest(self._root).parts.values()}))

    def read(self, key: SeriesKey, *, start: int | None = None, end: int | None = None) -> Records:
        """The last writing of each event time of a series, within ``[start, end]`` seconds UTC."""
        return self.snapshot().read(key, start=start, end=end)

    def verify(self) -> int:
        """Read everything the manifest names and check it; how many parts there are.

        Raises
        ------
        StoreError
            Naming every part that is missing, cut short or changed.
        """
        faults = []
        parts = load_manifest(self._root).parts
        for _, part in sorted(parts.items()):
            try:
                records, _origin = read_part(self._root, part)
                if len(records) != part.rows:
                    faults.append(f"{part.path}: {len(records)} rows, expected {part.rows}")
            except StoreError as error:
                faults.append(str(error))
        if faults:
            raise StoreError("\n".join(faults))
        return len(parts)

    def quarantine_file(self, panel: str, source: str, origin: Origin) -> Path:
        """Where the refused rows of a provider file are kept."""
        name = f"{Path(origin.file).stem}-{origin.sha256[:12]}.jsonl"
        return self._root / "quarantine" / panel / source / name

    def append(
        self, batch: Sequence[Records], *, origin: Origin, replace: bool = False
    ) -> AppendCount:
        """Add what is new in the records of one provider file; all of it or nothing.

        Raises
        ------
        ConflictError
            When a value differs from the stored one and `replace` is not set. Nothing is written.
        StoreError
            When the store is damaged, or another writer holds it for minutes.
        """
        return self.append_files([FileRecords(batch=batch, origin=origin)], replace=replace)[0]

    def append_files(
        self, files: Sequence[FileRecords], *, replace: bool = False
    ) -> list[AppendCount]:
        """Add what is new in several provider files with one writing of parts and manifest.

        Thousands of daily files would otherwise be as many parts and manifests.

        Parameters
        ----------
        files : sequence of FileRecords
            Of each series, the records of a file begin after those of the files before it end.

        Raises
        ------
        ConflictError
            When a value differs from the stored one and `replace` is not set. The files before
            that one are written, it and those after it are not.
        StoreError
            When the store is damaged, or another writer holds it for minutes.
        """
        try:
            _make_folders(self._root)
            with FileLock(self._root / ".lock", timeout=_LOCK_SECONDS):
                return self._append(files, replace=replace)
        except Timeout as error:
            raise StoreError(f"{self._root}: another writer holds the lock") from error
        except OSError as error:
            raise StoreError(f"{self._root}: cannot be written ({error.strerror})") from error

    def _append(self, files: Sequence[FileRecords], *, replace: bool) -> list[AppendCount]:
        snapshot = self.snapshot()
        pending = Pending(snapshot, files)
        counts, refusal = [], None
        for file in files:
            changes = pending.changes(file)
            clash = next((change for change in changes if change.clash is not None), None)
            if clash is not None and clash.clash is not None and not replace:
                old = snapshot.manifest.origins[pending.origin_of(clash.fresh.key, clash.clash)]
                refusal = _conflict(clash.fresh.key, clash.clash, file.origin, old)
                break
            pending.take(file, changes)
            counts.append(
                AppendCount(
                    new=sum(change.new for change in changes),
                    unchanged=sum(change.unchanged for change in changes),
                    replaced=sum(change.replaced for change in changes),
                )
            )
        fresh = pending.fresh()
        if fresh:
            self._write(snapshot.manifest, pending.origins, fresh)
        if refusal is not None:
            raise ConflictError(refusal)
        return counts

    def _write(
        self, manifest: Manifest, origins: tuple[Origin, ...], fresh: Sequence[Fresh]
    ) -> None:
        if not manifest.parts:  # parts without any manifest are a store whose manifest was deleted
            save_manifest(self._root, manifest)
        parts = dict(manifest.parts)
        for year, records, origin in _by_year(fresh):
            part, content = _new_part(parts, year, records, origin)
            path = self._root / part.path
            _make_folders(path.parent)
            _remove_leftovers(path.parent)
            write_bytes(path, content)
            parts[part.path] = part
        _remove_leftovers(self._root)
        save_manifest(self._root, Manifest(origins=origins, parts=parts))


def _by_year(fresh: Sequence[Fresh]) -> Iterator[tuple[int, Records, IntArray]]:
    for told in fresh:
        event = told.records.event
        years = event.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
        for year in np.unique(years).tolist():
            yield year, told.records.take(years == year), told.origin[years == year]


def _new_part(
    parts: Mapping[str, Part], year: int, records: Records, origin: IntArray
) -> tuple[Part, bytes]:
    key = records.key
    folder = f"panel={key.panel}/source={key.source}/symbol={key.symbol}/year={year}"
    number = sum(path.startswith(folder + "/") for path in parts)
    content = encode(records, origin)
    part = Part(
        path=f"{folder}/part-{number:05d}.parquet",
        rows=len(records),
        size=len(content),
        sha256=sha256(content).hexdigest(),
        first=int(records.event[0]),
        last=int(records.event[-1]),
    )
    return part, content


def _make_folders(folder: Path) -> None:
    """Create a folder and its parents, each name durable before anything is put inside."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        sync_to_disk(made.parent)


def _remove_leftovers(folder: Path) -> None:
    """Temporary files of writers that were killed; the lock is held, so nobody writes them now."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink()


def _conflict(key: SeriesKey, clash: Clash, new: Origin, old: Origin) -> str:
    when = np.datetime64(clash.event, "s")
    more = f" ({clash.cells} cells differ)" if clash.cells > 1 else ""
    return (
        f"{new.file} row {clash.row} field '{clash.field}' of {key.symbol} at {when}Z: found "
        f"{clash.new!r}, the store has {clash.old!r} from {old.file}{more}; "
        "ingest with replace to correct it"
    )
