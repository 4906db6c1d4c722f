"""Simulate a small market, find its cascades, and see what the features said just before one.

Run: python examples/01_find_cascades.py
"""

import numpy as np

from liqwarn.features.builder import FeatureBuilder
from liqwarn.models.events import EventConfig, bar_positions, detect_events, event_table
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.market import simulate_market

market = simulate_market(MarketConfig(specs=DEFAULT_SPECS[:2], n_bars=24 * 120), seed=7)
events = detect_events(market.frame, EventConfig.for_bar(market.frame.bar))
print("The market is simulated.")
print(event_table(events)[["symbol", "side", "onset", "move", "oi_loss"]].to_string(index=False))

last = events[-1]
matrix = FeatureBuilder().build(market.frame)
row = matrix.symbols.index(last.symbol)
before = bar_positions(market.frame, [last.onset])[0] - 1
for name in ("funding_z_60d", "oi_z_7d", "rv_1d", "low_dist_pct_7d"):
    value = matrix.column(name)[row, before]
    print(f"{name}, one bar before the onset: {np.round(value, 4)}")
