"""A text that LightGBM may be given: whole, and a tree wherever it says so."""

import re

import lightgbm as lgb
import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.booster_text import check_booster_text


@pytest.fixture(scope="module")
def texts(small_bundle_folder):
    return [path.read_bytes() for path in sorted(small_bundle_folder.glob("model/*.txt"))]


def grown(leaves, min_rows, missing=False):
    rng = np.random.default_rng(5)
    X = np.round(rng.normal(size=(300, 4)), 1)
    if missing:
        X[rng.random(X.shape) < 0.3] = np.nan
    settings = {
        "objective": "binary", "num_leaves": leaves, "min_data_in_leaf": min_rows,
        "verbosity": -1, "num_threads": 1, "use_missing": missing, "zero_as_missing": missing,
    }  # fmt: skip
    booster = lgb.train(settings, lgb.Dataset(X, (X[:, 0] + X[:, 1] > 0).astype(float)), 3)
    return booster.model_to_string()


@pytest.fixture(scope="module")
def text():
    return grown(8, 3).encode()


def test_what_lightgbm_writes_is_whole(texts):
    assert len(texts) == 6
    for text in texts:
        check_booster_text(text)


@pytest.mark.parametrize(("leaves", "min_rows"), [(2, 299), (2, 3), (50, 3)])
@pytest.mark.parametrize("missing", [False, True])
def test_so_are_trees_of_any_shape(leaves, min_rows, missing):
    text = grown(leaves, min_rows, missing)

    check_booster_text(text.encode())
    check_booster_text(lgb.Booster(model_str=text).model_to_string().encode())


def test_no_cut_text_passes(text):
    for length in [*range(0, len(text), 13), *range(len(text) - 60, len(text))]:
        with pytest.raises(ModelError, match="model text"):
            check_booster_text(text[:length])


def test_nothing_may_be_added(text):
    for more in (b"\n", b"x", text):
        with pytest.raises(ModelError, match="something else than its ending"):
            check_booster_text(text + more)
    with pytest.raises(ModelError, match="another beginning"):
        check_booster_text(b"\n" + text)


def swapped(text, key, change):
    """The text with the first line of a key changed, and its tree's size set right."""
    old = re.search(rb"\n" + key + rb"=([^\n]*)\n", text)
    new = change(old[1])
    sizes = re.search(rb"tree_sizes=(\d+)", text)
    size = int(sizes[1]) + len(new) - len(old[1])
    whole = text[: old.start(1)] + new + text[old.end(1) :]
    if key not in HEAD:
        whole = whole.replace(sizes[0], b"tree_sizes=%d" % size, 1)
    return whole


HEAD = (b"max_feature_idx", b"feature_names", b"num_class", b"tree_sizes", b"objective")


@pytest.mark.parametrize(
    ("key", "change", "why"),
    [
        (b"max_feature_idx", lambda v: b"99", "feature_names of other length"),
        (b"feature_names", lambda v: v + b" more", "feature_names of other length"),
        (b"num_class", lambda v: b"3", "num_class=3"),
        (b"tree_sizes", lambda v: b"999999999", "tree 0 of 999999999 bytes"),
        (b"tree_sizes", lambda v: b"-5", "tree 0 of -5 bytes"),
        (b"tree_sizes", lambda v: b"1" * 5000, "cannot be read"),
        (b"num_leaves", lambda v: b"99999999", "tree 0 of 99999999 leaves"),
        (b"num_leaves", lambda v: b"", "cannot be read"),
        (b"num_leaves", lambda v: b"3", "of other length"),
        (b"num_cat", lambda v: b"1", "tree 0 of another kind"),
        (b"is_linear", lambda v: b"1", "tree 0 of another kind"),
        (b"split_feature", lambda v: re.sub(rb"\d+", b"77", v, count=1), "a feature of no name"),
        (b"split_feature", lambda v: re.sub(rb"\d+", b"-1", v, count=1), "a feature of no name"),
        (b"threshold", lambda v: v + b" 1.5", "threshold of other length"),
        (b"threshold", lambda v: re.sub(rb"^\S+", b"1e999", v), "the numbers '1e999"),
        (b"threshold", lambda v: re.sub(rb"^\S+", b"nan", v), "the numbers 'nan"),
        (b"threshold", lambda v: re.sub(rb"^\S+", b"1..5", v), "cannot be read"),
        (b"decision_type", lambda v: re.sub(rb"^\S+", b"1", v), "decides in another way"),
        (b"left_child", lambda v: re.sub(rb"^\S+", b"0", v), "tree 0 is no tree"),
        (b"left_child", lambda v: re.sub(rb"^\S+", b"500", v), "tree 0 is no tree"),
        (b"right_child", lambda v: re.sub(rb"^\S+", b"-500", v), "tree 0 is no tree"),
        (b"right_child", lambda v: re.sub(rb"^\S+ ?", b"", v), "children of other length"),
        (b"leaf_value", lambda v: re.sub(rb"^\S+ ", b"", v), "leaf_value of other length"),
        (b"leaf_weight", lambda v: b"", "leaf_weight of other length"),
        (b"internal_count", lambda v: v + b" 4", "internal_count of other length"),
        (b"shrinkage", lambda v: b"1 2", "shrinkage of other length"),
    ],
)
def test_what_lightgbm_would_trust_is_checked(text, key, change, why):
    with pytest.raises(ModelError, match=why):
        check_booster_text(swapped(text, key, change))


@pytest.mark.parametrize("line", [b"num_cat=0\n", b"leaf_count=", b"is_linear=0\n"])
def test_a_line_that_is_missing_or_twice_is_refused(text, line):
    for changed in (text.replace(line, b"", 1), text.replace(line, line * 2, 1)):
        with pytest.raises(ModelError, match="model text has"):
            check_booster_text(changed)


def test_a_loop_is_no_tree(text):
    """A node that is its own child, and what was below it in its place: every one has a parent."""
    old = re.search(rb"left_child=([^\n]*)\nright_child=([^\n]*)\n", text)
    left, right = ([int(v) for v in found.split()] for found in old.groups())
    parent, child = next(
        (k, c) for side in (left, right) for k, c in enumerate(side) if k and c > 0
    )
    other = {parent: child, child: parent}
    left, right = ([other.get(c, c) for c in side] for side in (left, right))
    told = b"left_child=%s\nright_child=%s\n" % tuple(
        " ".join(map(str, side)).encode() for side in (left, right)
    )
    assert len(told) == len(old[0])

    with pytest.raises(ModelError, match="is no tree"):
        check_booster_text(text.replace(old[0], told, 1))


@pytest.mark.parametrize("content", [b"", b"tree", b"\xff\xfe", b"tree\n" * 50, b"=\n" * 50])
def test_nonsense_is_refused(content):
    with pytest.raises(ModelError, match="model text"):
        check_booster_text(content)
