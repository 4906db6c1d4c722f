"""The series that features are given, each made once."""

import numpy as np

from liqwarn.features.feature import CLOCK
from liqwarn.features.past import Past, reveal
from liqwarn.features.resolution import (
    Resolution,
    cells_of,
    coarsen,
    first_coarse_cell,
    seen_from_base,
)
from liqwarn.frames import ALL_FIELDS, FloatArray, MarketFrame, epoch_seconds

__all__ = ["Inputs", "leader_row"]

_HOUR_S = 3600.0


def leader_row(symbols: tuple[str, ...]) -> int:
    """Row of the market's leader: the shortest name that begins with BTC, else the first.

    >>> leader_row(("AAVEUSDT", "BTCDOMUSDT", "BTCUSDT"))
    2
    """
    bitcoin = [symbol for symbol in symbols if symbol.startswith("BTC")]
    return symbols.index(min(bitcoin, key=len)) if bitcoin else 0


class Inputs:
    """Series of a frame at the resolutions features ask for.

    Parameters
    ----------
    frame : MarketFrame
        What was known at each bar's close.
    whole_panel : bool
        Whether the frame holds every symbol of the panel, so that features may look across.
    """

    def __init__(self, frame: MarketFrame, *, whole_panel: bool) -> None:
        self._frame = frame
        self._leader = leader_row(frame.symbols) if whole_panel else None
        self._made: dict[tuple[str, int], Past] = {}

    def past(self, name: str, resolution: Resolution) -> Past:
        """An input at a resolution; all NaN where the panel does not carry it."""
        return self.at(name, cells_of(resolution, self._frame.bar))

    def at(self, name: str, ratio: int) -> Past:
        """An input on cells of so many base bars."""
        key = (name, ratio)
        if key not in self._made:
            self._made[key] = self._make(name, ratio)
        return self._made[key]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols of the frame."""
        return self._frame.symbols

    def first_cell(self, ratio: int) -> int:
        """Absolute number of the first cell of so many base bars."""
        first = self._frame.first_bar
        return first_coarse_cell(first, ratio) if ratio > 1 else first

    def shape(self, ratio: int) -> tuple[int, int]:
        """Symbols, and closed cells of so many base bars."""
        last = self._frame.first_bar + self._frame.shape[1] - 1
        return len(self.symbols), last // ratio + 1 - self.first_cell(ratio)

    def seen(self, past: Past, resolution: Resolution) -> FloatArray:
        """What each base bar sees of a series at a resolution."""
        frame = self._frame
        ratio = cells_of(resolution, frame.bar)
        if ratio == 1:
            return reveal(past)
        return seen_from_base(reveal(past), ratio, frame.first_bar, frame.shape[1])

    def _make(self, name: str, ratio: int) -> Past:
        frame = self._frame
        values = self._values(name)
        if ratio > 1:
            how = "last" if name == CLOCK else ALL_FIELDS[name].how
            values = coarsen(values, how, ratio, frame.first_bar)
        return Past(
            values,
            cell=frame.bar * ratio,
            first_cell=self.first_cell(ratio),
            leader=self._leader,
        )

    def _values(self, name: str) -> FloatArray:
        if name == CLOCK:
            hours = epoch_seconds(self._frame.times) / _HOUR_S
            return np.ascontiguousarray(np.broadcast_to(hours, self._frame.shape))
        values = self._frame.field(name)
        return np.where(np.isfinite(values), values, np.nan)
