"""Liquidations: positions closed by force, as far as the venue tells.

Public feeds are truncated, so a level says little and nothing before 2021-04 compares with what
came after; shares of open interest, presence and comparison with the recent past say more.
A long liquidation sells, a short liquidation buys.
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import imbalance
from liqwarn.features.past import Past

__all__ = [
    "liq_imbalance",
    "liq_long_active",
    "liq_long_share",
    "liq_long_z",
    "liq_short_active",
    "liq_short_share",
    "liq_short_z",
    "liq_to_volume",
]

_BOTH: Final = ("long_liq_usd", "short_liq_usd")
_STANDING: Final = ("open_interest", "close")
_WINDOWS: Final = ("1h", "4h", "24h")
_SHARE: Final = "share of open interest"


@feature(inputs=("long_liq_usd", *_STANDING), unit=_SHARE, over=_WINDOWS)
def liq_long_share(liquidated: Past, coins: Past, close: Past, hours: float) -> Past:
    """Long liquidations of the window over open interest; positive, or 0 when there was none."""
    return liquidated.total(hours) / (coins * close)


@feature(inputs=("short_liq_usd", *_STANDING), unit=_SHARE, over=_WINDOWS)
def liq_short_share(liquidated: Past, coins: Past, close: Past, hours: float) -> Past:
    """Short liquidations of the window over open interest; positive, or 0 when there was none."""
    return liquidated.total(hours) / (coins * close)


@feature(inputs=_BOTH, unit="share, -1 to 1", over=_WINDOWS)
def liq_imbalance(longs: Past, shorts: Past, hours: float) -> Past:
    """Long less short liquidations over both; positive when longs suffer, 0 when none does."""
    return imbalance(longs.mean(hours), shorts.mean(hours))


@feature(inputs=("long_liq_usd",), unit="share, 0 to 1", over=("24h",))
def liq_long_active(liquidated: Past, hours: float) -> Past:
    """Share of the window's bars with a long liquidation; 1 when every bar had one."""
    return (liquidated > 0).mean(hours)


@feature(inputs=("short_liq_usd",), unit="share, 0 to 1", over=("24h",))
def liq_short_active(liquidated: Past, hours: float) -> Past:
    """Share of the window's bars with a short liquidation; 1 when every bar had one."""
    return (liquidated > 0).mean(hours)


@feature(inputs=("long_liq_usd",), unit="standard deviations", over=("30d",), resolution="1h")
def liq_long_z(liquidated: Past, hours: float) -> Past:
    """Long liquidations of the last cell against the window; positive when more than usual."""
    return liquidated.zscore(hours)


@feature(inputs=("short_liq_usd",), unit="standard deviations", over=("30d",), resolution="1h")
def liq_short_z(liquidated: Past, hours: float) -> Past:
    """Short liquidations of the last cell against the window; positive when more than usual."""
    return liquidated.zscore(hours)


@feature(inputs=(*_BOTH, "volume", "close"), unit="share of volume", over=("24h",))
def liq_to_volume(longs: Past, shorts: Past, volume: Past, close: Past, hours: float) -> Past:
    """Liquidations of both sides over traded volume; positive, high when trading is forced."""
    return (longs + shorts).mean(hours) / (volume * close).mean(hours)
