"""Exchange flows: coins moved onto and off exchanges.

Coins that arrive can be sold or posted as margin; coins that leave cannot. On-chain flows are
weak evidence for a cascade and are revised for months; the ablation of this family is published.
"""

from typing import Final

from liqwarn.features.feature import feature
from liqwarn.features.formulas import imbalance, log_change
from liqwarn.features.past import Past

__all__ = [
    "flow_imbalance",
    "inflow_to_oi",
    "inflow_z",
    "netflow_to_volume",
    "netflow_z",
    "reserve_change",
    "whale_share",
    "whale_share_z",
]

_NET: Final = ("netflow", "inflow", "outflow")
_MONTH_H: Final = 720.0


def _net(netflow: Past, inflow: Past, outflow: Past) -> Past:
    return netflow.fill(inflow - outflow)


@feature(inputs=("inflow",), unit="standard deviations", over=("1h", "6h", "24h"), resolution="1h")
def inflow_z(inflow: Past, hours: float) -> Past:
    """Mean inflow of the window against 30 days; positive when more coins arrive than usual."""
    return inflow.mean(hours).zscore(_MONTH_H)


@feature(inputs=("inflow", "open_interest"), unit="share of open interest", over=("24h",))
def inflow_to_oi(inflow: Past, coins: Past, hours: float) -> Past:
    """Inflow of the window over open interest; positive, or 0 when nothing arrived."""
    return inflow.total(hours) / coins


@feature(inputs=(*_NET, "volume"), unit="share of volume", over=("1h", "24h"))
def netflow_to_volume(
    netflow: Past, inflow: Past, outflow: Past, volume: Past, hours: float
) -> Past:
    """Netflow over traded volume of the window; positive when coins arrive.

    The provider's netflow where the panel carries it, else inflow less outflow.
    """
    return _net(netflow, inflow, outflow).mean(hours) / volume.mean(hours)


@feature(inputs=_NET, unit="standard deviations", over=("24h",), resolution="1h")
def netflow_z(netflow: Past, inflow: Past, outflow: Past, hours: float) -> Past:
    """Mean netflow of the window against 30 days; positive when more coins arrive than usual."""
    return _net(netflow, inflow, outflow).mean(hours).zscore(_MONTH_H)


@feature(inputs=("inflow", "outflow"), unit="share, -1 to 1", over=("24h",))
def flow_imbalance(inflow: Past, outflow: Past, hours: float) -> Past:
    """Netflow over gross flow of the window; positive when coins arrive."""
    return imbalance(inflow.mean(hours), outflow.mean(hours))


@feature(inputs=("reserve",), unit="log change", over=("24h", "7d"), resolution="1h")
def reserve_change(reserve: Past, hours: float) -> Past:
    """Log change of the coins held by exchanges; positive when they grew."""
    return log_change(reserve, hours)


@feature(inputs=("whale_ratio",), unit="share of inflow, 0 to 1", over=("24h",))
def whale_share(ratio: Past, hours: float) -> Past:
    """Mean share of the ten largest transfers in inflow over the window; 1 when they are all."""
    return ratio.mean(hours)


@feature(inputs=("whale_ratio",), unit="standard deviations", over=("30d",), resolution="1h")
def whale_share_z(ratio: Past, hours: float) -> Past:
    """Share of the ten largest inflows against its window; positive when whales move more."""
    return ratio.zscore(hours)
