"""Synthetic markets for the tests of features: random walks with gaps, and exact little ones."""

from datetime import timedelta

import numpy as np
import pytest

from liqwarn.features.builder import FeatureBuilder, all_features
from liqwarn.frames import SIDES, MarketFrame, bar_times

PRICES = ("open", "high", "low", "close", "mark", "index")
COINS = (
    "volume",
    "taker_buy_volume",
    "taker_sell_volume",
    "inflow",
    "outflow",
    "netflow",
    "open_interest",
    "reserve",
)
USD = ("long_liq_usd", "short_liq_usd", "bid_depth_usd", "ask_depth_usd")
BANDS = ("1", "2", "3", "5", "10")


def _walk(rng, shape, step):
    return np.exp(np.cumsum(rng.normal(0.0, step, shape), axis=1))


def _prices(rng, shape, hours):
    close = _walk(rng, shape, 0.006 * np.sqrt(hours)) * np.array([[40_000.0], [30.0], [0.7]])
    opened = np.concatenate([close[:, :1], close[:, :-1]], axis=1)
    reach = np.exp(np.abs(rng.normal(0.0, 0.002, (2, *shape))))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * reach[0],
        "low": np.minimum(opened, close) / reach[1],
        "close": close,
        "mark": close * (1.0 + rng.normal(0.0, 2e-4, shape)),
        "index": close * (1.0 + rng.normal(0.0, 4e-4, shape)),
    }


def _flows(rng, shape):
    volume = rng.lognormal(7.0, 1.0, shape)
    bought = volume * rng.uniform(0.2, 0.8, shape)
    inflow, outflow = rng.lognormal(4.0, 1.0, (2, *shape))
    return {
        "volume": volume,
        "taker_buy_volume": bought,
        "taker_sell_volume": volume - bought,
        "inflow": inflow,
        "outflow": outflow,
        "netflow": inflow - outflow,
    }


def _stocks(rng, shape):
    coins = 1e5 * _walk(rng, shape, 0.01)
    reserve = 1e6 * _walk(rng, shape, 0.001)
    return {
        "funding_rate": rng.normal(5e-5, 1e-4, shape),
        "funding_interval_h": np.full(shape, 8.0),
        "funding_rate_2": rng.normal(5e-5, 1e-4, shape),
        "funding_interval_2_h": np.full(shape, 4.0),
        "open_interest": coins,
        "reserve": reserve,
        "leverage_ratio": coins / reserve * rng.uniform(0.9, 1.1, shape),
        "whale_ratio": rng.uniform(0.2, 0.9, shape),
        "long_short_ratio": rng.lognormal(0.0, 0.2, shape),
        "implied_volatility": np.full(shape, 0.6),
        "next_macro_h": rng.uniform(0.0, 300.0, shape),
        "next_unlock_h": rng.uniform(0.0, 300.0, shape),
        "next_unlock_frac": rng.uniform(0.0, 0.05, shape),
    }


def _map(rng, coins):
    """Readings of a liquidation map that holds about a fifth of open interest within 10 %."""
    shape = coins.shape
    fields = {"map_quality": rng.uniform(0.5, 1.0, shape)}
    for side in SIDES:
        between = coins * rng.lognormal(-3.5, 0.5, (len(BANDS), *shape))
        within = np.cumsum(between, axis=0)
        readings = {f"within_{name}": within[k] for k, name in enumerate(BANDS)}
        readings |= {
            "peak": between.max(axis=0),
            "swept": coins * np.where(rng.random(shape) < 0.3, 0.0, rng.uniform(0, 0.01, shape)),
            "nearest": rng.uniform(0.001, 0.1, shape),
            "mean_distance": rng.uniform(0.02, 0.08, shape),
            "doubt": rng.uniform(0.0, 0.6, shape),
        }
        fields |= {f"map_{side}_{what}": values for what, values in readings.items()}
    return fields


def synthetic_market(bar, n_bars, *, seed=7, gaps=0.004):
    """Three symbols over `n_bars`, every field, from an odd bar on; some cells are missing."""
    rng = np.random.default_rng(seed)
    shape = (3, n_bars)
    fields = _prices(rng, shape, bar / timedelta(hours=1)) | _flows(rng, shape)
    fields |= _stocks(rng, shape)
    for name in USD:
        usd = rng.lognormal(8.0, 1.0, shape) * fields["close"]
        fields[name] = np.where(rng.random(shape) < 0.4, 0.0, usd) if "liq" in name else usd
    fields |= _map(rng, fields["open_interest"])
    for values in fields.values():
        values[rng.random(shape) < gaps] = np.nan
    return MarketFrame(
        symbols=("ADAUSDT", "BTCUSDT", "XRPUSDT"),
        times=bar_times(np.datetime64("2023-02-03T00:00") + 5 * np.timedelta64(bar), n_bars, bar),
        bar=bar,
        fields=fields,
        ages={},
    )


def with_fields(frame, **changed):
    """The frame with other fields; None takes one away."""
    fields = {**frame.fields, **changed}
    return MarketFrame(
        symbols=frame.symbols,
        times=frame.times,
        bar=frame.bar,
        fields={name: values for name, values in fields.items() if values is not None},
        ages={},
    )


@pytest.fixture(scope="session")
def market():
    """The factory of synthetic markets."""
    return synthetic_market


@pytest.fixture(scope="session")
def changed():
    """The frame with other fields."""
    return with_fields


@pytest.fixture(scope="session")
def column():
    """``column(name, close=[...])``: a feature of one symbol from the values of its fields.

    Bars are of 1 h from 2024-01-01 (a Monday), 01:00; a list of lists gives several symbols.
    """
    by_name = {feature.name: feature for feature in all_features()}

    def build(name, *, bar=timedelta(hours=1), first="2024-01-01T01:00", **fields):
        planes = {key: np.atleast_2d(np.array(rows, float)) for key, rows in fields.items()}
        n_symbols, n_bars = next(iter(planes.values())).shape
        frame = MarketFrame(
            symbols=tuple(f"BTC{row}" for row in range(n_symbols)),
            times=bar_times(np.datetime64(first), n_bars, bar),
            bar=bar,
            fields=planes,
            ages={},
        )
        values = FeatureBuilder((by_name[name],)).build(frame).column(name)
        return values[0] if n_symbols == 1 else values

    return build
