"""The account of an ingest: what became of every row of every file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["FileSummary", "IngestSummary"]

_MANY: Final = 30
_COUNTS: Final = (
    "rows", "other", "new", "unchanged", "replaced", "duplicates", "empty", "missing", "gaps",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSummary:
    """What became of one provider file.

    Attributes
    ----------
    source, file : str
    rows : int
        Rows in the file.
    other : int
        Rows of other symbols, filtered out, or outside the validity.
    new, unchanged, replaced : int
        Rows the store did not have, had already, or had with another value (``replace``).
    duplicates : int
        Identical copies of a row inside the file.
    empty : int
        Rows in which the file gives none of the panel's fields.
    missing : int
        Empty cells of the panel's fields in the rows kept.
    gaps : int
        Steps missing between first and last row, all symbols.
    quarantined : mapping of reason to int
    """

    source: str
    file: str
    rows: int
    other: int
    new: int
    unchanged: int
    replaced: int
    duplicates: int
    empty: int
    missing: int
    gaps: int
    quarantined: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSummary:
    """What became of every file of a panel.

    Attributes
    ----------
    panel : str
    files : tuple of FileSummary
    absent : tuple of str
        Patterns of optional sources that match no file.
    """

    panel: str
    files: tuple[FileSummary, ...]
    absent: tuple[str, ...] = ()

    def total(self, count: str) -> int:
        """Sum of one count, such as ``new``, over all files."""
        return sum(int(getattr(file, count)) for file in self.files)

    @property
    def quarantined(self) -> dict[str, int]:
        """Refusals of each reason over all files."""
        found: Counter[str] = Counter()
        for file in self.files:
            found.update(file.quarantined)
        return dict(sorted(found.items()))

    def to_dict(self) -> dict[str, object]:
        """The summary as plain data, for ``--json``."""
        return {
            "panel": self.panel,
            **{name: self.total(name) for name in _COUNTS},
            "quarantined": self.quarantined,
            "absent": list(self.absent),
            "files": [
                {
                    "source": file.source,
                    "file": file.file,
                    **{name: getattr(file, name) for name in _COUNTS},
                    "quarantined": dict(file.quarantined),
                }
                for file in self.files
            ],
        }

    def to_text(self) -> str:
        """The summary for a person: a line a file, or a source of many; then refusals by reason."""
        lines = []
        for source in dict.fromkeys(file.source for file in self.files):
            mine = [file for file in self.files if file.source == source]
            if len(mine) > _MANY:
                lines.append(_line(f"{source}: {len(mine):,} files", mine))
            else:
                lines += [_line(file.file, [file]) for file in mine]
        refused = [f"quarantined, {reason}: {n:,}" for reason, n in self.quarantined.items()]
        total = f"{self.panel}: {self.total('rows'):,} rows read, {self.total('new'):,} new"
        return "\n".join([*lines, *self.absent, *refused, total])


def _line(title: str, files: Sequence[FileSummary]) -> str:
    """What became of some files, in one line."""

    def count(name: str) -> int:
        return sum(int(getattr(file, name)) for file in files)

    quarantined = sum(sum(file.quarantined.values()) for file in files)
    return (
        f"{title}: {count('rows'):,} rows, {count('new'):,} new, {count('unchanged'):,} unchanged"
        + (f", {count('replaced'):,} replaced" if count("replaced") else "")
        + (f", {count('duplicates'):,} duplicates" if count("duplicates") else "")
        + (f", {count('gaps'):,} steps missing" if count("gaps") else "")
        + (f", {quarantined:,} quarantined" if quarantined else "")
    )
