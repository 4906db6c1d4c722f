"""What records add to what is stored, row by row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liqwarn.data.records import Records
from liqwarn.frames import FloatArray

__all__ = ["Clash", "Difference", "compare", "latest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """The first cell that contradicts the store; `stored_at` is its position there."""

    row: int
    field: str
    event: int
    old: float
    new: float
    cells: int
    stored_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What an append has to write.

    Attributes
    ----------
    fresh : Records
        Rows to write: new times, and stored times of which a cell is new or different.
    new, unchanged, replaced : int
        Rows at new times or with new cells only; the same; with a cell of another value.
    clash : Clash or None
    """

    fresh: Records
    new: int
    unchanged: int
    replaced: int
    clash: Clash | None


def compare(stored: Records, told: Records) -> Difference:
    """Split records into what the store has, lacks, and contradicts.

    An empty cell says nothing: it neither contradicts a stored value nor removes it.
    """
    at = np.minimum(np.searchsorted(stored.event, told.event), max(len(stored) - 1, 0))
    match = np.zeros(len(told), dtype=np.bool_)
    if len(stored):
        match = stored.event[at] == told.event
    added = np.zeros(len(told), dtype=np.bool_)
    clashes: dict[str, NDArray[np.bool_]] = {}
    values: dict[str, FloatArray] = {}
    for name in sorted({*told.values, *stored.values}):
        new, old = _column(told, name), _column(stored, name)
        old = np.where(match, old[at], np.nan) if len(stored) else np.full(len(told), np.nan)
        empty = np.isnan(new)
        added |= ~empty & np.isnan(old)
        clashes[name] = ~empty & ~np.isnan(old) & (new != old)
        values[name] = np.where(empty, old, new)
    clashes["known_at"] = match & (told.known != (stored.known[at] if len(stored) else 0))
    clash = np.any(list(clashes.values()), axis=0)
    merged = Records(key=told.key, event=told.event, known=told.known, values=values, row=told.row)
    return Difference(
        fresh=merged.take(~match | added | clash),
        new=int(((~match | added) & ~clash).sum()),
        unchanged=int((match & ~added & ~clash).sum()),
        replaced=int(clash.sum()),
        clash=_first_clash(stored, told, clashes, at) if clash.any() else None,
    )


def _column(records: Records, name: str) -> FloatArray:
    found = records.values.get(name)
    return np.full(len(records), np.nan) if found is None else found


def _first_clash(
    stored: Records,
    told: Records,
    clashes: dict[str, NDArray[np.bool_]],
    at: NDArray[np.intp],
) -> Clash:
    field = min(
        (name for name in clashes if clashes[name].any()), key=lambda n: int(np.argmax(clashes[n]))
    )
    i = int(np.argmax(clashes[field]))
    if field == "known_at":
        old, new = float(stored.known[at[i]]), float(told.known[i])
    else:
        old, new = float(stored.values[field][at[i]]), float(told.values[field][i])
    cells = int(sum(int(found.sum()) for found in clashes.values()))
    return Clash(
        row=int(told.row[i]), field=field, event=int(told.event[i]), old=old, new=new,
        cells=cells, stored_at=int(at[i]),
    )  # fmt: skip


def latest(parts: list[Records]) -> NDArray[np.intp]:
    """Positions, in the parts put end to end, of the last writing of each event time.

    >>> from liqwarn.data.records import SeriesKey
    >>> key = SeriesKey(panel="p", source="s", symbol="BTCUSDT")
    >>> def at(*event):
    ...     t = np.array(event, dtype=np.int64)
    ...     return Records(key=key, event=t, known=t, values={}, row=t)
    >>> latest([at(60, 120), at(120, 180)])
    array([0, 2, 3])
    """
    event = np.concatenate([part.event for part in parts])
    order = np.argsort(event, kind="stable")
    ordered = event[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    return order[last]
