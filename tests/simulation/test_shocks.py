"""The exogenous side: independent of prices, centred, clustered, with lagged selling."""

import numpy as np
import pytest

from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.shocks import draw_shocks

CONFIG = MarketConfig(n_bars=8_760)
N = len(CONFIG.symbols)


@pytest.fixture(scope="module")
def shocks():
    return draw_shocks(CONFIG, seed=5)


def hourly(shocks):
    return shocks.returns.reshape(N, CONFIG.n_bars, 12).sum(axis=2)


def test_leverage_does_not_touch_the_shocks(shocks):
    other = draw_shocks(MarketConfig(n_bars=8_760, leverage_off=True), seed=5)
    assert np.array_equal(other.returns, shocks.returns)
    assert np.array_equal(other.step_std, shocks.step_std)


def test_symbols_move_together_and_sectors_more_so(shocks):
    corr = np.corrcoef(hourly(shocks))
    names = CONFIG.symbols
    fet, rndr, xrp = (names.index(s) for s in ("FETUSDT", "RNDRUSDT", "XRPUSDT"))
    assert 0.4 < corr[np.triu_indices(N, 1)].mean() < 0.8
    assert corr[fet, rndr] > corr[fet, xrp] + 0.1


def test_volatility_clusters(shocks):
    size = np.abs(hourly(shocks))
    size -= size.mean(axis=1, keepdims=True)
    at_day = (size[:, 24:] * size[:, :-24]).mean() / (size**2).mean()
    assert 0.05 < at_day < 0.35


def test_falls_raise_volatility_more_than_rises(shocks):
    returns = hourly(shocks) / (shocks.step_std * np.sqrt(12))
    later = np.log(shocks.activity[:, 6:]) - np.log(shocks.activity[:, 5:-1])
    assert np.corrcoef(returns[:, 5:-1].mean(axis=0), later.mean(axis=0))[0, 1] < -0.05


def test_deposits_lead_selling_and_withdrawals_buying(shocks):
    later = np.stack([np.roll(hourly(shocks), -k, axis=1) for k in range(2, 9)]).sum(axis=0)
    scaled = later / (shocks.step_std * np.sqrt(12))
    assert scaled[shocks.deposits > 0.5].mean() < -0.1
    assert scaled[shocks.withdrawals > 0.5].mean() > 0.1
