"""Newton's logistic regression against scikit-learn's, and where that gives up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from liqwarn.models.logistic import fit_logistic, sigmoid


def draw(seed, n_rows=400, n_features=3, base=-2.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    p = sigmoid(X @ np.linspace(1.0, -0.5, n_features) + base)
    y = (rng.random(n_rows) < p).astype(np.float64)
    y[:2] = 0.0, 1.0
    return X, y


@pytest.mark.parametrize("ridge", [1.0, 100.0])
def test_it_equals_scikit_learn(ridge):
    X, y = draw(1)
    other = LogisticRegression(C=1.0 / ridge, tol=1e-10, max_iter=1000).fit(X, y)

    found = fit_logistic(X, y, ridge=ridge)

    np.testing.assert_allclose(found, [*other.coef_[0], *other.intercept_], atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), ridge=st.sampled_from([0.0, 1.0, 50.0]))
def test_the_slope_of_the_loss_is_zero_at_the_answer(seed, ridge):
    X, y = draw(seed)
    theta = fit_logistic(X, y, ridge=ridge)

    residual = sigmoid(X @ theta[:-1] + theta[-1]) - y

    np.testing.assert_allclose(X.T @ residual + ridge * theta[:-1], 0.0, atol=1e-4)
    assert abs(residual.sum()) < 1e-4  # the intercept goes free: rates agree


def test_rare_outcomes_converge():
    X, y = draw(2, n_rows=20_000, base=-6.0)

    residual = sigmoid(X @ (theta := fit_logistic(X, y))[:-1] + theta[-1]) - y

    assert np.abs(X.T @ residual).max() < 1e-3


def test_separable_rows_give_finite_numbers():
    x = np.linspace(-1.0, 1.0, 40)[:, None]

    theta = fit_logistic(x, (x[:, 0] > 0).astype(np.float64))

    assert np.isfinite(theta).all()
    assert theta[0] > 10


def test_a_column_that_says_the_same_twice_does_no_harm():
    X, y = draw(3)

    theta = fit_logistic(np.column_stack([X, X[:, 0]]), y)

    plain = fit_logistic(X, y)
    assert theta[0] + theta[3] == pytest.approx(plain[0], abs=1e-4)


def test_no_columns_give_the_rate():
    y = np.array([1.0, 0.0, 0.0, 0.0])

    theta = fit_logistic(np.empty((4, 0)), y)

    assert float(sigmoid(theta)[0]) == pytest.approx(0.25)


def test_sigmoid_does_not_overflow():
    found = sigmoid(np.array([-1e6, -745.0, 0.0, 745.0, 1e6]))

    assert found.tolist()[2:] == [0.5, 1.0, 1.0]
    assert found[0] == 0.0
    assert 0.0 <= found[1] < 1e-300
