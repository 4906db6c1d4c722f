"""Rows that were refused, each with its reason: counted, kept, never dropped in silence."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liqwarn.durable import write_bytes

__all__ = ["Refusal", "Rejects"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refused cell or row of a provider file; `row` counts data rows from 1."""

    row: int
    field: str
    value: str
    reason: str


@dataclass(slots=True)
class Rejects:
    """Collects refusals while a file is checked, and keeps them as JSON lines."""

    refusals: list[Refusal] = field(default_factory=list)

    def add(
        self, rows: NDArray[np.int64], field_name: str, values: NDArray[np.generic], reason: str
    ) -> None:
        """Refuse cells: their row numbers, the field, what was found and why."""
        self.refusals += [
            Refusal(row=int(row), field=field_name, value=str(value), reason=reason)
            for row, value in zip(rows.tolist(), values.tolist(), strict=True)
        ]

    def by_reason(self) -> dict[str, int]:
        """Refusals of each reason, sorted by name."""
        return dict(sorted(Counter(refusal.reason for refusal in self.refusals).items()))

    def write(self, path: Path, file: str) -> None:
        """Keep the refusals of one provider file; the same file always gives the same bytes."""
        if not self.refusals:
            return
        lines = [
            json.dumps(
                {"file": file, "row": r.row, "field": r.field, "value": r.value, "reason": r.reason}
            )
            for r in self.refusals
        ]
        write_bytes(path, ("\n".join(lines) + "\n").encode())
