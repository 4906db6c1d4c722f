"""Crowding: its signs, its bounds, and what is missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.liquidation.crowding import crowding

NONE = float("nan")
ANY = st.floats(allow_nan=True, allow_infinity=True)
UNKNOWN = st.sampled_from([np.nan, np.inf, -np.inf])


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_each_sign_points_to_its_side(part, sign):
    values = [NONE] * 3
    values[part] = sign * (1e-4, 1e-3, 0.05)[part]
    found = float(crowding(values[0], 8.0, values[1], values[2]))
    assert 0.0 < sign * found < 1.0


@given(funding=ANY, hours=ANY, basis=ANY, takers=ANY)
def test_it_is_always_a_number_from_shorts_to_longs(funding, hours, basis, takers):
    found = crowding(funding, hours, basis, takers)
    assert np.isfinite(found).all()
    assert (np.abs(found) <= 1.0).all()


def test_nothing_known_is_no_crowding():
    assert crowding([NONE, np.inf], NONE, -np.inf, NONE).tolist() == [0.0, 0.0]


@given(unknown=UNKNOWN, funding=st.floats(-0.01, 0.01), takers=st.floats(-1.0, 1.0))
def test_what_is_missing_is_left_out_of_the_mean(unknown, funding, takers):
    alone = float(crowding(funding, 8.0, NONE, NONE))
    other = float(crowding(NONE, 8.0, NONE, takers))
    assert float(crowding(funding, 8.0, unknown, takers)) == pytest.approx((alone + other) / 2.0)
    assert float(crowding(funding, 8.0, unknown, unknown)) == alone


@pytest.mark.parametrize("hours", [NONE, 0.0, -4.0, np.inf])
def test_settlements_are_eight_hours_apart_where_nobody_says(hours):
    assert float(crowding(1e-4, hours, NONE, NONE)) == float(crowding(1e-4, 8.0, NONE, NONE))


def test_funding_is_compared_per_hour():
    assert float(crowding(1e-4, 4.0, NONE, NONE)) == float(crowding(2e-4, 8.0, NONE, NONE))


def test_more_funding_is_more_crowding():
    assert (np.diff(crowding(np.linspace(-0.003, 0.003, 50), 8.0, NONE, NONE)) > 0.0).all()


def test_each_bar_is_its_own():
    rng = np.random.default_rng(0)
    funding, basis, takers = rng.normal(0.0, 1e-3, (3, 40))
    whole = crowding(funding, 8.0, basis, takers)
    parts = [crowding(funding[k], 8.0, basis[k], takers[k]) for k in range(40)]
    assert whole.tolist() == [float(one) for one in parts]
