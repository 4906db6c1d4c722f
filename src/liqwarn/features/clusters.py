"""Clusters, first version: price levels where forced or waiting orders are likely to sit.

Per side: above the price (stops and liquidations of shorts) and below it (of longs), in percent
of the price and in average true ranges of an hour over the last day.

The leverage ladder takes the average entry of the last 1, 3 and 7 days, weighted by the open
interest that was added (by volume where that is unknown, or nothing was), and the liquidation
price of each of five leverages from there. A rung that the price has reached within its window is
gone.
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import average_true_range
from liqwarn.features.past import Past, highest, lowest, maximum, where
from liqwarn.frames import Side
from liqwarn.liquidation.margin import liquidation_price

__all__ = [
    "cluster_dist_long_atr",
    "cluster_dist_long_pct",
    "cluster_dist_short_atr",
    "cluster_dist_short_pct",
    "cluster_near_long",
    "cluster_near_short",
    "cluster_skew",
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
_ENTRIES: Final = ("high", "low", "close", "volume", "open_interest")
_PCT: Final = "% of price"
_ATR: Final = "average true ranges"
_ATR_H: Final = 24.0
_ENTRY_WINDOWS_H: Final = (24.0, 72.0, 168.0)
_LEVERAGES: Final = (5.0, 10.0, 25.0, 50.0, 100.0)
_MMR: Final = 0.005
_NEAR: Final = 0.05
_RUNG: Final[dict[Side, tuple[float, ...]]] = {
    "long": tuple(float(liquidation_price("long", 1.0, lever, _MMR)) for lever in _LEVERAGES),
    "short": tuple(float(liquidation_price("short", 1.0, lever, _MMR)) for lever in _LEVERAGES),
}
"""Liquidation price over entry price, for each leverage."""


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


# the leverage ladder


def _entry(inputs: tuple[Past, ...], hours: float) -> Past:
    """Average price at which the window's positions were opened."""
    high, low, close, volume, coins = inputs
    typical = (high + low + close) / 3.0
    added = maximum(coins - coins.previous(), 0.0)
    by_added = (typical * added).mean(hours) / added.mean(hours)
    return by_added.fill((typical * volume).mean(hours) / volume.mean(hours))


def _rungs(side: Side, inputs: tuple[Past, ...]) -> list[Past]:
    """Liquidation prices that the price has not reached since the entries; NaN where it has."""
    high, low = inputs[:2]
    rungs = []
    for hours in _ENTRY_WINDOWS_H:
        entry = _entry(inputs, hours)
        reached = low.min(hours) if side == "long" else high.max(hours)
        for ratio in _RUNG[side]:
            level = entry * ratio
            alive = level < reached if side == "long" else level > reached
            rungs.append(level / alive)  # a division by 0 is missing
    return rungs


def _gap_long(inputs: tuple[Past, ...]) -> Past:
    return inputs[2] - highest(*_rungs("long", inputs))


def _gap_short(inputs: tuple[Past, ...]) -> Past:
    return lowest(*_rungs("short", inputs)) - inputs[2]


def _true_range(inputs: tuple[Past, ...]) -> Past:
    return average_true_range(inputs[0], inputs[1], inputs[2], _ATR_H)


@feature(inputs=_ENTRIES, unit=_PCT, resolution="1h")
def cluster_dist_long_pct(*inputs: Past) -> Past:
    """Distance down to the nearest rung where longs are liquidated; positive.

    NaN where no rung is left or entries are unknown.
    """
    return _gap_long(inputs) / inputs[2] * 100.0


@feature(inputs=_ENTRIES, unit=_PCT, resolution="1h")
def cluster_dist_short_pct(*inputs: Past) -> Past:
    """Distance up to the nearest rung where shorts are liquidated; positive.

    NaN where no rung is left or entries are unknown.
    """
    return _gap_short(inputs) / inputs[2] * 100.0


@feature(inputs=_ENTRIES, unit=_ATR, resolution="1h")
def cluster_dist_long_atr(*inputs: Past) -> Past:
    """Distance down to the nearest rung of longs in average true ranges; positive."""
    return _gap_long(inputs) / _true_range(inputs)


@feature(inputs=_ENTRIES, unit=_ATR, resolution="1h")
def cluster_dist_short_atr(*inputs: Past) -> Past:
    """Distance up to the nearest rung of shorts in average true ranges; positive."""
    return _gap_short(inputs) / _true_range(inputs)


def _share_near(side: Side, inputs: tuple[Past, ...]) -> Past:
    """Share of all rungs that are alive and within reach; NaN where no entry is known."""
    close = inputs[2]
    rungs = _rungs(side, inputs)
    near = [(abs(rung / close - 1.0) <= _NEAR).fill(0.0) for rung in rungs]
    total = near[0]
    for more in near[1:]:
        total = total + more
    known = _entry(inputs, _ENTRY_WINDOWS_H[0])
    return where(known > 0, total / float(len(near)), 0.0)


@feature(inputs=_ENTRIES, unit="share of rungs, 0 to 1", resolution="1h")
def cluster_near_long(*inputs: Past) -> Past:
    """Share of the ladder's long rungs alive within 5 % below the price; 0 when there is none."""
    return _share_near("long", inputs)


@feature(inputs=_ENTRIES, unit="share of rungs, 0 to 1", resolution="1h")
def cluster_near_short(*inputs: Past) -> Past:
    """Share of the ladder's short rungs alive within 5 % above the price; 0 when there is none."""
    return _share_near("short", inputs)


@feature(inputs=_ENTRIES, unit="log ratio", resolution="1h")
def cluster_skew(*inputs: Past) -> Past:
    """Log of the distance to short rungs over long ones; positive when longs are the nearer."""
    return (_gap_short(inputs) / _gap_long(inputs)).log()
