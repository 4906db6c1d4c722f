"""A simulated market in the shape in which providers publish."""

import pandas as pd

from liqwarn.simulation.market import SimulatedMarket

__all__ = ["provider_tables"]


def provider_tables(market: SimulatedMarket) -> dict[str, pd.DataFrame]:
    """One table a symbol: ``timestamp`` (UTC, **start** of the bar) and a column a field.

    Examples
    --------
    >>> from liqwarn.simulation.config import MarketConfig
    >>> from liqwarn.simulation.market import simulate_market
    >>> tables = provider_tables(simulate_market(MarketConfig(n_bars=3), seed=1))
    >>> tables["BTCUSDT"]["timestamp"].iloc[0]
    Timestamp('2022-01-01 00:00:00+0000', tz='UTC')
    """
    frame = market.frame
    starts = pd.to_datetime(frame.times - frame.bar_s).tz_localize("UTC")
    return {
        symbol: pd.DataFrame(
            {"timestamp": starts} | {name: plane[row] for name, plane in frame.fields.items()}
        )
        for row, symbol in enumerate(frame.symbols)
    }
