"""Distances between samples, and how many values a slow series really holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.models.drift import (
    correlation_time,
    ks_chance,
    ks_distance,
    measure_series_drift,
    psi,
)


def slow(rng, n, memory):
    """An autoregression whose value is remembered over about so many steps."""
    a, x = np.exp(-1.0 / memory), rng.normal(size=n)
    for k in range(1, n):
        x[k] = a * x[k - 1] + np.sqrt(1.0 - a * a) * x[k]
    return x


@given(st.integers(0, 1000))
def test_distances_are_never_negative_and_nothing_between_a_sample_and_itself(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 80))

    assert psi(x, y) >= 0.0
    assert 0.0 <= ks_distance(x, y) <= 1.0
    assert psi(x, x) == ks_distance(x, x) == 0.0
    assert ks_distance(x, y) == ks_distance(y, x)


def test_a_correlation_time_is_about_twice_the_memory():
    rng = np.random.default_rng(0)

    assert correlation_time(rng.normal(size=(1, 5000))) < 1.6
    assert correlation_time(slow(rng, 20_000, 20.0)[None]) == pytest.approx(40.0, rel=0.3)


def test_a_series_whose_size_clusters_is_slow_though_its_sign_is_not():
    rng = np.random.default_rng(1)
    returns = rng.normal(size=20_000) * np.exp(slow(rng, 20_000, 50.0))

    assert correlation_time(returns[None]) > 20.0


def test_slow_noise_rarely_alarms_where_a_naive_test_nearly_always_does():
    rng = np.random.default_rng(2)
    graded, naive = [], []
    for _ in range(60):
        x = slow(rng, 6000, 60.0)[None]
        found = measure_series_drift(x[:, :5280], x[:, 5280:])
        graded.append(found.grade)
        naive.append(ks_chance(found.ks, 5280, 720) < 0.05)

    assert np.mean(naive) > 0.8
    assert np.mean([grade != "none" for grade in graded]) <= 0.1


def test_a_shift_of_a_fast_series_is_large_and_a_slow_one_cannot_say():
    rng = np.random.default_rng(3)
    fast, idle = rng.normal(size=(1, 6000)), slow(rng, 6000, 700.0)[None]

    assert measure_series_drift(fast[:, :5000], fast[:, 5000:] + 1.0).grade == "large"
    assert measure_series_drift(idle[:, :5280], idle[:, 5280:]).effective < 5.0


def test_missing_values_are_counted_and_too_few_are_unknown():
    x = np.random.default_rng(4).normal(size=(2, 1000))
    x[0, :500] = np.nan
    found = measure_series_drift(x, np.full((2, 100), np.nan))

    assert found.grade == "unknown"
    assert np.isnan(found.psi)
    assert (found.missing_reference, found.missing_recent) == (0.25, 1.0)
