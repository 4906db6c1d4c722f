"""How far a fact of the simulated market may lie from what real markets showed.

The limits are data, made by ``python benchmarks/realism.py --tolerances`` from the real panels and
checked against them by the tests: the range over real years or symbols, widened.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

__all__ = ["TOLERANCES", "WIDENING", "Limits", "limits_of", "miss"]

Limits = tuple[float, float]
"""Lowest and highest value that passes."""

WIDENING: Final = 0.25
"""Share of the real range added at each end, in logarithms where all values have one sign."""
LEAST_FACTOR: Final = 1.2
"""Limits of one sign lie at least this factor from their middle, as few years are not all years."""
SINGLE_FACTOR: Final = 2.0
"""The same where there is a single real value."""


def limits_of(fact: str, values: Iterable[float]) -> Limits:
    """The limits that real values of a fact give.

    Examples
    --------
    >>> [round(limit, 2) for limit in limits_of("return_std_pct", [0.5, 1.0])]
    [0.42, 1.19]
    >>> limits_of("leverage_effect", [-0.5, 0.5])
    (-0.75, 0.75)
    >>> limits_of("return_kurtosis", [10.0])
    (5.0, 20.0)
    """
    seen = np.array(sorted(values))
    low, high = float(seen[0]), float(seen[-1])
    if low * high <= 0.0:
        margin = WIDENING * (high - low)
        return low - margin, min(high + margin, _ceiling(fact))
    sign = 1.0 if low > 0.0 else -1.0
    near, far = sorted((abs(low), abs(high)))
    least = LEAST_FACTOR if seen.size > 1 else SINGLE_FACTOR
    middle, factor = np.sqrt(near * far), max(least, (far / near) ** (0.5 + WIDENING))
    ends = sorted((sign * middle / factor, sign * middle * factor))
    return float(ends[0]), float(min(ends[1], _ceiling(fact)))


def _ceiling(fact: str) -> float:
    """The largest value that is possible."""
    if fact.endswith("_shared_pct"):
        return 100.0
    return 1.0 if fact.endswith("_share") or "correlation" in fact or "acf" in fact else np.inf


def miss(value: float, limits: Limits) -> float:
    """How far a value lies outside of its limits, in widths between them; 0 inside, signed.

    Widths are of logarithms where value and limits are positive.

    Examples
    --------
    >>> miss(0.5, (0.0, 1.0)), miss(3.0, (0.0, 1.0)), miss(-0.5, (0.0, 1.0))
    (0.0, 2.0, -0.5)
    >>> round(miss(80.0, (10.0, 20.0)), 9)
    2.0
    """
    ends = np.array([value, *limits])
    x, low, high = (float(end) for end in (np.log(ends) if ends.min() > 0.0 else ends))
    return (min(0.0, x - low) + max(0.0, x - high)) / (high - low)


TOLERANCES: Final[Mapping[str, Mapping[str, Limits]]] = {
    "BTC": {
        "return_std_pct": (0.384, 1.09),
        "return_kurtosis": (5.75, 243.0),
        "tail_index_down": (1.8, 4.34),
        "tail_index_up": (2.37, 4.4),
        "return_acf_1h": (-0.0781, 0.0246),
        "abs_return_acf_1h": (0.17, 0.38),
        "abs_return_acf_24h": (0.0839, 0.205),
        "abs_return_acf_168h": (0.0717, 0.149),
        "leverage_effect": (-0.134, 0.0575),
        "range_over_abs_return": (1.84, 2.64),
        "long_shocks_a_month": (3.84, 7.89),
        "short_shocks_a_month": (3.45, 6.46),
        "long_events_a_month": (0.535, 4.06),
        "short_events_a_month": (1.21, 3.6),
        "event_oi_loss_median_pct": (2.0, 3.52),
        "event_oi_loss_p90_pct": (4.72, 6.79),
        "oi_change_std_pct": (0.54, 0.778),
        "oi_change_p05_pct": (-1.12, -0.776),
        "oi_change_p95_pct": (0.739, 1.06),
        "oi_day_over_hour": (0.812, 1.17),
        "oi_level_acf_24h": (0.584, 0.841),
        "oi_level_acf_168h": (-0.162, 0.107),
        "volume_over_oi_median_pct": (6.77, 9.84),
        "daily_oi_change_std_pct": (2.43, 4.85),
        "daily_oi_change_p05_pct": (-8.95, -3.63),
        "daily_oi_change_p95_pct": (3.85, 7.8),
        "daily_volume_over_oi_median_pct": (205.0, 519.0),
        "funding_mean_pct": (0.00231, 0.046),
        "funding_std_pct": (0.00441, 0.0573),
        "funding_p05_pct": (-0.0228, -0.000954),
        "funding_p95_pct": (0.00549, 0.201),
        "funding_negative_share": (0.0554, 0.291),
        "funding_acf_8h": (0.568, 0.884),
        "funding_acf_72h": (0.0427, 1.0),
        "liq_over_oi_median_pct": (0.00196, 0.00365),
        "liq_over_oi_p99_pct": (0.0717, 0.103),
        "liq_tail_index": (1.74, 2.5),
        "long_liq_share": (0.394, 0.567),
        "daily_liq_over_oi_median_pct": (0.124, 0.31),
        "daily_liq_over_oi_p99_pct": (0.566, 2.02),
        "daily_liq_tail_index": (2.2, 3.59),
        "daily_long_liq_share": (0.421, 0.607),
    },
    "others": {
        "return_std_pct": (0.572, 1.55),
        "return_kurtosis": (6.18, 121.0),
        "tail_index_down": (2.38, 3.67),
        "tail_index_up": (2.15, 4.16),
        "return_acf_1h": (-0.0357, 0.0127),
        "abs_return_acf_1h": (0.189, 0.372),
        "abs_return_acf_24h": (0.0881, 0.172),
        "abs_return_acf_168h": (0.0756, 0.112),
        "leverage_effect": (-0.109, -0.0022),
        "range_over_abs_return": (1.79, 2.57),
        "long_shocks_a_month": (4.23, 6.09),
        "short_shocks_a_month": (3.69, 5.78),
        "long_events_a_month": (0.227, 3.13),
        "short_events_a_month": (0.224, 3.37),
        "event_oi_loss_median_pct": (1.3, 6.33),
        "event_oi_loss_p90_pct": (1.82, 31.7),
        "oi_change_std_pct": (0.485, 3.17),
        "oi_change_p05_pct": (-4.43, -0.676),
        "oi_change_p95_pct": (0.625, 4.49),
        "oi_day_over_hour": (0.782, 1.31),
        "oi_level_acf_24h": (0.456, 0.891),
        "oi_level_acf_168h": (-0.379, 0.133),
        "daily_oi_change_std_pct": (2.43, 24.8),
        "daily_oi_change_p05_pct": (-32.1, -4.2),
        "daily_oi_change_p95_pct": (3.75, 39.1),
        "daily_volume_over_oi_median_pct": (276.0, 714.0),
        "funding_mean_pct": (0.00156, 0.0346),
        "funding_std_pct": (0.00514, 0.0503),
        "funding_p05_pct": (-0.0314, 0.00658),
        "funding_p95_pct": (0.00676, 0.122),
        "funding_negative_share": (0.0308, 0.48),
        "funding_acf_8h": (0.104, 1.0),
        "funding_acf_72h": (0.0325, 0.816),
        "daily_liq_over_oi_median_pct": (0.124, 1.69),
        "daily_liq_over_oi_p99_pct": (0.663, 11.9),
        "daily_liq_tail_index": (1.7, 5.22),
        "daily_long_liq_share": (0.45, 0.77),
    },
    "twelve": {
        "correlation_out_of_shocks": (0.515, 0.782),
        "correlation_in_shocks": (0.644, 0.927),
        "shocks_shared_pct": (57.8, 83.3),
    },
    "five": {
        "correlation_out_of_events": (0.362, 1.0),
        "correlation_in_events": (0.464, 1.0),
        "events_shared_pct": (14.0, 56.0),
    },
}
"""Limits by scope and fact.

``BTC``: the range over its years. ``others``: over the means of all symbols, BTC among them.
``twelve``: over the years of twelve perpetuals together. ``five``: five of Hyperliquid, one year.
"""
