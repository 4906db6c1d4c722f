"""A ring's order statistics are those of the kernels over whole rows, whatever came before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqwarn.windows import rolling_quantile
from liqwarn.windows.sorted_ring import (
    count_upto,
    empty_rings,
    put_value,
    quantile_of,
    settle,
    sorted_rings,
    unsettle,
)

# few values, so that they tie; zeros of both signs; what counts as missing
VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, 1e-300, -7.0, np.nan, np.inf, -np.inf])
Q = st.sampled_from([0.0, 0.05, 1 / 3, 0.5, 0.95, 0.99, 1.0]) | st.floats(0, 1)


@settings(max_examples=150, deadline=None)
@given(
    x=st.lists(VALUES | st.floats(-5, 5), min_size=1, max_size=60),
    window=st.integers(1, 20),
    first_bar=st.integers(0, 50),
    q=Q,
    negated=st.booleans(),
    data=st.data(),
)
def test_quantiles_are_the_kernel_s(x, window, first_bar, q, negated, data):
    least = data.draw(st.integers(1, window))
    series = np.array([x])
    expected = rolling_quantile(
        -series if negated else series, window, q, first_bar=first_bar, min_count=least
    )[0]
    rings = empty_rings(2, window)
    found = []
    for t, value in enumerate(x):
        put_value(rings, 1, (first_bar + t) % window, value)
        found.append(quantile_of(rings, 1, q, least, negated))
    assert np.array(found).tobytes() == expected.tobytes()
    assert rings.held[0] == 0


@settings(max_examples=100, deadline=None)
@given(x=st.lists(VALUES, min_size=1, max_size=60), window=st.integers(1, 20), asked=VALUES)
def test_counts_and_order_are_those_of_a_sort(x, window, asked):
    rings = empty_rings(1, window)
    for t, value in enumerate(x):
        put_value(rings, 0, t % window, value)
    known = rings.values[0][np.isfinite(rings.values[0])]

    held = int(rings.held[0])
    assert rings.order[0, :held].tolist() == sorted_rings(rings.values).order[0, :held].tolist()
    if np.isfinite(asked):
        assert count_upto(rings, 0, asked) == ((known < asked).sum(), (known <= asked).sum())


@pytest.mark.parametrize(("window", "kind"), [(1 << 16, np.uint16), ((1 << 16) + 1, np.uint32)])
def test_every_slot_has_a_number(window, kind):
    rings = sorted_rings(np.arange(window, dtype=np.float64)[None, ::-1])

    put_value(rings, 0, window - 1, 1e9)

    assert rings.order.dtype == kind
    assert quantile_of(rings, 0, 1.0, window, False) == 1e9
    assert quantile_of(rings, 0, 0.0, window, False) == 1.0
    assert int(rings.order[0, -1]) == window - 1


def test_values_gathered_first_and_sorted_once():
    x = np.random.default_rng(1).integers(0, 9, 300) / 3.0
    slowly, quickly = empty_rings(1, 50), empty_rings(1, 50)
    unsettle(quickly, slice(0, 1))
    for t, value in enumerate(x):
        put_value(slowly, 0, t % 50, value)
        put_value(quickly, 0, t % 50, value)
    assert np.isnan(quantile_of(quickly, 0, 0.5, 1, False))

    settle(quickly, slice(0, 1))

    for one, other in zip(slowly, quickly, strict=True):
        np.testing.assert_array_equal(one, other)
