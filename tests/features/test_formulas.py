"""Formulas that several families use."""

from datetime import timedelta

import numpy as np

from liqwarn.features.formulas import (
    average_true_range,
    cell_return,
    imbalance,
    log_change,
    realised_volatility,
)
from liqwarn.features.past import Past, reveal

NAN = np.nan


def past(values, hours=1):
    cell = timedelta(hours=hours)
    return Past(np.array([values], dtype=float), cell=cell, first_cell=50)


def test_a_log_change_and_the_return_of_a_cell():
    price = past([1.0, np.e, np.e**3])

    np.testing.assert_allclose(reveal(log_change(price, 2))[0], [NAN, NAN, 3.0])
    np.testing.assert_allclose(reveal(cell_return(price))[0], [NAN, 1.0, 2.0])


def test_realised_volatility_is_per_hour_whatever_the_cell():
    returns = [0.03, -0.04]

    np.testing.assert_allclose(
        reveal(realised_volatility(past(returns), 2))[0, -1], np.sqrt(0.00125)
    )
    np.testing.assert_allclose(
        reveal(realised_volatility(past(returns, hours=4), 8))[0, -1], np.sqrt(0.00125 / 4)
    )


def test_the_true_range_reaches_to_the_close_before():
    high, low, close = past([10.0, 21.0, 9.0]), past([8.0, 20.0, 8.0]), past([9.0, 20.0, 8.5])

    np.testing.assert_allclose(reveal(average_true_range(high, low, close, 1))[0], [2, 12, 12])
    np.testing.assert_allclose(reveal(average_true_range(high, low, close, 2))[0], [NAN, 7, 12])


def test_an_imbalance_of_nothing_is_nothing():
    more, less = past([3.0, 0.0, NAN, 0.0]), past([1.0, 0.0, 1.0, 2.0])

    np.testing.assert_equal(reveal(imbalance(more, less))[0], [0.5, 0.0, NAN, -1.0])
