"""A series of an API on disk: each value as first seen and when, later revisions beside it.

One CSV a calendar month. A row never changes once it is written: what the provider says anew of
the same moment is appended to a file of revisions, with its own ``seen_at``.
"""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from liqwarn.durable import sha256_of, write_bytes, write_json
from liqwarn.errors import StoreError
from liqwarn.sources.spans import Span, by_month, iso_of, joined, without

__all__ = ["SEEN", "TIME", "Kept", "Reading", "Recording"]

TIME: Final = "time_ms"
SEEN: Final = "seen_at"

_ASKED: Final = "asked.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One row: its stamp in milliseconds since the epoch, and its cells as the provider wrote."""

    time: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Rows that were new, that said the same again, and that said something else."""

    new: int = 0
    same: int = 0
    revised: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            new=self.new + other.new,
            same=self.same + other.same,
            revised=self.revised + other.revised,
        )


class Recording:
    """Files of one series.

    Parameters
    ----------
    folder : Path
        Of the provider.
    kind, name : str
        Such as ``flows`` and ``BTC``: files are ``flows/BTC/BTC-flows-2024-01.csv``, revisions are
        the same below ``revised``.
    columns : sequence of str
        Names of the cells of a reading.
    """

    def __init__(self, folder: Path, kind: str, name: str, columns: Sequence[str]) -> None:
        self._place = folder / kind / name
        self._revised = folder / "revised" / kind / name
        self._stem = f"{name}-{kind}"
        self._header = [TIME, *columns, SEEN]
        self._sweep()
        self._asked = self._read_asked()

    def missing(self, span: Span) -> list[Span]:
        """Parts of a span that were not asked for, or whose file is not what was written."""
        left = []
        for month, part in by_month(span):
            covered = self._covered(month)
            left += without(part, covered)
        return left

    def keep(self, span: Span, readings: Iterable[Reading], *, seen: float, closed: int) -> Kept:
        """Write what a part of a month gave.

        Parameters
        ----------
        span : (int, int)
            What was asked for, inside one month.
        readings : iterable of Reading
            Each time once.
        seen : float
            When the last of them came, seconds since the epoch.
        closed : int
            Milliseconds since the epoch from which on it will be asked again.

        Raises
        ------
        StoreError
            When a file here is damaged or has other columns.
        """
        month = next(by_month(span))[0]
        first, later = self._file(month), self._revised_file(month)
        held, revisions = self._rows(first), self._rows(later)
        newest = {row[0]: row[1:-1] for row in (*held, *revisions)}
        stamp = iso_of(math.ceil(seen) * 1000)
        fresh, changed, same = [], [], 0
        for reading in readings:
            row = [str(reading.time), *reading.cells, stamp]
            old = newest.get(row[0])
            if old is None:
                fresh.append(row)
            elif old == row[1:-1]:
                same += 1
            else:
                changed.append(row)
        if changed:
            self._write(later, [*revisions, *changed])
        if fresh:
            self._write(first, sorted([*held, *fresh], key=lambda row: int(row[0])))
        self._note(month, (span[0], min(span[1], closed)))
        return Kept(new=len(fresh), same=same, revised=len(changed))

    def times(self, span: Span) -> list[int]:
        """Stamps of the rows that are here, sorted."""
        found = []
        for month, (first, end) in by_month(span):
            rows = self._rows(self._file(month))
            found += [time for row in rows if first <= (time := int(row[0])) < end]
        return found

    def _file(self, month: str) -> Path:
        return self._place / f"{self._stem}-{month}.csv"

    def _revised_file(self, month: str) -> Path:
        return self._revised / f"{self._stem}-{month}.csv"

    def _rows(self, path: Path) -> list[list[str]]:
        if not path.is_file():
            return []
        try:
            header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
            bad = next((n for n, row in enumerate(rows, 1) if not self._is_row(row)), None)
        except (ValueError, csv.Error) as error:
            raise StoreError(f"{path}: damaged ({error}); remove it and fetch again") from error
        if header != self._header:
            raise StoreError(
                f"{path}: has columns {header}, expected {self._header}; fetch to another folder"
            )
        if bad is not None:
            raise StoreError(f"{path}: row {bad} is damaged; remove the file and fetch again")
        return rows

    def _is_row(self, row: list[str]) -> bool:
        return len(row) == len(self._header) and row[0].isdecimal()

    def _write(self, path: Path, rows: list[list[str]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([self._header, *rows])
        write_bytes(path, text.getvalue().encode())

    def _sweep(self) -> None:
        """Remove temporary files that a killed run left beside what it wrote."""
        for folder in (self._place, self._revised):
            for left in (*folder.glob(".*.tmp.csv"), *folder.glob(".*.tmp.json")):
                left.unlink(missing_ok=True)

    def _read_asked(self) -> dict[str, Any]:
        """Months with the spans that were asked; nothing when it cannot be read: ask again."""
        try:
            found = orjson.loads((self._place / _ASKED).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    def _covered(self, month: str) -> list[Span]:
        """Spans that were asked, unless the file is not the one that was written then."""
        spans = self._spans(month)
        if spans and self._asked[month].get("sha256") == self._digest(month):
            return spans
        self._asked.pop(month, None)
        return []

    def _spans(self, month: str) -> list[Span]:
        try:
            return [(int(first), int(end)) for first, end in self._asked[month]["spans"]]
        except (KeyError, TypeError, ValueError):
            return []

    def _digest(self, month: str) -> str | None:
        path = self._file(month)
        return sha256_of(path) if path.is_file() else None

    def _note(self, month: str, span: Span) -> None:
        spans = joined([*self._spans(month), span])
        self._asked[month] = {"spans": spans, "sha256": self._digest(month)}
        write_json(self._place / _ASKED, self._asked)
