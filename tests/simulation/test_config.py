"""A market that cannot exist is refused whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from liqwarn.errors import ConfigError
from liqwarn.simulation.config import (
    DEFAULT_SPECS,
    SIM_SYMBOLS,
    Leverage,
    Liquidity,
    MarketConfig,
    Positioning,
    Volatility,
)


def test_the_default_symbols_are_ten_in_two_sectors():
    assert tuple(sorted(SIM_SYMBOLS)) == SIM_SYMBOLS
    assert len(SIM_SYMBOLS) == 10
    assert {spec.sector for spec in DEFAULT_SPECS} == {"majors", "ai"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"specs": ()}, "at least one, sorted and unique"),
        ({"specs": DEFAULT_SPECS[::-1]}, "sorted and unique"),
        ({"n_bars": 0}, "n_bars is 0"),
        ({"step": timedelta(minutes=7)}, "whole number of steps"),
        ({"start": datetime(2022, 1, 1)}, "expected a timezone"),  # noqa: DTZ001 - the fault
        ({"start": datetime(2022, 1, 1, 0, 30, tzinfo=UTC)}, "expected a multiple of"),
        ({"specs": (replace(DEFAULT_SPECS[0], price=0.0),)}, r"AVAXUSDT\.price is 0\.0"),
        ({"specs": (replace(DEFAULT_SPECS[0], beta=1.0),)}, "beta² \\+ sector_beta² must be"),
        ({"liquidity": Liquidity(bite=-0.1)}, r"liquidity\.bite is -0\.1"),
        ({"liquidity": Liquidity(floor=0.0)}, r"liquidity\.floor is 0\.0"),
        ({"liquidity": Liquidity(permanent=1.5)}, r"liquidity\.permanent is 1\.5"),
        ({"liquidity": Liquidity(bargain=0.0)}, r"liquidity\.bargain is 0\.0"),
        ({"volatility": Volatility(fast_half_life_h=0.0)}, "fast_half_life_h is 0"),
        ({"volatility": Volatility(leverage_effect=-2.0)}, "leverage_effect is 2"),
        ({"positioning": Positioning(replaced=2.0)}, r"positioning\.replaced is 2\.0"),
        ({"leverage": Leverage(mix=(0.5, 0.5))}, r"leverage\.mix is \(0\.5, 0\.5\)"),
        ({"leverage": Leverage(maintenance_rate=0.02)}, "below 1 / maintenance_rate"),
    ],
)
def test_faults_are_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        MarketConfig(**changes)


def test_all_faults_are_named_at_once():
    with pytest.raises(ConfigError, match=r"n_bars is 0.*liquidity\.bite.*positioning\.panic"):
        MarketConfig(n_bars=0, liquidity=Liquidity(bite=-1.0), positioning=Positioning(panic=-1.0))
