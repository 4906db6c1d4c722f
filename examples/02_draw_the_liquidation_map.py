"""Simulate a small market, fit its liquidation map, and see where liquidations wait.

Run: python examples/02_draw_the_liquidation_map.py [picture.png]
"""

import sys
from pathlib import Path

from liqwarn.liquidation.by_price import heat_map_of, profile_at
from liqwarn.pipelines.liquidation_map import MapJob, fit_map
from liqwarn.reports.charts import save_figure
from liqwarn.reports.heat_map import heat_map_figure
from liqwarn.reports.map_export import heaviest_clusters
from liqwarn.simulation.config import DEFAULT_SPECS, MarketConfig
from liqwarn.simulation.market import simulate_market

frame = simulate_market(MarketConfig(specs=DEFAULT_SPECS[:2], n_bars=24 * 60), seed=7).frame
job = MapJob(venue=None)  # a flat maintenance rate; venue_tiers("binance") reads a venue's tables
draws = fit_map(frame, job).draws
symbol, last = frame.symbols[0], len(frame.times) - 1

print("The market is simulated.")
profile = profile_at(job.of(frame, symbol), draws, last)
print(f"{symbol} at {profile.price:,.2f}: where {profile.open_interest:,.0f} coins would be closed")
for side in ("long", "short"):
    for cluster in heaviest_clusters(profile, side, 3):
        away = cluster.price / profile.price - 1.0
        print(f"  {side:5s} {cluster.price:12,.2f} {away:+7.2%} {cluster.coins:12,.0f} coins")

if len(sys.argv) > 1:
    heat_map = heat_map_of(job.of(frame, symbol), draws, range(last - 24 * 14, last + 1))
    save_figure(heat_map_figure(heat_map, title=symbol, profile=profile), Path(sys.argv[1]))
