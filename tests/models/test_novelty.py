"""Rows unlike training are named, others are let be; nothing is known of the future."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.novelty import Novelty
from liqwarn.models.splits import InnerFolds

synthetic = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))
rows_of = synthetic["rows_of"]


@pytest.fixture(scope="module")
def rows():
    return rows_of(days=90)


@pytest.fixture(scope="module")
def novelty(rows):
    return Novelty().fit(rows)


def with_value(rows, name, value, n=5):
    X = rows.X[:n].copy()
    X[:, rows.names.index(name)] = value
    return X


def test_training_rows_and_more_of_their_kind_are_familiar(rows, novelty):
    assert not novelty.novel(rows.X).any()
    assert novelty.novel(rows_of(seed=1, days=90).X).mean() < 0.002


def test_a_wrong_unit_is_novel_whatever_the_other_features_say(rows, novelty):
    for name in ("rv_1d", "oi_z_7d", "gappy"):
        usual = np.nanmedian(np.abs(rows.column(name)))
        assert novelty.novel(with_value(rows, name, 1000.0 * usual)).all()
    assert novelty.novel(with_value(rows, "rv_1d", 0.0)).all()  # a feed that is stuck


def test_missing_values_are_not_novel(rows, novelty):
    for name in rows.names:
        assert novelty.score(with_value(rows, name, np.nan)).max() == 0.0
    assert not novelty.novel(np.full((3, len(rows.names)), np.nan)).any()


def test_the_score_is_the_distance_beyond_training_in_deviations(rows, novelty):
    x = rows.column("oi_z_7d")
    width = np.subtract(*np.percentile(x, [95.0, 5.0])) / 3.289707

    found = novelty.score(with_value(rows, "oi_z_7d", x.max() + 4.0 * width))

    np.testing.assert_allclose(found, 4.0)


def test_what_is_strange_is_named_strangest_family_first(rows, novelty):
    X = with_value(rows, "oi_z_7d", 500.0, n=2)
    X[1, rows.names.index("funding_z_60d")] = -2000.0
    X[1, rows.names.index("gappy")] = 900.0  # a family is told once

    one, two = novelty.describe(X)

    assert one.startswith("oi_z_7d is 4")
    assert one.endswith(" robust deviations beyond anything in training")
    first, second = two.split("; ")
    assert first.startswith("funding_z_60d is 2,0")
    assert second.startswith("oi_z_7d is 4")
    assert novelty.describe(rows.X[:1]) == [""]


def test_at_most_its_share_of_the_rows_of_inner_folds_is_novel():
    """The level rises day by day, so what comes later is outside; that much of it is ordinary."""
    rows = rows_of(days=120, skill=0.0)
    X = rows.X.copy()
    at = rows.names.index("oi_z_7d")
    X[:, at] = 0.1 * X[:, at] + np.linspace(0.0, 2.0, len(X)) ** 6
    drifting = replace(rows, X=X)

    novelty = Novelty().fit(drifting)

    assert novelty.limit_ > 2.0
    unseen = np.concatenate(
        [
            Novelty().fit(drifting.take(train)).score(X[test])
            for train, test in InnerFolds().split(rows.times, rows.end)
        ]
    )
    assert 0.004 < (unseen > novelty.limit_).mean() <= 0.005


def test_the_limit_is_never_less_than_a_deviation(rows, novelty):
    assert novelty.limit_ >= 1.0
    x = rows.column("oi_z_7d")
    assert not novelty.novel(with_value(rows, "oi_z_7d", x.max() + 0.9)).any()


def test_a_feature_too_new_to_have_been_judged_is_not_looked_at(rows):
    X = rows.X.copy()
    at = rows.names.index("oi_z_7d")
    X[: int(0.87 * len(X)), at] = np.nan

    novelty = Novelty().fit(replace(rows, X=X))

    assert np.isfinite(X[:, at]).sum() > 720
    assert not novelty.novel(with_value(rows, "oi_z_7d", 1e9)).any()


def test_without_inner_folds_nothing_is_called_novel(rows):
    novelty = Novelty().fit(rows.take(slice(0, 2)))

    assert not novelty.novel(with_value(rows, "oi_z_7d", 1e30)).any()
    assert np.isfinite(novelty.limit_)


def test_one_row_has_the_same_bits_as_many(rows, novelty):
    X = rows_of(seed=3, days=30).X * 3.0
    many = novelty.score(X)

    assert (many > 0).any()
    alone = [novelty.score(X[k : k + 1])[0] for k in range(0, len(X), 7)]
    np.testing.assert_array_equal(alone, many[::7])


def test_a_history_longer_than_a_chunk_is_scored_whole(rows, novelty):
    X = np.tile(rows.X[:900] * 2.0, (50, 1))

    np.testing.assert_array_equal(novelty.score(X), np.tile(novelty.score(X[:900]), 50))
    assert novelty.score(X[:0]).shape == (0,)
    assert novelty.describe(X[:0]) == []


def test_it_is_the_same_after_json(rows, novelty):
    again = Novelty.from_dict(orjson.loads(orjson.dumps(novelty.to_dict())))

    X = rows_of(seed=4, days=20).X * 3.0
    np.testing.assert_array_equal(again.score(X), novelty.score(X))
    assert again.limit_ == novelty.limit_
    assert again.describe(X) == novelty.describe(X)


def test_rows_of_other_columns_are_an_error(rows, novelty):
    with pytest.raises(ModelError, match=r"shape \(4, 3\), expected 9 columns"):
        novelty.score(np.zeros((4, 3)))


def test_unfitted_it_says_so():
    with pytest.raises(ModelError, match="not fitted"):
        Novelty().score(np.zeros((1, 1)))
