"""Which rows train and which test: forward in time, purged by when a label became known.

A training row's label interval is ``(time, label_end]``. A row is purged unless its interval ended
an embargo before the first test bar, so no training label has seen any part of the test span.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import TimeArray

__all__ = ["EMBARGO", "Fold", "InnerFolds", "WalkForward", "trainable"]

EMBARGO: Final = timedelta(hours=24)
Indices = NDArray[np.intp]
Period = Literal["month", "quarter", "year", "none"]
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


class Fold(NamedTuple):
    """Positions of the rows that train and of the rows that test."""

    train: Indices
    test: Indices


def _seconds(delta: timedelta) -> np.timedelta64:
    return np.timedelta64(int(delta.total_seconds()), "s")


def trainable(times: TimeArray, label_end: TimeArray, start: np.datetime64) -> Indices:
    """Rows that may train a model tested from `start`: labels known an embargo before it."""
    return np.flatnonzero((times < start) & (label_end <= start - _seconds(EMBARGO)))


class WalkForward:
    """Expanding walk-forward over calendar months, quarters or years.

    Parameters
    ----------
    period : {"month", "quarter", "year", "none"}
        Length of a test block, after which the model is trained again; ``none`` trains once.
    test_from : datetime or None
        First bar that may be tested. None: the first calendar block that leaves `first_train`.
    first_train : timedelta
        Shortest first training block.
    first_share : float
        Where the panel is shorter than `first_train` and one block: the share of it that trains
        first.

    Examples
    --------
    >>> times = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]").astype("M8[s]")
    >>> folds = list(WalkForward().split(times, times + np.timedelta64(4, "h")))
    >>> [(str(times[f.train[-1]])[:10], str(times[f.test[0]])[:10]) for f in folds]
    [('2021-06-29', '2021-07-01'), ('2021-09-29', '2021-10-01')]
    """

    def __init__(
        self,
        *,
        period: Period = "quarter",
        test_from: datetime | None = None,
        first_train: timedelta = timedelta(days=547),
        first_share: float = 0.5,
    ) -> None:
        self.period = period
        self.test_from = test_from
        self.first_train = first_train
        self.first_share = first_share

    def split(self, times: TimeArray, label_end: TimeArray) -> Iterator[Fold]:
        """Folds in order of time.

        Parameters
        ----------
        times, label_end : ndarray of datetime64[s], shape (n_rows,)
            Bar close of each row, in any order, and when its label became known.

        Raises
        ------
        ModelError
            When no block can be tested.
        """
        starts = self.block_starts(times)
        ends = [*starts[1:], times.max() + np.timedelta64(1, "s")]
        for start, end in zip(starts, ends, strict=True):
            test = np.flatnonzero((times >= start) & (times < end))
            if not test.size:
                continue
            yield Fold(trainable(times, label_end, start), test)

    def block_starts(self, times: TimeArray) -> list[np.datetime64]:
        """First moment of each test block.

        Raises
        ------
        ModelError
            When the rows end before any block starts.
        """
        if not times.size:
            raise ModelError("no rows to split")
        first, last = times.min(), times.max()
        start = self._first_start(first, last)
        if start > last:
            raise ModelError(f"testing starts {start}, but the rows end {last}")
        if self.period == "none":
            return [start]
        starts = [start]
        while (following := _next_block(starts[-1], _MONTHS[self.period])) <= last:
            starts.append(following)
        return starts

    def _first_start(self, first: np.datetime64, last: np.datetime64) -> np.datetime64:
        if self.test_from is not None:
            return np.datetime64(int(self.test_from.timestamp()), "s")
        months = _MONTHS.get(self.period, 1)
        start = _block_from(first + _seconds(self.first_train), months)
        if _next_block(start, months) <= last:
            return start
        share = first + np.timedelta64(int((last - first).astype(int) * self.first_share), "s")
        start = _block_from(share, 1)
        return start if start <= last else share


def _block_from(moment: np.datetime64, months: int) -> np.datetime64:
    """First calendar block that starts at `moment` or later."""
    month = _month_of(moment)
    start = _month_start(month - month % months)
    return start if start >= moment else _next_block(start, months)


def _next_block(moment: np.datetime64, months: int) -> np.datetime64:
    month = _month_of(moment)
    return _month_start(month - month % months + months)


def _month_of(moment: np.datetime64) -> int:
    """Months since January 1970."""
    return int(moment.astype("datetime64[M]").astype(int))


def _month_start(month: int) -> np.datetime64:
    return np.datetime64(f"{1970 + month // 12}-{month % 12 + 1:02d}-01", "s")


class InnerFolds:
    """Expanding folds inside one training block, for calibration and for choosing parameters.

    Parameters
    ----------
    n_folds : int
        Test blocks, of equal spans of rows ordered by time.
    first_share : float
        Share of the rows that only ever train.
    """

    def __init__(self, n_folds: int = 4, first_share: float = 0.4) -> None:
        self.n_folds = n_folds
        self.first_share = first_share

    def split(self, times: TimeArray, label_end: TimeArray) -> Iterator[Fold]:
        """Folds in order of time, purged and embargoed like the outer ones; see WalkForward."""
        ordered = np.sort(times)
        shares = np.linspace(self.first_share, 1.0, self.n_folds + 1)
        edges = ordered[np.minimum((shares * len(ordered)).astype(int), len(ordered) - 1)]
        edges[-1] += np.timedelta64(1, "s")
        for start, end in pairwise(edges):
            train = trainable(times, label_end, start)
            test = np.flatnonzero((times >= start) & (times < end))
            if train.size and test.size:
                yield Fold(train, test)
