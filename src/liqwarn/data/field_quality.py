"""What is known of each field of each symbol: how much, with which holes, and how old."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from liqwarn.data.panel import Panel
from liqwarn.data.quality import promised
from liqwarn.frames import FIELDS, BoolArray, FloatArray, MarketFrame, TimeArray, epoch_seconds

__all__ = ["FieldQuality", "Hole", "field_quality", "longest_holes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Bars in a row at which a promised field is not known: first close, last close, how many."""

    first: datetime
    last: datetime
    bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldQuality:
    """One field of one symbol over the bars at which it was promised.

    A field is promised from the first bar at which it was known, for as long as a source of it is
    valid: what a feed lacks before it began is no hole, what it lacks after it died is.

    Attributes
    ----------
    symbol, field : str
    first, last : datetime or None
        Bars at which it was known first and last, in the whole frame; None when it never was.
    promised, known : int
        Bars.
    holes : tuple of Hole
        Every hole, in order.
    age_median_s, age_p99_s : float
        Seconds from the value's event to the close of the bars that hold it; NaN when never known.
    held_frac : float
        Share of the known bars whose value is older than a bar: it was held, not told anew.
    age_cap_s : float
        The age beyond which it counts as missing; 0 for what is never held.
    """

    symbol: str
    field: str
    first: datetime | None
    last: datetime | None
    promised: int
    known: int
    holes: tuple[Hole, ...]
    age_median_s: float
    age_p99_s: float
    held_frac: float
    age_cap_s: float

    @property
    def coverage(self) -> float:
        """Share of the promised bars that are known, NaN when none is promised."""
        return self.known / self.promised if self.promised else float("nan")

    @property
    def silent_bars(self) -> int:
        """Bars at the end of what is promised without a value: a feed that died."""
        if not self.holes or self.last is None or self.holes[-1].first <= self.last:
            return 0
        return self.holes[-1].bars


def field_quality(
    frame: MarketFrame, panel: Panel, *, since: datetime | None = None
) -> Iterator[FieldQuality]:
    """Each field of each symbol, calendars left out, in the order of the panel.

    Parameters
    ----------
    frame : MarketFrame
        Of the panel.
    panel : Panel
    since : datetime, optional
        First close that counts; what was promised is of the whole frame all the same.
    """
    seconds = epoch_seconds(frame.times)
    counted = seconds >= (seconds[0] if since is None else int(since.timestamp()))
    missing = np.full(frame.shape, np.nan)
    for name in (n for n in panel.fields if not n.startswith("next_")):
        expected = promised(frame, panel, name) & counted
        known = np.isfinite(frame.field(name))
        ages = frame.ages.get(name, missing)
        for row, symbol in enumerate(frame.symbols):
            there = known[row] & expected[row]
            old = ages[row][there & np.isfinite(ages[row])]
            yield FieldQuality(
                symbol=symbol,
                field=name,
                first=_edge(frame.times, known[row], 0),
                last=_edge(frame.times, known[row], -1),
                promised=int(expected[row].sum()),
                known=int(there.sum()),
                holes=tuple(_holes(seconds, expected[row] & ~known[row])),
                age_median_s=_quantile(old, 0.5),
                age_p99_s=_quantile(old, 0.99),
                held_frac=float((old >= panel.bar_s).mean()) if old.size else float("nan"),
                age_cap_s=panel.max_age_s(name) if FIELDS[name].how == "last" else 0.0,
            )


def longest_holes(found: FieldQuality, most: int) -> tuple[Hole, ...]:
    """The longest holes, the longest first; of equal ones the later first."""
    return tuple(sorted(found.holes, key=lambda hole: (hole.bars, hole.first), reverse=True)[:most])


def _holes(seconds: np.ndarray, absent: BoolArray) -> Iterator[Hole]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], absent, [False]]).astype(np.int8)))
    for start, stop in edges.reshape(-1, 2).tolist():
        yield Hole(
            first=_moment(int(seconds[start])),
            last=_moment(int(seconds[stop - 1])),
            bars=stop - start,
        )


def _edge(times: TimeArray, known: BoolArray, which: int) -> datetime | None:
    at = np.flatnonzero(known)
    return _moment(int(epoch_seconds(times[at[which : which + 1 or None]])[0])) if at.size else None


def _quantile(values: FloatArray, share: float) -> float:
    return float(np.quantile(values, share)) if values.size else float("nan")


def _moment(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
