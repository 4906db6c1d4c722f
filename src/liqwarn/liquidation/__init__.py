"""Where leveraged positions are closed by force: prices, required margins, dated tier tables."""

from liqwarn.liquidation.exposure import Exposure, bankruptcy_at, closing_price, margin_ratio
from liqwarn.liquidation.maintenance import Maintenance, flat_maintenance
from liqwarn.liquidation.margin import (
    bankruptcy_price,
    inverse_bankruptcy_price,
    inverse_liquidation_price,
    liquidation_price,
)
from liqwarn.liquidation.tiers import TierTable, VenueTiers

__all__ = [
    "Exposure",
    "Maintenance",
    "TierTable",
    "VenueTiers",
    "bankruptcy_at",
    "bankruptcy_price",
    "closing_price",
    "flat_maintenance",
    "inverse_bankruptcy_price",
    "inverse_liquidation_price",
    "liquidation_price",
    "margin_ratio",
]
