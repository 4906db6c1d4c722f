"""The market itself: volatility, range, returns, volume, basis, taker flow.

Volatility carries most of what can be known about the next cascade. Realised volatility is the
root of the mean squared log return per hour (HAR: Corsi 2009), so columns of different windows,
and of panels with different bars, share one scale.
"""

import math
from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import (
    average_true_range,
    cell_return,
    imbalance,
    log_change,
    realised_volatility,
)
from liqwarn.features.past import Past, maximum, minimum

__all__ = [
    "atr_pct",
    "basis",
    "basis_z",
    "downside_vol",
    "drawdown",
    "illiquidity",
    "jump_share",
    "parkinson_vol",
    "price_return",
    "return_skew",
    "runup",
    "rv",
    "semivol_skew",
    "taker_imbalance",
    "touch_high",
    "touch_low",
    "trend",
    "upside_vol",
    "vol_of_vol",
    "vol_rank",
    "vol_ratio_1d_30d",
    "vol_ratio_1h_1d",
    "volume_surge_1h",
    "volume_surge_24h",
    "wick_lower",
    "wick_upper",
]

_CLOSE: Final = ("close",)
_BARS: Final = ("open", "high", "low", "close")
_PER_ROOT_HOUR: Final = "log return per root hour"
_DAY_H: Final = 24.0
_WEEK_H: Final = 168.0
_MONTH_H: Final = 720.0
_ZONE: Final = 0.005  # within 0.5 % of an extreme is touching it


@feature(inputs=_CLOSE, unit=_PER_ROOT_HOUR, over=("1h", "6h", "1d"))
@feature(inputs=_CLOSE, unit=_PER_ROOT_HOUR, over=("7d", "30d"), resolution="1h")
def rv(close: Past, hours: float) -> Past:
    """Realised volatility of the window; positive, or 0 when the price stood still."""
    return realised_volatility(cell_return(close), hours)


@feature(inputs=_CLOSE, unit=_PER_ROOT_HOUR, over=("1d",))
def downside_vol(close: Past, hours: float) -> Past:
    """Realised volatility of the falls alone; positive, or 0 when nothing fell."""
    return realised_volatility(minimum(cell_return(close), 0.0), hours)


@feature(inputs=_CLOSE, unit=_PER_ROOT_HOUR, over=("1d",))
def upside_vol(close: Past, hours: float) -> Past:
    """Realised volatility of the rises alone; positive, or 0 when nothing rose."""
    return realised_volatility(maximum(cell_return(close), 0.0), hours)


@feature(inputs=_CLOSE, unit="share, -1 to 1", over=("7d",), resolution="1h")
def semivol_skew(close: Past, hours: float) -> Past:
    """Upside less downside variance over both; negative when the falls are the violent ones."""
    returns = cell_return(close)
    up, down = maximum(returns, 0.0), minimum(returns, 0.0)
    return imbalance((up * up).mean(hours), (down * down).mean(hours))


@feature(inputs=_CLOSE, unit="log points", over=("7d",), resolution="1h")
def vol_of_vol(close: Past, hours: float) -> Past:
    """Standard deviation of the log of 1-day volatility; positive, high when calm alternates."""
    return realised_volatility(cell_return(close), _DAY_H).log().std(hours)


@feature(inputs=_CLOSE, unit="log ratio")
def vol_ratio_1h_1d(close: Past) -> Past:
    """Log of the last hour's volatility over the day's; positive when it is picking up."""
    returns = cell_return(close)
    return (realised_volatility(returns, 1.0) / realised_volatility(returns, _DAY_H)).log()


@feature(inputs=_CLOSE, unit="log ratio", resolution="1h")
def vol_ratio_1d_30d(close: Past) -> Past:
    """Log of the day's volatility over the month's; positive when it is above its usual level."""
    returns = cell_return(close)
    return (realised_volatility(returns, _DAY_H) / realised_volatility(returns, _MONTH_H)).log()


@feature(inputs=_CLOSE, unit="rank, 0 to 1", over=("90d",), resolution="8h")
def vol_rank(close: Past, hours: float) -> Past:
    """Percentile of 1-day volatility in its own window; near 1 when most violent."""
    return realised_volatility(cell_return(close), _DAY_H).rank(hours)


@feature(inputs=("high", "low"), unit=_PER_ROOT_HOUR, over=("1d",))
def parkinson_vol(high: Past, low: Past, hours: float) -> Past:
    """Volatility from the range of each bar (Parkinson 1980); positive, or 0 without any range."""
    span = (high / low).log()
    return ((span * span).mean(hours) / (4.0 * math.log(2.0) * span.cell_hours)).sqrt()


@feature(inputs=("high", "low", "close"), unit="% of price", over=("24h",))
def atr_pct(high: Past, low: Past, close: Past, hours: float) -> Past:
    """Average true range of a bar over the close; positive, or 0 when the price stood still."""
    return average_true_range(high, low, close, hours) / close * 100.0


@feature(inputs=_CLOSE, unit="log return", over=("1h", "4h", "24h"))
@feature(inputs=_CLOSE, unit="log return", over=("168h",), resolution="1h")
def price_return(close: Past, hours: float) -> Past:
    """Log return over the window; positive when the price rose."""
    return log_change(close, hours)


@feature(inputs=_CLOSE, unit="log return", over=("24h",))
@feature(inputs=_CLOSE, unit="log return", over=("7d", "30d"), resolution="1h")
def drawdown(close: Past, hours: float) -> Past:
    """Log of the close over the highest close of the window; negative or 0."""
    return (close / close.max(hours)).log()


