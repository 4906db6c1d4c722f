"""Prices by symbol, and correlations at shifted moments."""

import numpy as np
import pandas as pd
import pytest

from liqwarn.data.inspection.prices import ENOUGH, Market, Prices, gather_prices, shifted


@pytest.fixture
def walk():
    """A random walk by the hour."""
    moves = np.random.default_rng(3).normal(0.0, 0.01, 400)
    return Prices(
        source="a", close=pd.Series(np.exp(np.cumsum(moves)), index=3_600 * np.arange(400))
    )


def test_returns_are_missing_where_a_price_is(walk):
    found = walk.returns(np.array([0, 3_600, 3_601, 10_800]), 3_600)

    assert np.isnan(found).tolist() == [True, False, True, False]
    assert found[1] == pytest.approx(np.log(walk.close.iloc[1] / walk.close.iloc[0]))


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_the_shift_of_a_copy_is_found(walk, shift):
    event = walk.close.index.to_numpy()
    found = shifted(event, walk.returns(event + shift * 3_600, 3_600), walk, 3_600)

    assert max(found, key=found.get) == shift
    assert found[shift] == pytest.approx(1.0)


def test_few_rows_or_constants_give_nothing(walk):
    event = walk.close.index.to_numpy()

    assert shifted(event[:ENOUGH], walk.returns(event[:ENOUGH], 3_600), walk, 3_600) is None
    assert shifted(event, np.ones(400), walk, 3_600) is None


def test_closes_come_from_the_source_that_has_them(read, bars, make_panel):
    reading = read(bars)
    panel = make_panel().model_copy(update={"sources": (reading.told,)})

    found = gather_prices(panel, [reading])

    assert found["BTCUSDT"].source == "klines"
    assert found["BTCUSDT"].close.tolist() == pytest.approx(bars["close"].tolist())


def test_a_market_has_the_step_of_its_source(read, bars, walk):
    reading = read(bars)

    assert Market.of(reading.told, [reading], "BTCUSDT", walk).step_s == 3_600
