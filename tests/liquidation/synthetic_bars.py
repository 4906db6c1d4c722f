"""Markets for the tests of the liquidation map: random walks, sound or with every fault there is.

Loaded with ``runpy``, for test modules are not importable here.
"""

from dataclasses import fields, replace
from datetime import timedelta

import numpy as np

from liqwarn.frames import MarketFrame, bar_times
from liqwarn.liquidation.market_path import Bars
from liqwarn.liquidation.parameters import MapParameters

FIRST = {300: 5_680_800, 3_600: 473_400, 14_400: 118_350}
"""Number of the first bar, by seconds of a bar: early January 2024."""

GUESSES = (
    MapParameters(),
    MapParameters(median_leverage=45.0, half_life_h=2.0, age_power=1.2, tilt=0.6, spent=0.3),
    MapParameters(median_leverage=5.0, half_life_h=200.0, age_power=0.2, tilt=0.0, spent=0.0),
)


def bars(n_bars, *, seed=0, bar_s=3_600, hourly=0.008):
    """A sound market: a random walk of price and open interest, marked here and there."""
    rng = np.random.default_rng(seed)
    step = hourly * np.sqrt(bar_s / 3_600)
    close = 30_000.0 * np.exp(np.cumsum(step * rng.standard_t(4, n_bars)))
    opened = np.concatenate([[30_000.0], close[:-1]]) * np.exp(rng.normal(0.0, step / 20, n_bars))
    reach = np.exp(np.abs(rng.normal(0.0, 0.7 * step, (2, n_bars))))
    return Bars(
        bar_s=bar_s,
        number=FIRST[bar_s] + np.arange(n_bars),
        open=opened,
        high=np.maximum(opened, close) * reach[0],
        low=np.minimum(opened, close) / reach[1],
        close=close,
        open_interest=5e4 * np.exp(np.cumsum(rng.normal(0.0, 0.015, n_bars))),
        volume=rng.lognormal(7.0, 1.0, n_bars),
        crowding=np.tanh(rng.normal(0.0, 1.0, n_bars)),
        marked=rng.random(n_bars) < 0.5,
    )


def flat(n_bars, *, bar_s=300, price=100.0, stock=50.0):
    """A market in which nothing moves."""
    still = np.full(n_bars, price)
    return Bars(
        bar_s=bar_s,
        number=FIRST[bar_s] + np.arange(n_bars),
        open=still,
        high=still,
        low=still,
        close=still,
        open_interest=np.full(n_bars, stock),
        volume=np.full(n_bars, 10.0),
        crowding=np.zeros(n_bars),
        marked=np.ones(n_bars, bool),
    )


def at(bars, row, **values):
    """The same bars with some values changed at one row, or at a slice of rows."""
    changed = {name: getattr(bars, name).copy() for name in values}
    for name, value in values.items():
        changed[name][row] = value
    return replace(bars, **changed)


def split(bars, row, factor):
    """From a row on prices are in another unit."""
    tail = slice(row, None)
    return at(bars, tail, **{k: getattr(bars, k)[tail] * factor for k in PRICES})


def migrated(bars, row, factor):
    """From a row on open interest is in another unit."""
    tail = slice(row, None)
    return at(bars, tail, open_interest=bars.open_interest[tail] * factor)


PRICES = ("open", "high", "low", "close")

_WRONG = (
    {"close": np.nan},
    {"low": np.nan},
    {"high": np.inf},
    {"low": -np.inf},
    {"low": 1e9},
    {"close": np.inf},
    {"close": 0.0},
    {"low": -3.0},
    {"open": np.nan},
    {"open": np.inf},
    {"open": 0.0},
    {"open_interest": np.nan},
    {"open_interest": np.inf},
    {"open_interest": -7.0},
    {"open_interest": 0.0},
    {"volume": 0.0},
    {"volume": np.nan},
    {"volume": np.inf},
    {"crowding": np.nan},
    {"crowding": np.inf},
    {"crowding": -np.inf},
    {"close": np.nan, "open_interest": 9e4},
)


def faulty(n_bars, *, seed=0, bar_s=3_600):
    """A market with about every tenth bar wrong, gaps, splits and migrations."""
    rng = np.random.default_rng(seed + 1_000)
    found = bars(n_bars, seed=seed, bar_s=bar_s)
    for factor in (1_000.0, 1.0 / 2.5):
        found = split(found, int(rng.integers(1, n_bars)), factor)
    for factor in (10.0, 0.1):
        found = migrated(found, int(rng.integers(1, n_bars)), factor)
    for row in rng.choice(n_bars, n_bars // 10, replace=False):
        found = at(found, int(row), **_WRONG[rng.integers(len(_WRONG))])
    week = 7 * 86_400 // bar_s
    for length in (3, min(week // 2, n_bars // 8), min(week + 5, n_bars // 2)):
        start = int(rng.integers(0, n_bars))
        found = at(found, slice(start, start + length), open_interest=np.nan)
    start = int(rng.integers(0, n_bars))
    return at(found, slice(start, start + 4), **dict.fromkeys(PRICES, np.nan))


def frame(bars, symbol="BTCUSDT", **more):
    """The bars as a market frame."""
    first = np.datetime64(int(bars.number[0]) * bars.bar_s, "s")
    length = timedelta(seconds=bars.bar_s)
    plain = {name: getattr(bars, name) for name in (*PRICES, "open_interest", "volume")}
    mark = {"mark": np.where(bars.marked, bars.close, np.nan)}
    return MarketFrame(
        symbols=(symbol,),
        times=bar_times(first, len(bars.close), length),
        bar=length,
        fields={k: np.ascontiguousarray(v)[None, :] for k, v in (plain | mark | more).items()},
        ages={},
    )


def same_bits(found, expected):
    """Equal bit for bit, with every NaN taken as the same."""
    one, other = (np.ascontiguousarray(x, np.float64) for x in (found, expected))
    bits = [np.where(np.isnan(a), np.nan, a).view(np.int64) for a in (one, other)]
    return one.shape == other.shape and bool((bits[0] == bits[1]).all())


def same_state(found, expected):
    """Whether two states are the same value, bit for bit."""
    if found.ledger != expected.ledger or found.steps != expected.steps:
        return False
    names = [one.name for one in fields(found) if one.name not in ("ledger", "steps")]
    return all(same_bits(getattr(found, n), getattr(expected, n)) for n in names)
