"""Draws are functions of seed, stream, path and number, and have the distributions they claim."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from liqwarn.simulation.counter import key_of, normal, quantile, uniform

numbers = st.integers(0, 2**40)


def key(seed, stream, path):
    """As compiled code has it: outside, the result would be a plain int."""
    return np.uint64(key_of(seed, stream, path))


@given(numbers, numbers)
@settings(deadline=None)
def test_a_draw_is_a_function_of_its_place(seed, k):
    start = key(seed, 1, 0)
    assert uniform(start, k) == uniform(key(seed, 1, 0), k)
    assert 0.0 < uniform(start, k) < 1.0
    assert normal(start, k) == quantile(uniform(start, k))


def test_any_other_seed_stream_or_path_starts_elsewhere():
    keys = {int(key(s, t, p)) for s in range(12) for t in range(12) for p in range(12)}
    assert len(keys) == 12**3
    draws = {uniform(key(s, 1, p), k) for s in range(9) for p in range(9) for k in range(9)}
    assert len(draws) == 9**3


def test_the_first_draw_of_splitmix64_from_zero_is_the_published_one():
    """Of the reference code of Steele, Lea and Flood: 0xE220A8397B1DCDAF."""
    expected = ((0xE220A8397B1DCDAF >> 11) + 0.5) * 2.0**-53
    assert uniform(np.uint64(0), 0) == expected


@pytest.mark.parametrize("p", [1e-300, 1e-12, 1e-3, 0.07, 0.3, 0.5, 0.8, 0.999, 1.0 - 1e-12])
def test_quantiles_of_the_normal(p):
    assert quantile(p) == pytest.approx(norm.ppf(p), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(("draw", "mean"), [(uniform, 0.5), (normal, 0.0)])
def test_many_draws_have_their_mean(draw, mean):
    found = [draw(key(7, 2, path), k) for path in range(20) for k in range(250)]
    assert np.mean(found) == pytest.approx(mean, abs=4.0 * np.std(found) / np.sqrt(5_000))
