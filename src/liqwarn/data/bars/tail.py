"""What was read back from the journal: columns, and exactly which bars are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from liqwarn.data.bars.message import BarColumn, close_seconds
from liqwarn.data.panel import Panel
from liqwarn.errors import StoreError
from liqwarn.frames import FloatArray, MarketFrame, bar_times

__all__ = ["Damage", "Tail", "dated_fields"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file of the journal that is not as it was written, and why that is thought."""

    file: str
    reason: str


def dated_fields(panel: Panel) -> tuple[str, ...]:
    """Fields of a panel whose values have an age: all but the calendars."""
    return tuple(name for name in panel.fields if not name.startswith("next_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Bars of the journal from some moment on.

    Attributes
    ----------
    columns : tuple of BarColumn
        In order. Every number in them is as it was appended.
    missing : tuple of datetime64[s]
        Closes of acknowledged bars that are lost.
    damages : tuple of Damage
        What was found damaged while reading, now in quarantine.
    """

    columns: tuple[BarColumn, ...]
    missing: tuple[np.datetime64, ...]
    damages: tuple[Damage, ...]

    def frame(self, panel: Panel, *, holes: Literal["refuse", "nan"] = "refuse") -> MarketFrame:
        """The bars as a frame of the panel's symbols and fields.

        A symbol or field that a column does not have, since the panel has changed, is NaN in it.

        Parameters
        ----------
        panel : Panel
        holes : {"refuse", "nan"}
            What to do about missing bars.

        Raises
        ------
        StoreError
            When bars are missing and holes are refused, or when there is no bar at all.
        """
        if not self.columns:
            raise StoreError("the journal has no bar in that time")
        if self.missing and holes == "refuse":
            shown = ", ".join(f"{time}Z" for time in self.missing[:5])
            raise StoreError(f"{len(self.missing)} bars of the journal are lost: {shown} …")
        closes = [close_seconds(t) for t in (*self.missing, *(c.time for c in self.columns))]
        first, n_bars = min(closes), (max(closes) - min(closes)) // panel.bar_s + 1
        at = [(close_seconds(c.time) - first) // panel.bar_s for c in self.columns]
        fields = [column.fields for column in self.columns]
        ages = [column.ages for column in self.columns]
        rows = [_rows(panel.symbol_names, column.symbols) for column in self.columns]
        shape = (len(panel.symbol_names), n_bars)
        return MarketFrame(
            symbols=panel.symbol_names,
            times=bar_times(np.datetime64(first, "s"), n_bars, panel.bar),
            bar=panel.bar,
            fields={name: _plane(name, fields, rows, at, shape) for name in panel.fields},
            ages={name: _plane(name, ages, rows, at, shape) for name in dated_fields(panel)},
        )


_Rows = tuple[list[int], list[int]]


def _rows(mine: tuple[str, ...], theirs: tuple[str, ...]) -> _Rows:
    if mine == theirs:
        return list(range(len(mine))), list(range(len(mine)))
    where = {symbol: row for row, symbol in enumerate(theirs)}
    shared = [row for row, symbol in enumerate(mine) if symbol in where]
    return shared, [where[mine[row]] for row in shared]


def _plane(
    name: str,
    columns: Sequence[Mapping[str, FloatArray]],
    rows: Sequence[_Rows],
    at: Sequence[int],
    shape: tuple[int, int],
) -> FloatArray:
    plane = np.full(shape, np.nan)
    for column, (mine, theirs), bar in zip(columns, rows, at, strict=True):
        if name in column:
            plane[mine, bar] = column[name][theirs]
    return plane
