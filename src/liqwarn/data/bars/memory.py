"""What the columns so far leave for the next one: values that may be carried, prices to compare.

A ``last`` field of which a bar says nothing keeps its last value, with its age grown, up to the
panel's staleness cap: what :func:`liqwarn.data.asof.as_of` does over records. A price or a sum of
a bar is never carried.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.checks import JUMP
from liqwarn.data.panel import Panel
from liqwarn.frames import FIELDS, BoolArray, FloatArray

__all__ = ["NEIGHBOURS", "Memory"]

NEIGHBOURS: Final = 24
"""Bars for which a price is the neighbour that the next one is compared with."""


class Memory:
    """Last known values and latest prices of every symbol of a panel.

    Planes have the shape ``(n_fields, n_symbols)``, fields and symbols in the panel's order.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        shape = (len(panel.fields), len(panel.symbol_names))
        self._holds = np.array([[FIELDS[name].how == "last"] for name in panel.fields])
        self._cap = np.array([[float(panel.max_age_s(name))] for name in panel.fields])
        self._value, self._age = np.full(shape, np.nan), np.full(shape, np.nan)
        self._seen = np.zeros(shape, dtype=np.int64)
        prices = [k for k, f in enumerate(panel.fields) if FIELDS[f].unit == "quote per coin"]
        self._prices = np.array(prices, dtype=np.intp)
        self._last = np.full((len(prices), shape[1]), np.nan)
        self._last_at = np.zeros(self._last.shape, dtype=np.int64)

    def spikes(self, time: int, values: FloatArray) -> BoolArray:
        """Which prices are 20 times off the one before, if that is recent; shape of `values`.

        The batch compares with the neighbours on both sides; of a bar that has just closed only
        the past is known.
        """
        found = np.zeros(values.shape, dtype=np.bool_)
        now = values[self._prices]
        recent = time - self._last_at <= NEIGHBOURS * self._panel.bar_s
        with np.errstate(invalid="ignore", over="ignore"):
            ratio = np.maximum(now / self._last, self._last / now)
            found[self._prices] = recent & (ratio >= JUMP)
        return found

    def carry(self, time: int, values: FloatArray, ages: FloatArray, reported: BoolArray) -> None:
        """Fill, in place, what the symbols that reported left unsaid; drop what is too old.

        Parameters
        ----------
        time : int
            Close of the bar, seconds UTC.
        reported : ndarray of bool, shape (n_symbols,)
            The others stay NaN: a symbol that fell silent is not known.
        """
        grown = self._age + (time - self._seen)
        with np.errstate(invalid="ignore"):
            filled = np.isnan(values) & self._holds & reported & (grown <= self._cap)
        values[filled], ages[filled] = self._value[filled], grown[filled]

    def learn(self, time: int, values: FloatArray, ages: FloatArray) -> None:
        """Drop, in place, what is past its cap, and remember the rest."""
        with np.errstate(invalid="ignore"):
            old = self._holds & (ages > self._cap)
        values[old], ages[old] = np.nan, np.nan
        known = ~np.isnan(values) & self._holds
        self._value[known], self._age[known] = values[known], ages[known]
        self._seen[known] = time
        prices = values[self._prices]
        given = ~np.isnan(prices)
        self._last[given], self._last_at[given] = prices[given], time

    def recall(self, column: BarColumn) -> None:
        """Learn from a column of the journal, after a restart."""
        shape = self._value.shape
        values, ages = np.full(shape, np.nan), np.full(shape, np.nan)
        mine, theirs = _shared(self._panel.symbol_names, column.symbols)
        for k, name in enumerate(self._panel.fields):
            if name in column.fields:
                values[k, mine] = column.fields[name][theirs]
                ages[k, mine] = column.ages[name][theirs] if name in column.ages else 0.0
        self.learn(close_seconds(column.time), values, ages)


def _shared(
    mine: tuple[str, ...], theirs: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    shared = [symbol for symbol in mine if symbol in set(theirs)]
    return (
        np.array([mine.index(symbol) for symbol in shared], dtype=np.intp),
        np.array([theirs.index(symbol) for symbol in shared], dtype=np.intp),
    )
