"""Prices of a panel's symbols as its files give them, and how other series go with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from liqwarn.data.inspection.reading import Reading
from liqwarn.data.panel import Panel, Source
from liqwarn.data.records import IntArray
from liqwarn.frames import FloatArray

__all__ = ["ENOUGH", "Market", "Prices", "Series", "gather_prices", "series_of", "shifted"]

ENOUGH: Final = 100
"""Rows below which nothing is concluded."""

Series = Mapping[str, "pd.Series[float]"]
"""Known values of fields by the end of their interval, seconds UTC."""

_SHIFTS: Final = (-2, -1, 0, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prices:
    """Closing prices of one symbol by the end of their interval, seconds UTC."""

    source: str
    close: "pd.Series[float]"

    def returns(self, event: IntArray, step_s: int) -> FloatArray:
        """Log returns over the steps that end at `event`, NaN where a price is missing."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return self._returns(event, step_s)

    def _returns(self, event: IntArray, step_s: int) -> FloatArray:
        now = self.close.reindex(event).to_numpy(dtype=np.float64)
        before = self.close.reindex(event - step_s).to_numpy(dtype=np.float64)
        found: FloatArray = np.log(now / before)
        return found


def gather_prices(panel: Panel, readings: Sequence[Reading]) -> Mapping[str, Prices]:
    """Closes of each symbol from the first source of the panel that has them."""
    found: dict[str, Prices] = {}
    for source in (source for source in panel.sources if "close" in source.stored_fields):
        for symbol in panel.symbol_names:
            close = series_of([r for r in readings if r.told is source], symbol, "close")
            if close.size > 1 and symbol not in found:
                found[symbol] = Prices(source=source.name, close=close)
    return found


def series_of(readings: Sequence[Reading], symbol: str, field: str) -> "pd.Series[float]":
    """Known values of a field of one symbol by the end of their interval."""
    parts = [pd.Series(dtype=np.float64)]
    for rows in (r.rows for r in readings if r.rows is not None and field in r.rows.values):
        mine = (rows.symbol == symbol) & ~np.isnan(rows.values[field])
        parts.append(pd.Series(rows.values[field][mine], index=rows.event[mine]))
    filled = [part for part in parts if part.size] or parts
    series: pd.Series[float] = pd.concat(filled)
    first: pd.Series[float] = series[~series.index.duplicated()]
    return first.sort_index()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """One symbol as one source shows it, beside the prices it is compared with."""

    source: Source
    symbol: str
    series: Series
    step_s: int
    prices: Prices

    @classmethod
    def of(
        cls, source: Source, readings: Sequence[Reading], symbol: str, prices: Prices
    ) -> "Market | None":
        """None when the source has not two values of the symbol."""
        told = [reading for reading in readings if reading.told is source]
        series = {name: series_of(told, symbol, name) for name in source.stored_fields}
        step = _step(source, series)
        if not step:
            return None
        return cls(source=source, symbol=symbol, series=series, step_s=step, prices=prices)


def _step(source: Source, series: Series) -> int | None:
    if source.time.step is not None:
        return int(source.time.step.total_seconds())
    longest = max(series.values(), key=len)
    steps = np.diff(longest.index.to_numpy(dtype=np.int64))
    return int(np.median(steps)) if steps.size else None


def shifted(
    event: IntArray, values: FloatArray, prices: Prices, step_s: int
) -> dict[int, float] | None:
    """Rank correlation with the returns so many steps later; None of too few rows."""
    found = {}
    for shift in _SHIFTS:
        returns = prices.returns(event + shift * step_s, step_s)
        both = ~np.isnan(values) & ~np.isnan(returns)
        if both.sum() < ENOUGH:
            return None
        one, other = pd.Series(values[both]).rank(), pd.Series(returns[both]).rank()
        if one.nunique() < 2 or other.nunique() < 2:
            return None
        found[shift] = float(one.corr(other))
    return found
