"""Combinatorial purged cross-validation: many histories from one (López de Prado, 2018, ch. 12).

Time is cut into groups; every pair of them is a test once, and all the rest trains. Each group is
so tested by several models, and these piece together into several *paths* through the whole time,
each of them out of sample. Robustness only, never the headline: most models here have seen the
future of what they are tested on.

What purging and the embargo do, and do not. A training row is dropped unless its label was known an
embargo before a test group's first bar, or its bar closes an embargo after the last label of the
group was known. Before the group this is the rule of the walk-forward. After it López de Prado asks
for an embargo because features look back: the first rows after a test group carry its own outcomes
in their trailing windows. The embargo takes away the day in which a label and the windows over the
last hours are made of the same bars. It cannot take away windows of 7, 30 or 90 days: rows up to
three months after a group still see it, and a slow feature may name the neighbourhood of a test row
from both sides. So the figures flatter every model, the baselines too. Another thing bends them
down: each split's rate of events is that of all the rest, so it leans away from the group it is
tested on, and what knows nothing ends a little below a ROC-AUC of 0.5. Only the difference between
models is worth reading.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import BoolArray, TimeArray
from liqwarn.models.splits import EMBARGO, Indices

__all__ = ["CombinatorialFold", "CombinatorialPurged"]

Groups = NDArray[np.int64]


class CombinatorialFold(NamedTuple):
    """Positions of the rows that train and of the rows that test, and the groups these are of."""

    train: Indices
    test: Indices
    groups: tuple[int, ...]


class CombinatorialPurged:
    """Every choice of some groups of time as the test, purged on both sides.

    Parameters
    ----------
    n_groups : int
        Parts that time is cut into, of equally many bars.
    n_test : int
        Groups a split tests.
    embargo : timedelta
        Kept free between training labels and a test group, before it and after it.

    Examples
    --------
    >>> splitter = CombinatorialPurged()
    >>> splitter.n_splits, splitter.n_paths
    (15, 5)
    """

    def __init__(self, n_groups: int = 6, n_test: int = 2, *, embargo: timedelta = EMBARGO) -> None:
        self.n_groups = n_groups
        self.n_test = n_test
        self.embargo = embargo

    @property
    def n_splits(self) -> int:
        """How many splits there are."""
        return comb(self.n_groups, self.n_test)

    @property
    def n_paths(self) -> int:
        """In how many splits each group is tested, which is how many paths there are."""
        return comb(self.n_groups - 1, self.n_test - 1)

    def groups(self, times: TimeArray) -> Groups:
        """Number of the group each row is in, in order of time; a bar's symbols share a group.

        Raises
        ------
        ModelError
            When not every group gets a bar, or a split would train on none of them.
        """
        bars = np.unique(times)
        if not 0 < self.n_test < self.n_groups <= len(bars):
            raise ModelError(
                f"{len(bars)} bars in {self.n_groups} groups of which {self.n_test} test: "
                "expected a bar for each, and one group at least to train on"
            )
        firsts = [part[0] for part in np.array_split(bars, self.n_groups)]
        return np.searchsorted(np.array(firsts), times, side="right").astype(np.int64) - 1

    def split(self, times: TimeArray, label_end: TimeArray) -> Iterator[CombinatorialFold]:
        """Every split, the earliest test groups first.

        Parameters
        ----------
        times, label_end : ndarray of datetime64[s], shape (n_rows,)
            Bar close of each row, in any order, and when its label became known.
        """
        groups = self.groups(times)
        free = [self._free_of(groups == g, times, label_end) for g in range(self.n_groups)]
        for tested in combinations(range(self.n_groups), self.n_test):
            train = np.logical_and.reduce([free[g] for g in tested])
            yield CombinatorialFold(
                np.flatnonzero(train), np.flatnonzero(np.isin(groups, tested)), tested
            )

    def _free_of(self, test: BoolArray, times: TimeArray, label_end: TimeArray) -> BoolArray:
        """Rows whose label interval keeps an embargo away from a test group's span."""
        embargo = np.timedelta64(int(self.embargo.total_seconds()), "s")
        before = label_end <= times[test].min() - embargo
        after = times >= label_end[test].max() + embargo
        return np.asarray((before | after) & ~test)

    def paths(self) -> NDArray[np.int64]:
        """Which split stands for each group in each path, shape (n_paths, n_groups).

        The first path takes the first split that tests a group, the second the second, and so on:
        every test of a group by a split is used exactly once.

        Examples
        --------
        >>> CombinatorialPurged(3, 2).paths().tolist()
        [[0, 0, 1], [1, 2, 2]]
        """
        tested = list(combinations(range(self.n_groups), self.n_test))
        by_group = [[k for k, part in enumerate(tested) if g in part] for g in range(self.n_groups)]
        return np.array(by_group, dtype=np.int64).T
