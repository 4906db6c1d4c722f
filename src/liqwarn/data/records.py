"""Records: what one source says of one symbol, by event time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import FrameError
from liqwarn.frames import FloatArray

__all__ = ["IntArray", "Records", "SeriesKey"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SeriesKey:
    """Which series of the store records belong to."""

    panel: str
    source: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """Rows of one source and one symbol, sorted by event time, each time once.

    Attributes
    ----------
    key : SeriesKey
    event : ndarray of int64, shape (n,)
        Seconds since the epoch of the end of the interval the row speaks of, or of the instant.
    known : ndarray of int64, shape (n,)
        Seconds since the epoch of the first moment it could have been known.
    values : mapping of field to ndarray of shape (n,)
        NaN where the row does not give the field.
    row : ndarray of int64, shape (n,)
        Row of the provider's file, from 1; 0 when it came from the store.
    """

    key: SeriesKey
    event: IntArray
    known: IntArray
    values: Mapping[str, FloatArray]
    row: IntArray

    def __post_init__(self) -> None:
        if self.event.size > 1 and not bool((np.diff(self.event) > 0).all()):
            raise FrameError(f"records of {self.key} are not sorted by unique event times")

    def __len__(self) -> int:
        return int(self.event.size)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Records":
        """The rows selected by a mask or by sorted positions."""
        return Records(
            key=self.key,
            event=self.event[keep],
            known=self.known[keep],
            values={name: column[keep] for name, column in self.values.items()},
            row=self.row[keep],
        )
