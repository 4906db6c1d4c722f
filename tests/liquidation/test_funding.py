"""Funding: who pays, how far it moves the liquidation price, and how long a margin lasts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.liquidation.exposure import CONTRACTS, Exposure, closing_price, margin_ratio
from liqwarn.liquidation.funding import Funding, days_funded, erosion_per_day, paid_per_day
from liqwarn.liquidation.maintenance import flat_maintenance

FLAT = flat_maintenance(0.01)
SIDE = st.sampled_from(["long", "short"])


def one(side, contract="linear", leverage=5.0, entry=120.0):
    value = entry if contract == "linear" else 10.0
    return Exposure(side=side, contract=contract, entry=entry, value=value, margin=value / leverage)


def test_longs_pay_a_positive_rate_and_shorts_receive_it():
    funding = Funding(rate=0.0003)
    assert float(paid_per_day(one("long"), funding, 120.0)) == pytest.approx(0.108)
    assert float(paid_per_day(one("short"), funding, 120.0)) == pytest.approx(-0.108)
    hourly = Funding(rate=0.0003, settlements_per_day=24)
    assert float(paid_per_day(one("long"), hourly, 120.0)) == pytest.approx(0.864)


@given(side=SIDE, contract=st.sampled_from(CONTRACTS), rate=st.floats(1e-6, 1e-2))
def test_paying_brings_liquidation_nearer_and_receiving_moves_it_away(side, contract, rate):
    position = one(side, contract)
    signed = rate if side == "long" else -rate
    paying = float(erosion_per_day(position, FLAT, Funding(rate=signed), 110.0))
    receiving = float(erosion_per_day(position, FLAT, Funding(rate=-signed), 110.0))
    assert paying > 0.0 > receiving
    assert np.isinf(days_funded(position, FLAT, Funding(rate=-signed), 120.0))


@given(side=SIDE, contract=st.sampled_from(CONTRACTS), rate=st.floats(1e-6, 1e-2))
def test_after_those_days_the_margin_ratio_is_one(side, contract, rate):
    position = one(side, contract)
    funding = Funding(rate=rate if side == "long" else -rate)
    days = float(days_funded(position, FLAT, funding, 118.0))
    left = position.margin - days * paid_per_day(position, funding, 118.0)
    later = Exposure(side=side, contract=contract, entry=120.0, value=position.value, margin=left)
    assert float(margin_ratio(later, FLAT, 118.0)) == pytest.approx(1.0, rel=1e-6)
    assert float(closing_price(later, FLAT)) == pytest.approx(118.0, rel=1e-9)


def test_a_liquidated_position_has_no_days_left():
    assert float(days_funded(one("long"), FLAT, Funding(rate=0.001), 90.0)) == 0.0
    assert float(days_funded(one("long"), FLAT, Funding(rate=-0.001), 90.0)) == 0.0


def test_nothing_is_eroded_where_no_price_liquidates():
    short = Exposure(side="short", contract="inverse", entry=100.0, value=1.0, margin=2.0)
    assert float(erosion_per_day(short, FLAT, Funding(rate=-0.001), 100.0)) == 0.0


def test_missing_values_stay_missing():
    position = Exposure(side="long", contract="linear", entry=[100.0], value=1.0, margin=[np.nan])
    for found in (
        days_funded(position, FLAT, Funding(rate=0.001), 100.0),
        erosion_per_day(position, FLAT, Funding(rate=0.001), 100.0),
        days_funded(one("long"), FLAT, Funding(rate=0.001), [np.nan]),
    ):
        assert np.isnan(found).tolist() == [True]


@pytest.mark.parametrize("rate", [1.0, -1.5, np.nan])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(FrameError, match="expected a fraction between -1 and 1"):
        Funding(rate=rate)


@pytest.mark.parametrize("settlements", [0.0, -3.0, np.inf, np.nan])
def test_impossible_settlements_are_refused(settlements):
    with pytest.raises(FrameError, match="settlements per day are"):
        Funding(rate=0.0, settlements_per_day=settlements)
