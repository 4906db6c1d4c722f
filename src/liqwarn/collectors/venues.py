"""The venues that can be collected, by their names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from liqwarn.collectors.binance import Binance
from liqwarn.collectors.bybit import Bybit
from liqwarn.collectors.hyperliquid import Hyperliquid
from liqwarn.collectors.okx import Okx
from liqwarn.collectors.venue import Venue

__all__ = ["VENUES"]

_ALL: Final[tuple[Venue, ...]] = (
    Binance(),
    Bybit(),
    Hyperliquid(),
    Okx(),
)

VENUES: Final[Mapping[str, Venue]] = MappingProxyType({venue.name: venue for venue in _ALL})
"""Each with its default settings."""
