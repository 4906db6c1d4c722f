"""Hand-made and random markets whose cascades are known."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from liqwarn.frames import MarketFrame, bar_times
from liqwarn.models.events import EventConfig

START = np.datetime64("2024-01-01T00:00:00")
QUIET = 400


def _frame(bar, fields, symbols=("BTCUSDT",)):
    planes = {
        name: np.ascontiguousarray(np.atleast_2d(np.array(x, dtype=np.float64)))
        for name, x in fields.items()
    }
    n_bars = next(iter(planes.values())).shape[1]
    times = bar_times(START + np.timedelta64(int(bar.total_seconds()), "s"), n_bars, bar)
    return MarketFrame(symbols=symbols, times=times, bar=bar, fields=planes, ages={})


def _story(bar, *, quiet=QUIET, tail=60, symbols=("BTCUSDT",), **fields):
    n_bars = max(len(x) for x in fields.values())
    planes = {
        name: [x[0]] * quiet + list(x) + [x[-1]] * (n_bars - len(x) + tail)
        for name, x in fields.items()
    }
    return _frame(bar, planes, symbols)


def _config(bar, **changes):
    short = {
        "sigma_window": timedelta(days=4),
        "trailing_window": timedelta(days=4),
        "min_history": timedelta(days=1),
    }
    return replace(EventConfig.for_bar(bar), **(short | changes))


def _random(seed, *, bar=timedelta(hours=1), n_bars=150, gaps=True):
    rng = np.random.default_rng(seed)
    shape = (2, n_bars)
    noise = np.sqrt(bar / timedelta(hours=1))
    returns = rng.normal(0.0, 0.002 * noise, shape)
    opened = rng.normal(0.0, 0.001 * noise, shape)
    for at in rng.integers(0, n_bars - 3, n_bars // 15):
        row = rng.integers(0, 2)
        # some shocks fall short of a leg, some straddle two bars, some come in a row
        returns[row, at] += rng.choice([-1.0, 1.0]) * rng.uniform(0.01, 0.06)
        opened[row, at + rng.integers(0, 2)] -= rng.uniform(0.0, 0.08)
    coins = 1000.0 * np.exp(np.cumsum(opened, axis=1))
    buy, sell = rng.gamma(20.0, 1.0, (2, *shape))
    liquidated = rng.exponential(1e5, (2, *shape))
    if gaps:
        coins[[0, 0, 1], rng.integers(0, n_bars, 3)] = np.nan
        buy[:, rng.random(n_bars) < 0.3] = np.nan
    fields = {
        "close": 100.0 * np.exp(np.cumsum(returns, axis=1)),
        "open_interest": coins,
        "taker_buy_volume": buy,
        "taker_sell_volume": sell,
        "long_liq_usd": liquidated[0],
        "short_liq_usd": liquidated[1],
    }
    return _frame(bar, fields, ("BTCUSDT", "ETHUSDT"))


@pytest.fixture(scope="session")
def market_frame():
    """Build a frame from planes: ``(bar, {field: values}, symbols)``."""
    return _frame


@pytest.fixture(scope="session")
def market_story():
    """Build a frame in which nothing moves for `market_quiet` bars, then the given values follow.

    The last values stay for `tail` bars. Where nothing moved before, every threshold is its floor.
    """
    return _story


@pytest.fixture(scope="session")
def market_quiet():
    """Position of the first bar of a story."""
    return QUIET


@pytest.fixture(scope="session")
def market_config():
    """Build the definition for a bar length with days of history instead of months."""
    return _config


@pytest.fixture(scope="session")
def market_random():
    """Build a market of two symbols with shocks, gaps and missing flows from a seed."""
    return _random
