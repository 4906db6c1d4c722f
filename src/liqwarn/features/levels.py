"""Levels: prices where waiting orders are likely to sit, recent extremes and round numbers.

Per side: above the price and below it, in percent of the price and in average true ranges of an
hour over the last day.
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import average_true_range
from liqwarn.features.past import Past

__all__ = [
    "high_dist_atr",
    "high_dist_pct",
    "low_dist_atr",
    "low_dist_pct",
    "round_above_atr",
    "round_above_pct",
    "round_below_atr",
    "round_below_pct",
]

_HLC: Final = ("high", "low", "close")
_PCT: Final = "% of price"
_ATR: Final = "average true ranges"
_ATR_H: Final = 24.0


# recent extremes


@feature(inputs=("high", "close"), unit=_PCT, over=("24h",))
@feature(inputs=("high", "close"), unit=_PCT, over=("7d", "30d"), resolution="1h")
def high_dist_pct(high: Past, close: Past, hours: float) -> Past:
    """Distance up to the window's high; positive, or 0 at the high."""
    return (high.max(hours) / close - 1.0) * 100.0


@feature(inputs=("low", "close"), unit=_PCT, over=("24h",))
@feature(inputs=("low", "close"), unit=_PCT, over=("7d", "30d"), resolution="1h")
def low_dist_pct(low: Past, close: Past, hours: float) -> Past:
    """Distance down to the window's low; positive, or 0 at the low."""
    return (1.0 - low.min(hours) / close) * 100.0


@feature(inputs=_HLC, unit=_ATR, over=("24h", "7d", "30d"), resolution="1h")
def high_dist_atr(high: Past, low: Past, close: Past, hours: float) -> Past:
    """Distance up to the window's high in average true ranges; positive, or 0 at the high."""
    return (high.max(hours) - close) / average_true_range(high, low, close, _ATR_H)


@feature(inputs=_HLC, unit=_ATR, over=("24h", "7d", "30d"), resolution="1h")
def low_dist_atr(high: Past, low: Past, close: Past, hours: float) -> Past:
    """Distance down to the window's low in average true ranges; positive, or 0 at the low."""
    return (close - low.min(hours)) / average_true_range(high, low, close, _ATR_H)


# round numbers: a tenth of the price's power of ten, 42,000 and 43,000 around 42,137


def _step(close: Past) -> Past:
    return close.magnitude() / 10.0


@feature(inputs=("close",), unit=_PCT)
def round_above_pct(close: Past) -> Past:
    """Distance up to the next round number; positive. Depends on the quote unit, by intent."""
    step = _step(close)
    return (step - close % step) / close * 100.0


@feature(inputs=("close",), unit=_PCT)
def round_below_pct(close: Past) -> Past:
    """Distance down to the last round number; positive, 0 on it. Depends on the quote unit."""
    return (close % _step(close)) / close * 100.0


@feature(inputs=_HLC, unit=_ATR, resolution="1h")
def round_above_atr(high: Past, low: Past, close: Past) -> Past:
    """Distance up to the next round number in average true ranges; positive."""
    step = _step(close)
    return (step - close % step) / average_true_range(high, low, close, _ATR_H)


@feature(inputs=_HLC, unit=_ATR, resolution="1h")
def round_below_atr(high: Past, low: Past, close: Past) -> Past:
    """Distance down to the last round number in average true ranges; positive, 0 on it."""
    return (close % _step(close)) / average_true_range(high, low, close, _ATR_H)
