"""How much of what a panel promises is known at each bar: completeness and quality."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.data.doubt import DOUBT_FIELDS, doubt_of, doubts
from liqwarn.data.panel import Panel
from liqwarn.frames import BoolArray, FloatArray, MarketFrame, TimeArray
from liqwarn.windows.arguments import compiled

__all__ = ["FrameQuality", "LiveQuality", "measure_quality", "promised"]

_OK, _DEGRADED, _STALE, _UNKNOWN = range(4)
_GRADES: Final = np.array(["ok", "degraded", "stale", "unknown"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameQuality:
    """Quality of every bar of a frame.

    Attributes
    ----------
    completeness : ndarray of float64, shape (n_symbols, n_bars)
        Share of the expected fields that are known, 0 to 1.
    usable : ndarray of bool, shape (n_symbols, n_bars)
        Whether every core field is known: without them there is no score.
    quality : ndarray of str, shape (n_symbols, n_bars)
        ``ok``; ``degraded`` when an expected field is missing, the panel has no open interest, or
        values cannot all be true (:mod:`liqwarn.data.doubt`); ``stale`` when a core field is
        missing that was known before; ``unknown`` before that.
    """

    completeness: FloatArray
    usable: BoolArray
    quality: NDArray[np.str_]


def measure_quality(frame: MarketFrame, panel: Panel) -> FrameQuality:
    """Compare what is known with what the panel's sources promise, past-only.

    A field is expected of a symbol from the first bar at which it was known, for as long as some
    source that gives it is valid: a feed that died stays expected until the panel says that it
    ended.
    """
    shape = frame.shape
    expected, known = np.zeros(shape), np.zeros(shape)
    began = np.ones(shape, dtype=np.bool_)
    usable = np.ones(shape, dtype=np.bool_)
    for name in (n for n in panel.fields if not n.startswith("next_")):
        finite = np.isfinite(frame.field(name))
        due = promised(frame, panel, name)
        expected += due
        known += due & finite
        if name in panel.core:
            usable &= finite
            began &= np.logical_or.accumulate(finite, axis=1)
    sound = ~np.logical_or(*doubts(frame))
    whole = (known == expected) & sound & ("open_interest" in panel.fields)
    grade = np.where(whole, "ok", "degraded")
    return FrameQuality(
        completeness=np.divide(known, expected, out=np.zeros(shape), where=expected > 0),
        usable=usable,
        quality=np.where(usable, grade, np.where(began, "stale", "unknown")),
    )


def promised(frame: MarketFrame, panel: Panel, field: str) -> BoolArray:
    """Bars at which a field is expected: from its first value on, while a source of it is valid."""
    seen = np.logical_or.accumulate(np.isfinite(frame.field(field)), axis=1)
    return np.asarray(seen & _valid(frame.times, panel, field))


class _Promised(NamedTuple):
    """What a panel promises of each field: within which seconds, whether core, if it is enough.

    And where the fields are that can be in doubt, -1 for one that is not promised.
    """

    spans: NDArray[np.int64]
    core: BoolArray
    whole: bool
    judged: NDArray[np.int64]


class LiveQuality:
    """The same, one bar at a time. One owner: advancing changes it in place.

    Parameters
    ----------
    panel : Panel
    seen : mapping of field to ndarray of bool, shape (n_symbols,)
        Of which symbols each field was ever known.
    """

    def __init__(self, panel: Panel, seen: Mapping[str, BoolArray]) -> None:
        self._names = tuple(seen)
        self._seen = np.array([seen[name] for name in self._names], dtype=np.bool_)
        self._promised = _Promised(
            spans=_spans(panel, self._names).astype(np.int64),
            core=np.array([name in panel.core for name in self._names], dtype=np.bool_),
            whole="open_interest" in panel.fields,
            judged=np.array([_row(self._names, name) for name in DOUBT_FIELDS], dtype=np.int64),
        )
        self._missing = np.full(self._seen.shape[-1], np.nan)
        self._given = np.empty(self._seen.shape)

    @classmethod
    def start(cls, frame: MarketFrame, panel: Panel) -> "LiveQuality":
        """Quality after a history."""
        names = [name for name in panel.fields if not name.startswith("next_")]
        known = {name: np.isfinite(frame.field(name)) for name in names}
        return cls(panel, {name: np.asarray(cells.any(axis=1)) for name, cells in known.items()})

    @property
    def seen(self) -> Mapping[str, BoolArray]:
        """Which symbols each field was ever known of: everything that is remembered."""
        return dict(zip(self._names, self._seen, strict=True))

    def advance(self, fields: Mapping[str, FloatArray], time: np.datetime64) -> FrameQuality:
        """Quality of the next bar; the arrays have shape (n_symbols,)."""
        found = [fields.get(name, self._missing) for name in self._names]
        np.concatenate(found, out=self._given.reshape(-1))
        moment = int(time.astype("datetime64[s]").astype(np.int64))
        completeness = np.empty(self._missing.size)
        grades = np.empty(self._missing.size, dtype=np.int64)
        _grade(self._given, self._seen, self._promised, moment, (completeness, grades))
        return FrameQuality(
            completeness=completeness, usable=grades <= _DEGRADED, quality=_GRADES[grades]
        )


@compiled
def _grade(
    given: FloatArray,
    seen: BoolArray,
    terms: _Promised,
    moment: int,
    out: tuple[FloatArray, NDArray[np.int64]],
) -> None:
    """Completeness and grade of one bar; `seen` is brought up to it."""
    expected, known = np.zeros(given.shape[1]), np.zeros(given.shape[1])
    usable, began = np.ones(given.shape[1], np.bool_), np.ones(given.shape[1], np.bool_)
    cells = np.empty(terms.judged.size)
    for k in range(given.shape[0]):
        valid = False
        for source in range(terms.spans.shape[2]):
            valid |= terms.spans[0, k, source] <= moment <= terms.spans[1, k, source]
        for s in range(given.shape[1]):
            finite = np.isfinite(given[k, s])
            seen[k, s] |= finite
            if seen[k, s] and valid:
                expected[s] += 1.0
                known[s] += finite
            if terms.core[k]:
                usable[s] &= finite
                began[s] &= seen[k, s]
    for s in range(given.shape[1]):
        out[0][s] = known[s] / expected[s] if expected[s] > 0.0 else 0.0
        if usable[s]:
            for k in range(cells.size):
                row = terms.judged[k]
                cells[k] = given[row, s] if row >= 0 else np.nan
            sound = terms.whole and known[s] == expected[s] and doubt_of(cells) == 0
            out[1][s] = _OK if sound else _DEGRADED
        else:
            out[1][s] = _STALE if began[s] else _UNKNOWN


def _row(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -1


def _spans(panel: Panel, names: tuple[str, ...]) -> TimeArray:
    """First and last second at which each source gives each field, (2, n_fields, n_sources).

    They are the wrong way round where it does not give it.
    """
    ages = np.array(["0001-01-01T00:00:00", "9999-12-31T23:59:59"], dtype="datetime64[s]")
    starts = np.full((len(names), len(panel.sources)), ages[1])
    ends = np.full(starts.shape, ages[0])
    for k, name in enumerate(names):
        for j, source in enumerate(panel.sources):
            if name in source.fields:
                start, end = source.valid.start, source.valid.end
                starts[k, j] = ages[0] if start is None else _utc64(start)
                ends[k, j] = ages[1] if end is None else _utc64(end)
    return np.stack([starts, ends])


def _valid(times: TimeArray, panel: Panel, field: str) -> BoolArray:
    """Bars at which some source of a field is within its valid span."""
    valid = np.zeros(times.size, dtype=np.bool_)
    for source in panel.sources:
        if field in source.fields:
            start, end = source.valid.start, source.valid.end
            inside = np.ones(times.size, dtype=np.bool_)
            if start is not None:
                inside &= times >= _utc64(start)
            if end is not None:
                inside &= times <= _utc64(end)
            valid |= inside
    return valid


def _utc64(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s")
