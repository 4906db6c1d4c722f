"""Liquidation prices: published vectors, the definition itself, and what must be refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.liquidation.margin import (
    bankruptcy_price,
    inverse_bankruptcy_price,
    inverse_liquidation_price,
    liquidation_price,
)

PRICES = st.floats(1e-4, 1e6)
LEVERAGES = st.floats(1.01, 125.0)
SHARES = st.floats(0.0, 0.95)  # maintenance margin as a share of the initial margin


@pytest.mark.parametrize(
    ("side", "entry", "leverage", "rate", "expected", "places"),
    [
        ("long", 67_000.0, 10.0, 0.004, 60_542.17, 2),
        ("long", 120.0, 5.0, 0.01, 96.97, 2),
        ("long", 150.0, 10.0, 0.01, 136.36, 2),
        ("short", 2.00, 10.0, 0.01, 2.178, 3),
        ("long", 100.0, 10.0, 0.005, 90.452, 3),
    ],
)
def test_linear_vectors(side, entry, leverage, rate, expected, places):
    found = float(liquidation_price(side, entry, leverage, rate))
    assert round(found, places) == expected


@pytest.mark.parametrize(
    ("side", "entry", "leverage", "expected"),
    [("long", 120.0, 5.0, 96.0), ("long", 150.0, 10.0, 135.0), ("short", 2.0, 10.0, 2.2)],
)
def test_bankruptcy_vectors(side, entry, leverage, expected):
    assert float(bankruptcy_price(side, entry, leverage)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("side", "expected"), [("long", 91.364), ("short", 110.556)])
def test_inverse_vectors(side, expected):
    assert round(float(inverse_liquidation_price(side, 100.0, 10.0, 0.005)), 3) == expected


@given(entry=PRICES, leverage=LEVERAGES, share=SHARES)
def test_equity_equals_maintenance_margin_at_the_linear_price(entry, leverage, share):
    rate = share / leverage
    for side, sign in (("long", 1.0), ("short", -1.0)):
        price = float(liquidation_price(side, entry, leverage, rate))
        equity = entry / leverage + sign * (price - entry)
        assert equity == pytest.approx(rate * price, abs=1e-9 * entry)


@given(entry=PRICES, leverage=LEVERAGES, share=SHARES)
def test_equity_equals_maintenance_margin_at_the_inverse_price(entry, leverage, share):
    rate = share / leverage
    for side, sign in (("long", 1.0), ("short", -1.0)):
        price = float(inverse_liquidation_price(side, entry, leverage, rate))
        equity = 1.0 / (leverage * entry) + sign * (1.0 / entry - 1.0 / price)
        assert equity * entry == pytest.approx(rate * entry / price, abs=1e-9)


@given(entry=PRICES, leverage=LEVERAGES, share=SHARES)
def test_liquidation_lies_between_entry_and_bankruptcy(entry, leverage, share):
    rate, slack = share / leverage, 1e-12 * entry
    long_liq = liquidation_price("long", entry, leverage, rate)
    short_liq = liquidation_price("short", entry, leverage, rate)
    assert bankruptcy_price("long", entry, leverage) - slack <= long_liq < entry
    assert entry < short_liq <= bankruptcy_price("short", entry, leverage) + slack


@given(entry=PRICES, leverage=LEVERAGES, share=SHARES)
def test_an_inverse_long_is_hit_before_a_linear_one(entry, leverage, share):
    rate = share / leverage
    linear = liquidation_price("long", entry, leverage, rate)
    assert inverse_liquidation_price("long", entry, leverage, rate) >= linear * (1 - 1e-12)


def test_arguments_broadcast_and_missing_values_stay_missing():
    found = liquidation_price("long", np.array([[100.0], [np.nan]]), [2.0, 4.0], 0.0)
    np.testing.assert_array_equal(found, [[50.0, 75.0], [np.nan, np.nan]])


def test_a_position_without_leverage():
    assert float(liquidation_price("long", 100.0, 1.0, 0.005)) == 0.0
    assert np.isinf(inverse_liquidation_price("short", 100.0, 1.0, 0.005))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("both", 100.0, 10.0, 0.005), "side is 'both', expected one of"),
        (("long", [100.0, 0.0], 10.0, 0.005), "entry price is 0.0, expected a finite price"),
        (("long", np.inf, 10.0, 0.005), "entry price is inf"),
        (("long", 100.0, 0.5, 0.005), "leverage is 0.5, expected a finite number of at least 1"),
        (("long", 100.0, 10.0, -0.1), r"maintenance rate is -0.1, expected a fraction in \[0, 1\)"),
        (("short", 100.0, 10.0, 1.5), "maintenance rate is 1.5"),
        (("short", 100.0, 10.0, 0.1), "maintenance rate times leverage is 1.0"),
    ],
)
@pytest.mark.parametrize("price", [liquidation_price, inverse_liquidation_price])
def test_impossible_positions_are_refused(price, arguments, message):
    with pytest.raises(FrameError, match=message):
        price(*arguments)


def test_bankruptcy_refuses_what_liquidation_refuses():
    with pytest.raises(FrameError, match=r"leverage is 0\.0"):
        bankruptcy_price("short", 100.0, 0.0)


@given(entry=PRICES, leverage=LEVERAGES, share=SHARES)
def test_inverse_liquidation_lies_between_entry_and_bankruptcy(entry, leverage, share):
    rate, slack = share / leverage, 1 + 1e-12
    long_liq = inverse_liquidation_price("long", entry, leverage, rate)
    short_liq = inverse_liquidation_price("short", entry, leverage, rate)
    assert inverse_bankruptcy_price("long", entry, leverage) <= long_liq * slack < entry * slack**2
    assert inverse_bankruptcy_price("short", entry, leverage) * slack >= short_liq > entry / slack


def test_an_inverse_short_without_leverage_cannot_go_bankrupt():
    assert np.isinf(inverse_bankruptcy_price("short", 100.0, 1.0))
    assert float(inverse_bankruptcy_price("long", 100.0, 1.0)) == 50.0
