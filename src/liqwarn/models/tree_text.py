"""Trees read from LightGBM's own text into one table of nodes.

A test sends a row to one of two nodes that lie side by side: left where the test's column is at
most its limit, right where it is not. Where missing values go is written into the columns: a
feature has one for each way it is asked, in which what is missing stands as −∞ (left of every
limit) or as NaN (left of none). A leaf sends every row to itself. Limits and values are printed
with 17 digits: they are the same bits.
"""

from collections.abc import Callable, Sequence
from math import inf, isnan, nan
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from liqwarn.errors import ModelError
from liqwarn.frames import FloatArray

__all__ = ["TINY", "Nodes", "read_trees"]

TINY: Final = float(np.float32(1e-35))
"""LightGBM reads values as small as this as 0."""

_CATEGORICAL: Final = 1
_DEFAULT_LEFT: Final = 2
_MISSING_BITS: Final = 2
_NONE, _ZERO, _NAN = 0, 1, 2
_HALF: Final = 32
_HEADER: Final = {"num_class": "1", "num_tree_per_iteration": "1"}
T = TypeVar("T", int, float)


class Nodes(NamedTuple):
    """The trees of several models in one table."""

    words: NDArray[np.uint64]
    """Shape (n_nodes,): upper half the node to the left, which the one to the right follows; lower
    half the column. A leaf has itself to the left and column 0."""
    limits: FloatArray
    """Shape (n_nodes,): the highest value that goes left; the value of a leaf."""
    trees: NDArray[np.int64]
    """Shape (n_trees, 2): how many tests the longest way down has, and the tree's model. Tree k
    begins at node k."""
    columns: FloatArray
    """Shape (n_columns, 3): feature, what stands for 0, what stands for a missing value. Column 0
    is of no feature: −∞ in every row."""
    n_features: int


class _Tree(NamedTuple):
    """A tree as LightGBM numbers it: tests from 0, leaf k as ~k."""

    features: list[int]
    limits: list[float]
    kinds: list[int]
    lefts: list[int]
    rights: list[int]
    leaves: list[float]


class _Column(NamedTuple):
    """One way in which a feature is asked."""

    feature: int
    missing: int
    left: bool

    @property
    def gap(self) -> float:
        """What stands for a missing value; where none was seen in training, it is read as 0."""
        if self.missing == _NONE:
            return 0.0
        return -inf if self.left else nan

    @property
    def zero(self) -> float:
        return self.gap if self.missing == _ZERO else 0.0


_LEAVES: Final = _Column(0, _NONE, left=False)


class _Table:
    """Nodes level by level, all trees' roots first: what most rows pass lies close together."""

    def __init__(self, trees: Sequence[_Tree]) -> None:
        self.words: list[int] = []
        self.limits: list[float] = []
        self.columns = {_LEAVES: 0}
        level = [(tree, 0 if tree.features else ~0) for tree in trees]
        while level:
            below = list[tuple[_Tree, int]]()
            start = len(self.words) + len(level)
            for tree, node in level:
                if node < 0:
                    self._put(len(self.words), 0, tree.leaves[~node])
                else:
                    column = self._column(tree.features[node], tree.kinds[node])
                    self._put(start + len(below), column, tree.limits[node])
                    below += [(tree, tree.lefts[node]), (tree, tree.rights[node])]
            level = below

    def _put(self, left: int, column: int, limit: float) -> None:
        self.words.append(left << _HALF | column)
        self.limits.append(limit)

    def _column(self, feature: int, kind: int) -> int:
        missing, left = kind >> _MISSING_BITS, bool(kind & _DEFAULT_LEFT)
        if missing not in {_ZERO, _NAN}:
            missing, left = _NONE, True  # never the column of the leaves
        return self.columns.setdefault(_Column(feature, missing, left), len(self.columns))


