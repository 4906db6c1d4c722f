"""Trees as text: all of it understood, or refused in words."""

import lightgbm as lgb
import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.tree_text import read_trees

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
Y = X[:, 0] > 0


def trained(trees=3, X=X, y=Y, **changes):
    parameters = {"objective": "binary", "num_leaves": 4, "verbosity": -1, "num_threads": 1}
    data = lgb.Dataset(X, y, categorical_feature=changes.pop("categories", []))
    return lgb.train({**parameters, **changes}, data, trees).model_to_string()


TEXT = trained()


def told(name):
    """A line of the first tree."""
    return next(line for line in TEXT.splitlines() if line.startswith(f"{name}="))


def parts(nodes):
    """Left child and column of each node."""
    return (nodes.words >> 32).astype(int), (nodes.words & (2**32 - 1)).astype(int)


def test_a_table_of_nodes():
    nodes = read_trees([TEXT, trained(2)])

    words = [line for line in (TEXT + trained(2)).splitlines() if line.startswith("num_leaves")]
    sizes = np.array([2 * int(line.partition("=")[2]) - 1 for line in words])
    depths, models = nodes.trees.T
    roots = range(5)
    assert models.tolist() == [0, 0, 0, 1, 1]
    assert nodes.n_features == 3
    left, column = parts(nodes)
    own, leaf = np.arange(sizes.sum()), column == 0
    assert (left[leaf] == own[leaf]).all()
    assert leaf.sum() == (sizes + 1).sum() / 2
    children = np.concatenate([left[~leaf], left[~leaf] + 1])
    assert sorted([*roots, *children]) == own.tolist()
    for root, depth in zip(roots, depths, strict=True):
        level = np.array([root])
        for _ in range(depth):
            assert not leaf[level].all()
            level = np.concatenate([left[level], left[level] + ~leaf[level]])
        assert leaf[level].all()


def test_a_column_for_each_way_a_feature_is_asked():
    text = TEXT.replace(told("split_feature"), "split_feature=1 1 1", 1)
    columns = set()
    for kinds in ("0 2 4", "6 8 10"):
        nodes = read_trees([text.replace(told("decision_type"), f"decision_type={kinds}", 1)])
        columns |= {str(tuple(column)) for column in nodes.columns.tolist()}

    assert {
        "(1.0, 0.0, 0.0)",  # read as 0
        "(1.0, nan, nan)",  # 0 is missing and goes right
        "(1.0, -inf, -inf)",  # 0 is missing and goes left
        "(1.0, 0.0, nan)",
        "(1.0, 0.0, -inf)",
    } <= columns


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.8])
def test_a_text_cut_short(cut):
    with pytest.raises(ModelError, match="a model's text is cut short after"):
        read_trees([TEXT[: int(cut * TEXT.index("end of trees"))]])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("num_class=1", "num_class=3", "a model has num_class=3, expected 1"),
        ("tree_sizes=", "tree_sizes=7 ", "cut short after 3 trees"),
        ("max_feature_idx=2", "max_feature_idx=two", "max_feature_idx is not of numbers"),
        ("\nmax_feature_idx=2", "", "a tree has 0 of max_feature_idx, expected 1"),
        ("label_index=0", "label_index=0\naverage_output", "averages its trees"),
        ("num_leaves=4", "num_leaves=5", "a tree has 4 of leaf_value, expected 5"),
        ("is_linear=0", "is_linear=1", "categories or linear leaves"),
        ("\nthreshold=", "\nthreshold=1 ", "a tree has 4 of threshold, expected 3"),
        ("\nleft_child=", "\nleft_child=0 ", "a tree has 4 of left_child, expected 3"),
        ("\nsplit_feature=", "\nsplit_feature=x ", "split_feature is not of numbers"),
    ],
)
def test_a_text_that_says_something_else(old, new, said):
    assert old in TEXT
    with pytest.raises(ModelError, match=said):
        read_trees([TEXT.replace(old, new, 1)])


def test_nodes_that_go_in_circles():
    line = told("left_child")
    with pytest.raises(ModelError, match=r"a tree's node 0 leads to 0 and .*, not after it"):
        read_trees([TEXT.replace(line, "left_child=0 " + line.split(" ", 1)[1], 1)])


@pytest.mark.parametrize("name", ["threshold", "leaf_value"])
def test_numbers_that_are_none(name):
    line = told(name)
    with pytest.raises(ModelError, match="a tree has NaN for a limit or a leaf"):
        read_trees([TEXT.replace(line, f"{name}=nan " + line.split(" ", 1)[1], 1)])


def test_nodes_that_two_lead_to():
    line = told("right_child")
    for children in ("-1 -1 -1", "-1 -2 -9"):
        with pytest.raises(
            ModelError, match=r"a tree's node \d leads to .*, not after it or led to"
        ):
            read_trees([TEXT.replace(line, f"right_child={children}", 1)])


def test_a_feature_that_is_not_there():
    line = told("split_feature")
    for feature in ("3", "-1"):
        other = f"split_feature={feature} " + line.split(" ", 1)[1]
        with pytest.raises(
            ModelError, match=rf"a tree asks for feature {feature}, expected 0 to 2"
        ):
            read_trees([TEXT.replace(line, other, 1)])


def test_what_is_not_known_here():
    some = np.column_stack([X, RNG.integers(0, 5, 300)])
    with pytest.raises(ModelError, match="categories"):
        read_trees([trained(X=some, y=some[:, 3] == 2, categories=[3], min_data_per_group=1)])
    with pytest.raises(ModelError, match="num_class=3"):
        read_trees([trained(y=RNG.integers(0, 3, 300), objective="multiclass", num_class=3)])
    with pytest.raises(ModelError, match=r"models have \[3, 4\] features, expected the same"):
        read_trees([TEXT, trained(X=some)])
    with pytest.raises(ModelError, match=r"models have \[\] features"):
        read_trees([])
