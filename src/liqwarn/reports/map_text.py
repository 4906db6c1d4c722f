"""The liquidation map in words and small tables, for a terminal."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

__all__ = ["profile_text", "validation_text"]

_MARKS: Final = (
    ("precision", "precision_at_10pct"),
    ("volume share", "volume_share_at_10pct"),
    ("rank corr.", "rank_correlation"),
    ("within moves", "within_move_rank_correlation"),
)


def profile_text(profile: Mapping[str, Any]) -> str:
    """A profile's heaviest clusters, from :func:`liqwarn.reports.map_export.profile_dict`."""
    head = f"{profile['symbol']} as of {profile['as_of']}: price {profile['price']:,.6g}"
    stock = profile["open_interest"]
    coins = "open interest unknown" if stock is None else f"open interest {stock:,.0f} coins"
    lines = [
        f"{head}, {coins}, panels {profile['panels']}",
        "estimated, not observed; the heaviest clusters of 1 % of price:",
    ]
    lines += [
        f"  {side:5s} {one['price']:>14,.6g} {one['distance_pct']:+7.2f} %  "
        f"{one['coins']:>12,.0f} coins  ${one['usd'] / 1e6:>10,.1f} M"
        for side, clusters in profile["clusters"].items()
        for one in clusters
    ]
    if profile.get("ledger"):
        lines.append(_seen(profile["ledger"]))
    if profile.get("market") == "simulated":
        lines.insert(1, "the market is SIMULATED")
    if not profile.get("usable", True):
        lines.insert(1, "NOT USABLE: under a week old, or a day without open interest")
    return "\n".join(lines)


def _seen(ledger: Mapping[str, int]) -> str:
    """What the map has seen and missed, in a line."""
    told = [f"{name} {count:,d}" for name, count in ledger.items() if count and name != "bars"]
    return f"the map has seen {ledger['bars']:,d} bars: {', '.join(told) or 'all whole'}"


def validation_text(document: Mapping[str, Any]) -> str:
    """The marks of each symbol and side, beside the naive maps'."""
    head = " ".join(f"{name:>13s}" for name, _ in _MARKS)
    lines = [f"{'':44s} {'bars':>7s} {head}   (random precision: 0.10)"]
    for symbol, sides in document["symbols"].items():
        for side, marks in sides.items():
            rows = {f"map against {marks['against']}": marks, **marks["baselines"]}
            lines += [_row(f"{symbol} {side}", name, one) for name, one in rows.items()]
    return "\n".join(lines)


def _row(who: str, name: str, marks: Mapping[str, Any]) -> str:
    values = [marks.get(key) for _, key in _MARKS]
    told = " ".join(f"{_told(value):>13s}" for value in values)
    return f"{who:16s} {name:27s} {marks['n_bars']:>7,d} {told}"


def _told(value: float | None) -> str:
    if value is None:
        return "too few bars"
    return f"{value:.3f}" if isfinite(value) else "unknown"
