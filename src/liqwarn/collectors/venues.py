"""The venues that can be collected, by their names."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from liqwarn.collectors.binance import Binance
from liqwarn.collectors.bybit import Bybit
from liqwarn.collectors.hyperliquid import Hyperliquid
from liqwarn.collectors.hyperliquid_names import HLP_LIQUIDATORS
from liqwarn.collectors.okx import Okx
from liqwarn.collectors.venue import Venue

__all__ = ["TAPED", "VENUES", "venues_with"]

_ALL: Final[tuple[Venue, ...]] = (
    Binance(),
    Bybit(),
    Hyperliquid(),
    Okx(),
)

VENUES: Final[Mapping[str, Venue]] = MappingProxyType({venue.name: venue for venue in _ALL})
"""Each with its default settings."""

TAPED: Final[Mapping[str, Venue]] = MappingProxyType(
    {**VENUES, "hyperliquid": Hyperliquid(anybody=True)}
)
"""As their tapes are read: whatever accounts were followed, what was kept of them is read."""


def venues_with(
    *, watched: Sequence[str] = (), liquidators: Sequence[str] = ()
) -> Mapping[str, Venue]:
    """The venues, with accounts to follow at Hyperliquid.

    Parameters
    ----------
    watched : sequence of str
        Whose positions are asked for.
    liquidators : sequence of str
        Whose fills are followed in place of the vaults that are known; none for these.

    Raises
    ------
    ConfigError
        For what is no address, or more liquidators than the venue lets one follow.
    """
    followed = tuple(liquidators) or HLP_LIQUIDATORS
    hyperliquid = Hyperliquid(watched=tuple(watched), liquidators=followed)
    return MappingProxyType({**VENUES, hyperliquid.name: hyperliquid})
