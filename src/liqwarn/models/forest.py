"""Trees for live: the raw scores of LightGBM's ``Booster.predict``, bit for bit, without its wait.

For a row or a few, most of what a prediction costs is the way to the trees. Here all trees of all
models lie in one table (:mod:`liqwarn.models.tree_text`), walked in one compiled call: eight trees
at a time, step by step, so that they wait for memory together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray
from liqwarn.models.tree_text import TINY, read_trees
from liqwarn.windows.arguments import compiled, inlined

__all__ = ["Forest"]

_TOGETHER = 8
_ROWS = 32


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
        _score(nodes.steps, nodes.limits, nodes.roots, nodes.ends, rows, out)
        return out


@inlined
def _walk(
    steps: NDArray[np.int32],
    limits: FloatArray,
    at: NDArray[np.uint64],
    rows: FloatArray,
    row: int,
) -> None:
    """Send a row down eight trees, from where it stands in each to its leaf."""
    one = np.uint64(1)
    moved = True
    while moved:
        moved = False
        for tree in range(_TOGETHER):
            node = at[np.uint64(tree)]
            value = rows[row, np.uint64(steps[node, 3])]
            # 0 left, 1 right, 2 missing, without a branch to guess wrong
            way = one - np.uint64(value <= limits[node]) + np.uint64(value != value)  # noqa: PLR0124
            following = np.uint64(steps[node, way])
            moved |= following != node
            at[np.uint64(tree)] = following


@compiled
def _score(
    steps: NDArray[np.int32],
    limits: FloatArray,
    roots: NDArray[np.int64],
    ends: NDArray[np.int64],
    X: FloatArray,
    out: FloatArray,
) -> None:
    """Add the trees' values to `out`, of shape (n_models, n_rows), in the order of the trees."""
    rows = np.empty((_ROWS, X.shape[1]))
    at = np.empty(_TOGETHER, np.uint64)
    for first in range(0, X.shape[0], _ROWS):
        n_rows = min(_ROWS, X.shape[0] - first)
        for row in range(n_rows):
            for k in range(X.shape[1]):
                value = X[first + row, k]
                rows[row, k] = 0.0 if abs(value) <= TINY else value
        start = 0
        for model in range(ends.size):
            for tree in range(start, ends[model], _TOGETHER):
                together = min(_TOGETHER, ends[model] - tree)
                for row in range(n_rows):
                    for k in range(_TOGETHER):
                        at[k] = np.uint64(roots[tree + min(k, together - 1)])
                    _walk(steps, limits, at, rows, row)
                    for k in range(together):
                        out[model, first + row] += limits[at[k]]
            start = ends[model]
