"""How much of what a panel promises is known at each bar: completeness and quality."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from liqwarn.data.panel import Panel
from liqwarn.frames import BoolArray, FloatArray, MarketFrame, TimeArray

__all__ = ["FrameQuality", "LiveQuality", "measure_quality"]


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
        ``ok``; ``degraded`` when an expected field is missing or the panel has no open interest;
        ``stale`` when a core field is missing that was known before; ``unknown`` before that.
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
        seen = np.logical_or.accumulate(finite, axis=1)
        promised = seen & _valid(frame.times, panel, name)
        expected += promised
        known += promised & finite
        if name in panel.core:
            usable &= finite
            began &= seen
    return _graded(panel, expected, known, usable, began)


class LiveQuality:
    """The same, one bar at a time. One owner: advancing changes it in place.

    Parameters
    ----------
    panel : Panel
    seen : mapping of field to ndarray of bool, shape (n_symbols,)
        Of which symbols each field was ever known.
    """

    def __init__(self, panel: Panel, seen: Mapping[str, BoolArray]) -> None:
        self._panel = panel
        self._names = tuple(seen)
        self._seen = np.array([seen[name] for name in self._names], dtype=np.bool_)
        self._core = np.array([name in panel.core for name in self._names])
        self._spans = [_spans(panel, name) for name in self._names]

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
        nothing = np.full(self._seen.shape[1], np.nan)
        finite = np.isfinite([fields.get(name, nothing) for name in self._names])
        self._seen |= finite
        moment = int(time.astype("datetime64[s]").astype(np.int64))
        valid = np.array([any(a <= moment <= b for a, b in spans) for spans in self._spans])
        promised = self._seen & valid[:, None]
        return _graded(
            self._panel,
            promised.sum(axis=0, dtype=np.float64),
            (promised & finite).sum(axis=0, dtype=np.float64),
            finite[self._core].all(axis=0),
            self._seen[self._core].all(axis=0),
        )


def _spans(panel: Panel, field: str) -> list[tuple[float, float]]:
    """First and last second at which each source of a field is valid."""
    return [
        (
            -np.inf if source.valid.start is None else source.valid.start.timestamp(),
            np.inf if source.valid.end is None else source.valid.end.timestamp(),
        )
        for source in panel.sources
        if field in source.fields
    ]


def _graded(
    panel: Panel, expected: FloatArray, known: FloatArray, usable: BoolArray, began: BoolArray
) -> FrameQuality:
    completeness = np.divide(known, expected, out=np.zeros(known.shape), where=expected > 0)
    complete = (known == expected) & ("open_interest" in panel.fields)
    quality = np.where(complete, "ok", "degraded")
    quality = np.where(usable, quality, np.where(began, "stale", "unknown"))
    return FrameQuality(completeness=completeness, usable=usable, quality=quality)


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
