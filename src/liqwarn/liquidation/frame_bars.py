"""The bars of one symbol of a market frame, as the liquidation map takes them."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqwarn.frames import BoolArray, FloatArray, MarketFrame
from liqwarn.liquidation.bar_rules import frozen
from liqwarn.liquidation.crowding import crowding_of
from liqwarn.liquidation.market_path import Bars
from liqwarn.windows.arguments import compiled

__all__ = ["bars_from", "bars_of", "liquidated_usd"]

_FIELDS: Final = (
    "open",
    "high",
    "low",
    "close",
    "mark",
    "index",
    "open_interest",
    "volume",
    "taker_buy_volume",
    "taker_sell_volume",
    "funding_rate",
    "funding_interval_h",
)


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
    seen = {name: frozen(field(name)) for name in _FIELDS}
    low, high = seen["low"], seen["high"]
    age = np.zeros(len(number)) if mark_age is None else mark_age
    marked, close = _closes(seen["mark"], frozen(age), (low, high, seen["close"]))
    basis, takers = _signs(
        seen["mark"], seen["index"], seen["taker_buy_volume"], seen["taker_sell_volume"]
    )
    funding = (seen["funding_rate"], seen["funding_interval_h"])
    return Bars(
        bar_s=bar_s,
        number=number,
        open=seen["open"],
        high=high,
        low=low,
        close=close,
        open_interest=seen["open_interest"],
        volume=seen["volume"],
        crowding=crowding_of(funding, frozen(basis), frozen(takers)),
        marked=marked,
    )


@compiled
def _closes(
    mark: FloatArray, age: FloatArray, prices: tuple[FloatArray, FloatArray, FloatArray]
) -> tuple[BoolArray, FloatArray]:
    """Whether the mark price is the close, and the close."""
    low, high, close = prices
    marked, closes = np.empty(mark.size, np.bool_), np.empty(mark.size)
    for k in range(mark.size):
        believed = mark[k] >= 0.5 * low[k] and 0.5 * mark[k] <= high[k]
        marked[k] = believed and age[k] == 0.0
        closes[k] = mark[k] if marked[k] else close[k]
    return marked, closes


@compiled
def _signs(
    mark: FloatArray, index: FloatArray, buys: FloatArray, sells: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Basis, and takers' buys less sells over their sum."""
    basis, takers = np.empty(mark.size), np.empty(mark.size)
    for k in range(mark.size):
        basis[k] = mark[k] / index[k] - 1.0 if np.isfinite(index[k]) else np.nan
        takers[k] = (buys[k] - sells[k]) / (buys[k] + sells[k])
    return basis, takers


def liquidated_usd(frame: MarketFrame, symbol: str) -> FloatArray:
    """Published liquidations of a symbol, longs and shorts: shape (n_bars, 2), USD."""
    one = frame.select((symbol,))
    return np.stack([one.field("long_liq_usd")[0], one.field("short_liq_usd")[0]], axis=1)