def read_trees(models: Sequence[str]) -> Nodes:
    """Read the trees of models, each of one number a row.

    Parameters
    ----------
    models : sequence of str
        What ``Booster.model_to_string`` gives.

    Raises
    ------
    ModelError
        When a text is cut short or does not hold together, when models differ in their number of
        features, or have what is not known here: several classes, averaged trees, categories,
        linear leaves, NaN as a limit or a leaf.
    """
    sizes, trees, known = set[int](), list[_Tree](), list[tuple[int, int]]()
    for model, text in enumerate(models):
        header, *told = text.partition("\nend of trees")[0].split("\nTree=")
        n_features = _n_features(header, text, len(told))
        sizes.add(n_features)
        for one in told:
            trees.append(_tree(_fields(one), n_features))
            known.append((_depth(trees[-1]), model))
    if len(sizes) != 1:
        raise ModelError(f"models have {sorted(sizes)} features, expected the same number of all")
    table = _Table(trees)
    return Nodes(
        words=np.array(table.words, np.uint64),
        limits=np.array(table.limits, np.float64),
        trees=np.array(known, np.int64).reshape(-1, 2),
        columns=np.array([(c.feature, c.zero, c.gap) for c in table.columns], np.float64),
        n_features=sizes.pop(),
    )


def _fields(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines())}


def _n_features(header: str, text: str, n_trees: int) -> int:
    told = _fields(header)
    if "\nend of trees" not in text or len(told.get("tree_sizes", "").split()) != n_trees:
        raise ModelError(f"a model's text is cut short after {n_trees} trees, expected all of them")
    for name, expected in _HEADER.items():
        if told.get(name) != expected:
            raise ModelError(f"a model has {name}={told.get(name)}, expected {expected}")
    if "average_output" in told:
        raise ModelError("a model averages its trees, expected boosted ones, which are summed")
    return _numbers(told, "max_feature_idx", int, 1)[0] + 1


def _numbers(told: dict[str, str], name: str, kind: Callable[[str], T], n: int) -> list[T]:
    try:
        found = [kind(word) for word in told.get(name, "").split()]
    except ValueError as error:
        raise ModelError(f"a tree's {name} is not of numbers: {error}") from error
    if len(found) != n:
        raise ModelError(f"a tree has {len(found)} of {name}, expected {n}")
    return found


def _tree(told: dict[str, str], n_features: int) -> _Tree:
    n_leaves = _numbers(told, "num_leaves", int, 1)[0]
    if told.get("num_cat") != "0" or told.get("is_linear", "0") != "0":
        raise ModelError("a tree has categories or linear leaves, expected numbers alone")
    n_tests = n_leaves - 1
    tree = _Tree(
        leaves=_numbers(told, "leaf_value", float, n_leaves),
        features=_numbers(told, "split_feature", int, n_tests),
        limits=_numbers(told, "threshold", float, n_tests),
        kinds=_numbers(told, "decision_type", int, n_tests),
        lefts=_numbers(told, "left_child", int, n_tests),
        rights=_numbers(told, "right_child", int, n_tests),
    )
    if any(kind & _CATEGORICAL for kind in tree.kinds):
        raise ModelError("a tree has categories, expected numbers alone")
    if any(isnan(number) for number in (*tree.limits, *tree.leaves)):
        raise ModelError("a tree has NaN for a limit or a leaf, expected numbers")
    for feature in tree.features:
        if not 0 <= feature < n_features:
            last = n_features - 1
            raise ModelError(f"a tree asks for feature {feature}, expected 0 to {last}")
    return tree


def _depth(tree: _Tree) -> int:
    """Tests on the longest way down; a child comes after its test and has no other: it ends."""
    n_tests, depth = len(tree.features), {0: 0}
    for k, children in enumerate(zip(tree.lefts, tree.rights, strict=True)):
        for child in children:
            after = k < child < n_tests or -len(tree.leaves) <= child < 0
            if child in depth or not after:
                left, right = children
                raise ModelError(
                    f"a tree's node {k} leads to {left} and {right}, not after it or led to twice"
                )
            depth[child] = depth.get(k, 0) + 1
    return max(depth.values())
