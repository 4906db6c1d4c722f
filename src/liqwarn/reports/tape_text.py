"""Recorded liquidations in words and small tables, for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from liqwarn.reports.formats import compact, number, percent

__all__ = ["across_venues_text", "completeness_text", "tape_days_text"]


def across_venues_text(series: pd.DataFrame, last: int = 24) -> str:
    """The last bars of a series over venues, and what all of them add up to.

    Parameters
    ----------
    series : DataFrame
        From :func:`liqwarn.collectors.across_venues.across_venues`.
    last : int
        How many bars.
    """
    lines = [f"{'bar ends (UTC)':17s} {'longs':>9s} {'shorts':>9s} {'net':>10s} {'venues':>7s}"]
    for row in series.tail(last).itertuples():
        short = f"   without {str(row.missing).replace('+', ', ')}" if row.missing else ""
        lines.append(
            f"{row.time:%Y-%m-%d %H:%M}  {compact(row.long_usd):>9s} {compact(row.short_usd):>9s} "
            f"{compact(row.net_usd):>10s} {row.venues:>7d}{short}"
        )
    told = series[["long_usd", "short_usd"]].sum()
    short_bars = int((series["missing"] != "").sum())
    shown = f", the last {last} shown" if len(series) > last else ""
    lines.append(
        f"{len(series):,d} bars{shown}: longs {compact(told['long_usd'])}, shorts "
        f"{compact(told['short_usd'])} USD told; {short_bars:,d} bars lack a venue"
    )
    return "\n".join(lines)


def tape_days_text(days: Sequence[Mapping[str, Any]]) -> str:
    """What the tables of a venue, symbol and day hold, a line each."""
    head = (
        f"{'day':10s} {'venue':11s} {'symbol':12s} {'listened':>8s} {'orders':>8s} {'longs':>9s} "
        f"{'shorts':>9s} {'largest':>9s} {'saturated min':>13s} {'prices':>7s}"
    )
    lines = [head]
    for one in days:
        lines.append(  # noqa: PERF401  a row reads better so
            f"{one['day']:10s} {one['venue']:11s} {one['symbol']:12s} "
            f"{percent(one['covered']):>8s} {number(one['orders'], 0):>8s} "
            f"{compact(one['long_usd']):>9s} {compact(one['short_usd']):>9s} "
            f"{compact(one['largest_usd']):>9s} {number(one['saturated_min'], 0):>13s} "
            f"{percent(one['priced']):>7s}"
        )
    return "\n".join(lines)


def completeness_text(document: Mapping[str, Any]) -> str:
    """What the feed of a panel told over the fall of open interest, by symbol and side."""
    title = f"{document['panel']}: told over the open interest that left in the hardest moves"
    lines = [
        title,
        f"{'symbol':12s} {'side':5s} {'episodes':>8s} {'share':>8s} {'95 %':>17s} {'pooled':>8s}",
    ]
    for one in document["sides"]:
        ends = f"{percent(one['low'])} to {percent(one['high'])}"
        lines.append(
            f"{one['symbol']:12s} {one['side']:5s} {one['episodes']:>8,d} "
            f"{percent(one['share']):>8s} {ends:>17s} {percent(one['pooled']):>8s}"
        )
    return "\n".join([*lines, document["grade"], document["caveat"]])
