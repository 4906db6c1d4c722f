"""The design of a logistic regression: filled, flagged, standardised by training rows alone."""

import numpy as np
import pytest

from liqwarn.errors import ModelError
from liqwarn.models.design import Design

NAN = np.nan


def test_gaps_become_the_median_and_are_flagged():
    X = np.array([[1.0], [2.0], [9.0], [NAN]])

    found = Design().fit(X).transform(X)

    filled = np.array([1.0, 2.0, 9.0, 2.0])
    np.testing.assert_allclose(found[:, 0], (filled - filled.mean()) / filled.std())
    assert found[:, 1].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_columns_without_news_are_left_out():
    X = np.array([[NAN, 3.0, 1.0, 5.0], [NAN, 3.0, 2.0, NAN], [NAN, 3.0, 4.0, 5.0]])

    design = Design().fit(X)

    assert design.kept_.tolist() == [2]
    assert design.transform(X).shape == (3, 1)


def test_of_equal_indicators_one_is_kept():
    X = np.array([[1.0, 4.0, NAN], [2.0, 6.0, 1.0], [NAN, NAN, 2.0], [3.0, 3.0, 5.0]])

    found = Design().fit(X).transform(X)

    assert found.shape == (4, 5)
    assert {tuple(column) for column in found[:, 3:].T} == {(0, 0, 1, 0), (1, 0, 0, 0)}


def test_infinite_values_are_gaps():
    X = np.array([[1.0], [2.0], [3.0], [np.inf], [-np.inf]])

    found = Design().fit(X).transform(X)

    assert np.isfinite(found).all()
    assert found[:, 1].tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]


def test_values_are_clipped_to_five_standard_deviations():
    design = Design().fit(np.array([[0.0], [1.0], [2.0]]))

    assert design.transform(np.array([[1e9], [-1e9], [1.0]]))[:, 0].tolist() == [5.0, -5.0, 0.0]


def test_later_rows_are_measured_by_the_training_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    design = Design().fit(X[:30])

    later = design.transform(X[30:])

    np.testing.assert_array_equal(later[4], design.transform(X[34:35])[0])
    gap = design.transform(np.full((1, 3), NAN))
    np.testing.assert_allclose(gap[0], (design.median_ - design.mean_) / design.scale_)


@pytest.mark.parametrize("n_columns", [0, 2])
def test_nothing_to_use_gives_no_columns_and_no_warning(n_columns):
    X = np.full((4, n_columns), NAN)

    assert Design().fit(X).transform(X).shape == (4, 0)


def test_small_units_are_not_taken_for_constants():
    X = np.array([[1e-6], [2e-6], [3e-6]])

    assert Design().fit(X).transform(X).shape == (3, 1)


def test_an_unfitted_design_says_so():
    with pytest.raises(ModelError, match="this design is not fitted"):
        Design().transform(np.zeros((1, 1)))
