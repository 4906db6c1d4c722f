"""Cross-market: what the leader and the rest of the panel do.

The leader is the panel's plain BTC perpetual, else its first symbol. These features are given the
whole panel, whichever symbols are asked for; in a panel of one symbol the leader is the symbol
itself, and what needs others is NaN.
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import cell_return, log_change, realised_volatility
from liqwarn.features.past import Past

__all__ = [
    "breadth_fall",
    "breadth_oi_drop",
    "breadth_rise",
    "dispersion",
    "leader_liq_long_share",
    "leader_liq_short_share",
    "leader_oi_change",
    "leader_return",
    "leader_rv",
    "market_corr",
    "mean_corr",
    "relative_return",
]

_CLOSE: Final = ("close",)
_STANDING: Final = ("open_interest", "close")
_SHARE: Final = "share of symbols, 0 to 1"
_MOVE: Final = 0.01


@feature(inputs=_CLOSE, unit="log return", over=("1h", "4h", "24h"), cross_section=True)
def leader_return(close: Past, hours: float) -> Past:
    """Log return of the leader; positive when it rose."""
    return log_change(close, hours).leader()


@feature(inputs=_CLOSE, unit="log return per root hour", over=("1d",), cross_section=True)
def leader_rv(close: Past, hours: float) -> Past:
    """Realised volatility of the leader; positive, or 0 when its price stood still."""
    return realised_volatility(cell_return(close), hours).leader()


@feature(inputs=("open_interest",), unit="log change", over=("4h",), cross_section=True)
def leader_oi_change(coins: Past, hours: float) -> Past:
    """Log change of the leader's open interest; negative when its positions were closed."""
    return log_change(coins, hours).leader()


@feature(
    inputs=("long_liq_usd", *_STANDING),
    unit="share of open interest",
    over=("4h",),
    cross_section=True,
)
def leader_liq_long_share(liquidated: Past, coins: Past, close: Past, hours: float) -> Past:
    """Long liquidations of the leader over its open interest; positive, or 0 without any."""
    return (liquidated.total(hours) / (coins * close)).leader()


@feature(
    inputs=("short_liq_usd", *_STANDING),
    unit="share of open interest",
    over=("4h",),
    cross_section=True,
)
def leader_liq_short_share(liquidated: Past, coins: Past, close: Past, hours: float) -> Past:
    """Short liquidations of the leader over its open interest; positive, or 0 without any."""
    return (liquidated.total(hours) / (coins * close)).leader()


@feature(inputs=("open_interest",), unit=_SHARE, over=("1h", "4h"), cross_section=True)
def breadth_oi_drop(coins: Past, hours: float) -> Past:
    """Share of symbols whose open interest fell by over 1 %; 1 when all deleverage."""
    return (log_change(coins, hours) < -_MOVE).cross_mean()


@feature(inputs=_CLOSE, unit=_SHARE, over=("1h", "4h"), cross_section=True)
def breadth_fall(close: Past, hours: float) -> Past:
    """Share of symbols whose price fell by over 1 %; 1 when all fall."""
    return (log_change(close, hours) < -_MOVE).cross_mean()


@feature(inputs=_CLOSE, unit=_SHARE, over=("1h", "4h"), cross_section=True)
def breadth_rise(close: Past, hours: float) -> Past:
    """Share of symbols whose price rose by over 1 %; 1 when all rise."""
    return (log_change(close, hours) > _MOVE).cross_mean()


def _corr_with_others(close: Past, hours: float) -> Past:
    returns = cell_return(close)
    return returns.corr(returns.others_mean(), hours)


@feature(inputs=_CLOSE, unit="correlation", over=("7d",), resolution="1h", cross_section=True)
def market_corr(close: Past, hours: float) -> Past:
    """Correlation of the symbol's return with the mean of the others'; positive when it follows."""
    return _corr_with_others(close, hours)


@feature(inputs=_CLOSE, unit="correlation", over=("7d",), resolution="1h", cross_section=True)
def mean_corr(close: Past, hours: float) -> Past:
    """Mean over symbols of the correlation with the others; positive, near 1 in a stampede."""
    return _corr_with_others(close, hours).cross_mean()


@feature(inputs=_CLOSE, unit="log return", over=("4h", "24h"), cross_section=True)
def relative_return(close: Past, hours: float) -> Past:
    """Log return of the symbol less the leader's; positive when it is the stronger."""
    change = log_change(close, hours)
    return change - change.leader()


@feature(inputs=_CLOSE, unit="log return", over=("24h",), cross_section=True)
def dispersion(close: Past, hours: float) -> Past:
    """Standard deviation of returns across symbols; positive, low when all move as one."""
    return log_change(close, hours).cross_std()
