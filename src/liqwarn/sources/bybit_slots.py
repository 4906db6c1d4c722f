"""Candles of one day, filled with trades in any order."""

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["COLUMNS", "Slots"]

COLUMNS: Final = ("open_time", "open", "high", "low", "close", "volume", "taker_buy_volume",
                  "trades")  # fmt: skip

_DIGITS: Final = 8

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Slots:
    """One candle an interval of a day.

    Parameters
    ----------
    begin_us, step_us, span_us : int
        First moment, length of a candle and length of the day, in microseconds.

    Examples
    --------
    >>> slots = Slots(0, 500_000, 1_000_000)
    >>> slots.add(np.array([10, 20]), np.array([5.0, 6.5]), np.array([1.0, 2.0]),
    ...           np.array([True, False]))
    >>> print(slots.to_csv().splitlines()[1])
    0,5,6.5,5,6.5,3,1,2
    """

    def __init__(self, begin_us: int, step_us: int, span_us: int) -> None:
        count = span_us // step_us
        self._begin, self._step = begin_us, step_us
        self._high, self._low = np.full(count, -np.inf), np.full(count, np.inf)
        self._volume, self._bought = np.zeros(count), np.zeros(count)
        self._trades = np.zeros(count, dtype=np.int64)
        self._first, self._last = _Edge(count), _Edge(count)

    def add(self, stamps: Ints, price: Floats, size: Floats, bought: npt.NDArray[np.bool_]) -> None:
        """More trades, in the order of their file: stamps in microseconds, inside the day."""
        slot = (stamps - self._begin) // self._step
        count = len(self._trades)
        np.maximum.at(self._high, slot, price)
        np.minimum.at(self._low, slot, price)
        self._volume += np.bincount(slot, weights=size, minlength=count)
        self._bought += np.bincount(slot, weights=np.where(bought, size, 0.0), minlength=count)
        self._trades += np.bincount(slot, minlength=count)
        self._first.add(slot, stamps, price)
        self._last.add(slot, -stamps, price)

    def to_csv(self, *, backwards: bool = False) -> str:
        """One line a candle with trades, below a header.

        Parameters
        ----------
        backwards : bool
            The newest trade came first: of several trades of one stamp the last one in the file
            was the first.
        """
        opens = self._first.in_file_last if backwards else self._first.in_file_first
        closes = self._last.in_file_first if backwards else self._last.in_file_last
        lines = [",".join(COLUMNS)]
        for n in np.flatnonzero(self._trades):
            start = (self._begin + int(n) * self._step) // 1_000
            prices = (opens[n], self._high[n], self._low[n], closes[n])
            volumes = (round(float(v[n]), _DIGITS) for v in (self._volume, self._bought))
            cells = [str(start), *map(_text, prices), *map(_text, volumes), str(self._trades[n])]
            lines.append(",".join(cells))
        return "\n".join(lines) + "\n"


class _Edge:
    """The price at the smallest stamp of each candle: of those in one file, the first and last."""

    def __init__(self, count: int) -> None:
        self._stamp = np.full(count, np.iinfo(np.int64).max)
        self.in_file_first = np.full(count, np.nan)
        self.in_file_last = np.full(count, np.nan)

    def add(self, slot: Ints, stamps: Ints, price: Floats) -> None:
        before = self._stamp.copy()
        np.minimum.at(self._stamp, slot, stamps)
        at = np.flatnonzero(stamps == self._stamp[slot])
        where, what = slot[at], price[at]
        fresh = (self._stamp < before)[where]
        # of repeated indices the last assignment stays
        self.in_file_first[where[fresh][::-1]] = what[fresh][::-1]
        self.in_file_last[where] = what


def _text(value: float) -> str:
    """The shortest text of a number, never with an exponent."""
    return np.format_float_positional(value, trim="-")
