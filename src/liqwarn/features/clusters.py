"""Clusters: what the liquidation map says lies near the price, and what it would do if reached.

Per side: ``long`` is what a fall liquidates, ``short`` what a rise does. Distances are log
distances in percent, or in average true ranges of an hour over the last day. The map's readings
come with the frame (:mod:`liqwarn.liquidation.readings`); where they are missing, so is this.

The cascade gain is the price move caused by liquidating what one unit of price move makes
liquidatable; above 1 a move feeds itself. Price impact is linear: in the book's depth, the USD
that moves price 1 %, where depth is known; else in the mean move per USD traded (Amihud 2002).
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import average_true_range, cell_return
from liqwarn.features.past import Past

__all__ = [
    "cluster_dist_long_atr",
    "cluster_dist_long_pct",
    "cluster_dist_short_atr",
    "cluster_dist_short_pct",
    "cluster_doubt_long",
    "cluster_doubt_short",
    "cluster_gain_book_long",
    "cluster_gain_book_short",
    "cluster_gain_long",
    "cluster_gain_peak_long",
    "cluster_gain_peak_short",
    "cluster_gain_short",
    "cluster_growth_long",
    "cluster_growth_short",
    "cluster_hours_long",
    "cluster_hours_short",
    "cluster_mass_1_long",
    "cluster_mass_1_short",
    "cluster_mass_2_long",
    "cluster_mass_2_short",
    "cluster_mass_3_long",
    "cluster_mass_3_short",
    "cluster_mass_5_long",
    "cluster_mass_5_short",
    "cluster_mass_10_long",
    "cluster_mass_10_short",
    "cluster_mean_dist_long_pct",
    "cluster_mean_dist_short_pct",
    "cluster_over_depth_long",
    "cluster_over_depth_short",
    "cluster_quality",
    "cluster_rank_long",
    "cluster_rank_short",
    "cluster_skew",
    "cluster_skew_2",
    "cluster_skew_5",
    "cluster_swept_long",
    "cluster_swept_short",
]

_PCT: Final = "% of price"
_ATR: Final = "average true ranges"
_SHARE: Final = "share of open interest"
_GAIN: Final = "ratio, above 1 feeds itself"
_ATR_H: Final = 24.0
_DAY_H: Final = 24.0
_PERCENT: Final = 0.01


def _move_per_usd(close: Past, volume: Past) -> Past:
    """Mean log move of a cell per USD traded in it, over a day (Amihud 2002)."""
    return (abs(cell_return(close)) / (volume * close)).mean(_DAY_H)


@feature(inputs=("map_long_within_1", "open_interest"), unit=_SHARE)
def cluster_mass_1_long(within: Past, coins: Past) -> Past:
    """Coins that a fall of up to 1 % liquidates, over open interest; positive."""
    return within / coins


@feature(inputs=("map_short_within_1", "open_interest"), unit=_SHARE)
def cluster_mass_1_short(within: Past, coins: Past) -> Past:
    """Coins that a rise of up to 1 % liquidates, over open interest; positive."""
    return within / coins


@feature(inputs=("map_long_within_2", "map_long_within_1", "open_interest"), unit=_SHARE)
def cluster_mass_2_long(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a fall liquidates between 1 and 2 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_short_within_2", "map_short_within_1", "open_interest"), unit=_SHARE)
def cluster_mass_2_short(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a rise liquidates between 1 and 2 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_long_within_3", "map_long_within_2", "open_interest"), unit=_SHARE)
def cluster_mass_3_long(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a fall liquidates between 2 and 3 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_short_within_3", "map_short_within_2", "open_interest"), unit=_SHARE)
def cluster_mass_3_short(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a rise liquidates between 2 and 3 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_long_within_5", "map_long_within_3", "open_interest"), unit=_SHARE)
def cluster_mass_5_long(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a fall liquidates between 3 and 5 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_short_within_5", "map_short_within_3", "open_interest"), unit=_SHARE)
def cluster_mass_5_short(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a rise liquidates between 3 and 5 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_long_within_10", "map_long_within_5", "open_interest"), unit=_SHARE)
def cluster_mass_10_long(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a fall liquidates between 5 and 10 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_short_within_10", "map_short_within_5", "open_interest"), unit=_SHARE)
def cluster_mass_10_short(far: Past, near: Past, coins: Past) -> Past:
    """Coins that a rise liquidates between 5 and 10 %, over open interest; positive."""
    return (far - near) / coins


@feature(inputs=("map_long_nearest",), unit=_PCT)
def cluster_dist_long_pct(nearest: Past) -> Past:
    """Distance down to the nearest quarter percent holding 1 % of open interest; positive."""
    return nearest / _PERCENT


@feature(inputs=("map_short_nearest",), unit=_PCT)
def cluster_dist_short_pct(nearest: Past) -> Past:
    """Distance up to the nearest quarter percent holding 1 % of open interest; positive."""
    return nearest / _PERCENT


@feature(inputs=("map_long_nearest", "high", "low", "close"), unit=_ATR, resolution="1h")
def cluster_dist_long_atr(nearest: Past, high: Past, low: Past, close: Past) -> Past:
    """Distance down to the nearest such cluster in average true ranges; positive."""
    return nearest * close / average_true_range(high, low, close, _ATR_H)


@feature(inputs=("map_short_nearest", "high", "low", "close"), unit=_ATR, resolution="1h")
def cluster_dist_short_atr(nearest: Past, high: Past, low: Past, close: Past) -> Past:
    """Distance up to the nearest such cluster in average true ranges; positive."""
    return nearest * close / average_true_range(high, low, close, _ATR_H)


@feature(inputs=("map_long_mean_distance",), unit=_PCT)
def cluster_mean_dist_long_pct(distance: Past) -> Past:
    """Mean distance of what a fall of up to 10 % liquidates, by coins; positive."""
    return distance / _PERCENT


@feature(inputs=("map_short_mean_distance",), unit=_PCT)
def cluster_mean_dist_short_pct(distance: Past) -> Past:
    """Mean distance of what a rise of up to 10 % liquidates, by coins; positive."""
    return distance / _PERCENT


@feature(inputs=("map_long_within_2", "close", "bid_depth_usd"), unit="ratio")
def cluster_over_depth_long(within: Past, close: Past, depth: Past) -> Past:
    """What a fall of 2 % liquidates over the bids that must absorb it; positive, high is thin."""
    return within * close / depth


@feature(inputs=("map_short_within_2", "close", "ask_depth_usd"), unit="ratio")
def cluster_over_depth_short(within: Past, close: Past, depth: Past) -> Past:
    """What a rise of 2 % liquidates over the asks that must absorb it; positive, high is thin."""
    return within * close / depth


@feature(inputs=("map_long_within_2", "volume"), unit="hours of volume", resolution="1h")
def cluster_hours_long(within: Past, volume: Past) -> Past:
    """What a fall of 2 % liquidates over the day's mean hourly volume; positive."""
    return within / (volume.mean(_DAY_H) / volume.cell_hours)


