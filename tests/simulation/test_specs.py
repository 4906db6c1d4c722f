"""The perpetuals that a market has by default."""

import pytest

from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.specs import DEFAULT_SPECS, OI_TO_DEPTH, SIM_SYMBOLS


def test_there_are_twelve_in_two_sectors_sorted_by_name():
    assert len(SIM_SYMBOLS) == 12
    assert tuple(sorted(set(SIM_SYMBOLS))) == SIM_SYMBOLS
    assert {spec.sector for spec in DEFAULT_SPECS} == {"majors", "ai"}


@pytest.mark.parametrize("spec", DEFAULT_SPECS, ids=SIM_SYMBOLS)
def test_each_is_a_market_of_its_own(spec):
    assert MarketConfig(specs=(spec,)).symbols == (spec.name,)
    assert spec.depth_usd * OI_TO_DEPTH == pytest.approx(spec.open_interest_usd)


def test_the_largest_moves_least_and_with_the_market_most():
    largest = max(DEFAULT_SPECS, key=lambda spec: spec.open_interest_usd)
    assert largest.name == "BTCUSDT"
    assert largest.volatility == min(spec.volatility for spec in DEFAULT_SPECS)
    assert largest.beta == max(spec.beta for spec in DEFAULT_SPECS)
