"""A model that answers its probes with the same bits is the one that was saved."""

import numpy as np
import orjson
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.bundle import load_bundle
from liqwarn.models.probes import PROBES, Probes


@pytest.fixture(scope="module")
def model(small_bundle_folder):
    return load_bundle(small_bundle_folder, version="1").model


@pytest.fixture(scope="module")
def rows(model):
    X = np.random.default_rng(3).normal(size=(100, len(model.names_)))
    X[5], X[99, 0] = np.nan, np.inf
    return X


def test_probes_come_back_to_the_last_bit(model, rows):
    probes = Probes.of(model, rows)

    back = Probes.from_bytes(probes.to_bytes())

    assert len(back.rows) == PROBES
    assert back.names == model.names_
    np.testing.assert_array_equal(back.rows, probes.rows)
    np.testing.assert_array_equal(back.raw, probes.raw)
    np.testing.assert_array_equal(back.rows[[0, -1]], rows[[0, -1]])
    assert back.fault(model) is None


def test_a_score_that_is_one_bit_off_is_told(model, rows):
    probes = Probes.of(model, rows)
    found = probes.raw.copy()
    found[2, 1, 0] = np.nextafter(found[2, 1, 0], np.inf)

    assert "1 of 96 scores of probes differ; that at (2, 1, 0)" in probes.compare(found)
    found[3] = np.nan
    assert "7 of 96" in probes.compare(found)
    assert "have shape (1, 2, 3), expected (16, 2, 3)" in probes.compare(found[:1])


def test_probes_of_other_features_fit_no_model(model, rows):
    probes = Probes.of(model, rows)
    other = Probes(names=("a",), rows=probes.rows[:, :1], raw=probes.raw)

    assert other.fault(model) == "its probes are rows of other features"


def test_few_rows_are_all_probes(model, rows):
    assert len(Probes.of(model, rows[:3]).rows) == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": "liqwarn.probes/9"}, r"have schema 'liqwarn.probes/9'"),
        ({"rows": []}, "expected at least one row"),
        ({"rows": [["0x1p0"]]}, "expected at least one row"),
        ({"rows": [["one"]]}, "unreadable"),
        ({"raw": ["nan"]}, "unreadable"),
        ({"shape": [8, 2, 6]}, "as many scores"),
        ({"names": 3}, "unreadable"),
    ],
)
def test_anything_else_is_refused(model, rows, change, why):
    raw = orjson.loads(Probes.of(model, rows).to_bytes()) | change

    with pytest.raises(ModelError, match=why):
        Probes.from_bytes(orjson.dumps(raw))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff"])
def test_nonsense_is_refused(content):
    with pytest.raises(ModelError, match="unreadable"):
        Probes.from_bytes(content)
