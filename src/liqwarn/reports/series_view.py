"""Timelines of the page: tiers and probabilities of each symbol over the last 90 days."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.decisions import Tier
from liqwarn.frames import SIDES, epoch_seconds
from liqwarn.reports.formats import finite, utc
from liqwarn.reports.scales import LogScale, TimeScale
from liqwarn.reports.tiers import tier_number, tier_title
from liqwarn.reports.timelines import Run, decimate_max, line_path, run_path, tier_runs

__all__ = ["DAYS", "Marker", "SeriesView", "SideSeries", "SymbolSeries", "series_view"]

DAYS: Final = 90
"""How much of the past the timelines show."""

_BUCKETS: Final = 540
_DAY: Final = 86_400
_ORDINARY_BAR: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSeries:
    """One side of one symbol."""

    side: str
    runs: tuple[Run, ...]
    tier_paths: tuple[tuple[int, str], ...]
    line: str
    peaks: tuple[float | None, ...]
    last_tier: int
    last_title: str
    share_raised: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Onset of an event on a timeline."""

    side: str
    x: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSeries:
    """Both sides of one symbol, its base rate and its events."""

    symbol: str
    sides: tuple[SideSeries, ...]
    base_y: float | None
    markers: tuple[Marker, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """All symbols on one time axis."""

    symbols: tuple[SymbolSeries, ...]
    time: TimeScale
    probability: LogScale
    span: str

    def payload(self) -> dict[str, Any]:
        """What the page's script needs to read values under the pointer."""
        start = self.time.start
        return {
            "start": start,
            "end": self.time.end,
            "tiers": [tier_title(tier) for tier in Tier],
            "symbols": {
                s.symbol: {
                    side.side: {
                        "runs": [
                            [run.start - start, run.end - start, run.tier] for run in side.runs
                        ],
                        "p": [None if p is None else round(1e5 * p) for p in side.peaks],
                    }
                    for side in s.sides
                }
                for s in self.symbols
            },
        }


def series_view(scores: pd.DataFrame, events: pd.DataFrame) -> SeriesView | None:
    """The last 90 days of every symbol, strictest tier now first; None without scores."""
    if scores.empty:
        return None
    stamped = scores.assign(_s=_seconds(scores["time"])).sort_values("_s", kind="stable")
    bar_s = _bar_seconds(stamped["_s"])
    end = int(stamped["_s"].iloc[-1]) + bar_s
    time = TimeScale(max(end - DAYS * _DAY, int(stamped["_s"].iloc[0])), end)
    recent = stamped[stamped["_s"] >= time.start]
    scale = LogScale.around(recent["p_4h"])
    symbols = [
        _symbol(str(symbol), rows, events, _Axes(time, scale, bar_s))
        for symbol, rows in recent.groupby("symbol", sort=True)
    ]
    symbols.sort(key=lambda s: (-max(side.last_tier for side in s.sides), s.symbol))
    span = f"{_utc(time.start)} to {_utc(end)} UTC"
    return SeriesView(symbols=tuple(symbols), time=time, probability=scale, span=span)


@dataclass(frozen=True, slots=True)
class _Axes:
    time: TimeScale
    probability: LogScale
    bar_s: int


def _seconds(times: "pd.Series[Any]") -> "np.ndarray[Any, np.dtype[np.int64]]":
    naive = pd.to_datetime(times, utc=True).dt.tz_localize(None)
    return epoch_seconds(naive.to_numpy())


def _utc(seconds: int) -> str:
    return utc(pd.Timestamp(seconds, unit="s", tz="UTC"))


def _bar_seconds(seconds: "pd.Series[Any]") -> int:
    steps = np.diff(np.unique(seconds.to_numpy()))
    return int(steps.min()) if steps.size else _ORDINARY_BAR


def _symbol(symbol: str, rows: pd.DataFrame, events: pd.DataFrame, axes: _Axes) -> SymbolSeries:
    bases = [b for b in map(finite, rows["base_rate"].tail(2)) if b]
    return SymbolSeries(
        symbol=symbol,
        sides=tuple(
            _side(side, rows[rows["side"] == side], axes)
            for side in SIDES
            if bool((rows["side"] == side).any())
        ),
        base_y=100 - axes.probability.at(sum(bases) / len(bases)) if bases else None,
        markers=tuple(_markers(symbol, events, axes.time)),
    )


def _side(side: str, rows: pd.DataFrame, axes: _Axes) -> SideSeries:
    seconds = rows["_s"].to_numpy(dtype=np.int64)
    tiers = [tier_number(tier) for tier in rows["tier"]]
    runs = tier_runs(seconds, tiers, axes.bar_s)
    likely = rows["p_4h"].to_numpy(dtype=np.float64, na_value=np.nan)
    peaks = decimate_max(seconds, likely, axes.time, _buckets(axes))
    paths = ((tier, run_path(runs, tier, axes.time)) for tier in range(1, len(Tier)))
    return SideSeries(
        side=side,
        runs=tuple(runs),
        tier_paths=tuple((tier, path) for tier, path in paths if path),
        line=line_path(peaks, axes.probability),
        peaks=tuple(peaks),
        last_tier=tiers[-1],
        last_title=tier_title(tiers[-1]),
        share_raised=sum(tier >= Tier.T2 for tier in tiers) / len(tiers),
    )


def _buckets(axes: _Axes) -> int:
    bars = (axes.time.end - axes.time.start) // axes.bar_s
    return max(min(_BUCKETS, bars), 1)


def _markers(symbol: str, events: pd.DataFrame, time: TimeScale) -> Iterator[Marker]:
    mine = events[events["symbol"] == symbol]
    if mine.empty:
        return
    for moment, side in zip(_seconds(mine["onset"]).tolist(), mine["side"], strict=True):
        if time.start <= moment <= time.end:
            title = f"{side} cascade, onset {_utc(moment)} UTC"
            yield Marker(side=str(side), x=time.at(moment), title=title)
