"""The bars of one symbol of a market frame, as the liquidation map takes them."""

import numpy as np

from liqwarn.frames import FloatArray, MarketFrame
from liqwarn.liquidation.crowding import crowding
from liqwarn.liquidation.market_path import Bars

__all__ = ["bars_of", "liquidated_usd"]


def bars_of(frame: MarketFrame, symbol: str) -> Bars:
    """Bars of a symbol: trades' high and low, the mark price as close where it is known.

    A mark price below half of the low or above twice the high is not believed, and one from
    before the bar's close is not the close: the last trade is.

    Raises
    ------
    FrameError
        When the symbol is not in the frame.
    """
    one = frame.select((symbol,))

    def field(name: str) -> FloatArray:
        return np.asarray(one.field(name)[0])

    mark, index = field("mark"), field("index")
    with np.errstate(invalid="ignore", divide="ignore"):
        marked = (mark >= 0.5 * field("low")) & (0.5 * mark <= field("high"))
        if "mark" in one.ages:
            marked &= one.ages["mark"][0] == 0.0
        basis = mark / np.where(np.isfinite(index), index, np.nan) - 1.0
        buys, sells = field("taker_buy_volume"), field("taker_sell_volume")
        takers = (buys - sells) / (buys + sells)
    return Bars(
        bar_s=frame.bar_s,
        number=frame.first_bar + np.arange(len(frame.times)),
        open=field("open"),
        high=field("high"),
        low=field("low"),
        close=np.where(marked, mark, field("close")),
        open_interest=field("open_interest"),
        volume=field("volume"),
        crowding=crowding(field("funding_rate"), field("funding_interval_h"), basis, takers),
        marked=marked,
    )


def liquidated_usd(frame: MarketFrame, symbol: str) -> FloatArray:
    """Published liquidations of a symbol, longs and shorts: shape (n_bars, 2), USD."""
    one = frame.select((symbol,))
    return np.stack([one.field("long_liq_usd")[0], one.field("short_liq_usd")[0]], axis=1)
