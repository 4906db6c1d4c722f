"""Arithmetic in which missing is NaN and infinite is missing."""

import numpy as np

from liqwarn.features.arithmetic import (
    chosen,
    compared,
    filled,
    magnitude,
    mean_and_std,
    mean_of_others,
    quiet,
)

NAN = np.nan


def test_what_is_not_finite_becomes_missing_without_a_warning():
    np.testing.assert_equal(quiet(np.log, np.array([-1.0, 0.0, 1.0, NAN])), [NAN, NAN, 0.0, NAN])
    np.testing.assert_equal(quiet(np.divide, np.array([1.0, 0.0, 1.0]), 0.0), [NAN, NAN, NAN])
    np.testing.assert_equal(quiet(np.multiply, np.array([1e300]), 1e300), [NAN])


def test_a_comparison_with_missing_is_missing():
    first, second = np.array([1.0, 2.0, NAN, 1.0]), np.array([2.0, 1.0, 1.0, NAN])

    np.testing.assert_equal(compared(np.less, first, second), [1.0, 0.0, NAN, NAN])


def test_a_choice_by_a_missing_condition_is_missing():
    np.testing.assert_equal(chosen(np.array([1.0, 0.0, NAN]), 5.0, 6.0), [5.0, 6.0, NAN])
    np.testing.assert_equal(filled(np.array([1.0, NAN]), np.array([7.0, 8.0])), [1.0, 8.0])


def test_the_magnitude_is_the_power_of_ten_at_or_below():
    values = np.array([1_000.0, 999.9, 0.03, 7.0, 10.0**-7])

    np.testing.assert_allclose(magnitude(values), [1_000.0, 100.0, 0.01, 1.0, 1e-7], rtol=1e-15)
    np.testing.assert_equal(quiet(magnitude, np.array([0.0, -5.0, NAN])), [NAN, NAN, NAN])


def test_statistics_across_symbols_leave_the_missing_out():
    values = np.array([[1.0, NAN, NAN], [3.0, 4.0, NAN], [8.0, 6.0, NAN]])
    mean, std = mean_and_std(values)

    np.testing.assert_equal(mean, [4.0, 5.0, NAN])
    np.testing.assert_allclose(std, [np.sqrt(13.0), np.sqrt(2.0), NAN])
    np.testing.assert_equal(
        mean_of_others(values), [[5.5, NAN, NAN], [4.5, 6.0, NAN], [2.0, 4.0, NAN]]
    )


def test_one_cell_is_summed_in_the_order_of_many():
    values = np.random.default_rng(1).lognormal(0.0, 5.0, (40, 9))
    alone = np.ascontiguousarray(values[:, :1])

    assert mean_and_std(alone)[0][0] == mean_and_std(values)[0][0]
    assert mean_and_std(alone)[1][0] == mean_and_std(values)[1][0]
