import numpy as np
import pandas as pd

from liqwarn.simulation.config import MarketConfig
from liqwarn.simulation.market import simulate_market
from liqwarn.simulation.tables import provider_tables


def test_tables_are_labelled_by_bar_start_and_hold_every_field():
    market = simulate_market(MarketConfig(n_bars=30), seed=1)
    tables = provider_tables(market)
    assert tuple(tables) == market.frame.symbols
    table = tables["ETHUSDT"]
    assert str(table["timestamp"].dt.tz) == "UTC"
    assert table["timestamp"].iloc[-1] == pd.Timestamp("2022-01-02 05:00", tz="UTC")
    row = market.frame.symbols.index("ETHUSDT")
    for name, plane in market.frame.fields.items():
        np.testing.assert_array_equal(table[name], plane[row])
