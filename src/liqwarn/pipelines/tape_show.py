"""What the tables of the tapes hold: days, and one series of liquidations over the venues."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from liqwarn.collectors.across_venues import LEAST_COVERED, across_venues, venue_bars
from liqwarn.durable import write_json
from liqwarn.errors import ConfigError, StoreError
from liqwarn.tables import read_table, write_table

__all__ = [
    "SeriesJob",
    "liquidations_across_venues",
    "series_rows",
    "tape_days",
    "write_series",
]

_FILES: Final = (".png", ".svg", ".csv", ".parquet", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesJob:
    """Which liquidations.

    Attributes
    ----------
    tables : Path
        Folder of ``liqwarn tape tables``.
    symbol : str
    venues : tuple of str
        Empty for all that have tables of the symbol.
    bar : timedelta
    since, until : datetime or None
        Bars that end after `since` and not after `until`, UTC.
    least_covered : float
        See :func:`liqwarn.collectors.across_venues.venue_bars`.
    """

    tables: Path
    symbol: str
    venues: tuple[str, ...] = ()
    bar: timedelta = timedelta(hours=1)
    since: datetime | None = None
    until: datetime | None = None
    least_covered: float = LEAST_COVERED


def tape_days(
    tables: Path, *, venue: str | None = None, symbol: str | None = None
) -> list[dict[str, Any]]:
    """What each table of liquidations holds, the oldest day first.

    Parameters
    ----------
    tables : Path
    venue, symbol : str, optional
        Only of these.

    Returns
    -------
    list of dict
        ``day``, ``venue``, ``symbol``, ``covered`` and ``priced`` (share of the day's minutes),
        ``orders``, ``long_usd``, ``short_usd``, ``largest_usd``, ``saturated_min``.

    Raises
    ------
    ConfigError
        When there are no such tables.
    """
    found = []
    for path in _files(tables, venue or "*", symbol or "*"):
        table = _read(path)
        prices = path.parents[1] / "prices" / path.name.replace("-liquidations-", "-prices-")
        priced = len(_read(prices)) if prices.is_file() else 0
        found.append(
            {
                "day": path.stem[-10:],
                "venue": path.parents[2].name,
                "symbol": path.parents[1].name,
                "covered": float((table["covered_s"] >= 60.0).sum()) / 1_440.0,
                "priced": priced / 1_440.0,
                "orders": float(table[["long_count", "short_count"]].sum().sum()),
                "long_usd": float(table["long_sum_usd"].sum()),
                "short_usd": float(table["short_sum_usd"].sum()),
                "largest_usd": _largest(table),
                "saturated_min": float(table["saturated"].sum()),
            }
        )
    return sorted(found, key=lambda one: (one["day"], one["venue"], one["symbol"]))


def liquidations_across_venues(job: SeriesJob) -> pd.DataFrame:
    """One series of a symbol's liquidations, see :mod:`liqwarn.collectors.across_venues`.

    Raises
    ------
    ConfigError
        When a venue has no table of the symbol in that time.
    """
    by_venue: dict[str, list[pd.DataFrame]] = {name: [] for name in job.venues}
    for venue in job.venues or ("*",):
        for path in _files(job.tables, venue, job.symbol):
            if _in_time(path.stem[-10:], job):
                by_venue.setdefault(path.parents[2].name, []).append(_read(path))
    empty = sorted(name for name, tables in by_venue.items() if not tables)
    if empty or not by_venue:
        raise ConfigError(
            f"{job.tables}: no liquidations of {job.symbol} from {', '.join(empty) or 'any venue'} "
            "in that time"
        )
    bars = {
        name: venue_bars(pd.concat(tables, ignore_index=True), job.bar, job.least_covered)
        for name, tables in by_venue.items()
    }
    series = across_venues(bars)
    keep = pd.Series(data=True, index=series.index)
    if job.since is not None:
        keep &= series["time"] > job.since
    if job.until is not None:
        keep &= series["time"] <= job.until
    return series[keep].reset_index(drop=True)


def write_series(series: pd.DataFrame, path: Path, *, title: str) -> None:
    """Write a series: a picture (.png, .svg), a table (.csv, .parquet), or .json.

    Raises
    ------
    ConfigError
        For any other suffix.
    """
    if path.suffix not in _FILES:
        raise ConfigError(f"{path} ends with '{path.suffix}', expected one of {', '.join(_FILES)}")
    if path.suffix in (".png", ".svg"):
        from liqwarn.reports.across_venues_chart import across_venues_figure  # noqa: PLC0415  heavy
        from liqwarn.reports.charts import save_figure  # noqa: PLC0415  heavy

        save_figure(across_venues_figure(series, title=title), path)
    elif path.suffix == ".json":
        write_json(path, {"title": title, "bars": series_rows(series)})
    else:
        write_table(series, path)


def series_rows(series: pd.DataFrame) -> list[dict[str, Any]]:
    """The bars as JSON: times as ISO 8601, unknown as null."""
    told = series.assign(time=series["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return [
        {str(k): None if isinstance(v, float) and v != v else v for k, v in row.items()}  # noqa: PLR0124  NaN
        for row in told.to_dict("records")
    ]


def _largest(table: pd.DataFrame) -> float:
    """The largest order of either side; 0 without any."""
    orders = table[["long_largest_usd", "short_largest_usd"]].to_numpy(dtype=np.float64)
    return float(np.nan_to_num(orders).max(initial=0.0))


def _files(tables: Path, venue: str, symbol: str) -> Iterator[Path]:
    found = sorted(tables.glob(f"{venue}/{symbol}/liquidations/*-liquidations-*.parquet"))
    if not found:
        raise ConfigError(
            f"{tables}: no liquidations of {symbol.replace('*', 'any symbol')} from "
            f"{venue.replace('*', 'any venue')}; make them with liqwarn tape tables"
        )
    yield from found


def _read(path: Path) -> pd.DataFrame:
    try:
        return read_table(path)
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: damaged ({error}); run tape tables --again") from error


def _in_time(day: str, job: SeriesJob) -> bool:
    """Whether a day's minutes can be in the bars asked for."""
    begins = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    after = job.until is not None and begins > job.until
    before = job.since is not None and begins + timedelta(days=1) <= job.since - job.bar
    return not after and not before
