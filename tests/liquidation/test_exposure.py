"""Liquidation prices of any margin: the venues' own examples, and the laws of the definition."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.liquidation.exposure import (
    CONTRACTS,
    Exposure,
    bankruptcy_at,
    closing_price,
    equity_at,
    margin_ratio,
    notional_at,
)
from liqwarn.liquidation.maintenance import Maintenance, flat_maintenance
from liqwarn.liquidation.margin import (
    bankruptcy_price,
    inverse_bankruptcy_price,
    inverse_liquidation_price,
    liquidation_price,
)

SIDE = st.sampled_from(["long", "short"])
CONTRACT = st.sampled_from(CONTRACTS)
PRICE = st.floats(1e-3, 1e6)
LEVERAGE = st.floats(1.05, 100.0)
SHARE = st.floats(0.01, 0.9)  # maintenance margin as a share of the initial margin
NOTHING = flat_maintenance(0.0)

# the brackets of 2021, as in conf/margin_tiers/binance.yaml
BTC_2021 = Maintenance(
    rates=np.array([0.004, 0.005, 0.01, 0.025, 0.05, 0.1]),
    amounts=np.array([0.0, 50.0, 1_300.0, 16_300.0, 141_300.0, 1_141_300.0]),
)
ETH_2021 = Maintenance(
    rates=np.array([0.005, 0.0065, 0.01, 0.02, 0.05, 0.1, 0.125]),
    amounts=np.array([0.0, 15.0, 365.0, 5_365.0, 35_365.0, 135_365.0, 260_365.0]),
)


def linear(side, entry, quantity, margin):
    return Exposure(
        side=side, contract="linear", entry=entry, value=quantity * entry, margin=margin
    )


def inverse(side, entry, quantity, margin):
    return Exposure(
        side=side, contract="inverse", entry=entry, value=quantity / entry, margin=margin
    )


def tiers_of(bounds, rates):
    amounts = [0.0]
    for bound, (low, high) in zip(bounds, pairwise(rates), strict=True):
        amounts.append(amounts[-1] + bound * (high - low))
    return Maintenance(rates=np.array(rates), amounts=np.array(amounts))


# Binance, "How to Calculate Liquidation Price of USDT-Margined Futures", the account of the FAQ
# (as quoted in freqtrade's tests): wallet 1,535,443.01; the tier is not given but found here
@pytest.mark.parametrize(
    ("tiers", "entry", "quantity", "others", "profit", "expected"),
    [
        (ETH_2021, 1_456.84, 3_683.979, 0.0, 0.0, 1_114.78),
        (BTC_2021, 32_481.98, 109.488, 0.0, 0.0, 18_778.73),
        (ETH_2021, 1_456.84, 3_683.979, 71_200.81144, -56_354.57, 1_153.26),
        (BTC_2021, 32_481.98, 109.488, 356_512.508, -448_192.89, 26_316.89),
    ],
)
def test_binance_faq(tiers, entry, quantity, others, profit, expected):
    account = linear("long", entry, quantity, 1_535_443.01 - others + profit)
    assert round(float(closing_price(account, tiers)), 2) == expected


# Bybit (help-centre articles before 2025) takes the maintenance margin at the entry value, so a
# position is liquidated when initial margin less maintenance margin is used up
@pytest.mark.parametrize(
    ("side", "entry", "leverage", "added", "expected"),
    [
        # "Liquidation Price (USDT Contract)", help.bybit.com 900000181046
        ("long", 10_000.0, 50.0, 0.0, 9_850.0),
        ("short", 8_000.0, 40.0, 0.0, 8_160.0),
        # "Liquidation Price Calculation under Isolated Mode", examples 1 to 3: plain, 3,000 USDT
        # of margin added, 200 USDT of funding taken from the margin
        ("long", 20_000.0, 50.0, 0.0, 19_700.0),
        ("short", 20_000.0, 50.0, 3_000.0, 23_300.0),
        ("long", 20_000.0, 50.0, -200.0, 19_900.0),
    ],
)
def test_bybit_usdt_examples(side, entry, leverage, added, expected):
    free = entry / leverage - 0.005 * entry + added
    assert float(closing_price(linear(side, entry, 1.0, free), NOTHING)) == pytest.approx(expected)


def test_bybit_inverse_cross_example():
    # "How to calculate Liquidation Price (Inverse Contract)", help.bybit.com 360039261334: 10,000
    # contracts long at 8,000, 0.5 BTC. The article prints 5,739.50; its own formula gives 5,739.1
    bankrupt = 1.00075 * 10_000 / (10_000 / 8_000 + 0.5)
    assert round(bankrupt, 2) == 5_718.57
    free = 0.5 - 10_000 / 8_000 * 0.005 - 10_000 * 0.00075 / bankrupt
    found = float(closing_price(inverse("long", 8_000.0, 10_000.0, free), NOTHING))
    assert found == pytest.approx(5_739.50, rel=1e-4)


def test_bybit_inverse_formula_of_2026():
    # (Q·(m + 1)) / (Q/E + Q/E/L + deduction), "Liquidation Price Calculation under Isolated Mode
    # (Unified Trading Account)", 2026-05-27; with the deduction of a second tier
    quantity, entry, leverage = 2e6, 50_000.0, 10.0
    tiers = tiers_of([30.0], [0.005, 0.01])
    account = inverse("long", entry, quantity, quantity / entry / leverage)
    expected = quantity * 1.01 / (quantity / entry * (1 + 1 / leverage) + 0.15)
    assert float(closing_price(account, tiers)) == pytest.approx(expected, rel=1e-12)


@given(side=SIDE, price=PRICE, leverage=st.floats(1.5, 39.0), moved=st.floats(-0.01, 0.01))
def test_hyperliquid_formula(side, price, leverage, moved):
    # Hyperliquid Docs, Liquidations: price - side * margin_available / size / (1 - l * side),
    # with l = 1 / maintenance leverage and the margin available at that price
    sign, rate, now = 1.0 if side == "long" else -1.0, 0.0125, price * (1 + moved)
    account = linear(side, price, 2.0, 2.0 * price / leverage)
    available = float(equity_at(account, now)) - rate * 2.0 * now
    expected = now - sign * available / 2.0 / (1.0 - rate * sign)
    found = float(closing_price(account, flat_maintenance(rate)))
    assert found == pytest.approx(expected, rel=1e-9)


@given(side=SIDE, entry=PRICE, leverage=LEVERAGE, share=SHARE)
def test_flat_isolated_prices_are_the_textbook_ones(side, entry, leverage, share):
    rate = share / leverage
    flat = flat_maintenance(rate)
    one = linear(side, entry, 3.0, 3.0 * entry / leverage)
    coin = inverse(side, entry, 1_000.0, 1_000.0 / entry / leverage)
    assert float(closing_price(one, flat)) == pytest.approx(
        float(liquidation_price(side, entry, leverage, rate)), rel=1e-9
    )
    assert float(bankruptcy_at(one)) == pytest.approx(
        float(bankruptcy_price(side, entry, leverage)), rel=1e-9
    )
    assert float(closing_price(coin, flat)) == pytest.approx(
        float(inverse_liquidation_price(side, entry, leverage, rate)), rel=1e-9
    )
    assert float(bankruptcy_at(coin)) == pytest.approx(
        float(inverse_bankruptcy_price(side, entry, leverage)), rel=1e-9
    )


@st.composite
def tiered(draw):
    """A position of either contract with continuous tiers, solvent at entry."""
    rates = np.cumsum(draw(st.lists(st.floats(0.001, 0.05), min_size=1, max_size=6)))
    bounds = np.cumsum([draw(st.floats(10.0, 1e5)) for _ in rates[1:]])
    tiers = tiers_of(list(bounds), [float(rate) for rate in rates])
    value = draw(st.floats(1.0, 5e5))
    need = float(tiers.at(value))
    margin = need + draw(st.floats(0.05, 0.9)) * (value - need)
    entry, side, contract = draw(PRICE), draw(SIDE), draw(CONTRACT)
    made = Exposure(side=side, contract=contract, entry=entry, value=value, margin=margin)
    return made, tiers


@given(tiered())
def test_at_the_liquidation_price_equity_is_the_maintenance_margin(given_position):
    exposure, tiers = given_position
    price = float(closing_price(exposure, tiers))
    assume(0.0 < price < np.inf)
    notional = float(notional_at(exposure, price))
    equity = float(equity_at(exposure, price))
    assert equity == pytest.approx(float(tiers.at(notional)), abs=1e-8 * float(exposure.value))


@given(tiered())
def test_liquidation_comes_before_bankruptcy_and_after_the_call(given_position):
    exposure, tiers = given_position
    entry = float(exposure.entry)
    gone = float(bankruptcy_at(exposure))
    liquidated = float(closing_price(exposure, tiers))
    called = float(closing_price(exposure, tiers, ratio=0.8))
    slack = 1 + 1e-9
    if exposure.side == "long":
        assert gone <= liquidated * slack <= called * slack**2
        assert liquidated <= entry * slack
    else:
        assert gone * slack**2 >= liquidated * slack >= called
        assert liquidated * slack >= entry


@given(tiered(), st.floats(0.4, 1.0))
def test_at_the_price_of_a_ratio_the_margin_ratio_is_that(given_position, ratio):
    exposure, tiers = given_position
    price = float(closing_price(exposure, tiers, ratio=ratio))
    assume(0.0 < price < np.inf)
    assume(float(equity_at(exposure, price)) > 1e-6 * float(exposure.value))
    assert float(margin_ratio(exposure, tiers, price)) == pytest.approx(ratio, rel=1e-5)


@given(tiered())
def test_one_tier_is_the_flat_rate(given_position):
    exposure, tiers = given_position
    rate = float(tiers.rates[0])
    only = Maintenance(rates=np.array([rate]), amounts=np.zeros(1))
    found, expected = closing_price(exposure, only), closing_price(exposure, flat_maintenance(rate))
    assert float(found) == float(expected)


@given(side=SIDE, contract=CONTRACT, low=st.floats(1.2, 40.0), more=st.floats(1.01, 2.0))
def test_more_leverage_is_liquidated_sooner(side, contract, low, more):
    tiers = tiers_of([1e3, 1e5], [0.004, 0.005, 0.01])
    far, near = (
        float(
            closing_price(
                Exposure(
                    side=side, contract=contract, entry=100.0, value=5e4, margin=5e4 / leverage
                ),
                tiers,
            )
        )
        for leverage in (low, low * more)
    )
    assert near > far if side == "long" else near < far


@given(side=SIDE, contract=CONTRACT, value=st.floats(1e2, 1e7), leverage=st.floats(2.0, 20.0))
def test_the_price_does_not_jump_between_tiers(side, contract, value, leverage):
    tiers = tiers_of([5e4, 6e5, 3e6], [0.004, 0.005, 0.0065, 0.01])
    values = value * np.array([1.0, 1.0 + 1e-9])
    made = Exposure(
        side=side, contract=contract, entry=100.0, value=values, margin=values / leverage
    )
    first, second = closing_price(made, tiers)
    assert second == pytest.approx(first, rel=1e-8)


def test_every_boundary_of_a_real_table_is_crossed_without_a_jump():
    values = np.array([5e4, 2.5e5, 1e6, 5e6]) / 0.9  # longs at 10x: liquidated near 0.9 of entry
    values = values[:, None] * (1 + np.linspace(-1e-3, 1e-3, 2_001))
    made = Exposure(side="long", contract="linear", entry=1.0, value=values, margin=values / 10)
    prices = closing_price(made, BTC_2021)
    assert np.all(np.diff(prices, axis=1) >= 0.0)  # larger positions need more
    assert np.max(np.diff(prices, axis=1)) < 1e-6


def test_a_margin_ratio_of_one_is_the_liquidation_price():
    account = linear("long", 120.0, 1.0, 24.0)
    flat = flat_maintenance(0.01)
    price = closing_price(account, flat)
    assert float(margin_ratio(account, flat, price)) == pytest.approx(1.0, rel=1e-9)
    assert float(closing_price(account, flat, ratio=0.8)) > float(price)
    assert float(margin_ratio(account, flat, closing_price(account, flat, ratio=0.8))) == (
        pytest.approx(0.8)
    )


def test_positions_no_price_liquidates():
    assert float(closing_price(linear("long", 100.0, 1.0, 100.0), flat_maintenance(0.01))) == 0.0
    assert np.isinf(closing_price(inverse("short", 100.0, 100.0, 1.0), flat_maintenance(0.01)))
    assert float(bankruptcy_at(linear("long", 100.0, 1.0, 150.0))) == 0.0


def test_missing_values_stay_missing():
    made = Exposure(
        side="long",
        contract="linear",
        entry=[100.0, np.nan],
        value=100.0,
        margin=[[10.0], [np.nan]],
    )
    flat = flat_maintenance(0.01)
    for found in (closing_price(made, flat), margin_ratio(made, flat, 100.0)):
        assert np.isnan(found).tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "both"}, "side is 'both', expected one of"),
        ({"contract": "quanto"}, "contract is 'quanto', expected one of"),
        ({"entry": 0.0}, r"exposure entry is 0\.0, expected a finite number above 0"),
        ({"value": [1.0, -2.0]}, r"exposure value is -2\.0"),
        ({"margin": np.inf}, "exposure margin is inf, expected a finite number"),
    ],
)
def test_impossible_exposures_are_refused(change, message):
    sound = {"side": "long", "contract": "linear", "entry": 1.0, "value": 1.0, "margin": 1.0}
    with pytest.raises(FrameError, match=message):
        Exposure(**(sound | change))
