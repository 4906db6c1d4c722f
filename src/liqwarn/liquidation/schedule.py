"""When a liquidation map is fitted anew, and the stretches between that it is advanced over."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from liqwarn.frames import TimeArray

__all__ = ["Block", "blocks_of", "month_of", "quarter_of"]

_MONTHS_A_REFIT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The bars of a panel that close in one calendar month.

    Attributes
    ----------
    start, stop : int
        Positions of the bars, like a slice.
    month : int
        Calendar months since 1970-01.
    evidence_until : int
        Months before this one had their say when the parameters now in force were fitted: the
        first month of the quarter.
    """

    start: int
    stop: int
    month: int
    evidence_until: int


@lru_cache(maxsize=16)
def month_of(time: np.datetime64) -> int:
    """Calendar months since 1970-01 of the bar that closes at `time`; see :func:`blocks_of`.

    >>> month_of(np.datetime64("2024-03-01T00:00:00")), month_of(np.datetime64("2024-03-01T01:00"))
    (649, 650)
    """
    return int((time - np.timedelta64(1, "s")).astype("datetime64[M]").astype(np.int64))


def quarter_of(month: int) -> int:
    """First month of the quarter in which maps are fitted that a month uses.

    >>> quarter_of(650)
    648
    """
    return month // _MONTHS_A_REFIT * _MONTHS_A_REFIT


def blocks_of(times: TimeArray) -> tuple[Block, ...]:
    """Months of a panel; a bar that closes at midnight of the first belongs to the month it ends.

    Examples
    --------
    >>> times = np.array(["2024-02-29T23:00", "2024-03-01T00:00", "2024-03-01T01:00"],
    ...                  dtype="datetime64[s]")
    >>> [(one.start, one.stop, one.month, one.evidence_until) for one in blocks_of(times)]
    [(0, 2, 649, 648), (2, 3, 650, 648)]
    """
    months = (times - np.timedelta64(1, "s")).astype("datetime64[M]").astype(np.int64)
    starts = [0, *(np.flatnonzero(np.diff(months)) + 1).tolist(), len(months)]
    return tuple(
        Block(
            start=start,
            stop=stop,
            month=int(months[start]),
            evidence_until=quarter_of(int(months[start])),
        )
        for start, stop in pairwise(starts)
        if stop > start
    )
