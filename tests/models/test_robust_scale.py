"""Deviations from the usual: outliers do not move the scale, gaps stay gaps, bits do not depend."""

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.errors import ModelError
from liqwarn.models.robust_scale import FARTHEST, RobustScale


def columns(seed=0, n=2000):
    """Normal, positive and heavy-tailed, half missing, constant, hardly ever known."""
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [
            rng.normal(5.0, 2.0, n),
            np.exp(rng.normal(0.0, 1.0, n)),
            np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n)),
            np.full(n, 7.0),
            np.where(np.arange(n) < 700, rng.normal(size=n), np.nan),
        ]
    )


@pytest.fixture(scope="module")
def scale():
    return RobustScale().fit(columns())


def test_a_normal_column_is_scaled_by_its_standard_deviation(scale):
    np.testing.assert_allclose([scale.centre_[0], scale.scale_[0]], [5.0, 2.0], rtol=0.05)


def test_columns_that_are_constant_or_hardly_known_are_left_out(scale):
    assert scale.kept_.tolist() == [0, 1, 2]


def test_a_column_that_was_always_positive_is_taken_in_logarithms(scale):
    assert scale.logged_.tolist() == [False, True, False]
    row = columns()[:1].copy()
    for value, expected in ((1.0, 0.0), (np.e, 1.0), (np.exp(-3.0), -3.0)):
        row[0, 1] = value
        assert scale.transform(row)[0, 1] == pytest.approx(expected, abs=0.2)


def test_zero_or_less_in_a_positive_column_is_as_far_as_a_thousandth_of_the_least(scale):
    row = columns()[:1].copy()
    found = []
    for value in (0.0, -5.0, columns()[:, 1].min() / 1000.0):
        row[0, 1] = value
        found.append(scale.transform(row)[0, 1])

    np.testing.assert_allclose(found, found[2])
    assert found[2] < -9.0


def test_gross_outliers_hardly_move_centre_and_scale(scale):
    X = columns()
    X[::50, 0] = 1e9

    spoilt = RobustScale().fit(X)

    assert spoilt.centre_[0] == pytest.approx(scale.centre_[0], abs=0.1)
    assert spoilt.scale_[0] == pytest.approx(scale.scale_[0], rel=0.2)


def test_a_column_that_hardly_ever_moves_has_a_scale_all_the_same():
    x = np.zeros(1000)
    x[::100] = 3.0

    found = RobustScale().fit(x[:, None])

    assert found.scale_[0] == pytest.approx(x.std())


def test_training_rows_are_never_beyond_training_and_the_next_value_is(scale):
    X = columns()
    assert scale.beyond(scale.transform(X)).max() == 0.0

    over = X[:1].copy()
    over[0, :3] = X[:, 0].max() + 2.0 * scale.scale_[0], np.nan, np.nanmin(X[:, 2])
    beyond = scale.beyond(scale.transform(over))[0]

    np.testing.assert_allclose(beyond, [2.0, 0.0, 0.0], atol=1e-9)


def test_infinite_values_are_far_and_missing_ones_are_not(scale):
    row = np.array([[np.inf, np.nan, -np.inf, 7.0, 0.0]])

    deviations = scale.transform(row)

    np.testing.assert_array_equal(deviations, [[FARTHEST, np.nan, -FARTHEST]])
    assert scale.beyond(deviations)[0, 1] == 0.0
    assert (scale.beyond(deviations)[0, [0, 2]] > FARTHEST / 2).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_one_row_has_the_same_bits_as_many(scale, seed, n_rows):
    X = columns(seed, n_rows) * np.exp(np.random.default_rng(seed).normal(0.0, 5.0))
    many = scale.beyond(scale.transform(X))

    for k in range(n_rows):
        np.testing.assert_array_equal(scale.beyond(scale.transform(X[k : k + 1]))[0], many[k])


def test_some_of_its_columns_are_scaled_as_before(scale):
    X = columns(1)

    some = scale.only({2, 0, 4})

    assert some.kept_.tolist() == [0, 2]
    np.testing.assert_array_equal(some.transform(X), scale.transform(X)[:, [0, 2]])


def test_it_is_the_same_after_json(scale):
    again = RobustScale.from_dict(orjson.loads(orjson.dumps(scale.to_dict())))

    X = columns(2)
    np.testing.assert_array_equal(again.transform(X), scale.transform(X))
    np.testing.assert_array_equal(
        again.beyond(again.transform(X)), scale.beyond(scale.transform(X))
    )


def test_nothing_to_learn_of_leaves_no_column():
    scale = RobustScale().fit(np.full((900, 2), np.nan))

    assert scale.transform(np.zeros((3, 2))).shape == (3, 0)


def test_unfitted_it_says_so():
    with pytest.raises(ModelError, match="not fitted"):
        RobustScale().transform(np.zeros((1, 1)))
