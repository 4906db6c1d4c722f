"""What comes in and what goes on: one symbol's closed bar, and one bar of all symbols."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import isnan
from types import MappingProxyType
from typing import Final

import numpy as np

from liqwarn.errors import DataError, FrameError
from liqwarn.frames import ALL_FIELDS, FloatArray

__all__ = ["BarColumn", "BarMessage", "close_seconds"]

_DAY_S: Final = 86_400
_FLOAT64: Final = np.dtype(np.float64)


@lru_cache(maxsize=1024)
def close_seconds(time: np.datetime64) -> int:
    """Seconds since the epoch of a bar's close.

    >>> close_seconds(np.datetime64("1970-01-02T00:00:00"))
    86400
    """
    return int(time.astype("datetime64[s]").astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class BarMessage:
    """One symbol's bar, closed, as a feed tells it.

    Two messages are equal when they say the same: a NaN says nothing, and neither does the age of
    a value that is not there.

    Attributes
    ----------
    symbol : str
    time : datetime64[s]
        Close of the bar, UTC, on the epoch's grid.
    bar_s : int
        Length of the bar in seconds.
    fields : mapping of name to float
        Values known at the close, in the units of :data:`liqwarn.frames.FIELDS`.
    ages : mapping of name to float
        Seconds from a value's event time to the close; 0 where none is stated.

    Raises
    ------
    DataError
        When the bar's length or its close does not lie on the grid.
    """

    symbol: str
    time: np.datetime64
    bar_s: int
    fields: Mapping[str, float]
    ages: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.bar_s <= 0 or _DAY_S % self.bar_s:
            raise DataError(f"bar_s: found {self.bar_s}, expected a divisor of a day in seconds")
        if close_seconds(self.time) % self.bar_s:
            raise DataError(f"time: found {self.time}, expected a close of {self.bar_s} s bars")
        told = {name: value for name, value in self.fields.items() if not isnan(value)}
        ages = {name: age for name, age in self.ages.items() if name in told and not isnan(age)}
        object.__setattr__(self, "fields", MappingProxyType(told))
        object.__setattr__(self, "ages", MappingProxyType(ages))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BarColumn:
    """One closed bar of all symbols: a column of a :class:`liqwarn.frames.MarketFrame`.

    Attributes
    ----------
    time : datetime64[s]
        Close of the bar, UTC.
    symbols : tuple of str
        Sorted and unique.
    fields : mapping of name to ndarray of float64, shape (n_symbols,)
        NaN where nothing usable was known at the close. Read-only.
    ages : mapping of name to ndarray of float64, shape (n_symbols,)
        Seconds from a value's event time to the close; NaN where the value is NaN.
    bar_s : int
        Length of the bar in seconds; the close lies on its grid.

    Raises
    ------
    FrameError
        When the time, an axis, a dtype or a name does not fit.

    Examples
    --------
    >>> column = BarColumn(time=np.datetime64("2024-08-05T06:00:00"), symbols=("BTCUSDT",),
    ...                    fields={"close": np.array([50_123.1])}, ages={}, bar_s=3_600)
    >>> column.fields["close"]
    array([50123.1])
    """

    time: np.datetime64
    symbols: tuple[str, ...]
    fields: Mapping[str, FloatArray]
    ages: Mapping[str, FloatArray]
    bar_s: int = 60

    def __post_init__(self) -> None:
        if self.time.dtype != np.dtype("datetime64[s]") or np.isnat(self.time):
            raise FrameError(f"time is {self.time!r}, expected a datetime64[s]")
        if self.bar_s <= 0 or close_seconds(self.time) % self.bar_s:
            raise FrameError(f"time {self.time} is not on the grid of {self.bar_s} s bars")
        if list(self.symbols) != sorted(set(self.symbols)):
            raise FrameError(f"symbols are {self.symbols}, expected sorted and unique")
        object.__setattr__(self, "fields", _checked(self.fields, len(self.symbols), "field"))
        object.__setattr__(self, "ages", _checked(self.ages, len(self.symbols), "age"))


def _checked(
    columns: Mapping[str, FloatArray], n_symbols: int, kind: str
) -> Mapping[str, FloatArray]:
    unknown = sorted(columns.keys() - ALL_FIELDS.keys())
    if unknown:
        raise FrameError(f"{kind}s {unknown} are unknown, expected names of liqwarn.frames.FIELDS")
    frozen = {}
    for name, column in columns.items():
        if column.shape != (n_symbols,):
            raise FrameError(f"{kind} '{name}' has shape {column.shape}, expected ({n_symbols},)")
        flags = column.flags
        if column.dtype != _FLOAT64 or not flags.c_contiguous:
            raise FrameError(f"{kind} '{name}' is {column.dtype}, expected C-contiguous float64")
        if flags.writeable:
            frozen[name] = column.view()
            frozen[name].flags.writeable = False
        else:
            frozen[name] = column
    return MappingProxyType(frozen)
