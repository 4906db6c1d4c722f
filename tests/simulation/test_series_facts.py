import numpy as np
import pytest

from liqwarn.simulation.series_facts import (
    autocorrelation,
    log_change,
    moving_mean,
    present,
    quantile_pct,
    tail_index,
)


def test_autocorrelation_of_a_known_process():
    rng = np.random.default_rng(1)
    values = np.zeros(50_000)
    for k in range(1, len(values)):
        values[k] = 0.8 * values[k - 1] + rng.standard_normal()
    assert autocorrelation(values, 1) == pytest.approx(0.8, abs=0.01)
    assert autocorrelation(values, 3) == pytest.approx(0.8**3, abs=0.02)


def test_autocorrelation_leaves_missing_bars_out():
    values = np.tile([1.0, -1.0, 1.0, -1.0], 100)
    values[50:60] = np.nan
    assert autocorrelation(values, 2) == pytest.approx(1.0, abs=0.01)
    assert autocorrelation(values, 1) == pytest.approx(-1.0, abs=0.01)


@pytest.mark.parametrize("values", [np.ones(10), np.array([1.0, np.nan, 2.0])])
def test_autocorrelation_of_too_little_is_unknown(values):
    assert np.isnan(autocorrelation(values, 1))


@pytest.mark.parametrize("exponent", [2.0, 4.0])
def test_tail_index_of_a_known_tail(exponent):
    sizes = np.random.default_rng(1).pareto(exponent, 200_000) + 1.0
    assert tail_index(sizes) == pytest.approx(exponent, rel=0.05)
    assert tail_index(100.0 * sizes) == pytest.approx(tail_index(sizes))


def test_tail_index_needs_a_tail():
    assert np.isnan(tail_index(np.arange(1.0, 1_000.0)))  # nine hours
    assert np.isfinite(tail_index(np.arange(1.0, 1_000.0), 0.05))
    assert np.isnan(tail_index(np.zeros(10_000)))
    assert np.isnan(tail_index(np.ones(10_000)))


def test_small_things():
    assert present(np.array([1.0, np.nan, np.inf, 2.0])).tolist() == [1.0, 2.0]
    assert np.isnan(quantile_pct(np.array([np.nan]), 0.5))
    assert quantile_pct(np.array([0.01, 0.03, np.nan]), 0.5) == pytest.approx(2.0)
    assert log_change(np.array([[1.0, 2.0], [2.0, 1.0]]))[:, 1].sum() == pytest.approx(0.0)
    assert len(moving_mean(np.arange(10.0), 4)) == 7
