"""Open interest: how many contracts stand, and how they came about.

Counted in coins, so that a move of the price alone changes nothing. Every contract is one long
and one short; a rise adds to both sides equally.
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import log_change
from liqwarn.features.past import Past

__all__ = [
    "leverage_level",
    "leverage_rank",
    "leverage_z",
    "long_short_log",
    "long_short_z",
    "oi_change",
    "oi_change_z",
    "oi_drawdown",
    "oi_long_exit",
    "oi_new_longs",
    "oi_new_shorts",
    "oi_price_gap",
    "oi_rank",
    "oi_short_exit",
    "oi_to_volume",
    "oi_z",
]

_OI: Final = ("open_interest",)
_OI_PRICE: Final = ("open_interest", "close")
_LEVERAGE: Final = ("leverage_ratio", "open_interest", "reserve")


@feature(inputs=_OI, unit="log change", over=("1h", "4h", "24h"))
@feature(inputs=_OI, unit="log change", over=("72h", "168h"), resolution="1h")
def oi_change(coins: Past, hours: float) -> Past:
    """Log change of open interest over the window; positive when contracts were opened."""
    return log_change(coins, hours)


@feature(inputs=_OI, unit="standard deviations", over=("30d",), resolution="1h")
def oi_change_z(coins: Past, hours: float) -> Past:
    """24-h change of open interest against its own window; positive when opening unusually fast."""
    return log_change(coins, 24.0).zscore(hours)


@feature(inputs=_OI, unit="standard deviations", over=("7d", "30d"), resolution="1h")
def oi_z(coins: Past, hours: float) -> Past:
    """Log open interest against its own window; positive when more is open than usual."""
    return coins.log().zscore(hours)


@feature(inputs=_OI, unit="rank, 0 to 1", over=("90d",), resolution="8h")
def oi_rank(coins: Past, hours: float) -> Past:
    """Percentile of open interest in its own window; near 1 when most is open."""
    return coins.rank(hours)


@feature(inputs=_OI, unit="log change", over=("24h",))
@feature(inputs=_OI, unit="log change", over=("7d",), resolution="1h")
def oi_drawdown(coins: Past, hours: float) -> Past:
    """Log of open interest over its highest of the window; negative or 0."""
    return (coins / coins.max(hours)).log()


@feature(inputs=("open_interest", "volume"), unit="days of volume", over=("24h",))
def oi_to_volume(coins: Past, volume: Past, hours: float) -> Past:
    """Open interest over the volume of the window; positive, high when much hangs on few trades."""
    return coins / volume.total(hours)


@feature(inputs=_OI_PRICE, unit="0 or 1", over=("24h",))
def oi_new_longs(coins: Past, close: Past, hours: float) -> Past:
    """1 when price and open interest both rose over the window: buyers opened."""
    return (log_change(close, hours) > 0) * (log_change(coins, hours) > 0)


@feature(inputs=_OI_PRICE, unit="0 or 1", over=("24h",))
def oi_new_shorts(coins: Past, close: Past, hours: float) -> Past:
    """1 when price fell and open interest rose over the window: sellers opened."""
    return (log_change(close, hours) < 0) * (log_change(coins, hours) > 0)


@feature(inputs=_OI_PRICE, unit="0 or 1", over=("24h",))
def oi_long_exit(coins: Past, close: Past, hours: float) -> Past:
    """1 when price and open interest both fell over the window: longs closed."""
    return (log_change(close, hours) < 0) * (log_change(coins, hours) < 0)


@feature(inputs=_OI_PRICE, unit="0 or 1", over=("24h",))
def oi_short_exit(coins: Past, close: Past, hours: float) -> Past:
    """1 when price rose and open interest fell over the window: shorts closed."""
    return (log_change(close, hours) > 0) * (log_change(coins, hours) < 0)


@feature(inputs=_OI_PRICE, unit="log change", over=("24h",))
@feature(inputs=_OI_PRICE, unit="log change", over=("7d",), resolution="1h")
def oi_price_gap(coins: Past, close: Past, hours: float) -> Past:
    """Log change of open interest less that of price; positive when contracts outgrew the price."""
    return log_change(coins, hours) - log_change(close, hours)


def _leverage(ratio: Past, coins: Past, reserve: Past) -> Past:
    return ratio.fill(coins / reserve)


@feature(inputs=_LEVERAGE, unit="open interest / exchange reserve")
def leverage_level(ratio: Past, coins: Past, reserve: Past) -> Past:
    """Estimated leverage ratio: open interest over exchange reserve; positive, high is levered.

    The provider's ratio where the panel carries it, else made from the two.
    """
    return _leverage(ratio, coins, reserve)


@feature(inputs=_LEVERAGE, unit="standard deviations", over=("30d",), resolution="1h")
def leverage_z(ratio: Past, coins: Past, reserve: Past, hours: float) -> Past:
    """Estimated leverage ratio against its own window; positive when more levered than usual."""
    return _leverage(ratio, coins, reserve).zscore(hours)


@feature(inputs=_LEVERAGE, unit="rank, 0 to 1", over=("90d",), resolution="8h")
def leverage_rank(ratio: Past, coins: Past, reserve: Past, hours: float) -> Past:
    """Percentile of the estimated leverage ratio in its own window; near 1 when most levered."""
    return _leverage(ratio, coins, reserve).rank(hours)


@feature(inputs=("long_short_ratio",), unit="log ratio")
def long_short_log(ratio: Past) -> Past:
    """Log of accounts long over accounts short; positive when more accounts are long."""
    return ratio.log()


@feature(inputs=("long_short_ratio",), unit="standard deviations", over=("30d",), resolution="1h")
def long_short_z(ratio: Past, hours: float) -> Past:
    """Log long-short account ratio against its own window; positive when longs crowd in."""
    return ratio.log().zscore(hours)
