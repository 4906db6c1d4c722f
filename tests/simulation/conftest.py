"""One market of five months with cascades, and the same without leverage, for all tests."""

import pytest

from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.market import SimulatedMarket, simulate_market

N_BARS = 3_600


@pytest.fixture(scope="session")
def market() -> SimulatedMarket:
    return simulate_market(MarketConfig(n_bars=N_BARS), seed=3)


@pytest.fixture(scope="session")
def unlevered() -> SimulatedMarket:
    return simulate_market(MarketConfig(n_bars=N_BARS, leverage_off=True), seed=3)
