"""Logistic regression by Newton's method: for calibration and for the baselines."""

from typing import Final

import numpy as np

from liqwarn.frames import FloatArray

__all__ = ["fit_logistic", "linear", "sigmoid"]

STEPS: Final = 100
TOLERANCE: Final = 1e-8


def sigmoid(x: FloatArray) -> FloatArray:
    """``1 / (1 + exp(-x))`` without overflow.

    >>> float(sigmoid(np.array([0.0]))[0])
    0.5
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def linear(X: FloatArray, theta: FloatArray) -> FloatArray:
    """``X @ theta[:-1] + theta[-1]``, summed column by column.

    A matrix product may order its sums by the number of rows; this gives the same bits for one row
    as for many.
    """
    out = np.full(len(X), theta[-1])
    for k in range(X.shape[1]):
        out += X[:, k] * theta[k]
    return out


def fit_logistic(X: FloatArray, y: FloatArray, *, ridge: float = 0.0) -> FloatArray:
    """Coefficients and, last, the intercept that make the outcomes most likely.

    The curvature is computed anew only while steps do not converge fast without it: on rare events
    three times or so, which is where the time goes.

    Parameters
    ----------
    X : ndarray of float64, shape (n_rows, n_features)
        Finite; in units of their standard deviation where `ridge` is to mean anything.
    y : ndarray of float64, shape (n_rows,)
        0 or 1, both present.
    ridge : float
        Penalty ``ridge / 2 * |coefficients|²`` on the summed loss; the intercept goes free.

    Returns
    -------
    ndarray of shape (n_features + 1,)
    """
    design: FloatArray = np.column_stack([X, np.ones(len(y))])
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 0.0
    rate = float(y.mean())
    theta = np.zeros(design.shape[1])
    theta[-1] = np.log(rate / (1.0 - rate))
    loss, gradient, p = _loss(design, y, penalty, theta)
    curvature = _curvature(design, penalty, p)
    before = np.inf
    for _ in range(STEPS):
        size = float(np.abs(gradient).max())
        if size < TOLERANCE * len(y):
            break
        if size > 0.3 * before:
            curvature = _curvature(design, penalty, p)
        before = size
        step = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
        theta, loss, gradient, p = _descend(design, y, penalty, (theta, step, loss))
    return theta


def _loss(
    design: FloatArray, y: FloatArray, penalty: FloatArray, theta: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    x = design @ theta
    p = sigmoid(x)
    loss = float(np.sum(np.logaddexp(0.0, x) - y * x) + 0.5 * np.sum(penalty * theta**2))
    return loss, design.T @ (p - y) + penalty * theta, p


def _curvature(design: FloatArray, penalty: FloatArray, p: FloatArray) -> FloatArray:
    weighted = design * np.maximum(p * (1.0 - p), 1e-10)[:, None]
    return design.T @ weighted + np.diag(penalty + 1e-10)


def _descend(
    design: FloatArray,
    y: FloatArray,
    penalty: FloatArray,
    at: tuple[FloatArray, FloatArray, float],
) -> tuple[FloatArray, float, FloatArray, FloatArray]:
    """Step, halved until the loss does not rise."""
    theta, step, loss = at
    for halvings in range(30):
        tried = theta - step * 0.5**halvings
        found, gradient, p = _loss(design, y, penalty, tried)
        if found <= loss + 1e-12 * abs(loss):
            break
    return tried, found, gradient, p
