"""Funding: who pays whom to hold a position, and for how long.

A funding rate is a fraction of notional per settlement. Positive: longs pay shorts, longs are
crowded. Rates are put on one scale, per 8 h, by the settlement interval of the symbol; a panel
that does not carry the interval is taken to settle every 8 h. A settled rate is known from its
settlement until the next one.
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.past import Past, where

__all__ = [
    "funding_8h",
    "funding_carry",
    "funding_change",
    "funding_extreme",
    "funding_mean",
    "funding_oi_crowding",
    "funding_positive_share",
    "funding_rank",
    "funding_run",
    "funding_venue_spread",
    "funding_z",
]

_RATE: Final = ("funding_rate", "funding_interval_h")
_PER_8H: Final = "fraction of notional per 8 h"
_TAIL: Final = 0.05


def _per_8h(rate: Past, interval_h: Past) -> Past:
    return rate * 8.0 / interval_h.fill(8.0)


@feature(inputs=_RATE, unit=_PER_8H)
def funding_8h(rate: Past, interval_h: Past) -> Past:
    """Current funding rate per 8 h; positive when longs pay.

    A rate of 0.0001 settled every 4 h is 0.0002 per 8 h.
    """
    return _per_8h(rate, interval_h)


@feature(inputs=_RATE, unit=_PER_8H, over=("3d",), resolution="1h")
def funding_mean(rate: Past, interval_h: Past, hours: float) -> Past:
    """Mean funding rate of the window, per 8 h; positive when longs paid."""
    return _per_8h(rate, interval_h).mean(hours)


@feature(inputs=_RATE, unit="standard deviations", over=("60d",), resolution="8h")
def funding_z(rate: Past, interval_h: Past, hours: float) -> Past:
    """Funding rate against its own window; positive when longs pay more than usual."""
    return _per_8h(rate, interval_h).zscore(hours)


@feature(inputs=_RATE, unit="rank, 0 to 1", over=("90d",), resolution="8h")
def funding_rank(rate: Past, interval_h: Past, hours: float) -> Past:
    """Percentile of the funding rate in its own window; near 1 when longs are most crowded."""
    return _per_8h(rate, interval_h).rank(hours)


@feature(inputs=_RATE, unit="fraction of notional", over=("1d", "7d", "30d"), resolution="1h")
def funding_carry(rate: Past, interval_h: Past, hours: float) -> Past:
    """Funding that a long paid over the window; positive is a cost to longs.

    Over 3 days it is ``funding_mean_3d`` times nine, and so not a column of its own.
    """
    per_8h = _per_8h(rate, interval_h)
    return per_8h.total(hours) * per_8h.cell_hours / 8.0


@feature(inputs=_RATE, unit="days", over=("30d",), resolution="8h")
def funding_run(rate: Past, interval_h: Past, hours: float) -> Past:
    """Days that funding has kept its sign, at most the window; positive when longs pay."""
    per_8h = _per_8h(rate, interval_h)
    return per_8h.sign() * per_8h.run_hours(hours) / 24.0


@feature(inputs=_RATE, unit="share, 0 to 1", over=("7d",), resolution="1h")
def funding_positive_share(rate: Past, interval_h: Past, hours: float) -> Past:
    """Share of the window in which longs paid; 1 when they always did."""
    return (_per_8h(rate, interval_h) > 0).mean(hours)


@feature(
    inputs=("funding_rate", "funding_interval_h", "funding_rate_2", "funding_interval_2_h"),
    unit=_PER_8H,
)
def funding_venue_spread(rate: Past, interval_h: Past, rate_2: Past, interval_2_h: Past) -> Past:
    """Funding rate here less the one on a second venue; positive when longs pay more here."""
    return _per_8h(rate, interval_h) - _per_8h(rate_2, interval_2_h)


@feature(inputs=_RATE, unit=_PER_8H, over=("8h", "24h"))
def funding_change(rate: Past, interval_h: Past, hours: float) -> Past:
    """Change of the funding rate over the window; positive when longs pay more than before."""
    per_8h = _per_8h(rate, interval_h)
    return per_8h - per_8h.lag(hours)


@feature(inputs=_RATE, unit="-1, 0 or 1", over=("90d",), resolution="8h")
def funding_extreme(rate: Past, interval_h: Past, hours: float) -> Past:
    """Positive (1) in the top 5 % of the window, negative (-1) in the bottom 5 %, else 0."""
    rank = _per_8h(rate, interval_h).rank(hours)
    return (rank >= 1.0 - _TAIL) - (rank <= _TAIL)


@feature(
    inputs=(*_RATE, "open_interest"),
    unit="product of standard deviations",
    over=("30d",),
    resolution="8h",
)
def funding_oi_crowding(rate: Past, interval_h: Past, coins: Past, hours: float) -> Past:
    """Funding z-score times open-interest z-score; positive when longs crowd into new contracts.

    Where open interest is below its mean it counts as zero: closing contracts are no crowd.
    """
    crowd = coins.log().zscore(hours)
    return _per_8h(rate, interval_h).zscore(hours) * where(crowd > 0, crowd, 0.0)
