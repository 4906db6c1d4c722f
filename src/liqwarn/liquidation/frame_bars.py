"""The bars of one symbol of a market frame, as the liquidation map takes them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import FloatArray, MarketFrame
from liqwarn.liquidation.crowding import crowding
from liqwarn.liquidation.market_path import Bars

__all__ = ["bars_from", "bars_of", "liquidated_usd"]


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
    number = frame.first_bar + np.arange(len(frame.times))
    mark_age = one.ages["mark"][0] if "mark" in one.ages else None
    return bars_from(lambda name: one.field(name)[0], mark_age, frame.bar_s, number)


def bars_from(
    field: Callable[[str], FloatArray],
    mark_age: FloatArray | None,
    bar_s: int,
    number: NDArray[np.int64],
) -> Bars:
    """Bars from fields: those of one symbol, or one bar each of several.

    Parameters
    ----------
    field : callable
        Values of a field, shape (n_bars,); all NaN where there is none.
    mark_age : ndarray of shape (n_bars,) or None
        Seconds from the mark price to the close; None takes every one for the close's own.
    number : ndarray of shape (n_bars,)
        Absolute number of each bar.
    """
    mark, index = field("mark"), field("index")
    with np.errstate(invalid="ignore", divide="ignore"):
        marked = (mark >= 0.5 * field("low")) & (0.5 * mark <= field("high"))
        if mark_age is not None:
            marked &= mark_age == 0.0
        basis = mark / np.where(np.isfinite(index), index, np.nan) - 1.0
        buys, sells = field("taker_buy_volume"), field("taker_sell_volume")
        takers = (buys - sells) / (buys + sells)
    return Bars(
        bar_s=bar_s,
        number=number,
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
