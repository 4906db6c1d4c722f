"""The required margin as a function of size: published figures, no jumps, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqwarn.errors import FrameError
from liqwarn.liquidation.maintenance import Maintenance, flat_maintenance

BINANCE = Maintenance(rates=np.array([0.004, 0.005, 0.01]), amounts=np.array([0.0, 50.0, 1_300.0]))


@pytest.mark.parametrize(
    ("notional", "tier", "required"),
    [
        # Binance, "How to Calculate Liquidation Price of USDT-Margined Futures" (2020-08-14):
        # 264,000 USDT of BTCUSDT has the rate 1 % and the maintenance amount 1,300
        (264_000.0, 2, 264_000 * 0.01 - 1_300),
        (50_000.0, 0, 200.0),
        (250_000.0, 1, 1_200.0),
    ],
)
def test_the_line_of_the_notionals_own_tier_applies(notional, tier, required):
    assert float(BINANCE.at(notional)) == pytest.approx(required, rel=1e-12)
    assert int(BINANCE.tier(notional)) == tier


@given(st.floats(1.0, 1e7))
def test_it_neither_falls_nor_jumps(notional):
    near = notional * (1 + 1e-9)
    assert 0.0 <= float(BINANCE.at(near) - BINANCE.at(notional)) <= 0.0101 * notional * 1e-9 + 1e-6


def test_missing_values_stay_missing_and_shapes_are_kept():
    found = BINANCE.at(np.array([[1e4, np.nan]]))
    np.testing.assert_array_equal(found, [[40.0, np.nan]])


def test_a_fee_lifts_every_rate():
    assert BINANCE.plus_fee(0.001).rates.tolist() == pytest.approx([0.005, 0.006, 0.011])


def test_an_earlier_warning_requires_more():
    assert float(BINANCE.at_ratio(0.8).at(1e4)) == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("rates", "amounts", "message"),
    [
        ([], [], r"shapes \(0,\) and \(0,\), expected the same"),
        ([0.1], [0.0, 1.0], r"shapes \(1,\) and \(2,\)"),
        ([0.01, 0.01], [0.0, 1.0], "expected rising fractions"),
        ([-0.01], [0.0], "expected rising fractions"),
        ([1.0], [0.0], "expected rising fractions"),
        ([np.nan], [0.0], "expected rising fractions"),
        ([0.01], [5.0], "expected 0 first"),
        ([0.01, 0.02, 0.03], [0.0, 9.0, 8.0], "none falling"),
    ],
)
def test_impossible_tiers_are_refused(rates, amounts, message):
    with pytest.raises(FrameError, match=message):
        Maintenance(rates=np.array(rates, float), amounts=np.array(amounts, float))


def test_impossible_fees_and_ratios_are_refused():
    with pytest.raises(FrameError, match=r"fee rate is -0\.1, expected a fraction"):
        BINANCE.plus_fee(-0.1)
    with pytest.raises(FrameError, match=r"margin ratio is 0\.01, expected above the largest"):
        BINANCE.at_ratio(0.01)
    with pytest.raises(FrameError, match=r"margin ratio is 1\.5"):
        BINANCE.at_ratio(1.5)
    with pytest.raises(FrameError, match="expected rising fractions"):
        flat_maintenance(1.0)
