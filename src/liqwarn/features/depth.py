"""Order-book depth: how much the market can absorb near the price, in USD."""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import imbalance, log_change
from liqwarn.features.past import Past

__all__ = [
    "depth_change",
    "depth_imbalance",
    "depth_imbalance_mean",
    "depth_to_oi",
    "depth_to_volume",
    "depth_z",
]

_BOOK: Final = ("bid_depth_usd", "ask_depth_usd")


@feature(inputs=_BOOK, unit="share, -1 to 1")
def depth_imbalance(bids: Past, asks: Past) -> Past:
    """Bids less asks over both; positive when more wants to buy than to sell."""
    return imbalance(bids, asks)


@feature(inputs=_BOOK, unit="share, -1 to 1", over=("24h",))
def depth_imbalance_mean(bids: Past, asks: Past, hours: float) -> Past:
    """Mean depth imbalance of the window; positive when more wanted to buy than to sell."""
    return imbalance(bids, asks).mean(hours)


@feature(inputs=(*_BOOK, "volume", "close"), unit="hours of volume", over=("24h",))
def depth_to_volume(bids: Past, asks: Past, volume: Past, close: Past, hours: float) -> Past:
    """Depth of both sides over the mean hourly volume of the window; positive, low is thin."""
    hourly_usd = (volume * close).mean(hours) / close.cell_hours
    return (bids + asks) / hourly_usd


@feature(inputs=(*_BOOK, "open_interest", "close"), unit="share of open interest")
def depth_to_oi(bids: Past, asks: Past, coins: Past, close: Past) -> Past:
    """Depth of both sides over open interest; positive, low when little could absorb much."""
    return (bids + asks) / (coins * close)


@feature(inputs=_BOOK, unit="log change", over=("4h", "24h"))
def depth_change(bids: Past, asks: Past, hours: float) -> Past:
    """Log change of the depth of both sides; negative when the book thinned."""
    return log_change(bids + asks, hours)


@feature(inputs=_BOOK, unit="standard deviations", over=("7d", "30d"), resolution="1h")
def depth_z(bids: Past, asks: Past, hours: float) -> Past:
    """Log depth of both sides against its own window; negative when thinner than usual."""
    return (bids + asks).log().zscore(hours)
