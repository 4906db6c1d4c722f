"""The current flags as the page shows them: the state of the desk now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from liqwarn.decisions import HORIZONS_H, Tier
from liqwarn.reports.formats import DASH, finite, percent, signed, utc
from liqwarn.reports.tiers import FlagSide, flag_sides, tier_title

__all__ = ["FlagRow", "Tile", "flag_rows", "limit_phrases", "tiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRow:
    """One row of the table of flags, as text."""

    symbol: str
    side: str
    tier: int
    title: str
    state: str
    probabilities: tuple[str, ...]
    probability: float
    multiple: str
    quantile: str
    limits: tuple[str, ...]
    reasons: tuple[str, ...]
    drivers: tuple[tuple[str, str], ...]
    in_progress: bool
    quality: str
    completeness: str
    valid_until: str
    valid_until_iso: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the summary, with what it means."""

    label: str
    value: str
    detail: str
    tier: int | None = None


def limit_phrases(limits: Mapping[str, Any]) -> tuple[str, ...]:
    """What a restriction allows, in words; empty when the house limits hold.

    >>> limit_phrases({"leverage_frac": 0.5, "order_size_frac": 1.0, "net_increase": False})
    ('leverage ≤ 0.5×', 'no net increase')
    """
    phrases: list[str] = []
    factors = (("leverage_frac", "leverage"), ("order_size_frac", "orders"), ("add_frac", "adds"))
    for key, name in factors:
        factor = finite(limits.get(key))
        if factor is not None and factor < 1:
            phrases.append(f"no {name}" if factor == 0 else f"{name} ≤ {factor:g}×")
    taker = finite(limits.get("max_participation_frac"))
    if taker is not None:
        phrases.append(f"taker ≤ {percent(taker, 0)} of volume")
    if limits.get("net_increase") is False:
        phrases.append("no net increase")
    if limits.get("post_only"):
        phrases.append("post-only entries")
    collar = finite(limits.get("collar_frac"))
    if collar is not None:
        phrases.append(f"collar ±{percent(collar, 1)} of mark")
    if limits.get("cancel_increasing"):
        phrases.append("cancel risk-increasing orders")
    return tuple(phrases)


def flag_rows(flags: tuple[Mapping[str, Any], ...], scores: pd.DataFrame) -> list[FlagRow]:
    """Rows of the table, the strictest first, with the drivers of the latest score."""
    latest = _latest(scores)
    limits = {
        (str(flag["symbol"]), name): side.get("limits") or {}
        for flag in flags
        for name, side in flag["sides"].items()
    }
    return [
        _row(side, latest.get((side.symbol, side.side), {}), limits[side.symbol, side.side])
        for side in flag_sides(flags)
    ]


def _latest(scores: pd.DataFrame) -> dict[tuple[str, str], Mapping[str, Any]]:
    last = scores.sort_values("time", kind="stable").groupby(["symbol", "side"]).tail(1)
    records = [{str(name): value for name, value in r.items()} for r in last.to_dict("records")]
    return {(str(r["symbol"]), str(r["side"])): r for r in records}


def _row(side: FlagSide, score: Mapping[str, Any], limits: Mapping[str, Any]) -> FlagRow:
    likely, base = side.probability[4], finite(score.get("base_rate"))
    return FlagRow(
        symbol=side.symbol,
        side=side.side,
        tier=side.tier,
        title=tier_title(side.tier),
        state=side.state,
        probabilities=tuple(percent(side.probability[h]) for h in HORIZONS_H),
        probability=likely or 0.0,
        multiple=DASH if likely is None or not base else f"{likely / base:.1f}×",
        quantile=percent(score.get("quantile")),
        limits=limit_phrases(limits),
        reasons=side.reasons,
        drivers=_drivers(score),
        in_progress=score.get("in_progress") is True,
        quality=side.quality,
        completeness=percent(side.completeness, 0),
        valid_until=utc(side.valid_until),
        valid_until_iso=side.valid_until,
    )


def _drivers(score: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    named = ((score.get(f"driver_{k}"), score.get(f"contribution_{k}")) for k in (1, 2, 3))
    return tuple(
        (name, signed(value, 2)) for name, value in named if isinstance(name, str) and name
    )


def _strictest(rows: list[FlagRow]) -> str:
    same = [row for row in rows if row.tier == rows[0].tier]
    more = f" and {len(same) - 1} more" if len(same) > 1 else ""
    return f"{same[0].symbol} {same[0].side}{more}"


def tiles(rows: list[FlagRow], flags: tuple[Mapping[str, Any], ...]) -> list[Tile]:
    """The few figures a reader takes in first."""
    if not rows:
        return []
    worst = rows[0]
    likeliest = max(rows, key=lambda row: row.probability)
    raised = [row for row in rows if row.tier >= Tier.T2]
    running = [row for row in rows if row.in_progress]
    poor = sorted({row.symbol for row in rows if row.quality != "ok"})
    lowest = min((finite(f["data"].get("completeness")) or 0.0 for f in flags), default=0.0)
    return [
        Tile("Strictest tier", worst.title, _strictest(rows), worst.tier),
        Tile("At T2 or above", str(len(raised)), f"of {len(rows)} symbol sides"),
        Tile(
            "Highest chance in 4 h",
            likeliest.probabilities[1],
            f"{likeliest.symbol} {likeliest.side}, {likeliest.multiple} base rate",
        ),
        Tile(
            "Cascades running",
            str(len(running)),
            ", ".join(f"{row.symbol} {row.side}" for row in running) or "none seen",
        ),
        Tile(
            "Symbols with poor data",
            str(len(poor)),
            f"{', '.join(poor) or 'none'}; lowest completeness {percent(lowest, 0)}",
        ),
    ]
