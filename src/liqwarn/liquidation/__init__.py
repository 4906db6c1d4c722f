"""Where leveraged positions are closed by force: prices of liquidation and of bankruptcy."""

from liqwarn.liquidation.margin import (
    bankruptcy_price,
    inverse_liquidation_price,
    liquidation_price,
)

__all__ = ["bankruptcy_price", "inverse_liquidation_price", "liquidation_price"]
