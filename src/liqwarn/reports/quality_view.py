"""Completeness and quality of the data behind the scores, by symbol and by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from liqwarn.reports.formats import DASH, finite, percent, utc

__all__ = ["FieldRow", "QualityRow", "doubt_lines", "field_rows", "quality_rows"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field over the symbols that have it."""

    field: str
    symbols: int
    covered: str
    lowest: str
    holes: str
    longest: str
    silent: str
    age: str
    held: str


def field_rows(account: Mapping[str, Any] | None) -> list[FieldRow]:
    """One row a field, in the order of the panel; none without an account."""
    if account is None:
        return []
    by_field: dict[str, list[Mapping[str, Any]]] = {}
    for row in account["fields"]:
        if row["promised"]:
            by_field.setdefault(row["field"], []).append(row)
    return [_field_row(name, rows) for name, rows in by_field.items()]


def _field_row(name: str, rows: Sequence[Mapping[str, Any]]) -> FieldRow:
    worst = min(rows, key=lambda row: row["coverage"])
    longest = max((hole["bars"] for row in rows for hole in row["longest"]), default=0)
    silent = [row["symbol"] for row in rows if row["silent_bars"]]
    known = sum(row["known"] for row in rows)
    held = sum(row["known"] * (row["held_frac"] or 0.0) for row in rows)
    lowest = "" if worst["coverage"] == 1.0 else f" ({worst['symbol']})"
    return FieldRow(
        field=name,
        symbols=len(rows),
        covered=percent(known / sum(row["promised"] for row in rows), 1),
        lowest=percent(finite(worst["coverage"]), 1) + lowest,
        holes=f"{sum(row['holes'] for row in rows):,}",
        longest=f"{longest:,}" if longest else DASH,
        silent=", ".join(silent) or DASH,
        age=_age([row["age_median_s"] for row in rows], [row["age_p99_s"] for row in rows]),
        held=percent(held / known if known else None, 0),
    )


def _age(medians: Sequence[float | None], late: Sequence[float | None]) -> str:
    usual = [age for age in medians if age is not None]
    old = [age for age in late if age is not None]
    if not usual or not old:
        return DASH
    usual_s = sorted(usual)[len(usual) // 2]
    if usual_s == max(old) == 0.0:
        return "at the close"
    return f"{timedelta(seconds=round(usual_s))} to {timedelta(seconds=round(max(old)))}"


def doubt_lines(account: Mapping[str, Any] | None) -> list[str]:
    """A line for each rule that doubts bars of a symbol."""
    rows = [] if account is None else account["doubts"]
    return [
        f"{row['symbol']}: {row['bars']:,} bars in doubt ({row['rule']}), the last at "
        f"{utc(row['last'])}"
        for row in rows
    ]
