"""What one order a second hides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.collectors.saturation import CAP_USD, capped_usd, hidden_share, is_saturated


@given(st.floats(0, 1e12))
def test_a_capped_order_is_at_most_itself_and_the_cap(usd):
    assert capped_usd(usd) == min(usd, CAP_USD)


@given(st.integers(0, 59))
def test_more_is_hidden_the_more_seconds_are_full(active):
    assert 0.0 <= hidden_share(active) < hidden_share(active + 1) <= 1.0


@pytest.mark.parametrize("rate", [0.1, 0.7, 2.0])
def test_the_hidden_share_is_that_of_independent_orders(rate):
    orders = np.random.default_rng(5).poisson(rate, 200_000)
    active = int((orders > 0).sum())

    assert hidden_share(active, orders.size) == pytest.approx(1 - active / orders.sum(), abs=0.01)


def test_a_minute_is_saturated_from_half_its_seconds_on():
    assert [is_saturated(n) for n in (0, 29, 30, 60)] == [False, False, True, True]
