"""The trailing percentile of a probability, bar by bar: live :mod:`liqwarn.models.score_quantile`.

Exact order statistics of the same hourly values, kept in order: bit for bit the batch's percentile,
however the history and the bars after it are divided.
"""

from datetime import timedelta
from typing import Final

import numpy as np

from liqwarn.errors import FrameError, ModelError, StoreError
from liqwarn.frames import SIDES, FloatArray
from liqwarn.models.score_quantile import sampling
from liqwarn.models.state_bytes import pack_arrays, unpack_arrays
from liqwarn.windows.arguments import compiled
from liqwarn.windows.sorted_ring import SortedRings, count_upto, put_value, sorted_rings

__all__ = ["SCHEMA", "ScoreMemory"]

SCHEMA: Final = "liqwarn.score_memory/1"
"""What the bytes of a memory say they are."""


class ScoreMemory:
    """180 days of probabilities of every symbol and side, sampled hourly.

    It is changed in place and has one owner. At each bar first :meth:`place`, then
    :meth:`remember`: a bar is never among its own past.

    Attributes
    ----------
    bar : timedelta
    bar_number : int
        Absolute number of the last bar remembered.
    n_symbols : int
    """

    def __init__(self, bar: timedelta, bar_number: int, rings: SortedRings) -> None:
        self.bar = bar
        self.bar_number = bar_number
        self.n_symbols = len(rings.values) // len(SIDES)
        self._rings = rings
        self._every, _, self._least = sampling(bar)
        nothing = np.empty(0)  # compiled here, not at the first live bar
        _place_all(rings, nothing, self._least, nothing)
        _put_all(rings, 0, nothing)

    @classmethod
    def start(cls, past: FloatArray, first_bar: int, bar: timedelta) -> "ScoreMemory":
        """The memory after a history.

        Parameters
        ----------
        past : ndarray of float64, shape (n_symbols, n_bars, 2)
            Probabilities to remember, by bar; NaN where there is none to compare with. May be empty
            of bars.
        first_bar : int
            Absolute number of the first bar.
        bar : timedelta
            Length of a bar.

        Raises
        ------
        FrameError
            When `past` does not have three axes, the last of two sides.
        """
        if past.ndim != 3 or past.shape[2] != len(SIDES):
            raise FrameError(f"past has shape {past.shape}, expected (n_symbols, n_bars, 2)")
        every, window, _ = sampling(bar)
        last_bar = first_bar + past.shape[1] - 1
        numbers = np.arange(first_bar, last_bar + 1)
        sampled = np.flatnonzero((numbers + 1) % every == 0)[-window:]
        values = np.full((past.shape[0], len(SIDES), window), np.nan)
        values[:, :, numbers[sampled] // every % window] = past[:, sampled].transpose(0, 2, 1)
        return cls(bar, last_bar, sorted_rings(values.reshape(-1, window)))

    def place(self, probability: FloatArray) -> FloatArray:
        """Share of the remembered probabilities below the present ones, equal ones by half.

        Parameters
        ----------
        probability : ndarray of float64, shape (n_symbols, 2)

        Returns
        -------
        ndarray of shape (n_symbols, 2)
            0 to 1; NaN where the probability is, or fewer than 30 days are remembered.

        Raises
        ------
        FrameError
            When there is not one row a symbol.

        Examples
        --------
        >>> memory = ScoreMemory.start(np.zeros((1, 720, 2)), 0, timedelta(hours=1))
        >>> memory.place(np.array([[0.0, 0.1]]))
        array([[0.5, 1. ]])
        """
        present = self._flat(probability)
        out = np.empty(present.size)
        _place_all(self._rings, present, self._least, out)
        return out.reshape(self.n_symbols, len(SIDES))

    def remember(self, past: FloatArray, bar_number: int) -> None:
        """Keep a bar's probabilities, those of an hour's last bar; the others only pass by.

        Parameters
        ----------
        past : ndarray of float64, shape (n_symbols, 2)
            NaN where there is none to compare with.
        bar_number : int
            Absolute number, one more than the last one.

        Raises
        ------
        ModelError
            When the bar is not the next one. The memory is then as it was.
        FrameError
            When there is not one row a symbol.
        """
        if bar_number != self.bar_number + 1:
            raise ModelError(f"the bar has number {bar_number}, expected {self.bar_number + 1}")
        values = self._flat(past)
        if (bar_number + 1) % self._every == 0:
            window = self._rings.values.shape[1]
            _put_all(self._rings, bar_number // self._every % window, values)
        self.bar_number = bar_number

    def _flat(self, plane: FloatArray) -> FloatArray:
        expected = (self.n_symbols, len(SIDES))
        if plane.shape != expected:
            raise FrameError(f"probabilities have shape {plane.shape}, expected {expected}")
        return np.array(plane, dtype=np.float64).reshape(-1)

    def to_bytes(self) -> bytes:
        """The memory as bytes with a SHA-256; :meth:`from_bytes` gives back the same bits."""
        header = {"bar_s": self.bar.total_seconds(), "bar_number": self.bar_number}
        return pack_arrays(SCHEMA, header, {"values": self._rings.values})

    @classmethod
    def from_bytes(cls, data: bytes, bar: timedelta) -> "ScoreMemory":
        """The memory that :meth:`to_bytes` was called on.

        Raises
        ------
        StoreError
            When the bytes are cut short, damaged, of another schema or bars of another length.
        """
        header, arrays = unpack_arrays(SCHEMA, data)
        if header["bar_s"] != bar.total_seconds():
            raise StoreError(
                f"memory is of {header['bar_s']} s bars, expected {bar.total_seconds()} s"
            )
        values, window = arrays["values"], sampling(bar)[1]
        if values.ndim != 2 or values.shape[1] != window or len(values) % len(SIDES):
            raise StoreError(f"memory has values of shape {values.shape}, expected (_, {window})")
        return cls(bar, header["bar_number"], sorted_rings(values))


@compiled
def _place_all(rings: SortedRings, present: FloatArray, least: int, out: FloatArray) -> None:
    for row in range(present.size):
        held = rings.held[row]
        out[row] = np.nan
        if held >= least and np.isfinite(present[row]):
            below, upto = count_upto(rings, row, present[row])
            out[row] = 0.5 * (below + upto) / held


@compiled
def _put_all(rings: SortedRings, slot: int, values: FloatArray) -> None:
    for row in range(values.size):
        put_value(rings, row, slot, values[row])