@feature(inputs=_CLOSE, unit="log return", over=("24h",))
@feature(inputs=_CLOSE, unit="log return", over=("7d", "30d"), resolution="1h")
def runup(close: Past, hours: float) -> Past:
    """Log of the close over the lowest close of the window; positive or 0."""
    return (close / close.min(hours)).log()


@feature(inputs=_CLOSE, unit="standard deviations", over=("24h",))
@feature(inputs=_CLOSE, unit="standard deviations", over=("7d",), resolution="1h")
def trend(close: Past, hours: float) -> Past:
    """Least-squares drift over the window in units of its volatility; positive when rising."""
    usual = realised_volatility(cell_return(close), hours) * math.sqrt(hours)
    return close.log().slope(hours) * hours / usual


@feature(inputs=_CLOSE, unit="skewness", over=("7d",), resolution="1h")
def return_skew(close: Past, hours: float) -> Past:
    """Mean cubed over mean squared return to the 3/2; negative when the large moves are falls."""
    returns = cell_return(close)
    spread = (returns * returns).mean(hours).sqrt()
    return (returns * returns * returns).mean(hours) / (spread * spread * spread)


@feature(inputs=_CLOSE, unit="share, 0 to 1", over=("24h",))
def jump_share(close: Past, hours: float) -> Past:
    """Share of variance due to jumps; 0 when moves are even, near 1 when one bar did it all.

    One less bipower over realised variance (Barndorff-Nielsen and Shephard 2004), at least 0.
    """
    size = abs(cell_return(close))
    smooth = (size * size.previous()).mean(hours) * (math.pi / 2.0)
    return maximum(1.0 - smooth / (size * size).mean(hours), 0.0)


@feature(inputs=("volume",), unit="log ratio", resolution="1h")
def volume_surge_1h(volume: Past) -> Past:
    """Log of the last hour's volume over the week's mean; positive when trading is brisk."""
    return (volume.mean(1.0) / volume.mean(_WEEK_H)).log()


@feature(inputs=("volume",), unit="log ratio", resolution="1h")
def volume_surge_24h(volume: Past) -> Past:
    """Log of the day's volume over the month's mean; positive when trading is brisk."""
    return (volume.mean(_DAY_H) / volume.mean(_MONTH_H)).log()


@feature(inputs=("close", "volume"), unit="log ratio", over=("24h",), resolution="1h")
def illiquidity(close: Past, volume: Past, hours: float) -> Past:
    """Log of price move per USD traded (Amihud 2002) over the month's; positive when thin."""
    move_per_usd = abs(cell_return(close)) / (volume * close)
    return (move_per_usd.mean(hours) / move_per_usd.mean(_MONTH_H)).log()


@feature(inputs=_BARS, unit="share, 0 to 1", over=("24h",))
def wick_upper(open_: Past, high: Past, low: Past, close: Past, hours: float) -> Past:
    """Upper wicks over ranges of the window; near 1 when highs were rejected."""
    return (high - maximum(open_, close)).mean(hours) / (high - low).mean(hours)


@feature(inputs=_BARS, unit="share, 0 to 1", over=("24h",))
def wick_lower(open_: Past, high: Past, low: Past, close: Past, hours: float) -> Past:
    """Lower wicks over ranges of the window; near 1 when lows were bought."""
    return (minimum(open_, close) - low).mean(hours) / (high - low).mean(hours)


@feature(inputs=("high",), unit="share, 0 to 1", over=("7d",), resolution="1h")
def touch_high(high: Past, hours: float) -> Past:
    """Share of the window's cells that came within 0.5 % of their own trailing high; 1 is all."""
    return (high >= high.max(hours) * (1.0 - _ZONE)).mean(hours)


@feature(inputs=("low",), unit="share, 0 to 1", over=("7d",), resolution="1h")
def touch_low(low: Past, hours: float) -> Past:
    """Share of the window's cells that came within 0.5 % of their own trailing low; 1 is all."""
    return (low <= low.min(hours) * (1.0 + _ZONE)).mean(hours)


def _basis(mark: Past, close: Past, index: Past) -> Past:
    return mark.fill(close) / index - 1.0


@feature(inputs=("mark", "close", "index"), unit="fraction of index")
def basis(mark: Past, close: Past, index: Past) -> Past:
    """Mark price over index less 1; positive when the perpetual is dear, longs are eager.

    The close where the panel carries no mark price.
    """
    return _basis(mark, close, index)


@feature(
    inputs=("mark", "close", "index"), unit="standard deviations", over=("7d",), resolution="1h"
)
def basis_z(mark: Past, close: Past, index: Past, hours: float) -> Past:
    """Basis against its own window; positive when longs are more eager than usual."""
    return _basis(mark, close, index).zscore(hours)


@feature(
    inputs=("taker_buy_volume", "taker_sell_volume", "volume"),
    unit="share, -1 to 1",
    over=("1h", "4h", "24h"),
)
def taker_imbalance(bought: Past, sold: Past, volume: Past, hours: float) -> Past:
    """Taker buying less selling over both; positive when buyers were the impatient ones.

    Where the panel carries no taker selling it is the volume that takers did not buy.
    """
    sells = sold.fill(maximum(volume - bought, 0.0))
    return imbalance(bought.mean(hours), sells.mean(hours))
