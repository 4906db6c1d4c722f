"""Trees for live: the raw scores of LightGBM's ``Booster.predict``, bit for bit, without its wait.

For a row or a few, most of what a prediction costs is the way to the trees, and then the wait for
memory. Here all trees of all models lie in one table (:mod:`liqwarn.models.tree_text`), walked in
one compiled call: a few rows down all trees at once, many rows down one tree after another, so
that many walks wait together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.tree_text import TINY, read_trees
from liqwarn.windows.arguments import compiled, inlined

__all__ = ["Forest"]

_MANY = 8
_ROWS = 32
_STEPS = 4
_HALF = np.uint64(32)
_COLUMN = np.uint64(2**32 - 1)
_NOTHING = np.uint64(0)


class Forest:
    """Boosted trees of one or several models of the same features.

    Parameters
    ----------
    models : sequence of str
        What ``Booster.model_to_string`` gives.

    Attributes
    ----------
    n_models, n_features : int

    Raises
    ------
    ModelError
        When a text cannot be read, or models have what is not known here.
    """

    def __init__(self, models: Sequence[str]) -> None:
        self._nodes = read_trees(models)
        self.n_models = len(models)
        self.n_features = self._nodes.n_features

    def raw(self, X: FloatArray) -> FloatArray:
        """Each model's raw score of each row, shape (n_models, n_rows).

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            NaN is missing.

        Raises
        ------
        ModelError
            When the rows have another number of features.
        """
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise ModelError(f"rows have shape {X.shape}, expected {self.n_features} columns")
        nodes = self._nodes
        rows = np.ascontiguousarray(X, dtype=np.float64)
        out = np.zeros((self.n_models, len(rows)))
        score = _score_few if len(rows) < _MANY else _score_many
        score(nodes.words, nodes.limits, nodes.trees, nodes.columns, rows, out)
        return out


@inlined
def _fill(values: FloatArray, first: int, columns: FloatArray, X: FloatArray, row: int) -> None:
    """Write a row's columns into `values` from `first` on."""
    values[first] = -np.inf
    for column in range(1, columns.shape[0]):
        value = X[row, np.uint64(columns[column, 0])]
        known = columns[column, 1] if abs(value) <= TINY else value
        values[first + column] = columns[column, 2] if np.isnan(value) else known


@inlined
def _next(
    words: NDArray[np.uint64],
    limits: FloatArray,
    values: FloatArray,
    first: np.uint64,
    node: np.uint64,
) -> np.uint64:
    """The node after this one, for the row whose columns begin at `first`; without a branch."""
    word = words[node]
    left = values[first + (word & _COLUMN)] <= limits[node]
    following: np.uint64 = (word >> _HALF) + np.uint64(not left)
    return following


@inlined
def _down(
    words: NDArray[np.uint64], limits: FloatArray, values: FloatArray, node: np.uint64
) -> np.uint64:
    """A few steps down a tree; a leaf leads to itself."""
    for _ in range(_STEPS):
        node = _next(words, limits, values, _NOTHING, node)
    return node


@compiled
def _score_few(
    words: NDArray[np.uint64],
    limits: FloatArray,
    trees: NDArray[np.int64],
    columns: FloatArray,
    X: FloatArray,
    out: FloatArray,
) -> None:
    """Send each row down all trees, a few steps at a time, those not at a leaf again and again."""
    n_trees = trees.shape[0]
    values = np.empty(columns.shape[0])
    at = np.empty(n_trees, np.uint64)
    walking = np.empty(n_trees, np.uint64)
    for row in range(X.shape[0]):
        _fill(values, 0, columns, X, row)
        n_walking = 0
        for k in range(n_trees):
            at[k] = _down(words, limits, values, np.uint64(k))
            walking[n_walking] = k
            n_walking += int(words[at[k]] & _COLUMN != _NOTHING)
        while n_walking > 0:
            still = 0
            for k in range(n_walking):
                tree = walking[k]
                at[tree] = _down(words, limits, values, at[tree])
                walking[still] = tree
                still += int(words[at[tree]] & _COLUMN != _NOTHING)
            n_walking = still
        k = 0
        for model in range(out.shape[0]):
            total = 0.0
            while k < n_trees and trees[k, 1] == model:
                total += limits[at[k]]
                k += 1
            out[model, row] = total


@compiled
def _score_many(
    words: NDArray[np.uint64],
    limits: FloatArray,
    trees: NDArray[np.int64],
    columns: FloatArray,
    X: FloatArray,
    out: FloatArray,
) -> None:
    """Send blocks of rows down one tree after another, as many steps as its longest way has."""
    n_columns = columns.shape[0]
    values = np.empty(_ROWS * n_columns)
    at = np.empty(_ROWS, np.uint64)
    for first in range(0, X.shape[0], _ROWS):
        n_rows = min(_ROWS, X.shape[0] - first)
        for row in range(n_rows):
            _fill(values, row * n_columns, columns, X, first + row)
        for tree in range(trees.shape[0]):
            for row in range(n_rows):
                at[row] = tree
            for _ in range(trees[tree, 0]):
                for row in range(n_rows):
                    begin = np.uint64(row * n_columns)
                    at[row] = _next(words, limits, values, begin, at[row])
            for row in range(n_rows):
                out[trees[tree, 1], first + row] += limits[at[row]]
