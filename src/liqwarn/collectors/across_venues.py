"""Liquidations of several venues as one series a symbol, as public dashboards show them.

A venue speaks for a bar when it was listened to in enough of its minutes. Its sum is what it told
in them and is never scaled up; one that was not listened to is unknown, never 0, and a total says
how many venues are in it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from liqwarn.errors import FrameError
from liqwarn.frames import SIDES

__all__ = ["LEAST_COVERED", "across_venues", "venue_bars"]

LEAST_COVERED: Final = 0.95
"""Share of a bar's minutes that must have been listened to throughout."""

_MINUTE: Final = timedelta(minutes=1)


def venue_bars(
    minutes: pd.DataFrame, bar: timedelta, least_covered: float = LEAST_COVERED
) -> pd.DataFrame:
    """Bars of one venue and symbol.

    Parameters
    ----------
    minutes : DataFrame
        Table ``liquidations`` of one symbol, any number of days; one row a minute.
    bar : timedelta
        Whole minutes.
    least_covered : float
        Smallest share of the minutes.

    Returns
    -------
    DataFrame
        By ``time``, the bar's close: ``long_usd``, ``short_usd``, ``net_usd`` (long less short),
        ``largest_usd``, ``active_seconds``, ``saturated_min``, NaN when too few minutes were
        covered; ``covered_min``.

    Raises
    ------
    FrameError
        When the bar is no whole number of minutes, or a minute is there twice.
    """
    n = bar // _MINUTE
    if n < 1 or bar % _MINUTE:
        raise FrameError(f"bar is {bar}, expected a whole number of minutes")
    if minutes["time"].duplicated().any():
        twice = minutes.loc[minutes["time"].duplicated(), "time"].iloc[0]
        raise FrameError(f"liquidations have minute {twice} twice, expected each once")
    known = minutes[minutes["covered_s"] >= 60.0]
    close = known["time"].dt.ceil(bar).rename("time")
    by = known.groupby(close)
    largest = known[["long_largest_usd", "short_largest_usd"]].max(axis=1)
    bars = pd.DataFrame(
        {f"{side}_usd": by[f"{side}_sum_usd"].sum() for side in SIDES}
        | {"largest_usd": largest.groupby(close).max()}
        | {"active_seconds": by["active_seconds"].sum()}
        | {"saturated_min": by["saturated"].sum()}
        | {"covered_min": by.size().astype(np.float64)}
    )
    bars.insert(2, "net_usd", bars["long_usd"] - bars["short_usd"])
    values = bars.columns.drop("covered_min")
    bars.loc[bars["covered_min"] < least_covered * n, values] = np.nan
    everywhere = pd.Index(minutes["time"].dt.ceil(bar).unique(), name="time").sort_values()
    bars = bars.reindex(everywhere)
    return bars.assign(covered_min=bars["covered_min"].fillna(0.0))


def across_venues(venues: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One series of a symbol from the bars of its venues.

    Parameters
    ----------
    venues : mapping of venue to DataFrame
        From :func:`venue_bars`.

    Returns
    -------
    DataFrame
        ``time`` (bar close, UTC); ``long_usd``, ``short_usd``, ``net_usd`` over the venues that
        speak for the bar, NaN when none does; ``venues``, how many do; ``missing``, the names of
        those that do not; then ``{venue}_long_usd``, ``{venue}_short_usd``, ``{venue}_net_usd``,
        ``{venue}_covered_min`` of each.

    Raises
    ------
    FrameError
        Without any venue.

    Examples
    --------
    >>> hour = pd.DatetimeIndex(["2026-01-01T01:00"], tz="UTC", name="time")
    >>> told = {"long_usd": [5.0], "short_usd": [2.0], "net_usd": [3.0], "covered_min": [60.0]}
    >>> unknown = {"long_usd": [np.nan], "short_usd": [np.nan], "net_usd": [np.nan],
    ...            "covered_min": [3.0]}
    >>> series = across_venues({"binance": pd.DataFrame(told, index=hour),
    ...                         "okx": pd.DataFrame(unknown, index=hour)})
    >>> series[["long_usd", "net_usd", "venues", "missing"]].values.tolist()
    [[5.0, 3.0, 1, 'okx']]
    """
    if not venues:
        raise FrameError("no venue, expected bars of at least one")
    times = sorted({time for bars in venues.values() for time in bars.index})
    index = pd.DatetimeIndex(times, name="time")
    placed = {name: bars.reindex(index) for name, bars in sorted(venues.items())}
    speaks = pd.DataFrame({name: bars["long_usd"].notna() for name, bars in placed.items()})
    series = pd.DataFrame(index=index)
    for what in ("long_usd", "short_usd", "net_usd"):
        each = pd.DataFrame({name: bars[what] for name, bars in placed.items()})
        series[what] = each.sum(axis=1, min_count=1)
    series["venues"] = speaks.sum(axis=1)
    names = speaks.columns.to_numpy()
    series["missing"] = ["+".join(names[~row]) for row in speaks.to_numpy()]
    for name, bars in placed.items():
        for what in ("long_usd", "short_usd", "net_usd"):
            series[f"{name}_{what}"] = bars[what]
        series[f"{name}_covered_min"] = bars["covered_min"].fillna(0.0)
    return series.reset_index()
