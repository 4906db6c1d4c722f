"""What if price falls 8 % in half an hour while makers leave? Futures of a crowded market.

Run: python examples/03_stress_a_book.py
"""

from datetime import timedelta

import numpy as np

from liqwarn.simulation.config import DEFAULT_SPECS
from liqwarn.simulation.futures import PathOrder, simulate_futures
from liqwarn.simulation.layout import CHANNELS
from liqwarn.simulation.opening import synthetic_opening
from liqwarn.simulation.plan import market_of, plan_of
from liqwarn.simulation.scenario import DepthShock, PriceShock, Scenario, SyntheticStart

hours = timedelta(hours=1)
scenario = Scenario(
    name="fall",
    title="A fall into a thin book",
    description="Price falls by 8 % in half an hour, and two thirds of the depth is gone.",
    symbols=("BTCUSDT", "ETHUSDT"),
    start=SyntheticStart(days=20, crowding=1.0, appetite=0.3),
    horizon=6 * hours,
    shocks=(
        PriceShock(at=timedelta(0), move=-0.08, over=0.5 * hours),
        DepthShock(at=timedelta(0), to=0.33, lasts=hours, half_life=0.5 * hours),
    ),
)
config = market_of(scenario, DEFAULT_SPECS)
opening = synthetic_opening(config, scenario.start)
futures = simulate_futures(opening, plan_of(scenario, config), PathOrder(paths=200, seed=1))

print("The market is simulated.")
move = 100.0 * np.expm1(futures.worst - np.log(opening.prices))
usd = futures.liquidated_usd.sum(axis=(1, 2)) / 1e6
print(f"liquidations at risk, 95 %: {np.quantile(usd, 0.95):.0f} million USD")
for i, symbol in enumerate(config.symbols):
    low, middle = np.quantile(move[:, i], [0.05, 0.5])
    print(f"{symbol}: trough {middle:.1f} %, in the worst 5 % of futures {low:.1f} %")
parts = 100.0 * futures.moved[:, 0].mean(axis=0)
for name, part in sorted(zip(CHANNELS, parts, strict=True), key=lambda one: one[1])[:4]:
    print(f"  {name}: {part:.2f} % of {config.symbols[0]}'s log move")
