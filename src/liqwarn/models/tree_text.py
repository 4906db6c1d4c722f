"""Trees read from LightGBM's own text into one table of nodes.

A node sends a row to one of three others: left where its feature is at most the node's limit, right
where it is above, and where the feature is missing to whichever of the two training chose. A leaf
sends every row to itself. Limits and values are printed with 17 digits: they are the same bits.
"""

from collections.abc import Callable, Sequence
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
_ZERO, _NAN = 1, 2
_BELOW_ZERO: Final = -5e-324
_HEADER: Final = {"num_class": "1", "num_tree_per_iteration": "1"}
T = TypeVar("T", int, float)


class Nodes(NamedTuple):
    """The trees of several models in one table."""

    steps: NDArray[np.int32]
    """Shape (n_nodes, 4): the nodes to the left, to the right and where missing; the feature."""
    limits: FloatArray
    """Shape (n_nodes,): the highest value that goes left; the value of a leaf."""
    roots: NDArray[np.int64]
    """Shape (n_trees,): where each tree begins."""
    ends: NDArray[np.int64]
    """Shape (n_models,): how many trees there are up to the end of each model."""
    n_features: int


class _Table:
    """Nodes in the making."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int, int]] = []
        self.limits: list[float] = []

    def leaf(self, value: float) -> int:
        at = len(self.limits)
        self.steps.append((at, at, at, 0))
        self.limits.append(value)
        return at

    def test(self, feature: int, limit: float, left: int, right: int, missing: int) -> int:
        self.steps.append((left, right, missing, feature))
        self.limits.append(limit)
        return len(self.limits) - 1


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
        linear leaves.
    """
    table, roots, ends, sizes = _Table(), list[int](), list[int](), set[int]()
    for text in models:
        header, *trees = text.partition("\nend of trees")[0].split("\nTree=")
        n_features = _n_features(header, text, len(trees))
        sizes.add(n_features)
        roots += [_add_tree(table, _fields(tree), n_features) for tree in trees]
        ends.append(len(roots))
    if len(sizes) != 1:
        raise ModelError(f"models have {sorted(sizes)} features, expected the same number of all")
    return Nodes(
        steps=np.array(table.steps, np.int32).reshape(-1, 4),
        limits=np.array(table.limits, np.float64),
        roots=np.array(roots, np.int64),
        ends=np.array(ends, np.int64),
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


def _add_tree(table: _Table, told: dict[str, str], n_features: int) -> int:
    """Add a tree; the position of its root."""
    n_leaves = _numbers(told, "num_leaves", int, 1)[0]
    if told.get("num_cat") != "0" or told.get("is_linear", "0") != "0":
        raise ModelError("a tree has categories or linear leaves, expected numbers alone")
    leaves = [table.leaf(value) for value in _numbers(told, "leaf_value", float, n_leaves)]
    n_tests = n_leaves - 1
    features = _numbers(told, "split_feature", int, n_tests)
    for feature in features:
        if not 0 <= feature < n_features:
            last = n_features - 1
            raise ModelError(f"a tree asks for feature {feature}, expected 0 to {last}")
    limits = _numbers(told, "threshold", float, n_tests)
    kinds = _numbers(told, "decision_type", int, n_tests)
    lefts = _numbers(told, "left_child", int, n_tests)
    rights = _numbers(told, "right_child", int, n_tests)
    placed: dict[int, int] = {~k: leaf for k, leaf in enumerate(leaves)}
    for k in reversed(range(n_tests)):  # a node's children come after it: no row goes in circles
        if not {lefts[k], rights[k]} <= placed.keys():
            raise ModelError(f"a tree's node {k} leads to {lefts[k]} and {rights[k]}, not after it")
        if kinds[k] & _CATEGORICAL:
            raise ModelError("a tree has categories, expected numbers alone")
        children = placed[lefts[k]], placed[rights[k]]
        placed[k] = _add_test(table, features[k], limits[k], kinds[k], children)
    return placed[0] if n_tests else leaves[0]


def _add_test(
    table: _Table, feature: int, limit: float, kind: int, children: tuple[int, int]
) -> int:
    """Add what one of LightGBM's nodes does; the position of its first test."""
    left, right = children
    default = left if kind & _DEFAULT_LEFT else right
    missing = kind >> _MISSING_BITS
    zero = left if limit >= 0.0 else right  # where 0 goes by its size
    if missing == _NAN:
        return table.test(feature, limit, left, right, default)
    if missing != _ZERO or default == zero:
        lost = default if missing == _ZERO else zero
        return table.test(feature, limit, left, right, lost)
    # 0 goes the other way than its neighbours: cut it out between those below and those above
    above = table.test(feature, limit, left, right, default)
    if limit >= 0.0:
        upto = table.test(feature, 0.0, default, above, default)
        return table.test(feature, _BELOW_ZERO, left, upto, default)
    upto = table.test(feature, 0.0, default, right, default)
    below = table.test(feature, _BELOW_ZERO, right, upto, default)
    return table.test(feature, limit, left, below, default)
