"""The account of an ingest: what became of every row of every file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["FileSummary", "IngestSummary"]

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
        """The summary for a person: a line a file, then the refusals by reason."""
        lines = [
            f"{file.file}: {file.rows:,} rows, {file.new:,} new, {file.unchanged:,} unchanged"
            + (f", {file.replaced:,} replaced" if file.replaced else "")
            + (f", {file.duplicates:,} duplicates" if file.duplicates else "")
            + (f", {file.gaps:,} steps missing" if file.gaps else "")
            + (f", {sum(file.quarantined.values()):,} quarantined" if file.quarantined else "")
            for file in self.files
        ]
        refused = [f"quarantined, {reason}: {n:,}" for reason, n in self.quarantined.items()]
        total = f"{self.panel}: {self.total('rows'):,} rows read, {self.total('new'):,} new"
        return "\n".join([*lines, *self.absent, *refused, total])
