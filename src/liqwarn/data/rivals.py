"""Two sources of equal priority must not tell different values of the same cell."""

from collections.abc import Sequence

import numpy as np

from liqwarn.data.panel import Calendar, Panel, Source
from liqwarn.data.records import Records, SeriesKey
from liqwarn.data.snapshot import Snapshot
from liqwarn.errors import ConflictError

__all__ = ["check_rivals"]

_SAME = 1e-6
"""Relative difference below which two values are one (providers ship 32-bit floats)."""


def check_rivals(
    batch: Sequence[Records], told: Source | Calendar, panel: Panel, stored: Snapshot
) -> None:
    """Compare new records with what other sources of the same priority already told.

    Raises
    ------
    ConflictError
        Naming row, field and both values. Giving one source a higher `priority` decides it.
    """
    if isinstance(told, Calendar):
        return
    for other in panel.sources:
        shared = set(told.fields) & set(other.stored_fields)
        if other.name == told.name or other.priority != told.priority or not shared:
            continue
        for records in batch:
            if len(records):
                _compare(records, other.name, sorted(shared), stored)


def _compare(records: Records, other: str, shared: Sequence[str], stored: Snapshot) -> None:
    key = SeriesKey(panel=records.key.panel, source=other, symbol=records.key.symbol)
    rival = stored.read(key, start=int(records.event[0]), end=int(records.event[-1]))
    _, ours, theirs = np.intersect1d(
        records.event, rival.event, assume_unique=True, return_indices=True
    )
    for field in shared:
        if field not in records.values or field not in rival.values:
            continue
        a, b = records.values[field][ours], rival.values[field][theirs]
        with np.errstate(invalid="ignore"):
            differs = np.abs(a - b) > _SAME * np.maximum(np.abs(a), np.abs(b))
        if differs.any():
            at = int(np.argmax(differs))
            raise ConflictError(
                f"row {records.row[ours[at]]} field '{field}' of {records.key.symbol}: "
                f"{a[at]!r} contradicts {b[at]!r} from source '{other}' of the same priority; "
                "give one of them a higher priority"
            )
