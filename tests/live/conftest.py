"""The small simulated market of the pipelines' tests, and random markets of every field."""

import runpy
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from liqwarn.frames import ALL_FIELDS, MarketFrame, bar_times

_SHARED = runpy.run_path(str(Path(__file__).parents[1] / "pipelines" / "conftest.py"))
study, market, given_market, policy = (
    _SHARED[name] for name in ("study", "market", "given_market", "policy")
)
bundle, bundle_folder, now = (_SHARED[name] for name in ("bundle", "bundle_folder", "now"))


def _values(name, close, rng):
    shape = close.shape
    if name in ("open", "close", "mark", "index"):
        return close * (1.0 + rng.normal(0.0, 1e-4, shape))
    if name in ("high", "low"):
        return close * (1.01 if name == "high" else 0.99)
    if name == "netflow" or name.startswith("funding_rate"):
        return rng.normal(0.0, 1e-4, shape)
    if "interval" in name:
        return np.full(shape, 8.0)
    return np.abs(rng.normal(1.0, 0.3, shape)) + (1e4 if name == "open_interest" else 0.0)


def _random_frame(bar, n_bars, *, seed, first=5, holes=0.02, symbols=("AAA", "BTC", "CCC")):
    rng = np.random.default_rng(seed)
    shape = (len(symbols), n_bars)
    close = 1e4 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=1))
    fields = {
        name: np.where(rng.random(shape) < holes, np.nan, _values(name, close, rng))
        for name in ALL_FIELDS
    }
    start = np.datetime64("2024-01-01T00:00:00") + np.timedelta64(first * bar)
    times = bar_times(start, n_bars, bar)
    return MarketFrame(symbols=symbols, times=times, bar=bar, fields=fields, ages={})


@pytest.fixture(scope="session")
def random_frame():
    """Make a market of every field there is, the map's too, with holes."""
    return _random_frame


@pytest.fixture(scope="session")
def hour():
    return timedelta(hours=1)
