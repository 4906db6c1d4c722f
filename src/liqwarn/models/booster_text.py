"""Is a LightGBM text whole and sensible? Asked before LightGBM sees it.

LightGBM's own parser trusts a text: one that was cut kills the process, or reads past its end and
is luckier in one process than in the next; a child that points nowhere is followed. Everything its
parser or a prediction takes for granted is checked here first, in Python, where a fault is a
message.
"""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final

from liqwarn.errors import ModelError

__all__ = ["check_booster_text"]

_HEADER: Final = (
    *("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx"),
    *("objective", "feature_names", "feature_infos", "tree_sizes"),
)
_TREE: Final = (
    *("num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type"),
    *("left_child", "right_child", "leaf_value", "leaf_weight", "leaf_count", "internal_value"),
    *("internal_weight", "internal_count", "is_linear", "shrinkage"),
)
_OF_NODES: Final = ("split_gain", "threshold", "internal_value", "internal_weight")
_CODES: Final = frozenset({0, 2, 4, 6, 8, 10})
"""Decisions by a number: which way a missing value goes, and what counts as missing."""
_DIGITS: Final = "0123456789- "
_NUMBERS: Final = "0123456789.e+- "
_MOST_LEAVES: Final = 1 << 16
_TAIL: Final = re.compile(
    r"end of trees\n\nfeature_importances:\n(?:[^\s=]+=\d+\n)*"
    r"\nparameters:\n(?:\[[a-z0-9_]+: .*\]\n)*"
    r"\nend of parameters\n\npandas_categorical:null\n"
)


def check_booster_text(content: bytes) -> None:
    r"""Refuse a text that is not whole, or not of a binary model of numbers.

    Parameters
    ----------
    content : bytes
        What ``Booster.model_to_string`` gave.

    Raises
    ------
    ModelError
        Saying where the fault is.

    Examples
    --------
    >>> check_booster_text(b"tree\nversion=v4\nnum_cl")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    liqwarn.errors.ModelError: model text has the header version, num_cl, expected ...
    """
    try:
        head, _, rest = content.decode("ascii").partition("\n\n")
        _need(head.startswith("tree\n"), "another beginning")
        header = _pairs(head.removeprefix("tree\n"), _HEADER, "the header")
        n_features = _integers(header["max_feature_idx"])[0] + 1
        for name in ("feature_names", "feature_infos"):
            _need(len(header[name].split(" ")) == n_features, f"{name} of other length")
        for key, value in (("num_class", "1"), ("num_tree_per_iteration", "1")):
            _need(header[key] == value, f"{key}={header[key]}")
        for k, size in enumerate(_integers(header["tree_sizes"])):
            _need(0 < size <= len(rest), f"tree {k} of {size} bytes")
            _check_tree(rest[:size], k, n_features)
            rest = rest[size:]
    except (ValueError, IndexError) as error:
        raise ModelError(f"model text cannot be read: {error}") from error
    _need(_TAIL.fullmatch(rest) is not None, "something else than its ending after the trees")


def _check_tree(block: str, k: int, n_features: int) -> None:
    start, end = f"Tree={k}\n", "\n\n\n"
    _need(block.startswith(start) and block.endswith(end), f"no whole tree {k} at its place")
    tree = _pairs(block.removeprefix(start).removesuffix(end), _TREE, f"tree {k}")
    leaves = _integers(tree["num_leaves"])[0]
    _need(0 < leaves <= _MOST_LEAVES, f"tree {k} of {leaves} leaves")
    _need(tree["num_cat"] == tree["is_linear"] == "0", f"tree {k} of another kind")
    lengths = dict.fromkeys(_OF_NODES, leaves - 1) | {"leaf_value": leaves, "shrinkage": 1}
    for name in ("leaf_weight", "leaf_count"):
        lengths[name] = leaves if leaves > 1 or tree[name] else 0  # a single leaf's may be left out
    for name, length in lengths.items():
        _need(len(_floats(tree[name])) == length, f"tree {k}: {name} of other length")
    counts = _integers(tree["internal_count"])
    _need(len(counts) == leaves - 1, f"tree {k}: internal_count of other length")
    _check_nodes(tree, k, leaves, n_features)


def _check_nodes(tree: Mapping[str, str], k: int, leaves: int, n_features: int) -> None:
    """Every node but the first, and every leaf, hangs below exactly one earlier node."""
    features, codes = _integers(tree["split_feature"]), _integers(tree["decision_type"])
    _need(len(features) == len(codes) == leaves - 1, f"tree {k}: splits of other length")
    _need(all(0 <= f < n_features for f in features), f"tree {k} splits by a feature of no name")
    _need(set(codes) <= _CODES, f"tree {k} decides in another way")
    sides = [_integers(tree[name]) for name in ("left_child", "right_child")]
    _need(all(len(side) == leaves - 1 for side in sides), f"tree {k}: children of other length")
    hang = sorted(child for side in sides for child in side)
    expected = [*range(-leaves, 0), *range(1, leaves - 1)] if leaves > 1 else []
    later = all(child < 0 or child > at for side in sides for at, child in enumerate(side))
    _need(hang == expected and later, f"tree {k} is no tree")


def _pairs(text: str, keys: Sequence[str], what: str) -> dict[str, str]:
    found = dict(line.partition("=")[::2] for line in text.split("\n"))
    if tuple(found) != tuple(keys) or len(found) != text.count("\n") + 1:
        told = ", ".join(name[:40] for name in found)
        raise ModelError(f"model text has {what} {told}, expected {', '.join(keys)}")
    return found


def _integers(text: str) -> list[int]:
    _need(not text.strip(_DIGITS), f"the integers {text[:40]!r}")
    return [int(word) for word in text.split(" ")] if text else []


def _floats(text: str) -> list[float]:
    _need(not text.strip(_NUMBERS), f"the numbers {text[:40]!r}")
    values = [float(word) for word in text.split(" ")] if text else []
    _need(all(map(isfinite, values)), f"the numbers {text[:40]!r}")
    return values


def _need(true: bool, found: str) -> None:
    if not true:
        raise ModelError(f"model text has {found}; it was cut or changed")
