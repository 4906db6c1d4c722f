"""Completeness and quality of the data behind the scores, by symbol."""

from dataclasses import dataclass

import pandas as pd

from liqwarn.reports.formats import finite, percent

__all__ = ["QualityRow", "quality_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """One symbol over the span of the timelines."""

    symbol: str
    bars: int
    now: str
    latest: str
    mean: str
    lowest: str
    shares: tuple[tuple[str, str], ...]
    unscored: str


def quality_rows(scores: pd.DataFrame, since: pd.Timestamp) -> list[QualityRow]:
    """One row a symbol, in alphabetical order."""
    recent = scores[pd.to_datetime(scores["time"], utc=True) >= since]
    return [_row(str(symbol), rows) for symbol, rows in recent.groupby("symbol", sort=True)]


def _row(symbol: str, rows: pd.DataFrame) -> QualityRow:
    ordered = rows.sort_values("time", kind="stable")
    states = ordered["quality"].astype(str)
    counts = states.value_counts(normalize=True)
    whole = ordered["completeness"]
    return QualityRow(
        symbol=symbol,
        bars=int(ordered["time"].nunique()),
        now=str(states.iloc[-1]),
        latest=percent(finite(whole.iloc[-1]), 0),
        mean=percent(finite(whole.mean()), 1),
        lowest=percent(finite(whole.min()), 0),
        shares=tuple(
            (name, percent(float(counts.get(name, 0.0)), 1))
            for name in ("ok", "degraded", "stale", "unknown")
        ),
        unscored=percent(float(ordered["p_4h"].isna().mean()), 1),
    )
