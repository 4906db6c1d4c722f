"""How good the data of a panel is: coverage, holes, staleness, disagreement, doubt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from pathlib import Path
from typing import Any, Final

import numpy as np

from liqwarn.data.disagreement import Disagreement, across_panels, within_panel
from liqwarn.data.doubt import doubts
from liqwarn.data.field_quality import FieldQuality, field_quality, longest_holes
from liqwarn.errors import ConfigError
from liqwarn.frames import TimeArray
from liqwarn.pipelines.market import Market, MarketJob, open_market
from liqwarn.pipelines.progress import OnProgress, silent
from liqwarn.pipelines.tape_completeness import feed_completeness
from liqwarn.reports.quality_text import quality_text

__all__ = ["QUALITY_DAYS", "QUALITY_FILE", "QualityAccount", "account_of", "check_quality"]

QUALITY_FILE: Final = "quality.json"
"""In the folder of a scoring: the account of its last days."""

QUALITY_DAYS: Final = 90

_MOST_HOLES: Final = 5
_NEEDED: Final = {"close", "open_interest", "long_liq_usd", "short_liq_usd"}
_RULES: Final = {"apart": "prices apart", "mute": "no liquidations told in a run"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityAccount:
    """What was found of one panel.

    Attributes
    ----------
    panel, bar : str
    bars : int
        Bars that count.
    since, until : str
        Their first and last close, ISO 8601 UTC.
    fields : tuple of FieldQuality
    doubts : tuple of dict
        ``symbol``, ``rule``, ``bars``, ``last``; a row for each rule that doubts a bar.
    disagreements : tuple of Disagreement
    feeds : dict
        What the liquidation feeds told over the fall of open interest in their hardest bars, of
        the whole history, see :func:`liqwarn.pipelines.tape_completeness.feed_completeness`;
        empty for a panel without them.
    """

    panel: str
    bar: str
    bars: int
    since: str
    until: str
    fields: tuple[FieldQuality, ...]
    doubts: tuple[dict[str, Any], ...]
    disagreements: tuple[Disagreement, ...]
    feeds: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json`` and the report; what is not known is None."""
        return {
            "panel": self.panel,
            "bar": self.bar,
            "bars": self.bars,
            "since": self.since,
            "until": self.until,
            "fields": [_field(found) for found in self.fields],
            "doubts": list(self.doubts),
            "disagreements": [_apart(found) for found in self.disagreements],
            "feeds": self.feeds,
        }

    def to_text(self) -> str:
        """For a person."""
        return quality_text(self.to_dict())


def check_quality(
    job: MarketJob,
    *,
    against: tuple[Path, ...] = (),
    since: datetime | None = None,
    now: datetime,
    on_progress: OnProgress = silent,
) -> QualityAccount:
    """Bring a panel's store up to date and say how good its data is.

    Parameters
    ----------
    job : MarketJob
    against : tuple of Path
        Panels of other venues or vendors, compared with this one where both know a value.
        They read the same data folder, or their own stores.
    since : datetime, optional
        First close that counts.
    now : datetime
    on_progress : callable

    Raises
    ------
    ConfigError, DataError, StoreError
        As :func:`liqwarn.pipelines.market.open_market`, for any of the panels; and when no bar
        is as late as `since`.
    """
    market = open_market(job, now=now, on_progress=on_progress)
    others = [
        open_market(MarketJob(panel=path, data=job.data), now=now, on_progress=on_progress)
        for path in against
    ]
    return account_of(market, others=others, since=since)


def account_of(
    market: Market, *, others: Sequence[Market] = (), since: datetime | None = None
) -> QualityAccount:
    """The account of an open market, compared with others."""
    frame, panel = market.frame, market.panel
    first = 0 if since is None else int(np.searchsorted(frame.times, _utc64(since)))
    if first == frame.times.size:
        raise ConfigError(
            f"since is {since}, expected not later than the last close, {frame.times[-1]}"
        )
    recent = frame.between(first, frame.times.size)
    apart = [*within_panel(recent, panel)]
    for other in others:
        apart += across_panels((recent, panel), (other.frame, other.panel))
    return QualityAccount(
        panel=panel.name,
        bar=str(panel.bar),
        bars=recent.times.size,
        since=_iso(recent.times[0]),
        until=_iso(recent.times[-1]),
        fields=tuple(field_quality(frame, panel, since=since)),
        doubts=tuple(_doubtful(market, first)),
        disagreements=tuple(apart),
        feeds=_feeds(market),
    )


def _doubtful(market: Market, first: int) -> Iterator[dict[str, Any]]:
    found = doubts(market.frame)._asdict()
    times: TimeArray = market.frame.times
    for row, symbol in enumerate(market.frame.symbols):
        for rule, told in _RULES.items():
            at = np.flatnonzero(found[rule][row, first:]) + first
            if at.size:
                last = _iso(times[at[-1]])
                yield {"symbol": symbol, "rule": told, "bars": int(at.size), "last": last}


def _feeds(market: Market) -> dict[str, Any]:
    """How much the liquidation feeds tell, where the panel has what it takes."""
    if not set(market.panel.fields) >= _NEEDED:
        return {}
    found = feed_completeness(market)
    return {name: found[name] for name in ("sides", "grade", "caveat")}


def _field(found: FieldQuality) -> dict[str, Any]:
    return {
        "symbol": found.symbol,
        "field": found.field,
        "first": None if found.first is None else found.first.isoformat(),
        "last": None if found.last is None else found.last.isoformat(),
        "promised": found.promised,
        "known": found.known,
        "coverage": _number(found.coverage),
        "holes": len(found.holes),
        "longest": [
            {"first": hole.first.isoformat(), "last": hole.last.isoformat(), "bars": hole.bars}
            for hole in longest_holes(found, _MOST_HOLES)
        ],
        "silent_bars": found.silent_bars,
        "age_median_s": _number(found.age_median_s),
        "age_p99_s": _number(found.age_p99_s),
        "age_cap_s": found.age_cap_s,
        "held_frac": _number(found.held_frac),
    }


def _apart(found: Disagreement) -> dict[str, Any]:
    return {
        "asset": found.asset,
        "one": found.one,
        "other": found.other,
        "bars": found.bars,
        "unit": found.unit,
        "median": found.median,
        "p99": found.p99,
        "worst": found.worst,
        "worst_at": found.worst_at.isoformat(),
        "together": _number(found.together),
        "ahead": found.ahead,
    }


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def _utc64(moment: datetime) -> np.datetime64:
    return np.datetime64(int(moment.timestamp()), "s")


def _iso(time: np.datetime64) -> str:
    return f"{time.astype('datetime64[s]')}+00:00"