@feature(inputs=("map_short_within_2", "volume"), unit="hours of volume", resolution="1h")
def cluster_hours_short(within: Past, volume: Past) -> Past:
    """What a rise of 2 % liquidates over the day's mean hourly volume; positive."""
    return within / (volume.mean(_DAY_H) / volume.cell_hours)


@feature(inputs=("map_long_within_1", "close", "volume"), unit=_GAIN, resolution="1h")
def cluster_gain_long(within: Past, close: Past, volume: Past) -> Past:
    """Cascade gain over the first 1 % down, impact from volume; positive, above 1 feeds itself."""
    return within * close / _PERCENT * _move_per_usd(close, volume)


@feature(inputs=("map_short_within_1", "close", "volume"), unit=_GAIN, resolution="1h")
def cluster_gain_short(within: Past, close: Past, volume: Past) -> Past:
    """Cascade gain over the first 1 % up, impact from volume; positive, above 1 feeds itself."""
    return within * close / _PERCENT * _move_per_usd(close, volume)


@feature(inputs=("map_long_peak", "close", "volume"), unit=_GAIN, resolution="1h")
def cluster_gain_peak_long(peak: Past, close: Past, volume: Past) -> Past:
    """Largest cascade gain of any 1 % on the way down to 10 %, impact from volume; positive."""
    return peak * close / _PERCENT * _move_per_usd(close, volume)


@feature(inputs=("map_short_peak", "close", "volume"), unit=_GAIN, resolution="1h")
def cluster_gain_peak_short(peak: Past, close: Past, volume: Past) -> Past:
    """Largest cascade gain of any 1 % on the way up to 10 %, impact from volume; positive."""
    return peak * close / _PERCENT * _move_per_usd(close, volume)


@feature(inputs=("map_long_peak", "close", "bid_depth_usd"), unit=_GAIN)
def cluster_gain_book_long(peak: Past, close: Past, depth: Past) -> Past:
    """Largest cascade gain of any 1 % on the way down to 10 %, impact from the bids; positive."""
    return peak * close / depth


@feature(inputs=("map_short_peak", "close", "ask_depth_usd"), unit=_GAIN)
def cluster_gain_book_short(peak: Past, close: Past, depth: Past) -> Past:
    """Largest cascade gain of any 1 % on the way up to 10 %, impact from the asks; positive."""
    return peak * close / depth


@feature(inputs=("map_long_doubt",), unit="standard deviation over mean")
def cluster_doubt_long(doubt: Past) -> Past:
    """How much the map's draws disagree on what a fall of 5 % liquidates; 0 when certain."""
    return doubt


@feature(inputs=("map_short_doubt",), unit="standard deviation over mean")
def cluster_doubt_short(doubt: Past) -> Past:
    """How much the map's draws disagree on what a rise of 5 % liquidates; 0 when certain."""
    return doubt


@feature(inputs=("map_long_swept", "open_interest"), unit=_SHARE, resolution="1h", over=("24h",))
def cluster_swept_long(swept: Past, coins: Past, hours: float) -> Past:
    """Longs that the window's path liquidated on the map, over open interest; 0 when none."""
    return swept.total(hours) / coins


@feature(inputs=("map_short_swept", "open_interest"), unit=_SHARE, resolution="1h", over=("24h",))
def cluster_swept_short(swept: Past, coins: Past, hours: float) -> Past:
    """Shorts that the window's path liquidated on the map, over open interest; 0 when none."""
    return swept.total(hours) / coins


@feature(inputs=("map_long_within_3",), unit="log ratio", resolution="1h", over=("24h",))
def cluster_growth_long(within: Past, hours: float) -> Past:
    """Log of what a fall of 3 % liquidates over the same a window ago; positive when it grew."""
    return (within / within.lag(hours)).log()


@feature(inputs=("map_short_within_3",), unit="log ratio", resolution="1h", over=("24h",))
def cluster_growth_short(within: Past, hours: float) -> Past:
    """Log of what a rise of 3 % liquidates over the same a window ago; positive when it grew."""
    return (within / within.lag(hours)).log()


@feature(
    inputs=("map_long_within_3", "open_interest"),
    unit="rank, 0 to 1",
    resolution="1h",
    over=("30d",),
)
def cluster_rank_long(within: Past, coins: Past, hours: float) -> Past:
    """Rank of the share that a fall of 3 % liquidates in its window; 1 when the most."""
    return (within / coins).rank(hours)


@feature(
    inputs=("map_short_within_3", "open_interest"),
    unit="rank, 0 to 1",
    resolution="1h",
    over=("30d",),
)
def cluster_rank_short(within: Past, coins: Past, hours: float) -> Past:
    """Rank of the share that a rise of 3 % liquidates in its window; 1 when the most."""
    return (within / coins).rank(hours)


@feature(inputs=("map_short_within_2", "map_long_within_2"), unit="log ratio")
def cluster_skew_2(above: Past, below: Past) -> Past:
    """Log of what a rise of 2 % liquidates over what a fall does; positive: more fuel above."""
    return (above / below).log()


@feature(inputs=("map_short_within_5", "map_long_within_5"), unit="log ratio")
def cluster_skew_5(above: Past, below: Past) -> Past:
    """Log of what a rise of 5 % liquidates over what a fall does; positive: more fuel above."""
    return (above / below).log()


@feature(inputs=("map_short_nearest", "map_long_nearest"), unit="log ratio")
def cluster_skew(above: Past, below: Past) -> Past:
    """Log of the distance up to the nearest cluster over that down; positive: longs nearer."""
    return (above / below).log()


@feature(inputs=("map_quality",), unit="0 to 1")
def cluster_quality(quality: Past) -> Past:
    """How far to trust the map: 0 to 1 by its age, its freshness, and whether it knows the mark."""
    return quality
